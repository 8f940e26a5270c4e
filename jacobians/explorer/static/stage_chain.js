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
    if (role === TANGENT) return [beside(pane) ? 1.5 : pane.gradient?.places.length ?? 1, "change"];
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return [1, "none"];
    stop.caption ??= pane.words.math(stop.symbol ?? pane.weight[0]).textContent;
    return [(pane.layout.derivative === "numerator" ? stop.into.length : stop.height) + (beside(pane) ? 1.5 : 0), stop.caption];
  }));
  const sized = (unit) => needed.map((pair) => Math.ceil(Math.max(...pair.map(([cells, text]) => Math.max(cells * unit + 4, 20 + 7 * [...text].length)))));
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
    if (role === TANGENT) return sizedTo(slots[index], tangentTile(pane, unit));
    const stop = pane.stops.find((each) => each.role === role);
    if (!stop) return sizedTo(slots[index], el("span", { class: "tile none" }, "none"));
    const passed = here && (stage.forward ? stop.position > here.position : stop.position < here.position);
    const when = stop === here ? "now" : passed ? "done" : "later";
    const button = el("button", { type: "button", tabindex: -1, class: `tile ${when}`, "aria-current": when === "now" ? "step" : null },
      el("span", { class: "spoken" }, stopName(role)),
      el("span", { class: "cap" }, ...(stop.symbol === undefined ? [pane.words.math(pane.weight[0])] : [pane.words.math(stop.symbol)])),
      el("span", { class: "size" }, stop.numbers ? sizeText(pane, stop) : ""),
      tileDrawn(pane, stop, unit, when),
      el("span", { class: "row" }, ...(stage.forward || when === "later" || stop.row === undefined ? [] : [pane.words.math(stop.row)])));
    button.addEventListener("click", () => goTo(stage.way.indexOf(role)));
    return sizedTo(slots[index], button);
  });
  return pane.layout.derivative === "numerator" ? tiles : tiles.reverse();
}

// Where a chain is wider than its pane, the row's tile is scrolled into the middle. Scrolling lays out the page, so it waits
// until all panes are written.
function showTile(pane, { slots }) {
  const widths = pane.layout.derivative === "numerator" ? slots : [...slots].reverse();
  const tiles = byId(`${pane.name}-tiles`);
  tiles.parentNode.dataset.more = "";
  if (widths.reduce((sum, slot) => sum + slot + 6, 0) <= stage.width) return;
  const index = stage.roles.indexOf(reached(pane)?.role ?? TANGENT);
  const at = pane.layout.derivative === "numerator" ? index : slots.length - 1 - index;
  tiles.scrollLeft = widths.slice(0, at).reduce((sum, slot) => sum + slot + 6, 0) - stage.width / 2;
  showEnds(tiles);
}

// On which sides a chain goes on: an arrow shows it there.
function showEnds(tiles) {
  const rest = tiles.scrollWidth - tiles.clientWidth - tiles.scrollLeft;
  tiles.parentNode.dataset.more = [tiles.scrollLeft > 4 && "before", rest > 4 && "after"].filter(Boolean).join(" ");
}

function sizedTo(width, element) {
  element.style.minWidth = `${width + 6}px`;
  return element;
}

function sizeText(pane, stop) {
  const size = [stop.height, stop.into.length];
  return (pane.layout.derivative === "numerator" ? size : size.reverse()).join(" × ");
}

