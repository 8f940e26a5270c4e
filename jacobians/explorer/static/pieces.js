// A derivation of any layers, put together from the pieces of the library's own of two layers.

// The pieces of a net: the first layer, layer k, what lies between layers k and k + 1, and the loss.
function fillersOf(laid) {
  if (laid.fillers) return laid.fillers;
  const last = laid.sizes.length - 1;
  const each = (make) => Array.from({ length: last + 1 }, (_, k) => make(k));
  laid.fillers = {
    last,
    first: new Filler(laid, [0, 1, 2]),
    layer: each((k) => new Filler(laid, [0, k - 1, k])),
    between: each((k) => new Filler(laid, [0, k, k + 1])),
    loss: new Filler(laid, [0, last - 1, last]),
  };
  return laid.fillers;
}

// A net in a layout, which remembers what has been put together of it.
function laidOf(net, at) {
  net.laid ??= new Map();
  if (!net.laid.has(at)) {
    const { layout } = data.layouts[at];
    net.laid.set(at, Object.assign(Object.create(net), { at, layout, batch: layout.batch === "rows" ? 0 : 1 }));
  }
  return net.laid.get(at);
}

// Items that each begin with their piece, in the order of the forward pass and of the way back, with what fills each.
function ascending(laid, items) {
  const { first, layer, between, last } = fillersOf(laid);
  const of = (piece) => items.filter(([own]) => own === piece);
  const rest = Array.from({ length: last - 1 }, (_, i) => [[of("between"), between[i + 1]], [of("layer"), layer[i + 2]]]).flat();
  return [[of("first"), first], ...rest].flatMap(([own, filler]) => own.map((item) => [item, filler]));
}

function descending(laid, items) {
  const { loss, between, last } = fillersOf(laid);
  const of = (piece) => items.filter(([own]) => own === piece);
  const rest = Array.from({ length: last - 1 }, (_, i) => [of("between"), between[last - 1 - i]]);
  return [[of("loss"), loss], ...rest].flatMap(([own, filler]) => own.map((item) => [item, filler]));
}

// W₃ in the net of two layers that the library derived: its name there, and what fills it.
function inTemplate(laid, name) {
  const [, letter, layer] = /^([A-Za-z]+?)(\d*)$/.exec(name);
  const { first, layer: layers } = fillersOf(laid);
  return Number(layer) > 1 ? [`${letter}2`, layers[layer]] : [name, first];
}

function derivedOf(laid, manner) {
  return pooled(data.templates.sides[laid.at].manners[manner]);
}

// --- formulas ----------------------------------------------------------------------------------------

function formulasOf(laid, manner) {
  const derived = derivedOf(laid, manner);
  const { loss } = fillersOf(laid);
  const { prediction } = data.templates.losses[laid.loss].written[laid.batch];
  const defined = ([[, name, place], filler]) => [filler.name(name), filler.node(place)];
  const forward = ascending(laid, pooled(derived.forward)).map(defined);
  if (prediction) forward.push(["P", loss.node(prediction.math)]);
  const own = Object.values(ownOf(laid)).filter(Boolean);
  return {
    forward,
    cotangents: descending(laid, pooled(derived.cotangents)).map(defined),
    shapes: shapesOf(laid, derived, prediction),
    parameters: Object.fromEntries(own.map((name) => [name, parameterOf(laid, manner, name)])),
    code: codeOf(laid, derived, prediction),
  };
}

function shapesOf(laid, derived, prediction) {
  const items = pooled(derived.shapes);
  const { loss, first } = fillersOf(laid);
  const among = (test) => items.filter(([, role]) => test(role));
  const parameter = (role) => /^[Wb]\d$/.test(role);
  const gradient = (role) => /^d[Wb]\d$/.test(role);
  const cotangent = (role) => /^d[ZA]\d$/.test(role);
  const value = (role) => !parameter(role) && !gradient(role) && !cotangent(role) && !["X", "dX", "Y"].includes(role);
  const shape = ([[, role, shown, dims], filler]) => [filler.name(role), filler.text(shown), shownShape(filler.dims(dims))];
  const targets = among((role) => role === "Y").map((item) => [item, loss]);
  const predicted = prediction ? targets.map(([[piece, , , dims], filler]) => [[piece, "P", "P", dims], filler]) : [];
  return [
    ...among((role) => role === "X").map((item) => [item, first]), ...ascending(laid, among(parameter)), ...ascending(laid, among(value)),
    ...targets, ...predicted, ...descending(laid, among(cotangent)), ...ascending(laid, among(gradient)),
    ...among((role) => role === "dX").map((item) => [item, first]),
  ].map(shape);
}

function shownShape(dims) {
  return dims.join(" × ") || "one number";
}

