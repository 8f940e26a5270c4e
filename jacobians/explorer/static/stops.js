// The stops of a row on its way from the loss to a parameter: each pane's, the two panes' aligned by role, and the rows.

// Where an array's entries lie in vec: positions in C order.
function unrolled(shape, order) {
  const [rows, columns] = shape;
  const size = shape.reduce((n, length) => n * length, 1);
  if (shape.length < 2 || order === "C") return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: size }, (_, i) => (i % rows) * columns + Math.floor(i / rows));
}

function roleOf([of, wrt, kind]) {
  return `${of}/${/^[Wb]\d/.test(wrt) ? "parameter" : wrt}/${kind}`;
}

// What the row has passed, in a pane's own words and numbers; an empty list where the pane has no such derivative.
function makeStops(pane, { stops, weight, loss }) {
  pane.weight = weight;
  pane.stops = stops.map((stop, position) => {
    const numbers = stop.matrix ? [...stop.matrix] : null;
    const letter = pane.words.letter(stop.letter);
    return { ...stop, position, role: roleOf(stop.at), numbers, letter, order: unrolled(stop.shape, pane.layout.vec) };
  });
  pane.stops.forEach((stop, i) => {
    stop.previous = i ? pane.stops[i - 1] : { order: [0], into: [loss], shape: [], letter: "loss" };
    stop.height = stop.numbers ? stop.numbers.length / stop.into.length : 0;
  });
}

// The union of both panes' roles, in the order of the way.
function alignedRoles(left, right) {
  const [a, b] = [left, right].map(({ stops }) => stops.map(({ role }) => role));
  const roles = [];
  while (a.length || b.length) {
    if (a[0] === b[0]) { roles.push(a.shift()); b.shift(); }
    else if (a.length && !b.includes(a[0])) roles.push(a.shift());
    else roles.push(b.shift());
  }
  return roles;
}

function exampleOf(stop, i, layout) {
  if (stop.shape.length < 2) return i;
  return layout.batch === "rows" ? Math.floor(i / stop.shape[1]) : i % stop.shape[1];
}

// The row after every stop, in C order; `follow` keeps one example's losses, `upTo` the first examples' at the parameter.
function rowsOf(pane, follow, upTo) {
  const rows = [];
  for (const stop of pane.stops) {
    let row;
    if (stop.position === 0) {
      row = stop.numbers.map((number, i) => (follow && i + 1 !== follow ? 0 : number / (pane.weight ? pane.weight[1] : 1)));
    } else if (stop.numbers === null) {
      row = rows.at(-1).map((number) => number * pane.weight[1]);
    } else {
      const enters = upTo && stop.role.endsWith("/parameter/");
      const before = rows.at(-1).map((n, i) => (enters && exampleOf(stop.previous, i, pane.layout) >= upTo ? 0 : n));
      row = stop.into.map((_, c) => before.reduce((sum, n, r) => sum + n * stop.numbers[r * stop.into.length + c], 0));
    }
    rows.push(row);
  }
  return rows;
}

// The label of an entry of the row after a stop, of which a place below zero is an entry of ones.
function entryName(stop, i) {
  if (stop.shape.length < 2) return stop.letter + subscript(i + 1);
  const [r, c] = [Math.floor(i / stop.shape[1]) + 1, (i % stop.shape[1]) + 1];
  const turned = stop.next?.at[2] === "turn";
  return stop.letter + (turned ? subscript(c) + subscript(r) : subscript(r) + subscript(c));
}

// The column after every factor, in C order, of a change of one entry of the parameter; the last is that entry's own.
function columnsOf(pane, entry) {
  const factors = pane.stops.filter(({ numbers }) => numbers);
  if (!factors.length) return [];
  const columns = new Array(factors.length + 1);
  columns[factors.length] = factors.at(-1).into.map((place) => (place === entry ? 1 : 0));
  for (let i = factors.length - 1; i >= 0; i -= 1) {
    const { numbers, into, height } = factors[i];
    columns[i] = Array.from({ length: height }, (_, r) => into.reduce((sum, __, c) => sum + numbers[r * into.length + c] * columns[i + 1][c], 0));
  }
  return columns;
}
