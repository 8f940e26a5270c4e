// The view, a pane being the place of its side, and its spelling in the URL's fragment: #net=4-3-2&by=W1&of=Z1&left=cs231n&right=rows.columns.separate.C.numerator.nielsen

const state = { net: null, by: null, of: null, tie: null, step: null, follow: 0, left: null, right: null, mode: "back", entry: null, edit: { set: {} } };

// Whatever is missing or unknown in a fragment is left at the default.
function readFragment(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  state.net = (netOf(given.get("net")) ?? netOf(data.start.net)).key;
  state.edit = readEdit(given);
  const net = theNet();
  const names = net.wrt.map(([name]) => name);
  state.by = names.includes(given.get("by")) ? given.get("by") : names[0];
  state.of = given.get("of");
  const tie = /^(\w+)-(\d+)-(\d+)$/.exec(given.get("tie") ?? "");
  state.tie = tie && { key: tie[1], output: Number(tie[2]), input: Number(tie[3]) };
  state.step = readNumber(given.get("step"));
  state.mode = given.get("mode") === "forward" ? "forward" : "back";
  state.entry = /^\d{1,4}$/.test(given.get("entry") ?? "") ? Number(given.get("entry")) : null;
  state.follow = Math.min(readNumber(given.get("follow")) ?? 0, net.count);
  for (const pane of ["left", "right"]) {
    state[pane] = readSide(given.get(pane) ?? "") ?? sideOfPreset(data.start[pane]);
  }
}

function readNumber(text) {
  return /^\d{1,2}$/.test(text ?? "") ? Number(text) : null;
}

// A preset by its name; a layout by its five choices, and by the preset whose names it keeps.
function readSide(text) {
  const values = text.split(".");
  const fields = Object.keys(data.switches);
  const layout = Object.fromEntries(fields.map((name, i) => [name, values[i]]));
  return [sideOfPreset(text), sideOfLayout(layout, values.slice(fields.length).join("."))].find((side) => side >= 0);
}

function writeSide(side) {
  const { name, layout, last } = sides[side];
  return name || [writeLayout(layout), ...(last ? [last] : [])].join(".");
}

function fragmentOf() {
  const parts = { net: state.net, ...writeEdit(), by: state.by, left: writeSide(state.left), right: writeSide(state.right) };
  if (state.of) parts.of = state.of;
  if (state.step !== null) parts.step = state.step;
  if (state.follow) parts.follow = state.follow;
  if (state.mode === "forward") parts.mode = "forward";
  if (state.entry !== null) parts.entry = state.entry;
  if (state.tie) parts.tie = `${state.tie.key}-${state.tie.output}-${state.tie.input}`;
  return `#${new URLSearchParams(parts)}`;
}

// Written late and once: browsers refuse a page that rewrites its address with every arrow key.
let writing = 0;

function writeFragment() {
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", fragmentOf()), 150);
}
