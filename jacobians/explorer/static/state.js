// The view, a pane being the place of its side, and its spelling in the URL's fragment: #net=4-3-2&by=W1&of=Z1&left=cs231n&right=rows.columns.separate.C.numerator

const state = { net: null, by: null, of: null, tie: null, left: null, right: null };

// Whatever is missing or unknown in a fragment is left at the default.
function readFragment(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const net = netOf(given.get("net")) ?? netOf(data.start.net);
  const names = net.wrt.map(([name]) => name);
  state.net = net.key;
  state.by = names.includes(given.get("by")) ? given.get("by") : names[0];
  state.of = given.get("of");
  const tie = /^(\w+)-(\d+)-(\d+)$/.exec(given.get("tie") ?? "");
  state.tie = tie && { key: tie[1], output: Number(tie[2]), input: Number(tie[3]) };
  for (const pane of ["left", "right"]) {
    state[pane] = readSide(given.get(pane) ?? "") ?? sideOfPreset(data.start[pane]);
  }
}

function readSide(text) {
  const values = text.split(".");
  const layout = Object.fromEntries(Object.keys(data.switches).map((name, i) => [name, values[i]]));
  return [sideOfPreset(text), sideOfLayout(layout)].find((side) => side >= 0);
}

function writeSide(side) {
  return sides[side].name || writeLayout(sides[side].layout);
}

function fragmentOf() {
  const parts = { net: state.net, by: state.by, left: writeSide(state.left), right: writeSide(state.right) };
  if (state.of) parts.of = state.of;
  if (state.tie) parts.tie = `${state.tie.key}-${state.tie.output}-${state.tie.input}`;
  return `#${new URLSearchParams(parts)}`;
}

// Written late and once: browsers refuse a page that rewrites its address with every arrow key.
let writing = 0;

function writeFragment() {
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", fragmentOf()), 150);
}
