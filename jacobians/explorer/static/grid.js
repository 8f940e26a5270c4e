// The chosen factor as a grid of numbers: one cell in the tab order, arrow keys between cells.

function gridSection(pane) {
  const view = pane.chain.find(({ key }) => key === state.of);
  pane.view = view ?? null;
  if (!view) return [];
  const largest = largestOf(view);
  const head = el("tr", {}, el("th", { scope: "col" }, spoken("entries")),
    ...view.across.map(({ label }) => el("th", { scope: "col" }, label)));
  const body = view.down.map(({ label }, r) => el("tr", {}, el("th", { scope: "row" }, label),
    ...view.across.map((_, c) => {
      const number = view.numberAt(r, c);
      const cell = el("td", { class: strength(number, largest), tabindex: r || c ? -1 : 0 }, number ? rounded(number, 3) : "·");
      if (!number) cell.setAttribute("aria-label", "0");
      return cell;
    })));
  const table = el("table", { class: "jacobian", role: "grid", "aria-readonly": "true" },
    el("caption", {}, el("b", {}, view.label), ` ${view.down.length} × ${view.across.length}, entry by entry`),
    el("thead", {}, head), el("tbody", {}, ...body));
  pane.grid = table;
  listen(table, view);
  return [el("p", { class: "readout", id: `${pane.name}-readout` }), scrolling(`${pane.title}: ${view.label}`, table)];
}

function positionOf(cell) {
  return { r: cell.parentNode.sectionRowIndex, c: cell.cellIndex - 1 };
}

function cellAt(table, r, c) {
  return table.tBodies[0].rows[r]?.cells[c + 1];
}

function listen(table, view) {
  const tieOf = (target) => {
    const cell = target.closest("td");
    if (!cell) return null;
    const { r, c } = positionOf(cell);
    return view.tieAt(r, c);
  };
  table.addEventListener("pointerover", (event) => hover(tieOf(event.target)));
  table.addEventListener("pointerleave", () => hover(null));
  table.addEventListener("focusin", (event) => {
    for (const cell of table.querySelectorAll('td[tabindex="0"]')) cell.tabIndex = -1;
    event.target.tabIndex = 0;
    pin(tieOf(event.target));
  });
  table.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
    const next = event.target.closest("td") && neighbour(event, view);
    if (!next) return;
    event.preventDefault();
    cellAt(table, next.r, next.c).focus();
  });
}

function neighbour(event, view) {
  const { r, c } = positionOf(event.target);
  const [bottom, right] = [view.down.length - 1, view.across.length - 1];
  switch (event.key) {
    case "ArrowUp": return { r: Math.max(r - 1, 0), c };
    case "ArrowDown": return { r: Math.min(r + 1, bottom), c };
    case "ArrowLeft": return { r, c: Math.max(c - 1, 0) };
    case "ArrowRight": return { r, c: Math.min(c + 1, right) };
    case "Home": return { r: event.ctrlKey ? 0 : r, c: 0 };
    case "End": return { r: event.ctrlKey ? bottom : r, c: right };
    default: return null;
  }
}
