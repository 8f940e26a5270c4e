// A source's names in place of the library's, in which every layout is kept: in sentences, programs and formulas.

// Whole names only: what stands before and after is no part of a longer one.
function renamer(names) {
  const longest = Object.keys(names).sort((a, b) => b.length - a.length);
  if (!longest.length) return (text) => text;
  const found = new RegExp(`(?<![A-Za-z0-9_])(?:${longest.join("|")})(?![A-Za-z0-9_₀-₉])`, "g");
  return (text) => text.replace(found, (name) => names[name]);
}

function makeWords(record) {
  const formulas = new Map(record.math);
  const node = (place) => {
    const own = formulas.get(place);
    const [tag, content, attributes] = pooled(own ?? place);
    const inner = own === undefined ? node : plainNode;
    return math(tag, attributes, ...(typeof content === "string" ? [content] : content.map(inner)));
  };
  return {
    text: renamer(record.text),
    code: renamer(record.code),
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
  return makeWords(data.words[spelled].nets[data.nets.indexOf(net)]);
}