// The lines of the program: what is given, forward, the prediction, back, and the gradients.
function linesOf(laid, derived, prediction) {
  const items = pooled(derived.lines).map(pooled);
  const { loss, first } = fillersOf(laid);
  const among = (test) => items.filter(([, name, text]) => name && test(name, text.startsWith("#")));
  const parts = [
    ["given", ...among((name, given) => given && name === "X").map((item) => [item, first])],
    ["given", ...ascending(laid, among((name, given) => given && /^[Wb]\d/.test(name)))],
    ["given", ...among((name, given) => given && /^[YN]$/.test(name)).map((item) => [item, loss])],
    ["forward", ...ascending(laid, among((name, given) => !given && !name.startsWith("d")))],
    ["forward", ...(prediction ? [[["loss", "P", prediction.code, prediction.tree], loss]] : [])],
    ["back", ...descending(laid, among((name, given) => !given && /^d[ZA]/.test(name)))],
    ["gradients", ...ascending(laid, among((name) => /^d[Wb]/.test(name)))],
    ["gradients", ...among((name) => name === "dX").map((item) => [item, first])],
  ];
  return parts.flatMap(([part, ...lines]) => lines.map(([[, name, text, tree], filler]) => ({ part, name: filler.name(name), text: filler.code(text), tree: tree && filler.tree(tree) })));
}

function codeOf(laid, derived, prediction) {
  const source = data.templates.sources[laid.sizes.length > 2 ? laid.activation : ""][laid.loss][laid.batch];
  const lines = linesOf(laid, derived, prediction);
  const texts = (given) => lines.filter(({ part }) => (part === "given") === given).map(({ text }) => text);
  const head = source ? `import numpy as np\n\n\n${source}\n\n\n` : "import numpy as np\n\n";
  return `${head}# given, with shapes:\n${texts(true).join("\n")}\n\n${texts(false).join("\n")}\n`;
}

// The chain, what each step leaves of it, and the formula.
function parameterOf(laid, manner, name) {
  const derived = derivedOf(laid, manner);
  const { stops, weight } = stopsOf(laid, manner, name);
  const [there, filler] = inTemplate(laid, name);
  const left = filler.node(pooled(derived.left)[there]);
  const symbols = stops.filter(({ symbol }) => symbol !== undefined).map(({ symbol }) => symbol);
  const turned = laid.layout.derivative === "denominator";
  const joined = (factors) => ["mrow", (turned ? [...factors].reverse() : factors).flatMap((factor, i) => (i ? [data.templates.between, factor] : [factor]))];
  const equation = (right) => ["mrow", [left, ["mo", "="], right]];
  const chain = equation(joined(symbols));
  const steps = stops.map(({ rule, reason, written, at: [, , kind] }, i) => {
    if (i === 0) return [rule, reason, chain];
    const rest = joined([written, ...symbols.slice(i + 1)]);
    return [rule, reason, equation(weight && kind !== "weight" ? ["mrow", [weight[0], data.templates.between, rest]] : rest)];
  });
  return { chain, steps, formula: filler.node(pooled(derived.formulas)[there]) };
}

// --- stops -------------------------------------------------------------------------------------------

// The stops of a parameter's row, with trees for the numbers.
function stopsOf(laid, manner, name) {
  laid.stops ??= new Map();
  const key = `${manner} ${name}`;
  if (!laid.stops.has(key)) laid.stops.set(key, filledStops(laid, manner, name));
  return laid.stops.get(key);
}

function filledStops(laid, manner, name) {
  const records = pooled(derivedOf(laid, manner).stops);
  const { last, loss, layer, between } = fillersOf(laid);
  const [there, filler] = inTemplate(laid, name);
  const listed = (of) => pooled(records[of]).stops.map(pooled);
  const way = listed("W1");
  const past = (test, own) => way.filter(({ at: [of, wrt] }) => test(of, wrt)).map((stop) => filledStop(laid, stop, own));
  const entered = /\d+$/.exec(name)?.[0] ?? 1;
  const stops = past((of) => of === "loss" || of === "losses", loss);
  for (let k = last; k > entered; k -= 1) {
    stops.push(...past((of, wrt) => of === "Z2" && wrt === "A1", layer[k]), ...past((of, wrt) => of === "A1" && wrt === "Z1", between[k - 1]));
  }
  stops.push(...listed(there).filter(({ at: [, wrt, kind] }) => wrt === there || kind === "weight").map((stop) => filledStop(laid, stop, filler)));
  return { stops, weight: pooled(records.W1).weight };
}

// The same stop on the way forward: what the change is called, how it is computed, why.
function forwardOf({ ahead, tangent }, filler) {
  if (ahead === undefined) return {};
  const { change, equation, reason } = pooled(ahead);
  return { tangent: filler.node(tangent), ahead: { change: filler.node(change), equation: filler.node(equation), reason: filler.text(pooled(reason)) } };
}

function filledStop(laid, stop, filler) {
  const node = (place) => (place === undefined || place === null ? place : filler.node(place));
  let { sign, parts } = stop;
  if (parts?.length === 1 && pooled(parts[0]).tree[1] === "ell_prime") ({ sign, parts } = data.templates.losses[laid.loss].written[laid.batch]);
  return {
    ...stop,
    at: stop.at.map((name) => filler.name(name)),
    symbol: node(stop.symbol), row: node(stop.row), written: node(stop.written), equation: node(stop.equation),
    before: stop.before && filler.dims(stop.before),
    shape: filler.dims(stop.shape),
    ...forwardOf(stop, filler),
    rule: filler.text(pooled(stop.rule)), reason: filler.text(pooled(stop.reason)),
    sign,
    parts: parts?.map(pooled).map(({ math: place, shape, tree, moved }) => ({
      math: node(place), shape: filler.dims(shape), tree: filler.tree(tree), moved: moved && [filler.name(moved[0]), filler.tree(moved[1])],
    })),
    tree: stop.matrix === undefined ? undefined : filler.tree(pooled(stop.matrix)),
  };
}
