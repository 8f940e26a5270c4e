// What the reader chooses: the shared selects, and each pane's preset and five switches.

const SWITCH_NAMES = {
  batch: ["X", "Batch: an example is one of the rows or columns"],
  weights: ["W", "Weights: a node is one of the rows or columns"],
  bias: ["bias", "Bias: apart, or within the weights beside an entry of ones"],
  vec: ["vec", "vec stacks rows (C) or columns (F)"],
  derivative: ["∂", "Derivative layout: a Jacobian is outputs × inputs, or inputs × outputs"],
};
const CHOICE_NAMES = { columns: "cols", separate: "apart", numerator: "num", denominator: "den" };

function makeControls(pane, change) {
  const select = el("select", { id: `${pane}-preset` }, el("option", { value: "" }, "none: the switches"));
  for (const { name } of data.presets) select.append(el("option", { value: name }, name));
  select.addEventListener("change", () => {
    change(pane, select.value ? sideOfPreset(select.value) : flipped(pane, {}));
  });
  const switches = Object.entries(data.switches).map(([name, choices]) => {
    const labels = choices.map((value) => {
      const input = el("input", { type: "radio", name: `${pane}-${name}`, value });
      input.addEventListener("change", () => {
        change(pane, flipped(pane, { [name]: value }));
      });
      return el("label", {}, input, el("span", {}, CHOICE_NAMES[value] ?? value));
    });
    return el("fieldset", {}, el("legend", {}, el("span", { id: `${pane}-${name}-mark` }), 
      el("span", { "aria-hidden": "true", title: SWITCH_NAMES[name][1] }, SWITCH_NAMES[name][0]), spoken(SWITCH_NAMES[name][1])), el("div", { class: "choices" }, ...labels));
  });
  return el("form", { class: "switches", "aria-label": `Convention of the ${pane} pane` },
    el("p", { class: "preset" }, el("label", { for: `${pane}-preset` }, el("span", { class: "tag" }, pane === "left" ? "Left" : "Right")), " ", select),
    ...switches);
}

function makeSource(pane) {
  return el("div", {}, el("p", { class: "source quiet", id: `${pane}-source` }),
    el("p", { class: "note", id: `${pane}-note` },
      "Without a bias this is another network: its numbers, and its gradient, are others."));
}

// The pane's layout with other choices: no preset any more, in the names of the last one.
function flipped(pane, choices) {
  const { layout, last } = sides[state[pane]];
  return sideOfLayout({ ...layout, ...choices }, last);
}

function showControls(pane) {
  const side = sides[state[pane]];
  byId(`${pane}-preset`).value = side.name;
  for (const [name, value] of Object.entries(side.layout)) {
    document.querySelector(`input[name="${pane}-${name}"][value="${value}"]`).checked = true;
  }
  byId(`${pane}-source`).textContent = side.name ? sourceOf(side) : `No preset: ${side.summary}.${namesOf(side)}`;
  byId(`${pane}-note`).hidden = side.layout.bias !== "none";
  for (const title of document.querySelectorAll(`.pane[data-pane="${pane}"] > h3`)) {
    title.textContent = `${pane === "left" ? "Left" : "Right"}: ${side.name || side.summary}`;
  }
}

function namesOf({ last }) {
  return last ? ` Names as in ${last}.` : "";
}

function sourceOf({ title, citation, assumed, summary, objective }) {
  const open = assumed.length ? ` The source leaves open: ${assumed.join(", ")}; here the usual choice.` : "";
  const shown = objectiveOf(theNet());
  const other = objective && objective !== shown ? ` The source would take the ${objective}; here it has this net's loss.` : "";
  return `${title}: ${summary}. ${citation}${open}${other}`;
}

function showShared() {
  const net = theNet();
  byId("net").value = state.net;
  byId("wrt").replaceChildren(...net.wrt.map(([name, shown]) => el("option", { value: name }, shown)));
  byId("wrt").value = state.by;
  byId("batch").textContent =
    `Net ${netTitle(net)}${net.edited ? `, ${net.activation.replaceAll("_", " ")}` : ""}; ${net.count} examples with labels ${net.labels.map((label) => label + 1).join(", ")} (classes ` +
    `count from 1); the loss is the mean of the ${objectiveOf(net)}. Both panes have the same weights and the same batch. ` +
    (net.edited ? "Its numbers were computed in this page, from the formulas that are shown." : "Arrays, Jacobians and gradients were computed by the library when this file was written.");
}

function netTitle(net) {
  return `${net.sizes.join("–")}, ${net.title}`;
}

function objectiveOf(net) {
  return data.templates.losses[net.loss].objective;
}
