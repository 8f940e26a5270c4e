// Elements: `el`, `svg` and `math` make them from names and text. No markup is ever read from a string.

const NAMESPACES = { svg: "http://www.w3.org/2000/svg", math: "http://www.w3.org/1998/Math/MathML" };

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NAMESPACES.svg, tag), attributes, children);
}

function math(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NAMESPACES.math, tag), attributes, children);
}

function spoken(text) {
  return el("span", { class: "spoken" }, text);
}

function byId(id) {
  return document.getElementById(id);
}

// A box that scrolls sideways on its own; `settleScrolling` lets the keyboard reach those that need it.
function scrolling(label, ...children) {
  return el("div", { class: "scroll", role: "group", "aria-label": label }, ...children);
}

// Late, because measuring lays out the whole page, of which the browser need lay out only what is in sight.
let settling = 0;

function settleScrolling() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    const boxes = [...document.querySelectorAll(".scroll")].filter((box) => !box.querySelector('[tabindex="0"]'));
    const wide = boxes.map((box) => box.scrollWidth > box.clientWidth);
    boxes.forEach((box, i) => (wide[i] ? box.setAttribute("tabindex", "0") : box.removeAttribute("tabindex")));
  }, 150);
}

function announce(text) {
  byId("live").textContent = text;
}

// Copies text; where the browser refuses, selects the node that shows it, for the reader to copy.
async function copyText(text, button, node) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    if (node) getSelection().selectAllChildren(node);
    button.textContent = node ? "Selected: press Ctrl+C" : "Copy the address instead";
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = label; }, 2000);
}
