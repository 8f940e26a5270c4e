// A net's numbers in a layout, computed in the page from the derivation's own formulas, by the runtime `np`.

function numbersOf(kept) {
  return kept instanceof Float64Array ? [...kept] : pooled(kept).map((place) => data.numbers[place]);
}

function sizeOf(shape) {
  return shape.reduce((n, length) => n * length, 1);
}

// Which of the page's own parameters holds one of the plain ones: an absorbed bias is in its weight, a missing one is null.
function ownOf(laid) {
  const own = pooled(data.templates.sides[laid.at].own);
  return Object.fromEntries(laid.wrt.map(([name]) => {
    const [there, filler] = inTemplate(laid, name);
    return [name, own[there] && filler.name(own[there])];
  }));
}

// Arrays as a layout has them, of those of the plain net, whose examples lie in rows and whose weights are inputs × outputs.
function laidOut(plain, layout) {
  const { batch, weights, bias } = layout;
  const found = {};
  for (const [name, array] of Object.entries(plain)) {
    const layer = /\d+$/.exec(name)?.[0];
    if (name.startsWith("W")) {
      const b = plain[`b${layer}`];
      const whole = bias === "first" ? np.vstack([b, array]) : bias === "last" ? np.vstack([array, b]) : array;
      found[name] = weights === "rows" ? np.transpose(whole) : whole;
    } else if (name.startsWith("b")) {
      if (bias === "separate") found[name] = batch === "rows" ? array : np.reshape(array, [array.data.length, 1]);
    } else {
      found[name] = batch === "columns" ? np.transpose(array) : array;
    }
  }
  return found;
}

// The parameters and the batch of a net, as they are written down.
function plainArrays(net) {
  const of = (shape, numbers) => ({ shape, data: Float64Array.from(numbers) });
  const found = { X: of([net.count, net.sizes[0]], numbersOf(net.X)) };
  for (let k = 1; k < net.sizes.length; k += 1) {
    found[`W${k}`] = of([net.sizes[k - 1], net.sizes[k]], numbersOf(net.params[`W${k}`]));
    found[`b${k}`] = of([net.sizes[k]], numbersOf(net.params[`b${k}`]));
  }
  return found;
}

// By an array's name, the place of each of its entries among all of the net's, as the library counts them.
function plainPlaces(net) {
  const last = net.sizes.length - 1;
  const shapes = [["X", [net.count, net.sizes[0]]]];
  for (let k = 1; k <= last; k += 1) {
    const out = [net.count, net.sizes[k]];
    shapes.push([`W${k}`, [net.sizes[k - 1], net.sizes[k]]], [`b${k}`, [net.sizes[k]]], [`Z${k}`, out]);
    if (k < last) shapes.push([`A${k}`, out]);
  }
  shapes.push(["losses", [net.count]], ["loss", []]);
  let start = 0;
  return Object.fromEntries(shapes.map(([name, shape]) => {
    const places = { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => start + i) };
    start += places.data.length;
    return [name, places];
  }));
}

function oneHot(net) {
  const Y = np.zeros([net.count, net.sizes.at(-1)]);
  net.labels.forEach((label, n) => { Y.data[n * net.sizes.at(-1) + label] = 1; });
  return Y;
}

// Every array of a net in a layout and manner, by the library's names, and the functions that formulas call.
function valuesOf(laid, manner) {
  laid.values ??= new Map();
  if (!laid.values.has(manner)) laid.values.set(manner, computed(laid, manner));
  return laid.values.get(manner);
}

