// A step of the stage as a picture of its own: SVG with its colours written in, and no style sheet.

const STYLED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "font-weight"];

function styledCopy(node) {
  const copy = node.cloneNode(true);
  const [all, copies] = [node, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  all.forEach((each, i) => {
    const style = getComputedStyle(each);
    for (const name of STYLED) copies[i].setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "tabindex", "role", "aria-label", "aria-hidden"]) copies[i].removeAttribute(name);
  });
  return copy;
}

function writtenOut(text, x, y, size, weight, fill) {
  return svg("text", { x, y, "font-size": size, "font-family": "sans-serif", "font-weight": weight, fill }, text);
}

// A formula in one line of text, and what else stands beside it.
function plainText(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  const parts = [...node.childNodes].map(plainText);
  switch (node.localName) {
    case "mfrac": return `${parts[0]}/${parts[1]} `;
    case "msub": return parts[0] + (/^\d+$/.test(parts[1]) ? subscript(parts[1]) : parts[1] === "n" ? "ₙ" : parts[1]);
    case "msup": return parts[0] + (parts[1] === "⊤" ? "ᵀ" : parts[1]);
    case "msubsup": return `${parts[0]}ₙᵀ`;
    case "mspace": return " ";
    case "mo": return "=+−∘⊗".includes(parts[0]) ? ` ${parts[0]} ` : parts.join("");
    default: return parts.join("");
  }
}

// What is said of the step, and in each pane the chain and the product.
function stepPicture() {
  const ink = getComputedStyle(document.body).color;
  const paper = getComputedStyle(document.documentElement).backgroundColor;
  const parts = [writtenOut(byId("say").textContent, 16, 26, 18, 600, ink)];
  let [y, width] = [40, 400];
  for (const pane of panes) {
    const text = (selector) => [...byId(`${pane.name}-step`).querySelectorAll(selector)].slice(0, 1).map(plainText).join("");
    parts.push(writtenOut(`${pane.title}: ${sides[pane.side].name || sides[pane.side].summary}`, 16, (y += 22), 14, 600, ink));
    let x = 16;
    const tiles = [...byId(`${pane.name}-tiles`).querySelectorAll(".tile svg")];
    const tall = Math.max(0, ...tiles.map((tile) => Number(tile.getAttribute("height"))));
    for (const tile of tiles) {
      const caption = plainText(tile.parentNode.querySelector(".cap"));
      const [w, h] = ["width", "height"].map((name) => Number(tile.getAttribute(name)));
      const copy = styledCopy(tile);
      copy.setAttribute("x", x);
      copy.setAttribute("y", y + 24 + tall - h);
      parts.push(writtenOut(caption, x, y + 20 + tall - h, 11, 400, ink), copy);
      x += Math.max(w, 7 * [...caption].length) + 8;
    }
    width = Math.max(width, x);
    y += tall + 30;
    for (const line of [text(".op"), text(".why"), text(".terms")].filter(Boolean)) {
      parts.push(writtenOut(line, 16, (y += 20), 13, 400, ink));
      width = Math.max(width, 32 + 7.2 * [...line].length);
    }
    const product = byId(`${pane.name}-step`).querySelector(".product svg");
    if (product) {
      const copy = styledCopy(product);
      copy.setAttribute("x", 16);
      copy.setAttribute("y", (y += 12));
      parts.push(copy);
      y += Number(product.getAttribute("height"));
      width = Math.max(width, 32 + Number(product.getAttribute("width")));
    }
    y += 20;
  }
  const size = { width: Math.ceil(width), height: y };
  return svg("svg", { ...size, viewBox: `0 0 ${size.width} ${y}` }, svg("rect", { ...size, fill: paper }), ...parts);
}

function savePicture() {
  const text = new XMLSerializer().serializeToString(stepPicture());
  const link = el("a", { href: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, download: `jacobians-step-${stage.at + 1}.svg` });
  document.body.append(link);
  link.click();
  link.remove();
  announce("The step was saved as an SVG file.");
}
