// One matrix function: two panes with its Jacobian in a layout each, and the factors that a cell is a product of.

const PANES = ["left", "right"];
const state = { ...data.start };
let grids = {};

const current = () => data.functions.find(({ key }) => key === state.function) ?? data.functions[0];

// A clone of the markup that the library wrote; each equation scrolls by itself.
function written(key, label) {
  const copy = byId(`${current().key}.${key}`).content.cloneNode(true);
  const equations = [...copy.querySelectorAll("math")];
  return equations.map((equation) => scrolling(label, equation));
}

function arrayTable({ name, rows }, extra = {}) {
  const largest = largestOf(rows);
  const body = rows.map((row) => el("tr", {}, ...row.map((value) => el("td", { class: strength(value, largest) }, shown(value)))));
  return el("table", { class: "array", ...extra },
    el("caption", {}, el("b", {}, name), ` ${rows.length}×${rows[0].length}`), el("tbody", {}, ...body));
}

// --- a pane -------------------------------------------------------------------------------------------------

function pane(name) {
  const made = current();
  const layout = state[name];
  const [form, order] = layout.split(".");
  const denominator = form === "denominator";
  const choice = el("select", { id: `${name}-layout` },
    ...data.layouts.map(({ key, name: text }) => el("option", { value: key, selected: key === layout }, text)));
  choice.addEventListener("change", () => { state[name] = choice.value; show(name); });
  const side = name === "left" ? "Left" : "Right";
  const outputs = places(made.codomain, order);
  const inputs = places(made.domain, order);
  const [down, across] = denominator ? [inputs, outputs] : [outputs, inputs];
  const label = (place, isOutput) => isOutput
    ? entryName(made.value, made.codomain, place) : entryName("X", made.domain, place);
  const at = (r, c) => {
    const [o, i] = denominator ? [across[c], down[r]] : [down[r], across[c]];
    return made.entries[o[0]][o[1]][i[0]][i[1]];
  };
  const largest = largestOf(made.entries);
  const head = el("tr", {}, el("td", {}), ...across.map((place) => el("th", { scope: "col" }, label(place, denominator))));
  const rows = down.map((place, r) => el("tr", {}, el("th", { scope: "row" }, label(place, !denominator)),
    ...across.map((_, c) => {
      const value = at(r, c);
      const cell = el("td", { class: strength(value, largest), tabindex: r || c ? -1 : 0 }, value ? shown(value) : "·");
      if (!value) cell.setAttribute("aria-label", "0");
      return cell;
    })));
  const title = `${denominator ? "X" : made.value} down, ${denominator ? made.value : "X"} across`;
  const table = el("table", { class: "jacobian", role: "grid", "aria-readonly": "true" },
    el("caption", {}, el("b", {}, `${down.length} × ${across.length}`), ` ${title}`),
    el("thead", {}, head), el("tbody", {}, ...rows));
  const terms = made.terms[layout];
  const readout = el("p", { class: "readout", id: `${name}-readout` }, "Point at a cell.");
  const grid = { name, table, terms, order, down, across, denominator, at, readout, label, tables: [] };
  grids[name] = grid;
  listen(grid);
  const own = made.gradient && made.domain.length ? [gradientOf(made, form)] : factorsOf(grid, made);
  byId(name).replaceChildren(
    el("span", {}, el("label", { for: `${name}-layout` }, `${side} `), choice),
    el("h3", {}, "Formula"), el("div", { class: "formula" }, ...written(layout, `${side} formula`)),
    el("h3", {}, "Matrix"), readout, scrolling(`${side} matrix`, table), ...own);
}

function gradientOf(made, form) {
  const turned = form === "numerator" && made.number;
  const rows = turned ? made.gradient[0].map((_, j) => made.gradient.map((row) => row[j])) : made.gradient;
  const name = `∂${made.value}/∂X` + (turned ? ", the transposed gradient" : ", the gradient in the shape of X");
  return el("div", {}, el("h3", {}, "As a matrix"), scrolling("As a matrix", arrayTable({ name, rows })));
}

function factorsOf(grid, made) {
  const items = grid.terms.map((term, t) => {
    const factors = term.factors.map((factor, f) => {
      const tables = factor.parts.map((part, p) => {
        const table = arrayTable(part);
        grid.tables.push({ t, f, p, table });
        return table;
      });
      if (factor.kind === "kronecker") return [tables[0], el("span", { "aria-label": "Kronecker product" }, "⊗"), tables[1]];
      if (factor.kind === "diagonal") return [el("span", {}, "diag vec"), tables[0]];
      if (factor.kind === "outer") return [el("span", {}, "vec"), tables[0], el("span", {}, "times the row vec"), tables[1]];
      return [el("b", {}, factor.name)];
    });
    const sign = term.written.startsWith("−") || t === 0 ? term.written : `+ ${term.written}`;
    return el("li", {}, el("span", { class: "sign" }, sign || ""), el("div", { class: "factors" }, ...factors.flat()));
  });
  const heading = grid.terms.length > 1 ? `The ${grid.terms.length} terms, by their factors` : "Its factors";
  return items.length ? [el("h3", {}, heading), scrolling(`${grid.name} factors`, el("ol", { class: "terms" }, ...items))] : [];
}

