// The sections that print: formulas, shapes, the derivation, the gradient and the code.

const NO_DERIVATIVE = "This layout has no bias, so there is no derivative with respect to it.";

// Formulas, each with the row that it is and its mark; a wide line scrolls within the box.
function equations(pane, rows, label, lines) {
  return scrolling(label, ...lines.map(([row, place]) => {
    const formula = pane.words.math(place);
    return el("div", { class: "equation" }, rows.mark(row, formula.outerHTML), formula);
  }));
}

function formulasSection(pane, rows) {
  const { forward, cotangents } = pane.formulas;
  return [
    el("h4", {}, "Forward"), equations(pane, rows, "Forward pass", forward),
    el("h4", {}, "Back to every Z"), equations(pane, rows, "Cotangents", cotangents),
  ];
}

function shapesSection(pane, rows) {
  const body = pane.formulas.shapes.map(([role, spelled, size]) => {
    const shown = pane.words.text(spelled);
    return el("tr", {},
      el("td", {}, rows.mark(role, `${shown} ${size}`)), el("th", { scope: "row" }, shown), el("td", {}, size));
  });
  return [el("table", { class: "shapes" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, spoken("Compared")),
      el("th", { scope: "col" }, "Array"), el("th", { scope: "col" }, "Shape"))),
    el("tbody", {}, ...body))];
}

function stepsSection(pane, rows) {
  if (pane.own === null) return [el("p", { class: "note" }, NO_DERIVATIVE)];
  const { steps } = pane.formulas.parameters[pane.own];
  const seen = {};
  const items = steps.map((step) => {
    const [key, reason, place] = step;
    seen[key] = (seen[key] ?? 0) + 1;
    const [rule, why] = [key, reason].map((text) => pane.words.text(text));
    const formula = pane.words.math(place);
    const mark = rows.mark(`${key} ${seen[key]}`, rule + why + formula.outerHTML);
    return el("li", {}, el("p", {}, mark, el("b", {}, rule), ". ", why), scrolling(`After: ${rule}`, formula));
  });
  return [el("ol", { class: "steps" }, ...items)];
}

function gradientSection(pane, rows) {
  if (pane.own === null) return [el("p", { class: "note" }, NO_DERIVATIVE)];
  const { formula } = pane.formulas.parameters[pane.own];
  const { gradient } = pane;
  const caption = [rows.mark("gradient", arrayContent(gradient)), el("b", {}, `∂loss/∂${gradient.shown}`), ` ${gradient.size}`];
  return [
    equations(pane, rows, "Compact formula", [["formula", formula]]),
    el("div", { class: "arrays" }, arrayTable(pane, gradient, caption)),
  ];
}

// How far the two gradients are apart, entry to entry.
function differenceText([left, right]) {
  if (!left.gradient || !right.gradient) return "Only one of the panes has this derivative.";
  const numbers = new Map(left.gradient.places.map((place, i) => [place, left.gradient.numbers[i]]));
  const gaps = right.gradient.places.map((place, i) => (numbers.has(place) ? Math.abs(right.gradient.numbers[i] - numbers.get(place)) : 0));
  const gap = Math.max(0, ...gaps);
  const one = gap <= 1e-12 * largest(right.gradient.numbers);
  const why = (left.layout.bias === "none") === (right.layout.bias === "none") ? "They differ." : "They differ because only one of the networks has a bias.";
  return `Largest difference between the two gradients, entry to entry: ${rounded(gap, 2)}. ${one ? "They are one gradient, up to rounding." : why}`;
}

function codeSection(pane, rows) {
  const code = pane.words.code(pane.formulas.code);
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
