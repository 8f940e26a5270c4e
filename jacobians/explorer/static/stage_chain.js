// The chain on the stage: each factor as a tile, and under it the row after it.

function cell(x, y, width, height, number, full, attributes = {}, more = "") {
  return svg("rect", { class: `cell ${level(number, full)}${more}`, x, y, width, height, ...attributes });
}

function dimmed(pane, stop, i) {
  return stage.follow && stop.shape.length && !stop.role.includes("parameter") && stop.role !== "//weight" &&
    exampleOf(stop, i, pane.layout) + 1 !== stage.follow ? " dim" : "";
}

// Pixels of a cell and of every slot: the slots of both panes are aligned, and each has room for its formula.
function slotWidths(width) {
  const needed = stage.roles.map((role) => panes.map((pane) => {
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return [1, "none"];
    stop.caption ??= pane.words.math(stop.symbol ?? pane.weight[0]).textContent;
    return [pane.layout.derivative === "numerator" ? stop.into.length : stop.height + 1.5, stop.caption];
  }));
  const sized = (unit) => needed.map((pair) => Math.ceil(Math.max(...pair.map(([cells, text]) => Math.max(cells * unit + 4, 12 + 7 * [...text].length)))));
  const heights = panes.flatMap((pane) => pane.stops.map((stop) => (pane.layout.derivative === "numerator" ? stop.height + 1 : stop.into.length)));
  let unit = Math.min(14, 132 / Math.max(...heights));
  // a narrow pane scrolls, and so does a chain whose captions alone are wider than its pane
  const least = width < 600 || sized(0).reduce((sum, slot) => sum + slot + 6, 0) > width ? 5 : 2.5;
  while (unit > least && sized(unit).reduce((sum, slot) => sum + slot + 6, 0) > width) unit -= 0.25;
  return { unit, slots: sized(unit) };
}

function chainTiles(pane, { unit, slots }) {
  const here = reached(pane);
  const tiles = stage.roles.map((role, index) => {
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return sizedTo(slots[index], el("span", { class: "tile none" }, "none"));
    const when = stop === here ? "now" : stop.position < here.position ? "done" : "later";
    const button = el("button", { type: "button", tabindex: -1, class: `tile ${when}`, "aria-current": when === "now" ? "step" : null, "aria-label": stopName(role) },
      el("span", { class: "cap" }, ...(stop.symbol === undefined ? [pane.words.math(pane.weight[0])] : [pane.words.math(stop.symbol)])),
      el("span", { class: "size" }, stop.numbers ? sizeText(pane, stop) : ""),
      tileDrawn(pane, stop, unit, when),
      el("span", { class: "row" }, ...(when === "later" || stop.row === undefined ? [] : [pane.words.math(stop.row)])));
    button.addEventListener("click", () => goTo(index));
    return sizedTo(slots[index], button);
  });
  return pane.layout.derivative === "numerator" ? tiles : tiles.reverse();
}

// Where a chain is wider than its pane, the row's tile is scrolled into the middle.
function showTile(pane, { slots }) {
  const widths = pane.layout.derivative === "numerator" ? slots : [...slots].reverse();
  if (widths.reduce((sum, slot) => sum + slot + 6, 0) <= stage.width) return;
  const index = stage.roles.indexOf(reached(pane).role);
  const at = pane.layout.derivative === "numerator" ? index : slots.length - 1 - index;
  byId(`${pane.name}-tiles`).scrollLeft = widths.slice(0, at).reduce((sum, slot) => sum + slot + 6, 0) - stage.width / 2;
}

function sizedTo(width, element) {
  element.style.minWidth = `${width + 6}px`;
  return element;
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
