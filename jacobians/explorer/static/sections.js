// The sections that print: formulas, shapes, the derivation, the gradient and the code.

const NO_DERIVATIVE = "This layout has no bias, so there is no derivative by it.";

// Lines of MathML, each with its mark; a wide line scrolls within the box.
function equations(label, lines) {
  return scrolling(label, ...lines.map(([mark, place]) => el("div", { class: "equation" }, mark, math(place))));
}

function formulasSection(pane, rows) {
  const lines = (part) => pane.formulas[part].map(([name, place]) => [rows.mark(name, place), place]);
  return [
    el("h4", {}, "Forward"), equations("Forward pass", lines("forward")),
    el("h4", {}, "Back to every Z"), equations("Cotangents", lines("cotangents")),
  ];
}

function shapesSection(pane, rows) {
  const body = pane.formulas.shapes.map(([role, shown, size]) => el("tr", {},
    el("td", {}, rows.mark(role, `${shown} ${size}`)), el("th", { scope: "row" }, shown), el("td", {}, size)));
  return [el("table", { class: "shapes" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, spoken("Compared")),
      el("th", { scope: "col" }, "Array"), el("th", { scope: "col" }, "Shape"))),
    el("tbody", {}, ...body))];
}

function stepsSection(pane, rows) {
  if (pane.own === null) return [el("p", { class: "note" }, NO_DERIVATIVE)];
  const { steps } = pooled(pane.formulas.parameters[pane.own]);
  const seen = {};
  const items = steps.map(([rule, reason, place]) => {
    seen[rule] = (seen[rule] ?? 0) + 1;
    const mark = rows.mark(`${rule} ${seen[rule]}`, [rule, reason, place].join());
    return el("li", {}, el("p", {}, mark, el("b", {}, pooled(rule)), ". ", pooled(reason)),
      scrolling(`After: ${pooled(rule)}`, math(place)));
  });
  return [el("ol", { class: "steps" }, ...items)];
}

function gradientSection(pane, rows) {
  if (pane.own === null) return [el("p", { class: "note" }, NO_DERIVATIVE)];
  const { formula } = pooled(pane.formulas.parameters[pane.own]);
  const { gradient } = pane;
  const caption = [rows.mark("gradient", arrayContent(gradient)), el("b", {}, `∂loss/∂${gradient.shown}`), ` ${gradient.size}`];
  return [
    equations("Compact formula", [[rows.mark("formula", formula), formula]]),
    el("div", { class: "arrays" }, arrayTable(pane, gradient, caption)),
  ];
}

// How far the two gradients are apart, as the library found it when the page was written.
function differenceText([left, right]) {
  const place = left.net.differences[state.by][left.kind][right.kind];
  if (place === null) return "Only one of the panes has this derivative.";
  const size = rounded(data.numbers[place], 2);
  const one = (left.layout.bias === "none") === (right.layout.bias === "none");
  return `Largest difference between the two gradients, translated entry to entry: ${size}. ` +
    (one ? "They are one gradient, up to rounding." : "They differ because only one of the networks has a bias.");
}

function codeSection(pane, rows) {
  const code = pooled(pane.formulas.code);
  const seen = {};
  const lines = code.trimEnd().split("\n").map((line) => {
    seen[line] = (seen[line] ?? 0) + 1;
    return el("span", { class: "line" }, rows.quietMark(`${line} ${seen[line]}`), `${line}\n`);
  });
  const text = el("code", {}, ...lines);
  const copy = el("button", { type: "button", class: "copy", "data-focus": `${pane.name}-copy` }, "Copy the code");
  copy.addEventListener("click", () => copyText(code, copy, text));
  return [copy, scrolling(`${pane.title}: NumPy code`, el("pre", {}, text))];
}
