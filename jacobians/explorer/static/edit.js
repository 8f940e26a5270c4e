// A net of the reader's own: the chosen one with other sizes, activation, loss, batch and entries.

const LIMITS = { layers: [1, 5], width: [2, 6], count: [2, 8] };
const entryOf = /^(X|[Wb][1-5]|y)\.\d\.(\d)$/;
let made = { key: "", net: null };

// The net that is shown: the chosen one as the library wrote it, or with the reader's changes.
function theNet() {
  const base = netOf(state.net);
  const key = JSON.stringify([state.net, state.edit]);
  if (made.key !== key) made = { key, net: edited(base) ? changed(base) : base };
  return made.net;
}

function edited(base) {
  const { sizes, count, act, loss, set } = state.edit;
  return Boolean((sizes && sizes.join("-") !== base.sizes.join("-")) || (count && count !== base.count) || (act && act !== base.activation) ||
    (loss && loss !== base.loss) || Object.keys(set).length);
}

function changed(base) {
  const { sizes = base.sizes, count = base.count, act = base.activation, loss = base.loss } = state.edit;
  const shapes = { X: [count, sizes[0]] };
  for (let k = 1; k < sizes.length; k += 1) Object.assign(shapes, { [`W${k}`]: [sizes[k - 1], sizes[k]], [`b${k}`]: [1, sizes[k]] });
  const arrays = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, entries(base, name, shape)]));
  const { X, ...params } = arrays;
  const labels = Array.from({ length: count }, (_, n) => (state.edit.set[`y.${n}.0`] ?? base.labels[n] ?? n) % sizes.at(-1));
  const wrt = [...Object.keys(params), "X"].map((name) => [name, name.replace(/\d/, (digit) => subscript(digit))]);
  return { key: sizes.join("-"), title: "a net of your own", sizes, count, activation: act, loss, labels, params, X, wrt, edited: true };
}

// The reader's entry, else that of the chosen net, else one of the page's own making.
function entries(base, name, [rows, columns]) {
  const layer = Number(name.slice(1));
  const width = name === "X" ? base.sizes[0] : base.sizes[layer];
  const height = { X: base.count, W: base.sizes[layer - 1], b: 1 }[name[0]];
  const known = numbersOf((name === "X" ? base.X : base.params[name]) ?? []);
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    return state.edit.set[`${name}.${r}.${c}`] ?? (r < height && c < width ? known[r * width + c] : drawnNumber(`${name}.${r}.${c}`));
  });
}

// A number between −1 and 1 with one digit, always the same one for an entry.
function drawnNumber(name) {
  let hash = 2166136261;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519) >>> 0;
  return ((hash >>> 8) % 19 - 9) / 10 || 0.5;
}

// --- in the address --------------------------------------------------------------------------------

function readEdit(given) {
  const within = ([least, most], number) => Number.isInteger(number) && number >= least && number <= most;
  const sizes = (given.get("sizes") ?? "").split("-").map(Number);
  const set = (given.get("set") ?? "").split("*").map((text) => text.split("_")).filter(([entry, number]) => entryOf.test(entry) && number !== "" && Number.isFinite(Number(number)));
  const [count, act, loss] = [Number(given.get("count")), given.get("act"), given.get("loss")];
  return {
    sizes: within(LIMITS.layers, sizes.length - 1) && sizes.every((size) => within(LIMITS.width, size)) ? sizes : undefined,
    count: within(LIMITS.count, count) ? count : undefined,
    act: Object.hasOwn(data.templates.activations, act) ? act : undefined,
    loss: Object.hasOwn(data.templates.losses, loss) ? loss : undefined,
    set: Object.fromEntries(set.map(([entry, number]) => [entry, entry.startsWith("y") ? Math.max(0, Math.trunc(Number(number))) : Number(number)])),
  };
}

function writeEdit() {
  const base = netOf(state.net);
  const { sizes, count, act, loss, set } = state.edit;
  const parts = {};
  if (sizes && sizes.join("-") !== base.sizes.join("-")) parts.sizes = sizes.join("-");
  if (count && count !== base.count) parts.count = count;
  if (act && act !== base.activation) parts.act = act;
  if (loss && loss !== base.loss) parts.loss = loss;
  if (Object.keys(set).length) parts.set = Object.entries(set).map((pair) => pair.join("_")).join("*");
  return parts;
}

// --- the controls ----------------------------------------------------------------------------------

function buildEditor() {
  const options = (record) => Object.keys(record).map((name) => el("option", { value: name }, name.replaceAll("_", " ")));
  const range = ([least, most]) => Array.from({ length: most - least + 1 }, (_, i) => el("option", { value: least + i }, least + i));
  const select = (id, label, ...children) => [el("label", { for: id }, label), " ", el("select", { id }, ...children)];
  const form = el("form", { class: "controls editing", "aria-label": "The net of your own" },
    el("span", {}, ...select("layers", "Layers", ...range(LIMITS.layers))),
    el("span", { id: "widths", role: "group", "aria-label": "Widths from the inputs to the outputs" }),
    el("span", {}, ...select("count", "Examples", ...range(LIMITS.count))),
    el("span", {}, ...select("act", "Activation", ...options(data.templates.activations))),
    el("span", {}, ...select("loss", "Loss", ...options(data.templates.losses))),
    el("button", { type: "button", id: "restore" }, "As it was"));
  form.addEventListener("submit", (event) => event.preventDefault());
  const choose = (id, change) => form.querySelector(`#${id}`).addEventListener("change", ({ target }) => edit(change(target.value)));
  choose("layers", (value) => ({ sizes: resized(theNet().sizes, Number(value)) }));
  choose("count", (value) => ({ count: Number(value) }));
  choose("act", (act) => ({ act }));
  choose("loss", (loss) => ({ loss }));
  form.querySelector("#restore").addEventListener("click", () => { state.edit = { set: {} }; editedTo(); });
  const details = el("details", { id: "editor" }, el("summary", { id: "edited" }),
    form, el("p", { class: "quiet" }, "An example is a row of X, and a weight is inputs × outputs here; each pane lays them out its own way. Labels count from 1."),
    el("div", { class: "arrays", id: "entries" }));
  details.addEventListener("toggle", showEditor);
  return details;
}

