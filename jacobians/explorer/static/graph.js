// A graph that is no chain: a residual block, with its formulas and gradients in both conventions.

function graphSection(pane, rows) {
  const { forward, back, gradients } = pooled(data.graph.sides[pane.side]);
  const lines = (part, name) => part.map((place, i) => [rows.mark(`${name} ${i}`, place), place]);
  const tables = gradients.map(([role, , record]) => {
    const numbers = pooled(record.numbers).map((place) => data.numbers[place]);
    const array = { ...record, numbers, places: numbers.map((_, i) => `graph-${role}-${i}`) };
    return arrayTable(pane, array, [rows.mark(`numbers ${role}`, arrayContent(array)), el("b", {}, array.shown), ` ${array.size}`]);
  });
  return [
    el("h4", {}, "Forward"), equations("Forward pass of the block", lines(forward, "forward")),
    el("h4", {}, "Back: a cotangent is the sum over the uses of its value"), equations("Cotangents of the block", lines(back, "back")),
    el("h4", {}, "Gradients"),
    equations("Gradients of the block", gradients.map(([role, place]) => [rows.mark(role, place), place])),
    el("div", { class: "arrays" }, ...tables),
  ];
}

function graphPicture() {
  const text = "The graph of a residual block: X is used twice, by the layer and by the sum. Beside each edge stands the structure " +
    "of its Jacobian, where examples lie in rows.";
  return el("figure", { class: "graph" }, scrolling("The graph of a residual block", tree(data.graph.picture, "svg")),
    el("figcaption", {}, text));
}
