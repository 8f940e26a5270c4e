// A source's names in place of the library's, in which every layout is kept: in sentences, programs and formulas.

// Whole names only: `part` is what would make them longer. In a sentence δ₁1 is δ₁ times a vector of ones.
function renamer(names, part) {
  const longest = Object.keys(names).sort((a, b) => b.length - a.length);
  if (!longest.length) return (text) => text;
  const found = new RegExp(`(?<!${part})(?:${longest.join("|")})(?!${part})`, "g");
  return (text) => text.replace(found, (name) => names[name]);
}

function makeWords(record) {
  const formulas = new Map(record.math);
  const node = (place) => {
    const own = typeof place === "number" ? formulas.get(place) : undefined;
    const [tag, content, attributes] = pooled(own ?? place);
    const inner = own === undefined ? node : plainNode;
    return math(tag, attributes, ...(typeof content === "string" ? [content] : content.map(inner)));
  };
  return {
    text: renamer(record.text, "[A-Za-z_₀-₉]"),
    code: renamer(record.code, "\\w"),
    letter: (letter) => record.letters[letter] ?? letter,
    math: (place) => math("math", { display: "block" }, node(place)),
  };
}

// A name that took another's place is not renamed again.
function plainNode(place) {
  const [tag, content, attributes] = pooled(place);
  return math(tag, attributes, ...(typeof content === "string" ? [content] : content.map(plainNode)));
}

function wordsOf(spelled, net) {
  return makeWords(data.words[spelled].layers[net.sizes.length - 2]);
}
