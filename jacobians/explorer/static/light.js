// What lights up: a tie is an output entry and an input entry of one factor, found in both panes by their places.

let panes = [];
let pointed = null;

// A tie that the pointer is on counts before the one that was chosen by keyboard or click.
function hover(tie) {
  if (JSON.stringify(tie) === JSON.stringify(pointed)) return;
  pointed = tie;
  light();
}

function pin(tie) {
  state.tie = tie;
  pointed = null;
  writeFragment();
  light();
}

function light() {
  const tie = pointed ?? state.tie;
  const said = panes.map((pane) => lightPane(pane, tie));
  for (const pane of panes) revealLit(pane);
  announce(tie ? said.join(" ") : "");
}

function lightPane(pane, tie) {
  for (const [element, name] of pane.lit) element.classList.remove(name);
  pane.lit = [];
  for (const draw of pane.pictures.values()) draw(null);
  const readout = byId(`${pane.name}-readout`);
  if (!tie) {
    if (readout) readout.textContent = "Point at a cell, or move to one with the keyboard.";
    return "";
  }
  const put = (element, name) => {
    element.classList.add(name);
    pane.lit.push([element, name]);
  };
  for (const [place, name] of [[tie.output, "lit-output"], [tie.input, "lit-input"]]) {
    for (const cell of pane.cells.get(place) ?? []) put(cell, name);
  }
  const view = pane.chain.find(({ key }) => key === tie.key);
  const found = view?.find(tie) ?? null;
  if (found) pane.pictures.get(tie.key)(found);
  if (found && pane.view === view) {
    const cell = cellAt(pane.grid, found.r, found.c);
    put(cell, "lit");
    put(pane.grid.tBodies[0].rows[found.r].cells[0], "lit");
    put(pane.grid.tHead.rows[0].cells[found.c + 1], "lit");
  }
  const text = found ? sentence(view, found) : "This pane's factor has no such entry.";
  if (readout) readout.textContent = text;
  return `${pane.title}: ${text}`;
}

function sentence(view, { r, c }) {
  const number = rounded(view.numberAt(r, c), 6);
  return `${view.tieLabel(r, c)} = ${number}, in row ${r + 1}, column ${c + 1} of ${view.label}.`;
}

// Scrolls what is lit into sight, each entry within its own box, and leaves the page where it is.
function revealLit(pane) {
  for (const [cell] of pane.lit) {
    if (cell.tagName === "TD" && cell !== document.activeElement) reveal(cell);
  }
}

function reveal(cell) {
  const box = cell.closest(".scroll");
  if (box.scrollWidth <= box.clientWidth) return;
  const header = cell.parentNode.querySelector("th");
  const left = box.getBoundingClientRect().left + (header ? header.offsetWidth : 0);
  const right = box.getBoundingClientRect().right;
  const inner = cell.getBoundingClientRect();
  box.scrollLeft += Math.max(0, inner.right - right) - Math.max(0, left - inner.left);
}
