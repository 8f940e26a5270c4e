// What one pane shows of a net: `makePane` looks everything up, and reorders what its layout orders otherwise.

// What a pane can show: the presets, and every layout in the library's names and in those of each preset.
const sides = [
  ...data.presets.map((preset) => ({ ...data.layouts[preset.at], ...preset, last: preset.name })),
  ...[{ name: "", words: 0 }, ...data.presets].flatMap(({ name, words }) =>
    data.layouts.map((layout, at) => ({ ...layout, name: "", at, words, last: name }))),
];

// What the data keeps at a place; what the page has made itself is given as it is.
function pooled(place) {
  return typeof place === "number" ? data.values[place] : place;
}

function netOf(key) {
  return data.nets.find((net) => net.key === key);
}

// The place among the sides of a preset, or of a layout that is none; −1 if there is no such.
function sideOfPreset(name) {
  return sides.findIndex((side) => side.name && side.name === name);
}

function sideOfLayout(layout, last) {
  const key = writeLayout(layout);
  return sides.findIndex((side) => !side.name && side.last === last && writeLayout(side.layout) === key);
}

function writeLayout(layout) {
  return Object.values(layout).join(".");
}

function subscript(number) {
  return [...String(number)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
}

function rounded(number, digits) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  const text = size < 1e-4 ? size.toExponential(Math.min(digits, 3) - 1) : String(Number(size.toPrecision(digits)));
  return (number < 0 ? "−" : "") + text.replace("e-", "e−");
}

// An array as a pane lays it out: its entries' places and numbers in C order, and the order in which vec takes them.
function makeArray(record, layout, shown, words) {
  const places = pooled(record.places);
  const numbers = numbersOf(record.numbers);
  const order = layout.vec === "F" ? pooled(record.stacked) : places.map((_, i) => i);
  return { ...record, shown: words.text(shown[record.name]), symbol: words.letter(record.symbol), places, numbers, order };
}

// The label of entry i, in C order: z₂₁.
function entryLabel(array, i) {
  if (array.shape.length === 0) return array.symbol;
  if (array.shape.length === 1) return array.symbol + subscript(i + 1);
  const width = array.shape[1];
  return array.symbol + subscript(Math.floor(i / width) + 1) + subscript((i % width) + 1);
}

// One factor as its pane writes it: rows × columns, in the layout's vec order and derivative layout.
function makeView(record, arrays, layout) {
  const of = arrays.get(record.of);
  const wrt = arrays.get(record.wrt);
  const width = wrt.places.length;
  const matrix = numbersOf(record.matrix);
  const turned = layout.derivative === "denominator";
  const outputs = of.order.map((i) => ({ place: of.places[i], label: entryLabel(of, i) }));
  const inputs = wrt.order.map((i) => ({ place: wrt.places[i], label: entryLabel(wrt, i) }));
  const [down, across] = turned ? [inputs, outputs] : [outputs, inputs];
  const places = new Map([["down", down], ["across", across]].map(([key, line]) =>
    [key, new Map(line.map((entry, i) => [entry.place, i]))]));
  return {
    key: record.of,
    label: `∂${of.shown}/∂${wrt.shown}`,
    structure: record.structure,
    of,
    wrt,
    down,
    across,
    numberAt: (r, c) => matrix[turned ? of.order[c] * width + wrt.order[r] : of.order[r] * width + wrt.order[c]],
    tieAt: (r, c) => (turned
      ? { key: record.of, output: across[c].place, input: down[r].place }
      : { key: record.of, output: down[r].place, input: across[c].place }),
    find: ({ output, input }) => {
      const r = places.get("down").get(turned ? input : output);
      const c = places.get("across").get(turned ? output : input);
      return r === undefined || c === undefined ? null : { r, c };
    },
    tieLabel: (r, c) => {
      const [output, input] = turned ? [across[c], down[r]] : [down[r], across[c]];
      return `∂${output.label}/∂${input.label}`;
    },
  };
}

function makePane(name, side, net, wrt) {
  const { layout, at, words: spelled } = sides[side];
  const { manner } = data.words[spelled];
  const laid = laidOf(net, at);
  const record = sideOf(laid, manner);
  const words = wordsOf(spelled, net);
  const own = record.own[wrt];
  const { shown } = record;
  const made = (array) => makeArray(array, layout, shown, words);
  const arrays = new Map(pooled(record.arrays).map((array) => [array.name, made(array)]));
  const chain = own === null ? [] : pooled(record.chains)[own].map((place) => makeView(pooled(place), arrays, layout));
  const pane = {
    name,
    title: name === "left" ? "Left" : "Right",
    side,
    layout,
    laid,
    ways: pooled(derivedOf(laid, manner).ways),
    own,
    wrt,
    arrays,
    chain,
    gradient: own === null ? null : made(pooled(record.gradients)[own]),
    words,
    formulas: record.formulas,
    net,
    cells: new Map(), // by an entry's place, the elements that show it
    pictures: new Map(), // by a factor's key, what draws a frame in its picture
    lit: [],
    rows: {}, // by a section, its rows
    open: null, // the factor that is shown entry by entry
  };
  makeStops(pane, own === null ? { stops: [], weight: null } : stageOf(laid, manner, own));
  return pane;
}
