// A flip of batch, weights or vec is a permutation: every entry of the step is carried from where it stood to where it stands.
// Places are read from what was drawn, never measured: measuring would lay out the whole page before it is shown.

const CARRIED = 800; // milliseconds
const ENTRY = [33, 20]; // a table's entry, in pixels

// By the part of the step and the entry in it, the element that moves and its place.
function carriedOf(name) {
  const found = new Map();
  const parts = document.querySelectorAll(`#${name}-step .product, #${name}-step table`);
  parts.forEach((part, i) => {
    for (const element of part.querySelectorAll("[data-k], [data-r]")) {
      const { k, r, c } = element.dataset;
      const drawn_ = element.tagName === "rect";
      const place = drawn_ ? ["x", "y"].map((axis) => Number(element.getAttribute(axis)))
        : [element.cellIndex * ENTRY[0], element.parentNode.sectionRowIndex * ENTRY[1]];
      const key = `${i} ${k ?? `${r},${c}`}`;
      // a cell of the product moves with its number
      if (!found.has(key)) found.set(key, [drawn_ && part.matches(".product") ? element.parentNode : element, ...place]);
    }
  });
  return found;
}

// Where the entries of a pane's step stand; nothing for a reader who asks for less motion.
function standing(name) {
  for (const movement of document.getAnimations()) movement.cancel();
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? new Map() : carriedOf(name);
}

// The entries start from where they stood.
function carry(name, before) {
  if (!before.size) return;
  for (const [key, [element, x, y]] of carriedOf(name)) {
    const [, oldX, oldY] = before.get(key) ?? [null, x, y];
    if (Math.abs(oldX - x) + Math.abs(oldY - y) <= 1) continue;
    element.animate([{ transform: `translate(${oldX - x}px, ${oldY - y}px)` }, { transform: "none" }], { duration: CARRIED, easing: "ease-in-out" });
  }
}