// Another number of layers: hidden ones are taken out, or the last hidden width is repeated.
function resized(sizes, layers) {
  const inner = Array.from({ length: layers - 1 }, (_, i) => sizes[Math.min(i + 1, sizes.length - 2)] ?? 3);
  return [sizes[0], ...(sizes.length > 2 ? inner : inner.map(() => 3)), sizes.at(-1)];
}

function edit(changes) {
  state.edit = { ...state.edit, ...changes };
  editedTo();
}

function editedTo() {
  const names = theNet().wrt.map(([wrt]) => wrt);
  if (!names.includes(state.by)) state.by = names[0];
  state.tie = null;
  state.follow = Math.min(state.follow, theNet().count);
  render();
}

function showEditor() {
  const net = theNet();
  byId("layers").value = net.sizes.length - 1;
  byId("count").value = net.count;
  byId("act").value = net.activation;
  byId("loss").value = net.loss;
  byId("restore").disabled = !net.edited;
  byId("edited").textContent = net.edited ? `The net as you changed it: ${net.sizes.join("–")}` : "Change the net: sizes, activation, loss, batch, every entry";
  if (!byId("editor").open) return;
  const shape = JSON.stringify([net.sizes, net.count]);
  const host = byId("entries");
  if (host.dataset.shape !== shape) {
    host.dataset.shape = shape;
    byId("widths").replaceChildren("Widths ", ...net.sizes.map(widthSelect));
    host.replaceChildren(...Object.entries(plainArrays(net)).map(([name, { shape: own }]) => entryTable(name, own)), entryTable("y", [net.count, 1]));
    settleScrolling();
  }
  net.sizes.forEach((size, k) => { byId(`width-${k}`).value = size; });
  const numbers = { ...Object.fromEntries(Object.entries(plainArrays(net)).map(([name, array]) => [name, array.data])), y: net.labels.map((label) => label + 1) };
  for (const input of host.querySelectorAll("input")) {
    const [name, r, c] = input.dataset.entry.split(".");
    const columns = Number(input.dataset.columns);
    // a table that is being replaced loses the focus first
    if (name in numbers && input !== document.activeElement) input.value = String(numbers[name][r * columns + Number(c)]);
  }
}

function widthSelect(size, k) {
  const [least, most] = LIMITS.width;
  const select = el("select", { id: `width-${k}`, "aria-label": `Width ${k + 1}` }, ...Array.from({ length: most - least + 1 }, (_, i) => el("option", {}, least + i)));
  select.addEventListener("change", () => edit({ sizes: theNet().sizes.map((own, i) => (i === k ? Number(select.value) : own)) }));
  return select;
}

// A table of inputs, one of which is in the tab order; arrow keys go from entry to entry.
function entryTable(name, shape) {
  const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
  const shown = name === "y" ? "labels" : name.replace(/\d/, (digit) => subscript(digit));
  const input = (r, c) => {
    const made_ = el("input", { inputmode: "decimal", autocomplete: "off", size: 4, tabindex: r || c ? -1 : 0, "data-entry": `${name}.${r}.${c}`, "data-columns": columns, "aria-label": `${shown}, row ${r + 1}, column ${c + 1}` });
    return el("td", {}, made_);
  };
  const body = Array.from({ length: rows }, (_, r) => el("tr", {}, ...Array.from({ length: columns }, (__, c) => input(r, c))));
  const table = el("table", { class: "array entries" }, el("caption", {}, el("b", {}, shown), ` ${rows} × ${columns}`), el("tbody", {}, ...body));
  table.addEventListener("focusin", ({ target }) => {
    for (const other of table.querySelectorAll('input[tabindex="0"]')) other.tabIndex = -1;
    target.tabIndex = 0;
    target.select();
  });
  table.addEventListener("input", ({ target }) => setEntry(target));
  table.addEventListener("focusout", showEditor);
  table.addEventListener("keydown", (event) => walkEntries(event, table));
  return el("div", { class: "scroll" }, table);
}

function setEntry(input) {
  const text = input.value.trim().replace("−", "-").replace(",", ".");
  const label = input.dataset.entry.startsWith("y");
  const number = label ? Number(text) - 1 : Number(text);
  const right = text !== "" && Number.isFinite(number) && Math.abs(number) < 1e6 && (!label || (Number.isInteger(number) && number >= 0 && number < theNet().sizes.at(-1)));
  input.setAttribute("aria-invalid", String(!right));
  if (right) edit({ set: { ...state.edit.set, [input.dataset.entry]: number } });
}

function walkEntries(event, table) {
  const cell_ = event.target.closest("td");
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!step) return;
  event.preventDefault();
  table.tBodies[0].rows[cell_.parentNode.sectionRowIndex + step[0]]?.cells[cell_.cellIndex + step[1]]?.firstChild.focus();
}
