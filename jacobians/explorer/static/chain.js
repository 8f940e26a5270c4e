// The chain with pictures: one picture a factor, all in one scale, and the chosen factor entry by entry.

const FRAME = 0.35;

// One of three strengths of blue or orange; none for zero.
function strength(number, largest) {
  if (number === 0) return null;
  return (number > 0 ? "p" : "n") + Math.min(3, 1 + Math.floor((3 * Math.abs(number)) / largest));
}

function largestOf(view) {
  let largest = 0;
  for (let r = 0; r < view.down.length; r += 1) {
    for (let c = 0; c < view.across.length; c += 1) {
      largest = Math.max(largest, Math.abs(view.numberAt(r, c)));
    }
  }
  return largest;
}

function picture(pane, view, scale) {
  const [rows, columns] = [view.down.length, view.across.length];
  const largest = largestOf(view);
  const paths = {};
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) {
      const level = strength(view.numberAt(r, c), largest);
      if (level) paths[level] = `${paths[level] ?? ""}M${c} ${r}h1v1h-1z`;
    }
  }
  const frame = svg("rect", { class: "frame", width: 1 + 2 * FRAME, height: 1 + 2 * FRAME, visibility: "hidden" });
  pane.pictures.set(view.key, (found) => {
    frame.setAttribute("visibility", found ? "visible" : "hidden");
    if (!found) return;
    frame.setAttribute("x", found.c - FRAME);
    frame.setAttribute("y", found.r - FRAME);
  });
  const margin = 0.5;
  const image = svg("svg", {
    "aria-hidden": "true",
    width: (columns + 2 * margin) * scale,
    height: (rows + 2 * margin) * scale,
    viewBox: `${-margin} ${-margin} ${columns + 2 * margin} ${rows + 2 * margin}`,
  },
  svg("rect", { class: "ground", width: columns, height: rows }),
  ...Object.entries(paths).map(([level, d]) => svg("path", { class: level, d })), frame);
  image.addEventListener("pointermove", (event) => {
    const box = image.getBoundingClientRect();
    const c = Math.floor((event.clientX - box.left) / scale - margin);
    const r = Math.floor((event.clientY - box.top) / scale - margin);
    hover(r >= 0 && r < rows && c >= 0 && c < columns ? view.tieAt(r, c) : null);
  });
  image.addEventListener("pointerleave", () => hover(null));
  return image;
}

// A structure's text with places to break it: after every opening bracket.
function breakable(text) {
  return text.split(/(?<=[[(])/).flatMap((part) => [part, el("wbr")]);
}

function chainSection(pane, rows, choose) {
  if (!pane.chain.length) {
    return [el("p", { class: "note" }, "This layout has no bias, so there is no such derivative.")];
  }
  const longest = Math.max(...pane.chain.flatMap((view) => [view.down.length, view.across.length]));
  const scale = Math.max(3, Math.min(9, Math.floor(112 / longest)));
  const items = pane.chain.map((view) => {
    const size = `${view.down.length} × ${view.across.length}`;
    const numbers = view.down.flatMap((_, r) => view.across.map((_, c) => view.numberAt(r, c)));
    const button = el("button", {
      type: "button",
      class: "factor",
      "data-focus": `${pane.name}-${view.key}`,
      "data-key": view.key,
      "aria-pressed": String(view.key === state.of),
    },
    el("span", { class: "name" }, rows.mark(view.key, [view.structure, size, ...numbers].join()), view.label), spoken(", "),
    picture(pane, view, scale), el("span", { class: "size" }, size), spoken(", "),
    el("span", { class: "structure" }, ...breakable(view.structure)));
    button.addEventListener("click", () => choose(view.key));
    return el("li", {}, button);
  });
  const goal = `∂loss/∂${pane.arrays.get(pane.own).shown}`;
  const product = `${goal} = ${pane.chain.map((view) => view.label).join(" · ")}`;
  const symbols = pane.formulas.parameters[pane.own].chain;
  return [
    el("p", { class: "product" }, rows.mark("product", product), product),
    equations(pane, rows, "The chain in symbols", [["symbols", symbols]]),
    el("ol", { class: "chain" }, ...items),
  ];
}
