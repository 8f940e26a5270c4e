// The stage: a row of numbers goes from the loss to a parameter, factor by factor, in two conventions at once.

const stage = { roles: [], at: 0, follow: 0, timer: 0, moved: false };
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

// --- what is shown -----------------------------------------------------------------------------------------

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
  for (const pane of panes) {
    byId(`${pane.name}-tiles`).replaceChildren(...(pane.stops.length ? chainTiles(pane) : [el("p", { class: "note" }, NO_DERIVATIVE)]));
    byId(`${pane.name}-step`).replaceChildren(...(pane.stops.length ? stepShown(pane) : []));
    byId(`${pane.name}-step`).classList.toggle("moved", stage.moved);
  }
  stage.moved = false;
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
  byId("say").replaceChildren(...sentence_());
}

// One sentence: which Jacobian the row passes, and whether the panes do it alike.
function sentence_() {
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

// --- the chain ---------------------------------------------------------------------------------------------

function cell(x, y, width, height, number, full, attributes = {}, more = "") {
  return svg("rect", { class: `cell ${level(number, full)}${more}`, x, y, width, height, ...attributes });
}

function dimmed(pane, stop, i) {
  return stage.follow && stop.shape.length && !stop.role.includes("parameter") && stop.role !== "//weight" &&
    exampleOf(stop, i, pane.layout) + 1 !== stage.follow ? " dim" : "";
}

// Units of a cell, so that the aligned slots of both panes have room.
function slotWidths(width) {
  const slots = stage.roles.map((role) => Math.max(1, ...panes.map((pane) => {
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return 1;
    return pane.layout.derivative === "numerator" ? stop.into.length : stop.height + 1.5;
  })));
  const heights = panes.flatMap((pane) => pane.stops.map((stop) => (pane.layout.derivative === "numerator" ? stop.height : stop.into.length)));
  const unit = Math.min(14, 132 / Math.max(...heights), (width - 12 * slots.length) / slots.reduce((a, b) => a + b, 0));
  return { unit: Math.max(2.5, unit), slots };
}

function chainTiles(pane) {
  const box = byId(`${pane.name}-tiles`);
  const { unit } = slotWidths(box.clientWidth || 640);
  const here = reached(pane);
  const tiles = stage.roles.map((role, index) => {
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return el("span", { class: "tile none" }, "none");
    const when = stop === here ? "now" : stop.position < here.position ? "done" : "later";
    const button = el("button", { type: "button", tabindex: -1, class: `tile ${when}`, "aria-current": when === "now" ? "step" : null, "aria-label": stopName(role) },
      el("span", { class: "cap" }, ...(stop.symbol === undefined ? [pane.words.math(pane.weight[0])] : [pane.words.math(stop.symbol)])),
      el("span", { class: "size" }, stop.numbers ? sizeText(pane, stop) : ""),
      tileDrawn(pane, stop, unit, when),
      el("span", { class: "row" }, ...(when === "later" || stop.row === undefined ? [] : [pane.words.math(stop.row)])));
    button.addEventListener("click", () => goTo(index));
    return button;
  });
  return pane.layout.derivative === "numerator" ? tiles : tiles.reverse();
}

function sizeText(pane, stop) {
  const size = [stop.position ? stop.height : 1, stop.into.length];
  return (pane.layout.derivative === "numerator" ? size : size.reverse()).join(" × ");
}

// A factor, and under each of its columns the row's entry after it; in denominator layout all of it is transposed.
function tileDrawn(pane, stop, unit, when) {
  const turned = pane.layout.derivative === "denominator";
  const width = stop.into.length;
  const height = stop.position && stop.numbers ? stop.height : 0;
  const gap = height ? 3 : 0;
  const drawn = [];
  const row = pane.row[stop.position];
  const full = height ? largest(stop.numbers) : 1;
  const shift = turned ? unit + gap : 0;
  if (height) {
    const matrix = svg("g", { class: "matrix" }, svg("rect", { class: "paper", x: shift, width: (turned ? height : width) * unit, height: (turned ? width : height) * unit }));
    stop.previous.order.forEach((r, i) => stop.order.forEach((c, j) => {
      const number = stop.numbers[r * width + c];
      if (number === 0) return;
      const [x, y] = turned ? [shift + i * unit, j * unit] : [j * unit, i * unit];
      matrix.append(cell(x, y, unit, unit, number, full, { "data-r": stop.previous.into[r], "data-c": stop.into[c] }, dimmed(pane, stop.previous, r)));
    }));
    drawn.push(matrix);
  }
  const at = (j) => (turned ? [0, j * unit] : [j * unit, height * unit + gap]);
  stop.order.forEach((c, j) => {
    const [x, y] = at(j);
    drawn.push(when === "later" ? svg("rect", { class: "hole", x, y, width: unit, height: unit })
      : cell(x, y, unit, unit, row[c], stage.full, { "data-k": stop.into[c] }, dimmed(pane, stop, c)));
  });
  const [w, h] = turned ? [shift + height * unit || unit, width * unit] : [width * unit, (height + 1) * unit + gap];
  if (when === "now") drawn.push(svg("rect", { class: "here", x: at(0)[0], y: at(0)[1], width: turned ? unit : w, height: turned ? h : unit }));
  return svg("svg", { "aria-hidden": "true", width: w + 4, height: h + 4, viewBox: `-2 -2 ${w + 4} ${h + 4}` }, ...drawn);
}

// --- one step ----------------------------------------------------------------------------------------------

function stepShown(pane) {
  const role = currentRole();
  const stop = pane.stops.find((each) => each.role === role);
  if (!stop) {
    return [el("p", { class: "op" }, "This convention needs no such factor."), el("p", { class: "why" }, "The row stays as it is.")];
  }
  const said = [pane.words.text(pooled(stop.rule)), pane.words.text(pooled(stop.reason))];
  const op = stop.equation ?? stop.row;
  const n = summedExamples();
  const head = [
    el("p", { class: "op" }, ...(n ? [`${n} of ${pane.net.count} examples: `] : []), ...(op === undefined || op === null ? [pane.words.math(stop.symbol)] : [pane.words.math(op)]),
      ...(pane.weight && stop.numbers && stop.position < pane.stops.length ? [el("span", { class: "quiet" }, "  with ", inline(pane, pane.weight[0]), " kept in front")] : [])),
    el("p", { class: "why" }, el("b", {}, said[0]), ". ", said[1]),
  ];
  if (n) return [...head, el("div", { class: "work" }, ...sumShown(pane, n))];
  const work = [];
  if (stop.position && stop.numbers) work.push(el("div", { class: "product" }, productDrawn(pane, stop)));
  work.push(el("div", { class: "with" }, ...operationShown(pane, stop)));
  return [...head, el("div", { class: "work" }, ...work), el("p", { class: "terms", id: `${pane.name}-terms` }, ...termsOf(pane, stop, null))];
}

function inline(pane, place) {
  const found = pane.words.math(place);
  found.setAttribute("display", "inline");
  return found;
}

// The row stands on end beside the matrix, so that each entry faces the matrix row that it multiplies; the result falls out below.
function productDrawn(pane, stop) {
  const turned = pane.layout.derivative === "denominator";
  const width = stop.into.length;
  const { height } = stop;
  const across = turned ? height : width;
  const down = turned ? width : height;
  const w = Math.max(11, Math.min(36, 350 / across));
  const h = Math.max(9, Math.min(19, 190 / down));
  const side = 34;
  const label = 26;
  const readable = w >= 27 && h >= 12;
  const named = h >= 11;
  const full = largest(stop.numbers);
  const drawn = [];
  const [left, top] = turned ? [label, h + 20] : [label + side + 10, 0];
  const put = (x, y, width_, number, scale, attributes, more, text) => {
    const group = svg("g", { class: level(number, scale) + more });
    group.append(svg("rect", { class: `cell ${level(number, scale)}`, x, y, width: width_, height: h, ...attributes }));
    if (text && width_ >= 26 && h >= 11) group.append(svg("text", { x: x + width_ / 2, y: y + h / 2 + 4, "text-anchor": "middle" }, text));
    return group;
  };
  drawn.push(svg("rect", { class: "paper", x: left, y: top, width: across * w, height: down * h }));
  stop.previous.order.forEach((r, i) => stop.order.forEach((c, j) => {
    const number = stop.numbers[r * width + c];
    if (number === 0) return;
    const [x, y] = turned ? [left + i * w, top + j * h] : [left + j * w, top + i * h];
    drawn.push(put(x, y, w, number, full, { "data-r": stop.previous.into[r], "data-c": stop.into[c] }, dimmed(pane, stop.previous, r), readable ? shortly(number) : ""));
  }));
  const before = pane.all[stop.position - 1];
  const after = pane.row[stop.position];
  stop.previous.order.forEach((r, i) => {
    const [x, y] = turned ? [left + i * w, 12] : [label, i * h];
    drawn.push(put(x, y, turned ? w : side, before[r], stage.full, { "data-k": stop.previous.into[r] }, dimmed(pane, stop.previous, r), shortly(before[r])));
    if (named && !turned) drawn.push(svg("text", { class: "entry", x: label - 3, y: y + h / 2 + 4, "text-anchor": "end" }, `d${entryName(stop.previous, r)}`));
  });
  const results = svg("g", { class: "result" });
  stop.order.forEach((c, j) => {
    const [x, y] = turned ? [left + across * w + 10, top + j * h] : [left + j * w, down * h + 8];
    results.append(put(x, y, turned ? side : w, after[c], stage.full, { "data-k": stop.into[c] }, dimmed(pane, stop, c), shortly(after[c])));
  });
  drawn.push(results);
  const W = left + across * w + (turned ? side + 14 : 4);
  const H = top + down * h + (turned ? 4 : h + 12);
  const image = svg("svg", { tabindex: 0, role: "group", "aria-label": `${pane.title}: row times ${stopName(stop.role)}; arrow keys move over the entries of the result`, width: W + 2, height: H + 2, viewBox: `-1 -1 ${W + 2} ${H + 2}` }, ...drawn);
  image.addEventListener("keydown", (event) => walk(event, pane, stop));
  return image;
}

// The arrays that the same step is made of, in the convention's own names.
function operationShown(pane, stop) {
  const shown = [];
  (stop.parts ?? []).forEach((place, i) => {
    const part = pooled(place);
    if (i) shown.push(el("span", { class: "sign" }, stop.sign));
    shown.push(part.shape.length ? tableShown(pane, inline(pane, part.math), part.shape, pooled(part.numbers).map((k) => data.numbers[k]), part.places === null ? null : pooled(part.places)) : inline(pane, part.math));
  });
  if (shown.length) shown.push(el("span", { class: "sign" }, stop.sign === "→" ? "→" : "="));
  const name = stop.row === undefined ? inline(pane, stop.symbol) : inline(pane, stop.row);
  shown.push(tableShown(pane, name, stop.shape, pane.row[stop.position], stop.into));
  return shown;
}

function tableShown(pane, name, shape, numbers, places, full = null) {
  const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
  const scale = full ?? largest(numbers);
  const body = Array.from({ length: rows }, (_, r) => el("tr", {}, ...Array.from({ length: columns }, (_, c) => {
    const i = r * columns + c;
    return el("td", { class: level(numbers[i], scale), "data-k": places ? places[i] : null }, shortly(numbers[i]));
  })));
  return el("table", {}, el("caption", {}, name, el("span", {}, shape.join(" × "))), el("tbody", {}, ...body));
}

// The gradient as a sum over examples: what example n adds, and the sum of those before it and its own.
function sumShown(pane, n) {
  const last = pane.stops.at(-1);
  const before = n > 1 ? rowsOf(pane, stage.follow, n - 1).at(-1) : pane.row.at(-1).map(() => 0);
  const total = pane.row.at(-1);
  const own = total.map((number, i) => number - before[i]);
  const full = largest(pane.all.at(-1));
  const table = (name, numbers) => tableShown(pane, el("span", {}, name), last.shape, numbers, last.into, full);
  return [el("div", { class: "with" }, table(n > 1 ? `examples 1 to ${n - 1}` : "nothing yet", before), el("span", { class: "sign" }, "+"), table(`example ${n}`, own),
    el("span", { class: "sign" }, "="), table(n === pane.net.count ? "the gradient" : `examples 1 to ${n}`, total))];
}

// One entry of the result written out: the sum that the row and a column of the matrix make.
function termsOf(pane, stop, chosen) {
  if (!stop.position || !stop.numbers) return [];
  const after = pane.row[stop.position];
  const before = pane.all[stop.position - 1];
  const found = chosen === null ? -1 : stop.into.indexOf(chosen);
  const c = found >= 0 ? found : after.reduce((best, number, i) => (Math.abs(number) > Math.abs(after[best]) ? i : best), 0);
  const spelled = (number) => rounded(number, 3);
  const bracketed = (number) => (number < 0 ? `(${spelled(number)})` : spelled(number));
  const terms = before.flatMap((number, r) => {
    const factor = stop.numbers[r * stop.into.length + c];
    return factor === 0 ? [] : [`${bracketed(number)}·${bracketed(factor)}`];
  });
  return [el("b", {}, `d${entryName(stop, c)}`), ` = ${terms.join(" + ") || "0"} = `, el("b", {}, spelled(after[c]))];
}

// --- ties --------------------------------------------------------------------------------------------------

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
  const count = stop.order.length;
  pane.walked = pane.walked === undefined ? 0 : (pane.walked + step + count) % count;
  tie(null, String(stop.into[stop.order[pane.walked]]));
  announce(byId(`${pane.name}-terms`).textContent);
}

