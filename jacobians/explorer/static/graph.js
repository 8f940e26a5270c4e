// A graph that is no chain: a residual block, with its formulas and gradients in both layouts.

function graphSection(pane, rows) {
  const { at, words: spelled } = sides[pane.side];
  const { forward, back, gradients } = pooled(data.graph.sides[at]);
  const words = makeWords(data.words[spelled].layers[1]);
  const lines = (label, part, name) => equations({ words }, rows, label, part.map((place, i) => [`${name} ${i}`, place]));
  const tables = gradients.map(([role, , record]) => {
    const numbers = pooled(record.numbers).map((place) => data.numbers[place]);
    const shown = words.text(record.shown);
    const array = { ...record, shown, numbers, places: numbers.map((_, i) => `graph-${role}-${i}`) };
    return arrayTable(pane, array, [rows.mark(`numbers ${role}`, arrayContent(array)), el("b", {}, shown), ` ${array.size}`]);
  });
  return [
    el("h4", {}, "Forward"), lines("Forward pass of the block", forward, "forward"),
    el("h4", {}, "Back: a cotangent is the sum over the uses of its value"), lines("Cotangents of the block", back, "back"),
    el("h4", {}, "Gradients"),
    equations({ words }, rows, "Gradients of the block", gradients.map(([role, place]) => [role, place])),
    el("div", { class: "arrays" }, ...tables),
  ];
}

// A picture that the data keeps as nodes.
function drawn(place) {
  const [tag, content, attributes] = pooled(place);
  return svg(tag, attributes, ...(typeof content === "string" ? [content] : content.map(drawn)));
}

function graphPicture() {
  const text = "The graph of a residual block: X is used twice, by the layer and by the sum. Beside each edge stands the structure " +
    "of its Jacobian, where examples lie in rows.";
  return el("figure", { class: "graph" }, scrolling("The graph of a residual block", drawn(data.graph.picture)),
    el("figcaption", {}, text));
}