function computed(laid, manner) {
  const { activations, losses, functions: all } = data.templates;
  const { layout } = laid;
  const { prediction, delta } = losses[laid.loss].written[laid.batch];
  const functions = {
    ...all,
    ...activations[laid.activation].functions,
    ell_prime: [["Z2", "Y"], [...(prediction ? [["P", prediction.tree]] : []), ["", delta]]],
  };
  const names = laidOut({ ...plainArrays(laid), Y: oneHot(laid) }, layout);
  names.N = laid.count;
  const lines = linesOf(laid, derivedOf(laid, manner), prediction).filter(({ part }) => part !== "given");
  np.run(lines.map(({ name, tree }) => [name, tree]), names, functions);
  const turned = layout.batch === "columns" ? np.transpose : (array) => array;
  const outputs = { Z: turned(names[`Z${laid.sizes.length - 1}`]), Y: turned(names.Y) };
  names.losses = np.evaluate(losses[laid.loss].value, outputs);
  names.loss = { shape: [], data: [np.sum(names.losses).data[0] / laid.count] };
  return { names, functions };
}

function placesOf(laid) {
  if (!laid.places) {
    const { losses, loss, ...matrices } = plainPlaces(laid);
    laid.places = { ...laidOut(matrices, laid.layout), losses, loss };
  }
  return laid.places;
}

// Entries of ones fill a column or a row; they are one for each example, told by numbers below zero.
function withOnes({ shape, data: within }) {
  const [rows, columns] = shape;
  const column = shape.length === 2 && Array.from({ length: columns }, (_, c) => c).some((c) => within.every((place, i) => i % columns !== c || place < 0));
  return within.map((place, i) => (place >= 0 ? place : -1 - (column ? Math.floor(i / columns) : i % columns)));
}

// The places of an expression's entries, where it does no more than move them or add ones; null where it does more.
function movedPlaces(laid, moved) {
  const places = moved && placesOf(laid)[moved[0]];
  if (!places || !places.shape.length) return null;
  const { layout } = laid;
  const entries = { shape: places.shape, data: places.data.map((place) => place + 2) };
  const stack = layout.batch === "rows" ? np.column_stack : np.vstack;
  const ones = np.ones(places.shape[layout.batch === "rows" ? 0 : 1]);
  const names = { entries };
  if (places.shape.length === 2) names.entries_ones = stack(layout.bias === "first" ? [ones, entries] : [entries, ones]);
  const found = np.evaluate(moved[1], names);
  return [...withOnes({ shape: found.shape, data: found.data.map((place) => place - 2) })];
}

// What the stage shows of a parameter: every stop with its matrix, the places of the row after it, and its arrays.
function stageOf(laid, manner, name) {
  const { names, functions } = valuesOf(laid, manner);
  const { stops, weight } = stopsOf(laid, manner, name);
  const value = (tree) => np.evaluate(tree, names, functions);
  const matrices = stops.map(({ tree }) => (tree === undefined ? undefined : value(tree)));
  const filled = stops.map((stop, i) => {
    const own = placesOf(laid)[stop.at[1] || name];
    const into = stop.ends ? [...own.data] : spread(matrices[i + 1], own, stop.shape);
    const parts = stop.parts?.map(({ math: node, shape, tree, moved }) => {
      const found = value(tree);
      return { math: node, shape, numbers: Float64Array.from(typeof found === "number" ? [found] : found.data), places: movedPlaces(laid, moved) };
    });
    return { ...stop, into, parts, matrix: matrices[i] && Float64Array.from(matrices[i].data), blocks: blocksOf(stop.tree, value, laid.layout.vec) };
  });
  return { stops: filled, weight: weight && [weight[0], value(weight[1]).data[0]], loss: placesOf(laid).loss.data[0] };
}

// Into how many blocks, of how many rows and columns, a matrix is divided: a Kronecker product, or one block an example.
function blocksOf(tree, value, order) {
  if (tree?.[0] === "kron") {
    const shapes = tree.slice(1).map((part) => value(part).shape);
    const [a, b] = order === "C" ? shapes : shapes.reverse(); // in F order the factors change places
    return a.length === 2 && b.length === 2 ? [...a, ...b] : null;
  }
  if (tree?.[0] === "per_example" && (tree[2] === 0) === (order === "C")) {
    const { shape } = value(tree[1]);
    return tree[2] === 0 ? [shape[0], shape[0], 1, shape[1]] : [shape[1], shape[1], 1, shape[0]];
  }
  return null;
}

