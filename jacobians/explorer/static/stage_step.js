// One step on the stage: row times factor with its numbers, the same with arrays, and the sum over the examples.

function stepShown(pane) {
  const role = currentRole();
  const n = summedExamples();
  const stop = n ? pane.stops.at(-1) : pane.stops.find((each) => each.role === role);
  if (!stop) {
    return [el("p", { class: "op" }, "This convention needs no such factor."), el("p", { class: "why" }, "The row stays as it is.")];
  }
  const said = [pane.words.text(stop.rule), pane.words.text(stop.reason)];
  const op = stop.equation ?? stop.row;
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

// What the arrays of the step leave of the pane's width; all of it where they stand below.
function roomFor(pane, stop) {
  const width = stage.width - 24;
  const shapes = [...(stop.parts ?? []).map(({ shape }) => shape), stop.shape];
  const tables = shapes.reduce((sum, shape) => sum + (shape.length ? 31 * shape.at(-1) + 34 : 30), 0);
  return width - tables >= 260 ? width - tables : width;
}

// The row stands on end beside the matrix, so that each entry faces the matrix row that it multiplies; the result falls out below.
function productDrawn(pane, stop) {
  const turned = pane.layout.derivative === "denominator";
  const width = stop.into.length;
  const { height } = stop;
  const across = turned ? height : width;
  const down = turned ? width : height;
  const room = roomFor(pane, stop);
  const w = Math.max(9, Math.min(36, (room - 80) / across));
  const h = Math.max(9, Math.min(19, 200 / down));
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
  (stop.parts ?? []).forEach((part, i) => {
    if (i) shown.push(el("span", { class: "sign" }, stop.sign));
    shown.push(part.shape.length ? tableShown(pane, inline(pane, part.math), part.shape, [...part.numbers], part.places) : inline(pane, part.math));
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
  const parts = pane.stops.find(({ role }) => role.endsWith("/parameter/")).parts ?? [];
  const factors = parts.map((part) => {
    const made = tableShown(pane, inline(pane, part.math), part.shape, [...part.numbers], part.places);
    const across = part.shape[0] !== pane.net.count;
    for (const [r, line] of [...made.tBodies[0].rows].entries()) {
      for (const [c, entry] of [...line.cells].entries()) entry.classList.add(...exampleMark(across ? c : r, n));
    }
    return made;
  });
  return [el("div", { class: "with" }, ...factors), el("div", { class: "with" }, table(n > 1 ? `examples 1 to ${n - 1}` : "nothing yet", before), el("span", { class: "sign" }, "+"), table(`example ${n}`, own),
    el("span", { class: "sign" }, "="), table(n === pane.net.count ? "the gradient" : `examples 1 to ${n}`, total))];
}

// The example that is added is framed, those that come later are pale.
function exampleMark(at, n) {
  if (at === n - 1) return ["added"];
  return at >= n ? ["dim"] : [];
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
