// The stage: a row of numbers goes from the loss to a parameter, factor by factor, in two conventions at once.

const stage = { roles: [], at: 0, follow: 0, timer: 0, moved: false, width: 0 };
const LEVELS = 8;

function level(number, full) {
  if (Math.abs(number) < 5e-13) return "";
  return (number > 0 ? "p" : "n") + Math.max(1, Math.min(LEVELS, Math.round(LEVELS * Math.sqrt(Math.abs(number) / full))));
}

function shortly(number) {
  if (Math.abs(number) < 5e-13) return "0";
  const size = Math.abs(number);
  const text = size >= 9.95 ? size.toFixed(0) : size < 0.00995 ? size.toFixed(3) : size.toFixed(2);
  return (number < 0 ? "−" : "") + text.replace(/^0\./, ".");
}

function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0) || 1;
}

function lastStop() {
  const summed = stage.roles.some((role) => role.endsWith("/parameter/"));
  return stage.roles.length - 1 + (summed ? panes[0].net.count : 0);
}

// The examples that have been added to the gradient; 0 before the sum.
function summedExamples() {
  return Math.max(0, stage.at - stage.roles.length + 1);
}

function currentRole() {
  return stage.roles[Math.min(stage.at, stage.roles.length - 1)];
}

// Which of a pane's stops the row has come to: where the pane has no such stop, the one before.
function reached(pane) {
  const index = Math.min(stage.at, stage.roles.length - 1);
  const passed = stage.roles.slice(0, index + 1);
  return pane.stops.filter(({ role }) => passed.includes(role)).at(-1);
}

function stopName(role) {
  const [of, wrt, kind] = role.split("/");
  const pane = panes.find(({ stops }) => stops.some((stop) => stop.role === role));
  const shown = (name) => pane.arrays.get(name)?.shown ?? name;
  if (kind === "drop") return "drop the 1";
  if (kind === "turn") return "turn";
  if (kind === "weight") return "the weight";
  if (of === "loss") return "start";
  if (of === "losses") return "loss";
  const target = wrt === "parameter" ? shown(pane.own) : shown(wrt);
  return `∂${shown(of)}/∂${target}`;
}

// Measured apart: a width asked for while the page changes would lay it out again and again.
function measureStage() {
  stage.width = byId("left-tiles").clientWidth || 640;
}

function renderStage() {
  for (const pane of panes) {
    pane.stops.forEach((stop, i) => { stop.next = pane.stops[i + 1]; });
  }
  stage.roles = alignedRoles(...panes);
  stage.at = Math.max(0, Math.min(stage.at, lastStop()));
  if (stage.follow > panes[0].net.count) stage.follow = 0;
  for (const pane of panes) {
    pane.row = rowsOf(pane, stage.follow, summedExamples());
    pane.all = rowsOf(pane, stage.follow, 0);
  }
  stage.full = Math.max(...panes.map(({ row }) => largest(row.slice(1).flat())));
  const names = stage.roles.map(stopName);
  for (let n = 1; stage.roles.length - 1 + n <= lastStop(); n += 1) names.push(`+ example ${n}`);
  showBand(names);
  const sizes = slotWidths(stage.width - 8);
  for (const pane of panes) {
    // the other pane changes only with the slots that both share, and with the scale
    const drawn = JSON.stringify([stage.roles, stage.at, stage.follow, stage.full, stage.width, sizes]);
    if (pane.drawn === drawn) continue;
    pane.drawn = drawn;
    byId(`${pane.name}-tiles`).replaceChildren(...(pane.stops.length ? chainTiles(pane, sizes) : [el("p", { class: "note" }, NO_DERIVATIVE)]));
    if (pane.stops.length) showTile(pane, sizes);
    byId(`${pane.name}-step`).replaceChildren(...(pane.stops.length ? stepShown(pane) : []));
    byId(`${pane.name}-step`).classList.toggle("moved", stage.moved);
  }
  stage.moved = false;
  settleScrolling();
}

function showBand(names) {
  const slider = byId("stop");
  slider.max = lastStop();
  slider.value = stage.at;
  slider.setAttribute("aria-valuetext", names[stage.at]);
  byId("stops").replaceChildren(...names.map((name, i) => {
    const button = el("button", { type: "button", tabindex: -1 }, name);
    button.addEventListener("click", () => goTo(i));
    return el("li", { "aria-current": i === stage.at ? "step" : null }, button);
  }));
  const follow = byId("follow");
  const count = panes[0].net.count;
  if (follow.options.length !== count + 1) {
    follow.replaceChildren(...Array.from({ length: count + 1 }, (_, n) => el("option", { value: n }, n ? `example ${n}` : "all examples")));
  }
  follow.value = stage.follow;
  byId("play").textContent = stage.timer ? "❚❚ pause" : "▶ play";
  byId("say").replaceChildren(...stageSentence());
}

// One sentence: which Jacobian the row passes, and whether the panes do it alike.
function stageSentence() {
  const role = currentRole();
  if (summedExamples()) {
    const n = summedExamples();
    return [el("b", {}, n === 1 ? "Example 1 adds its outer product to the gradient." : `Example ${n} adds its own; the sum is over examples 1 to ${n}.`)];
  }
  const without = panes.filter(({ stops }) => stops.length && !stops.some((stop) => stop.role === role));
  const found = panes.map(({ stops }) => stops.find((stop) => stop.role === role));
  const sizes = found.every(Boolean) ? found.map((stop) => `${stop.height} × ${stop.into.length}`) : [];
  const name = stopName(role);
  const said = [el("b", {}, role.startsWith("loss/") ? "The row starts at the loss. " : `The row passes ${name}. `)];
  for (const pane of without) said.push(el("span", { class: "differs" }, `≠ ${pane.title} has no such factor: its row stays as it is. `));
  if (sizes.length === 2 && sizes[0] !== sizes[1]) said.push(el("span", { class: "differs" }, `≠ The factor is ${sizes[0]} on the left, ${sizes[1]} on the right.`));
  return said;
}