// A factor, and beside it what comes out of it: the row's entries under its columns, or the column's beside its rows.
function tileDrawn(pane, stop, unit, when) {
  const turned = pane.layout.derivative === "denominator";
  const width = stop.into.length;
  const height = (stage.forward || stop.position) && stop.numbers ? stop.height : 0;
  const aside = beside(pane);
  const gap = height ? 3 : 0;
  const out = passageOf(pane, stop).to;
  const shift = aside ? unit + gap : 0;
  const [across, down] = turned ? [height, width] : [width, height];
  const drawn = [];
  if (height) {
    const full = largest(stop.numbers);
    const matrix = svg("g", { class: "matrix" }, svg("rect", { class: "paper", x: shift, width: across * unit, height: down * unit }));
    stop.previous.order.forEach((r, i) => stop.order.forEach((c, j) => {
      const number = stop.numbers[r * width + c];
      if (number === 0) return;
      const [x, y] = turned ? [shift + i * unit, j * unit] : [shift + j * unit, i * unit];
      matrix.append(cell(x, y, unit, unit, number, full, { "data-r": stop.previous.into[r], "data-c": stop.into[c] }, dimmed(pane, stop.previous, r)));
    }));
    drawn.push(matrix, ...outlines(stop, [shift, 0], unit, unit, turned));
  }
  drawn.push(...vectorDrawn(pane, out, aside ? [0, 0] : [0, down * unit * Boolean(height) + gap], unit, aside, when));
  const long = out.order.length * unit;
  const [w, h] = aside ? [height ? shift + across * unit : unit, Math.max(long, height ? down * unit : 0)] : [Math.max(long, height ? across * unit : 0), (height ? down * unit : 0) + gap + unit];
  return svg("svg", { "aria-hidden": "true", width: w + 4, height: h + 4, viewBox: `-2 -2 ${w + 4} ${h + 4}` }, ...drawn);
}

// The entries of a row or of a column in one line, dashed where it has not come there yet.
function vectorDrawn(pane, { order, into, numbers, of }, [left, top], unit, upright, when) {
  const drawn = order.map((k, i) => {
    const [x, y] = upright ? [left, top + i * unit] : [left + i * unit, top];
    return when === "later" ? svg("rect", { class: "hole", x, y, width: unit, height: unit })
      : cell(x, y, unit, unit, numbers[k], stage.full, { "data-k": into[k] }, of ? dimmed(pane, of, k) : "");
  });
  const [w, h] = upright ? [unit, order.length * unit] : [order.length * unit, unit];
  if (when === "now") drawn.push(svg("rect", { class: "here", x: left, y: top, width: w, height: h }));
  return drawn;
}

// What a factor takes and what comes out of it: rows and their entries on the way back, columns on the way forward.
function passageOf(pane, stop) {
  const { position, previous, order, into } = stop;
  const back = { order: previous.order, into: previous.into, of: position ? previous : null };
  const ahead = { order, into, of: stop };
  if (stage.forward) return { from: { ...ahead, numbers: pane.columns[position + 1] ?? [] }, to: { ...back, numbers: pane.columns[position] ?? [] } };
  return { from: { ...back, numbers: pane.all[position - 1] ?? [] }, to: { ...ahead, numbers: pane.row[position] } };
}

function tangentTile(pane, unit) {
  const last = pane.stops.findLast(({ numbers }) => numbers);
  const now = stage.at === 0 ? "now" : "done";
  const upright = beside(pane);
  const size = last.order.length * unit;
  const button = el("button", { type: "button", tabindex: -1, class: `tile ${now}`, "aria-current": now === "now" ? "step" : null },
    el("span", { class: "spoken" }, "start"),
    el("span", { class: "cap" }, "change"), el("span", { class: "size" }, upright ? `${last.order.length} × 1` : `1 × ${last.order.length}`),
    svg("svg", { "aria-hidden": "true", width: (upright ? unit : size) + 4, height: (upright ? size : unit) + 4, viewBox: `-2 -2 ${(upright ? unit : size) + 4} ${(upright ? size : unit) + 4}` },
      ...vectorDrawn(pane, { order: last.order, into: last.into, numbers: pane.columns.at(-1), of: null }, [0, 0], unit, upright, now)),
    el("span", { class: "row" }));
  button.addEventListener("click", () => goTo(0));
  return button;
}

// Blocks of a Kronecker product, or of one block an example: where all that is not zero lies in equal blocks.
function outlines({ blocks }, [left, top], w, h, turned) {
  if (!blocks) return [];
  const [rows, columns, high, wide] = turned ? [blocks[1], blocks[0], blocks[3], blocks[2]] : blocks;
  return Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns]).map(([r, c]) =>
    svg("rect", { class: "outline", x: left + c * wide * w, y: top + r * high * h, width: wide * w, height: high * h }));
}
