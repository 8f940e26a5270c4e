// Puts the page together, and renders it anew when a choice changes.

const SECTIONS = [
  ["formulas", "Forward pass, and back", formulasSection],
  ["shapes", "Shapes", shapesSection],
  ["arrays", "Numbers", arraysSection],
  ["chain", "Chain of Jacobians", (pane, rows) => [...chainSection(pane, rows, chooseFactor), ...gridSection(pane)]],
  ["steps", "Derivation, step by step", stepsSection],
  ["gradient", "Compact formula, and the gradient", gradientSection],
  ["code", "NumPy code", codeSection],
  ["graph", "A graph: a residual block", graphSection],
];

function build() {
  for (const net of data.nets) {
    byId("net").append(el("option", { value: net.key }, netTitle(net)));
  }
  const sections = [
    makeSection("conventions", "Conventions", (name) => makeControls(name, chooseSide)), buildStage(),
    makeSection("sources", "The two conventions", (name) => makeSource(name), false),
  ];
  for (const [id, title] of SECTIONS) sections.push(makeSection(id, title, (name) => el("div", { id: `${name}-${id}` })));
  byId("sections").append(...sections);
  byId("shared").after(buildEditor());
  byId("sources").append(el("ul", { id: "ways" }));
  byId("gradient").append(el("p", { id: "difference" }));
  byId("graph-title").after(graphPicture());
}

function makeSection(id, title, content, compared = true) {
  const pane = (name) => el("div", { class: "pane", "data-pane": name }, el("h3", {}), content(name));
  return el("section", { id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title, ...(compared ? [" ", el("span", { class: "badge", id: `${id}-badge` })] : [])),
    el("div", { class: "panes" }, pane("left"), pane("right")));
}

function render() {
  const net = theNet();
  panes = ["left", "right"].map((name, i) => {
    const known = panes[i];
    const same = known?.net === net && known.wrt === state.by && known.side === state[name];
    return same ? known : makePane(name, state[name], net, state.by);
  });
  const keys = panes.flatMap(({ chain }) => chain.map(({ key }) => key));
  if (!keys.includes(state.of)) state.of = localKey();
  if (!panes.some(({ chain }) => chain.some((view) => view.key === state.tie?.key && view.find(state.tie)))) state.tie = null;
  const focused = document.activeElement?.dataset.focus;
  for (const pane of panes) renderPane(pane);
  for (const [id] of SECTIONS) markRows(byId(`${id}-badge`), ...panes.map(({ rows }) => rows[id]));
  if (focused) document.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  renderTheStage();
  byId("ways").replaceChildren(...differencesShown());
  byId("difference").textContent = differenceText(panes);
  showShared();
  showEditor();
  for (const pane of panes) showControls(pane.name);
  markSwitches();
  light();
  settleScrolling();
  writeFragment();
}

// The row stays at its role when a convention changes, and goes to the opening stop when the chain or the way does.
function renderTheStage() {
  const role = stage.way.length ? currentRole() : null;
  const added = summedExamples();
  stage.follow = state.follow;
  stage.forward = state.mode === "forward" && panes.every(({ stops }) => stops.length);
  layWay();
  if (state.step === null) stage.at = openingStop();
  else if (stage.known && role !== null && stage.way.includes(role)) stage.at = stage.way.indexOf(role) + added;
  else stage.at = state.step;
  stage.known = true;
  renderStage();
}

// A pane is written once; afterwards only its chain, when another factor is opened.
function renderPane(pane) {
  for (const [id, , section] of SECTIONS) {
    if (pane.rows[id] && (id !== "chain" || pane.open === state.of)) continue;
    pane.rows[id] = new Rows();
    byId(`${pane.name}-${id}`).replaceChildren(...section(pane, pane.rows[id]));
  }
  pane.open = state.of;
}

// The factor that the parameter enters: ∂Z₁/∂W₁ where the loss is differentiated with respect to W₁.
function localKey() {
  const pane = panes.find(({ own }) => own !== null);
  return pane?.chain.find(({ wrt }) => wrt.name === pane.own).key ?? null;
}

function markSwitches() {
  const rows = panes.map(({ layout, name }) => {
    const found = new Rows();
    for (const [field, value] of Object.entries(layout)) {
      byId(`${name}-${field}-mark`).replaceChildren(found.mark(field, value));
    }
    return found;
  });
  markRows(byId("conventions-badge"), ...rows);
}

// A flip that only moves entries is shown as a movement.
function chooseSide(pane, side) {
  const [old, next] = [sides[state[pane]].layout, sides[side].layout];
  const before = old.bias === next.bias && old.derivative === next.derivative ? standing(pane) : new Map();
  state[pane] = side;
  render();
  carry(pane, before);
}

function chooseFactor(key) {
  state.of = key;
  state.tie = null;
  render();
}

function chooseShared(name, value) {
  state[name] = value;
  state.of = null;
  state.tie = null;
  state.step = null;
  if (name === "net") state.edit = { set: {} };
  const names = theNet().wrt.map(([wrt]) => wrt);
  if (!names.includes(state.by)) state.by = names[0];
  render();
}

build();
measureStage();
byId("net").addEventListener("change", () => chooseShared("net", byId("net").value));
byId("wrt").addEventListener("change", () => chooseShared("by", byId("wrt").value));
byId("shared").addEventListener("submit", (event) => event.preventDefault());
byId("share").addEventListener("click", () => {
  history.replaceState(null, "", fragmentOf());
  copyText(location.href, byId("share"), null);
});
// the address may have been written again since: what is asked for is the event's
addEventListener("hashchange", ({ newURL }) => { readFragment(new URL(newURL).hash); stage.known = false; render(); });
addEventListener("resize", settleScrolling);
readFragment(location.hash);
render();
