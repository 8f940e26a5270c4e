// What stands in a piece of the library's derivation of two layers for sizes, layers, activation and loss: see templates.py.

const DIGITS = "₀₁₂₃₄₅₆₇₈₉";
const LETTERS = ["Z", "A", "W", "b", "dZ", "dA", "dW", "db"];
const LOWERED = /([ZAWb])([₁₂])(?![₀-₉])/g; // a name's layer, in text
const NAMED = /\b(d?[ZAWb])([12])(?=_ones\b|\b)/g; // the same in programs

// What the pieces of a layer become: `layers` says which layer the template's first and second are here.
class Filler {
  constructor(laid, layers) {
    const { count, sizes, symbols, activations, losses } = data.templates;
    this.layers = layers;
    const found = [[count, laid.count], ...sizes.map((size, i) => [size, laid.sizes[layers[i]]])];
    this.sizes = new Map(found.flatMap(([token, size]) => [[token, size], [token + 1, size + 1]]));
    this.own = [activations[laid.activation], losses[laid.loss].written[laid.batch]];
    this.nodes = new Map(this.own.flatMap(({ math: pairs }) => pairs));
    this.symbols = new Map(LETTERS.flatMap((letter) => [1, 2].map((k) => [symbols[letter + k], symbols[letter + layers[k]]])));
    this.shown_ = activations[laid.activation].shown;
    this.filled = new Map();
  }

  // Numbers that stand for sizes, in a text.
  sized(text) {
    return text
      .replace(/(?<![\d.])\d\d(?![\d.])/g, (digits) => this.sizes.get(Number(digits)) ?? digits)
      .replace(/[₀-₉]{2}/g, (digits) => {
        const size = this.sizes.get(Number([...digits].map((digit) => DIGITS.indexOf(digit)).join("")));
        return size === undefined ? digits : subscript(size);
      });
  }

  text(text) {
    const written = this.own.reduce((all, { text: pairs }) => replacedPairs(all, pairs), text);
    return this.sized(written.replace(LOWERED, (_, letter, digit) => letter + subscript(this.layers[DIGITS.indexOf(digit)])));
  }

  shown(text) {
    return this.text(text.replace(...this.shown_));
  }

  code(text) {
    return this.sized(this.name(this.own.reduce((all, { code }) => replacedPairs(all, code), text)));
  }

  name(text) {
    return text.replace(NAMED, (_, letters, digit) => letters + this.layers[digit]);
  }

  dims(dims) {
    return dims.map((size) => this.sizes.get(size) ?? size);
  }

  // A node of MathML; its place where nothing in it changes.
  node(place) {
    if (!this.filled.has(place)) this.filled.set(place, this.made(place));
    return this.filled.get(place);
  }

  made(place) {
    if (this.symbols.has(place)) return this.symbols.get(place);
    if (this.nodes.has(place)) return this.node(this.nodes.get(place));
    const [tag, content, ...attributes] = pooled(place);
    if (typeof content === "string") {
      const text = this.sized(content);
      return text === content ? place : [tag, text, ...attributes];
    }
    const inner = content.map((child) => this.node(child));
    return inner.every((child, i) => child === content[i]) ? place : [tag, inner, ...attributes];
  }

  tree(tree) {
    if (typeof tree === "number") return this.sizes.get(tree) ?? tree;
    if (typeof tree === "string") return this.name(tree);
    if (!Array.isArray(tree)) return tree.slices ? { slices: tree.slices.map((ends) => ends.map((end) => this.sizes.get(end) ?? end)) } : tree;
    const kept = tree[0] === "call" ? 2 : 1;
    return tree.map((part, i) => (i < kept ? part : this.tree(part)));
  }
}

function replacedPairs(text, pairs) {
  return [...pairs].sort((a, b) => b[0].length - a[0].length).reduce((all, [own, other]) => all.split(own).join(other), text);
}
