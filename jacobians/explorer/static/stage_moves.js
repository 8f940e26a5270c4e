// What moves the row and lights its entries: buttons, slider, keys, the pointer.

// Lights an entry of the row before, an entry of the row after, or both, wherever they stand on either side.
function tie(before, after) {
  for (const element of document.querySelectorAll("#stage .end, #stage .start")) element.classList.remove("end", "start");
  const light_ = (selector, name) => {
    for (const element of document.querySelectorAll(selector)) element.classList.add(name);
  };
  if (before !== null) light_(`#stage [data-k="${CSS.escape(before)}"]`, "end");
  if (after !== null) light_(`#stage [data-k="${CSS.escape(after)}"]`, "start");
  if (before !== null && after !== null) light_(`#stage [data-r="${CSS.escape(before)}"][data-c="${CSS.escape(after)}"]`, "end");
  for (const pane of panes) {
    const stop = pane.stops.find((each) => each.role === currentRole());
    const terms = byId(`${pane.name}-terms`);
    if (stop && terms) terms.replaceChildren(...termsOf(pane, stop, after === null ? null : Number(after)));
  }
}

function tieAt(target) {
  const { r, c, k } = target.closest("[data-r], [data-k]")?.dataset ?? {};
  tie(r ?? null, c ?? k ?? null);
}

function walk(event, pane, stop) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") { pane.walked = undefined; tie(null, null); }
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const { to } = passageOf(pane, stop);
  const count = to.order.length;
  pane.walked = pane.walked === undefined ? 0 : (pane.walked + step + count) % count;
  tie(null, String(to.into[to.order[pane.walked]]));
  announce(byId(`${pane.name}-terms`).textContent);
}

function goTo(at) {
  const next = Math.max(0, Math.min(at, lastStop()));
  stage.moved = next !== stage.at;
  stage.at = next;
  state.step = next;
  for (const pane of panes) pane.walked = undefined;
  renderStage();
  announce(`${byId("say").textContent}`);
  writeFragment();
}

function play() {
  if (stage.timer) {
    clearInterval(stage.timer);
    stage.timer = 0;
    renderStage();
    return;
  }
  stage.timer = setInterval(() => {
    if (stage.at < lastStop()) goTo(stage.at + 1);
    else play();
  }, 2000);
  goTo(stage.at < lastStop() ? stage.at + 1 : 0);
}

// The stop that shows most: the row goes through the last layer's weights, or past the loss where there are none.
function openingStop() {
  if (stage.forward) return 1;
  const found = stage.way.findIndex((role) => /^Z\d+\/A\d+\/$/.test(role));
  return found < 0 ? Math.min(1, stage.way.length - 1) : found;
}

function buildStage() {
  const button = (id, text, label, act) => {
    const made = el("button", { type: "button", id, "aria-label": label }, text);
    made.addEventListener("click", act);
    return made;
  };
  const follow = el("select", { id: "follow", "aria-label": "Follow" });
  follow.addEventListener("change", () => chooseOnStage(stage.forward ? { entry: Number(follow.value) } : { follow: Number(follow.value) }));
  const mode = el("select", { id: "mode", "aria-label": "Way" }, el("option", { value: "back" }, "back: a row"), el("option", { value: "forward" }, "forward: a column"));
  mode.addEventListener("change", () => { state.step = null; chooseOnStage({ mode: mode.value }); });
  const slider = el("input", { id: "stop", type: "range", min: 0, max: 1, "aria-label": "Step" });
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  const go = button("play", "▶ play", null, play);
  go.className = "go";
  const section = el("section", { id: "stage", "aria-labelledby": "stage-title" },
    el("h2", { id: "stage-title" }, "The stage: a row goes from the loss to the parameter"),
    el("div", { class: "band" },
      el("div", { class: "buttons" }, button("back", "←", "back", () => goTo(stage.at - 1)), go, button("forward", "→", "forward", () => goTo(stage.at + 1)), mode, follow, button("save", "SVG", "Save this step as SVG", savePicture)),
      el("p", { class: "say", id: "say" }),
      el("div", { class: "line" }, slider, el("ol", { class: "stops", id: "stops", "aria-label": "Steps" }))),
    el("div", { class: "panes" }, ...["left", "right"].map((name) => el("div", { class: "pane", "data-pane": name },
      el("div", { class: "reel" }, el("div", { class: "tiles scroll", id: `${name}-tiles`, role: "group", "aria-label": `The chain of the ${name} pane` })), el("div", { class: "step", id: `${name}-step` })))));
  for (const tiles of section.querySelectorAll(".tiles")) tiles.addEventListener("scroll", () => showEnds(tiles), { passive: true });
  section.addEventListener("pointerover", (event) => tieAt(event.target));
  section.addEventListener("pointerleave", () => tie(null, null));
  document.addEventListener("keydown", stageKeys);
  addEventListener("resize", () => { measureStage(); renderStage(); });
  return section;
}

function chooseOnStage(choice) {
  Object.assign(state, choice);
  renderTheStage();
  writeFragment();
}

function stageKeys(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, td, [tabindex='0'].scroll")) return;
  if (target !== document.body && !target.closest("#stage")) return;
  const to = { ArrowRight: stage.at + 1, ArrowLeft: stage.at - 1, Home: 0, End: lastStop() }[event.key];
  if (to !== undefined) { event.preventDefault(); goTo(to); }
  else if (event.key === " " && !target.matches("button")) { event.preventDefault(); play(); }
  else if (event.key === "Escape") tie(null, null);
}
