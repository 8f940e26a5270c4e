// Entries of matrices: their names and places, and the entries of factors that one of a Jacobian is a product of.

const digits = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const shown = (value) => value === 0 ? "0" : String(Number(value.toPrecision(3))).replace("-", "−");

function entryName(name, [rows, columns], [i, j]) {
  if (rows === 1 && columns === 1) return name;
  if (columns === 1) return name + digits(i + 1);
  return name + digits(i + 1) + (rows > 9 || columns > 9 ? "," : "") + digits(j + 1);
}

function strength(value, largest) {
  if (!value) return "";
  const size = Math.abs(value) / largest;
  return (value > 0 ? "p" : "n") + (size > 0.66 ? 3 : size > 0.33 ? 2 : 1);
}

const largestOf = (rows) => Math.max(...rows.flat(3).map(Math.abs), 1e-300);

// The places of a matrix in vec order.
function places([rows, columns], order) {
  const found = [];
  const [outer, inner] = order === "C" ? [rows, columns] : [columns, rows];
  for (let a = 0; a < outer; a++) for (let b = 0; b < inner; b++) found.push(order === "C" ? [a, b] : [b, a]);
  return found;
}

const PASSES = { identity: (place) => place, diagonal: (place) => place, commutation: ([a, b]) => [b, a] };

// The entries of a term's factors that the entry at row and column is a product of: [factor, part, [i, j]]; null if unknown.
function entriesOf(term, row, column, order) {
  const middle = term.factors.findIndex(({ kind }) => !(kind in PASSES));
  const found = [];
  const walk = (from, to, step, start) => {
    let place = start;
    for (let f = from; f !== to; f += step) {
      const { kind } = term.factors[f];
      if (kind === "diagonal") found.push([f, 0, place]);
      place = PASSES[kind](place);
    }
    return place;
  };
  if (middle < 0) {
    const end = walk(0, term.factors.length, 1, row);
    return end[0] === column[0] && end[1] === column[1] ? found : [];
  }
  if (term.factors.slice(middle + 1).some(({ kind }) => !(kind in PASSES))) return null;
  const r = walk(0, middle, 1, row);
  const c = walk(term.factors.length - 1, middle, -1, column);
  const { kind } = term.factors[middle];
  if (kind === "outer") found.push([middle, 0, r], [middle, 1, c]);
  else if (kind === "kronecker") {
    const [first, second] = order === "C" ? [0, 1] : [1, 0];
    found.push([middle, 0, [r[first], c[first]]], [middle, 1, [r[second], c[second]]]);
  } else return null;
  return found;
}

const valueAt = (term, [factor, part, [i, j]]) => term.factors[factor].parts[part].rows[i][j];

// "= 0.5 · 0.7 + 0.1 · 0.2" for the terms that are not zero by an identity.
function sumOf(terms, row, column, order) {
  const texts = [];
  for (const term of terms) {
    const entries = entriesOf(term, row, column, order);
    if (!entries) return null;
    if (!entries.length && !term.factors.every(({ kind }) => kind === "identity" || kind === "commutation")) continue;
    if (!entries.length && !passesTo(term, row, column)) continue;
    const numbers = [...(Math.abs(term.scale) === 1 && entries.length ? [] : [Math.abs(term.scale)]),
      ...entries.map((entry) => valueAt(term, entry))];
    if (entries.some(([f, p, [i, j]]) => term.factors[f].parts[p].identity && i !== j)) continue;
    const product = numbers.map((value) => value < 0 ? `(${shown(value)})` : shown(value)).join(" · ");
    texts.push(texts.length ? (term.scale < 0 ? ` − ${product}` : ` + ${product}`) : (term.scale < 0 ? `−${product}` : product));
  }
  return texts.join("") || "0";
}

function passesTo(term, row, column) {
  const end = term.factors.reduce((place, { kind }) => PASSES[kind](place), row);
  return end[0] === column[0] && end[1] === column[1];
}