// The places before a factor that only drops or moves entries, of those after it.
function spread(matrix, own, shape) {
  const found = np.matmul(matrix, { shape: [own.data.length], data: own.data.map((place) => place + 1) });
  return [...withOnes({ shape, data: found.data.map((place) => place - 1) })];
}

// The arrays, the chains and the gradients of a net in a layout, as the library's records have them.
function recordOf(laid) {
  const { layout } = laid;
  const { names } = valuesOf(laid, 0);
  const places = placesOf(laid);
  const array = (name, symbol, found) => {
    const { shape } = found;
    return {
      name, symbol, shape, size: shownShape(shape), places: [...places[name].data], numbers: Float64Array.from(found.data),
      stacked: unrolled(shape, "F"),
    };
  };
  const own = ownOf(laid);
  const arrays = arraysOf(laid).map(([[, name, symbol], filler]) => array(filler.name(name), symbol, names[filler.name(name)]));
  const wrt = [...new Set(Object.values(own).filter(Boolean))];
  const letter = (name) => arrays.find((found) => found.name === name).symbol;
  return {
    own,
    arrays,
    chains: Object.fromEntries(wrt.map((name) => [name, chainOf(laid, name)])),
    gradients: Object.fromEntries(wrt.map((name) => [name, array(name, letter(name), { shape: places[name].shape, data: names[`d${name}`].data })])),
  };
}

// A parameter's Jacobians, each the product of its stops' matrices.
function chainOf(laid, name) {
  const { names, functions } = valuesOf(laid, 0);
  const structures = pooled(data.templates.sides[laid.at].structures);
  const groups = new Map();
  for (const { at: [of, wrt], tree, ...stop } of stopsOf(laid, 0, name).stops) {
    if (tree === undefined) continue;
    const matrix = np.evaluate(tree, names, functions);
    const key = `${of}/${wrt}`;
    const known = groups.get(key);
    groups.set(key, { of, wrt, matrix: known ? np.matmul(known.matrix, matrix) : matrix, stop });
  }
  const found = [...groups.values()].map(({ of, wrt, matrix }) => {
    const [there, filler] = structureOf(laid, of, wrt);
    return { of, wrt, structure: filler.text(structures[there]), matrix: Float64Array.from(matrix.data) };
  });
  return laid.layout.derivative === "denominator" ? found.reverse() : found;
}

function structureOf(laid, of, wrt) {
  const { loss, between } = fillersOf(laid);
  if (of === "loss") return ["loss/losses", loss];
  if (of === "losses") return ["losses/Z2", loss];
  if (of.startsWith("A")) return ["A1/Z1", between[Number(of.slice(1))]];
  const [there, filler] = inTemplate(laid, of);
  return [`${there}/${wrt === "X" ? "X" : wrt.startsWith("A") ? "A1" : inTemplate(laid, wrt)[0]}`, filler];
}

// What a pane looks up of a net: the library's numbers where it has them, else the page's own.
function sideOf(laid, manner) {
  laid.record ??= laid.sides?.[laid.at] ?? recordOf(laid);
  laid.formulas ??= new Map();
  if (!laid.formulas.has(manner)) laid.formulas.set(manner, formulasOf(laid, manner));
  const shown = pooled(derivedOf(laid, manner).shown);
  const named = [...arraysOf(laid)].map(([[, name], filler]) => [filler.name(name), filler.shown(shown[name])]);
  return { ...laid.record, own: pooled(laid.record.own), shown: Object.fromEntries(named), formulas: laid.formulas.get(manner) };
}

// Every array in the order in which the forward pass meets them.
function arraysOf(laid) {
  const listed = pooled(data.templates.sides[laid.at].arrays);
  const { loss } = fillersOf(laid);
  return [...ascending(laid, listed), ...listed.filter(([piece]) => piece === "loss").map((item) => [item, loss])];
}