// --- pointing -----------------------------------------------------------------------------------------------

function positionOf(cell) {
  return [cell.parentNode.sectionRowIndex, cell.cellIndex - 1];
}

function listen(grid) {
  const { table, down, across } = grid;
  const tied = (target) => {
    const cell = target.closest("tbody td");
    if (!cell) return null;
    const [r, c] = positionOf(cell);
    return grid.denominator ? { output: across[c], input: down[r] } : { output: down[r], input: across[c] };
  };
  table.addEventListener("pointerover", (event) => light(tied(event.target)));
  table.addEventListener("pointerleave", () => light(null));
  table.addEventListener("focusin", (event) => {
    for (const cell of table.querySelectorAll('td[tabindex="0"]')) cell.tabIndex = -1;
    event.target.tabIndex = 0;
    light(tied(event.target));
    announce(grid.readout.textContent);
  });
  table.addEventListener("keydown", (event) => {
    if (event.key === "Escape") light(null);
    const cell = event.target.closest("tbody td");
    if (!cell) return;
    const [r, c] = positionOf(cell);
    const [bottom, right] = [down.length - 1, across.length - 1];
    const next = {
      ArrowUp: [Math.max(r - 1, 0), c], ArrowDown: [Math.min(r + 1, bottom), c],
      ArrowLeft: [r, Math.max(c - 1, 0)], ArrowRight: [r, Math.min(c + 1, right)],
      Home: [event.ctrlKey ? 0 : r, 0], End: [event.ctrlKey ? bottom : r, right],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    table.tBodies[0].rows[next[0]].cells[next[1] + 1].focus();
  });
}

function light(tie) {
  for (const lit of document.querySelectorAll(".lit, .lit-input, .lit-output")) lit.classList.remove("lit", "lit-input", "lit-output");
  for (const name of PANES) lightIn(grids[name], tie);
  if (!tie) return;
  const X = byId("arrays").querySelector('table[data-name="X"]');
  X?.tBodies[0].rows[tie.input[0]].cells[tie.input[1]].classList.add("lit-input");
}

function lightIn(grid, tie) {
  const made = current();
  if (!tie) {
    grid.readout.textContent = "Point at a cell.";
    return;
  }
  const same = ([a, b]) => ([i, j]) => a === i && b === j;
  const [row, column] = grid.denominator ? [tie.input, tie.output] : [tie.output, tie.input];
  const r = grid.down.findIndex(same(row));
  const c = grid.across.findIndex(same(column));
  const body = grid.table.tBodies[0].rows[r];
  body.cells[c + 1].classList.add("lit");
  body.cells[0].classList.add("lit");
  grid.table.tHead.rows[0].cells[c + 1].classList.add("lit");
  const left = `∂${entryName(made.value, made.codomain, tie.output)}/∂${entryName("X", made.domain, tie.input)}`;
  const sum = grid.terms.length ? sumOf(grid.terms, row, column, grid.order) : null;
  const value = shown(grid.at(r, c));
  grid.readout.textContent = sum === null || sum === value ? `${left} = ${value}` : `${left} = ${sum} = ${value}`;
  for (const { t, f, p, table } of grid.tables) {
    for (const [factor, part, [i, j]] of entriesOf(grid.terms[t], row, column, grid.order) ?? []) {
      if (factor === f && part === p) table.tBodies[0].rows[i].cells[j].classList.add("lit-output");
    }
  }
}

// --- the page -----------------------------------------------------------------------------------------------

function show(...names) {
  const made = current();
  const focused = document.activeElement?.id;
  for (const name of names.length ? names : PANES) pane(name);
  if (!names.length) {
    byId("value-title").textContent = made.title;
    byId("differential").replaceChildren(...written("differential", "Differential"));
    byId("arrays").replaceChildren(...made.arrays.map((array) => arrayTable(array, { "data-name": array.name })));
    byId("steps").replaceChildren(el("ol", {}, ...written("steps", "Step").map((line) => el("li", {}, line))));
    const code = el("pre", { id: "code" }, made.program);
    const copy = el("button", { type: "button", class: "copy" }, "Copy");
    copy.addEventListener("click", () => copyText(made.program, copy, code));
    byId("program").replaceChildren(copy, scrolling("NumPy code", code));
  }
  if (focused) byId(focused)?.focus();
  history.replaceState(null, "", `#${new URLSearchParams(state)}`);
  settleScrolling();
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const known = (list, key) => list.some((each) => each.key === given.get(key));
  if (known(data.functions, "function")) state.function = given.get("function");
  for (const name of PANES) if (data.layouts.some(({ key }) => key === given.get(name))) state[name] = given.get(name);
}

const chooser = byId("function");
chooser.append(...data.functions.map(({ key, name }) => el("option", { value: key }, name)));
chooser.addEventListener("change", () => { state.function = chooser.value; show(); });
byId("shared").addEventListener("submit", (event) => event.preventDefault());
byId("share").addEventListener("click", () => copyText(location.href, byId("share")));
addEventListener("hashchange", () => { readAddress(); chooser.value = state.function; show(); });
addEventListener("resize", settleScrolling);
readAddress();
chooser.value = state.function;
show();
