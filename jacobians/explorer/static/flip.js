// A flip of batch, weights or vec is a permutation: every entry is carried from where it stood to where it stands.

const CARRIED = 800; // milliseconds

function carriedOf(name) {
  const found = new Map();
  for (const host of document.querySelectorAll(`#${name}-tiles .tile, #${name}-step .product, #${name}-step table`)) {
    const where = host.getAttribute("aria-label") ?? host.caption?.querySelector("span")?.parentNode.className ?? host.className;
    for (const element of host.querySelectorAll("[data-k], [data-r]")) {
      const { k, r, c } = element.dataset;
      const key = `${where} ${k ?? `${r},${c}`}`;
      if (!found.has(key)) found.set(key, element);
    }
  }
  return found;
}

// Where the entries of a pane stand; nothing for a reader who asks for less motion.
function standing(name) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return new Map();
  return new Map([...carriedOf(name)].map(([key, element]) => [key, element.getBoundingClientRect()]));
}

function carry(name, before) {
  if (!before.size) return;
  const moves = [...carriedOf(name)].flatMap(([key, element]) => {
    const [old, now] = [before.get(key), element.getBoundingClientRect()];
    const [x, y] = old ? [old.x - now.x, old.y - now.y] : [0, 0];
    return Math.abs(x) + Math.abs(y) > 1 ? [[element, x, y]] : [];
  });
  for (const [element, x, y] of moves) {
    // a cell of the product moves with its number
    const moved = element.closest(".product") ? element.parentNode : element;
    moved.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: CARRIED, easing: "ease-in-out" });
  }
}
