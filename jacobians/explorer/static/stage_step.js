// One step on the stage: row times factor with its numbers, the same with arrays, and the sum over the examples.

function stepShown(pane) {
  if (stage.forward) return columnShown(pane);
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
  const shapes = stage.forward ? [stop.previous.shape] : [...(stop.parts ?? []).map(({ shape }) => shape), stop.shape];
  const tables = shapes.reduce((sum, shape) => sum + (shape.length ? 31 * shape.at(-1) + 34 : 30), 0);
  return width - tables >= 260 ? width - tables : width;
}

// What goes in stands beside the matrix, each entry facing what it multiplies, and the result falls out on the other side:
// a row stands on end at the left of the matrix's rows, a column lies above its columns.
function productDrawn(pane, stop) {
  const turned = pane.layout.derivative === "denominator";
  const lying = beside(pane); // what goes in lies above the matrix, and the result stands at its right
  const { from, to } = passageOf(pane, stop);
  const [across, down] = lying ? [from, to] : [to, from];
  const room = roomFor(pane, stop);
  const w = Math.max(9, Math.min(36, (room - 80) / across.order.length));
  const h = Math.max(9, Math.min(19, 200 / down.order.length));
  const side = 34;
  const label = 26;
  const readable = w >= 27 && h >= 12;
  const full = largest(stop.numbers);
  const width = stop.into.length;
  const [left, top] = lying ? [label, h + 20] : [label + side + 10, 0];
  const put = (x, y, width_, number, scale, attributes, more, text) => {
    const group = svg("g", { class: level(number, scale) + more });
    group.append(svg("rect", { class: `cell ${level(number, scale)}`, x, y, width: width_, height: h, ...attributes }));
    if (text && width_ >= 26 && h >= 11) group.append(svg("text", { x: x + width_ / 2, y: y + h / 2 + 4, "text-anchor": "middle" }, text));
    return group;
  };
  const entry = (part, k, x, y, width_) =>
    put(x, y, width_, part.numbers[k], stage.full, { "data-k": part.into[k] }, part.of ? dimmed(pane, part.of, k) : "", shortly(part.numbers[k]));
  const drawn = [svg("rect", { class: "paper", x: left, y: top, width: across.order.length * w, height: down.order.length * h })];
  stop.previous.order.forEach((r, i) => stop.order.forEach((c, j) => {
    const number = stop.numbers[r * width + c];
    if (number === 0) return;
    const [x, y] = turned ? [left + i * w, top + j * h] : [left + j * w, top + i * h];
    drawn.push(put(x, y, w, number, full, { "data-r": stop.previous.into[r], "data-c": stop.into[c] }, dimmed(pane, stop.previous, r), readable ? shortly(number) : ""));
  }));
  drawn.push(...outlines(stop, [left, top], w, h, turned));
  from.order.forEach((k, i) => {
    const [x, y] = lying ? [left + i * w, 12] : [label, i * h];
    drawn.push(entry(from, k, x, y, lying ? w : side));
    if (h >= 11 && !lying) drawn.push(svg("text", { class: "entry", x: label - 3, y: y + h / 2 + 4, "text-anchor": "end" }, `d${entryName(from.of ?? stop.previous, k)}`));
  });
  const results = svg("g", { class: "result" });
  to.order.forEach((k, i) => {
    const [x, y] = lying ? [left + across.order.length * w + 10, top + i * h] : [left + i * w, down.order.length * h + 8];
    results.append(entry(to, k, x, y, lying ? side : w));
  });
  drawn.push(results);
  const W = left + across.order.length * w + (lying ? side + 14 : 4);
  const H = top + down.order.length * h + (lying ? 4 : h + 12);
  const what = stage.forward ? "times column" : "times row";
  const image = svg("svg", { tabindex: 0, role: "group", "aria-label": `${pane.title}: ${stopName(stop.role)} ${what}; arrow keys move over the entries of the result`, width: W + 2, height: H + 2, viewBox: `-1 -1 ${W + 2} ${H + 2}` }, ...drawn);
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

// The same step on the way forward: factor times column, and the column as the array that changes.
function columnShown(pane) {
  const role = currentRole();
  const stop = role === TANGENT ? pane.stops.findLast(({ numbers }) => numbers) : pane.stops.find((each) => each.role === role);
  if (!stop) return [el("p", { class: "op" }, "This convention needs no such factor."), el("p", { class: "why" }, "The column stays as it is.")];
  const { from, to } = passageOf(pane, stop);
  const table = (name, shape, { numbers, into }) => tableShown(pane, inline(pane, name), shape, numbers, into);
  if (role === TANGENT) return [el("p", { class: "op" }, pane.words.math(stop.tangent)), el("p", { class: "why" }, data.templates.start), el("div", { class: "with" }, table(stop.tangent, stop.shape, from))];
  const { change, equation, reason } = stop.ahead;
  const whole = stop.previous.shape.length ? table(change, stop.previous.shape, to) : el("p", { class: "op" }, `∂loss/∂${entryLabelOf(pane)} = ${rounded(to.numbers[0], 3)}`);
  return [el("p", { class: "op" }, pane.words.math(equation)), el("p", { class: "why" }, pane.words.text(reason)),
    el("div", { class: "work" }, el("div", { class: "product" }, productDrawn(pane, stop)), el("div", { class: "with" }, whole)),
    el("p", { class: "terms", id: `${pane.name}-terms` }, ...termsOf(pane, stop, null))];
}

function entryLabelOf(pane) {
  return entryLabel(pane.gradient, Math.max(0, pane.gradient.places.indexOf(chosenEntry())));
}

// One entry of the result written out: the sum that what goes in and the matrix make.
function termsOf(pane, stop, chosen) {
  if (!stop.numbers || !(stage.forward || stop.position)) return [];
  const { from, to } = passageOf(pane, stop);
  const found = chosen === null ? -1 : to.into.indexOf(chosen);
  const k = found >= 0 ? found : to.numbers.reduce((best, number, i) => (Math.abs(number) > Math.abs(to.numbers[best]) ? i : best), 0);
  const spelled = (number) => rounded(number, 3);
  const bracketed = (number) => (number < 0 ? `(${spelled(number)})` : spelled(number));
  const width = stop.into.length;
  const terms = from.numbers.flatMap((number, i) => {
    const factor = stop.numbers[stage.forward ? k * width + i : i * width + k];
    return factor === 0 || (stage.forward && number === 0) ? [] : [stage.forward ? `${bracketed(factor)}·${bracketed(number)}` : `${bracketed(number)}·${bracketed(factor)}`];
  });
  return [el("b", {}, `d${entryName(to.of ?? stop.previous, k)}`), ` = ${terms.join(" + ") || "0"} = `, el("b", {}, spelled(to.numbers[k]))];
}