// --- going on ----------------------------------------------------------------------------------------------

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
  const found = stage.roles.findIndex((role) => /^Z\d+\/A\d+\/$/.test(role));
  return found < 0 ? Math.min(1, stage.roles.length - 1) : found;
}

function buildStage() {
  const button = (id, text, label, act) => {
    const made = el("button", { type: "button", id, "aria-label": label }, text);
    made.addEventListener("click", act);
    return made;
  };
  const follow = el("select", { id: "follow", "aria-label": "Follow" });
  follow.addEventListener("change", () => { stage.follow = Number(follow.value); state.follow = stage.follow; renderStage(); writeFragment(); });
  const slider = el("input", { id: "stop", type: "range", min: 0, max: 1, "aria-label": "Step" });
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  const go = button("play", "▶ play", null, play);
  go.className = "go";
  const section = el("section", { id: "stage", "aria-labelledby": "stage-title" },
    el("h2", { id: "stage-title" }, "The stage: a row goes from the loss to the parameter"),
    el("div", { class: "band" },
      el("div", { class: "buttons" }, button("back", "←", "back", () => goTo(stage.at - 1)), go, button("forward", "→", "forward", () => goTo(stage.at + 1)), follow),
      el("p", { class: "say", id: "say" }),
      el("div", { class: "line" }, slider, el("ol", { class: "stops", id: "stops", "aria-label": "Steps" }))),
    el("div", { class: "panes" }, ...["left", "right"].map((name) => el("div", { class: "pane", "data-pane": name },
      el("div", { class: "tiles", id: `${name}-tiles` }), el("div", { class: "step", id: `${name}-step` })))));
  section.addEventListener("pointerover", (event) => tieAt(event.target));
  section.addEventListener("pointerleave", () => tie(null, null));
  document.addEventListener("keydown", stageKeys);
  addEventListener("resize", () => renderStage());
  return section;
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
