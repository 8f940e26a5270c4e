// Arrays as small tables of numbers, whose entries can light up.

// One array of a pane; its entries are remembered in `pane.cells` by their places.
function arrayTable(pane, array, caption) {
  const width = array.shape.length ? array.shape.at(-1) : 1;
  const rows = [];
  for (let start = 0; start < array.places.length; start += width) {
    const cells = array.places.slice(start, start + width).map((place, i) => {
      const cell = el("td", {}, rounded(array.numbers[start + i], 3));
      if (!pane.cells.has(place)) pane.cells.set(place, []);
      pane.cells.get(place).push(cell);
      return cell;
    });
    rows.push(el("tr", {}, ...cells));
  }
  const table = el("table", { class: "array" }, el("caption", {}, ...caption), el("tbody", {}, ...rows));
  return scrolling(`${pane.title}: ${array.shown}`, table);
}

// What of an array is compared between panes: how it lies, and what is printed.
function arrayContent(array) {
  return `${array.size}: ${array.numbers.map((number) => rounded(number, 3)).join(" ")}`;
}

function arraysSection(pane, rows) {
  return [...pane.arrays.values()].map((array) => {
    const mark = rows.mark(array.name, arrayContent(array));
    return arrayTable(pane, array, [mark, el("b", {}, array.shown), ` ${array.size}`]);
  });
}
