// The stage: a row of numbers goes from the loss to a parameter, factor by factor, in two conventions at once.

const stage = { roles: [], way: [], at: 0, follow: 0, forward: false, timer: 0, moved: false, width: 0 };
const TANGENT = "//tangent";
const LEVELS = 8;

function level(number, full) {
  if (Math.abs(number) < 5e-13) return "";
  return (number > 0 ? "p" : "n") + Math.max(1, Math.min(LEVELS, Math.round(LEVELS * Math.sqrt(Math.abs(number) / full))));
}

function shortly(number) {
  if (Math.abs(number) < 5e-13) return "0";
  const size = Math.abs(number);
  const text = size >= 9.95 ? size.toFixed(0) : size < 0.00995 ? size.toFixed(3) : size.toFixed(2);
  return (number < 0 ? "−" : "") + text.replace(/^0\./, ".");
}

function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0) || 1;
}

function lastStop() {
  const summed = !stage.forward && stage.roles.some((role) => role.endsWith("/parameter/"));
  return stage.way.length - 1 + (summed ? panes[0].net.count : 0);
}

// The examples that have been added to the gradient; 0 before the sum.
function summedExamples() {
  return Math.max(0, stage.at - stage.way.length + 1);
}

function currentRole() {
  return stage.way[Math.min(stage.at, stage.way.length - 1)];
}

// Which of a pane's stops the row has come to: where the pane has no such stop, the one before. A column comes the other way.
function reached(pane) {
  const passed = stage.way.slice(0, Math.min(stage.at, stage.way.length - 1) + 1);
  const found = pane.stops.filter(({ role }) => passed.includes(role));
  return stage.forward ? found[0] : found.at(-1);
}

// The roles as they are read from the loss to the parameter, and in the order in which a row or a column passes them.
function layWay() {
  const roles = alignedRoles(...panes);
  stage.roles = stage.forward ? [...roles.filter((role) => role !== "//weight"), TANGENT] : roles;
  stage.way = stage.forward ? [...stage.roles].reverse() : stage.roles;
}

// Whether a pane draws what comes out beside the matrix's rows, and not below its columns.
function beside(pane) {
  return stage.forward !== (pane.layout.derivative === "denominator");
}

function panesWith(role) {
  return panes.filter(({ stops }) => stops.some((stop) => stop.role === role));
}

// One name, or the left pane's and the right pane's where they differ.
function stopNames(role) {
  return role === TANGENT ? [stopName(role)] : [...new Set(panesWith(role).map((pane) => stopName(role, pane)))];
}

function stopName(role, pane = panesWith(role)[0]) {
  const [of, wrt, kind] = role.split("/");
  const shown = (name) => pane.arrays.get(name)?.shown ?? name;
  if (kind === "tangent") return "start";
  if (kind === "drop") return "drop the 1";
  if (kind === "turn") return "turn";
  if (kind === "weight") return "weight";
  if (of === "loss") return stage.forward ? "mean" : "start";
  if (of === "losses") return "loss";
  const target = wrt === "parameter" ? shown(pane.own) : shown(wrt);
  return `∂${shown(of)}/∂${target}`;
}

// Measured apart: a width asked for while the page changes would lay it out again and again.
function measureStage() {
  stage.width = byId("left-tiles").clientWidth || 640;
}

function renderStage() {
  for (const pane of panes) {
    pane.stops.forEach((stop, i) => { stop.next = pane.stops[i + 1]; });
  }
  layWay();
  stage.at = Math.max(0, Math.min(stage.at, lastStop()));
  if (stage.follow > panes[0].net.count) stage.follow = 0;
  for (const pane of panes) {
    pane.row = rowsOf(pane, stage.follow, summedExamples());
    pane.all = rowsOf(pane, stage.follow, 0);
    pane.columns = columnsOf(pane, chosenEntry());
  }
  const shown = ({ row, columns }) => (stage.forward ? columns : row.slice(1)).flat();
  stage.full = Math.max(...panes.map((pane) => largest(shown(pane))));
  const names = stage.way.map(stopNames);
  // a name that is cut to "+ exam…" says less than the sign
  const added = 2 * stage.width < 80 * (lastStop() + 1) ? "+" : "+ example ";
  for (let n = 1; stage.way.length - 1 + n <= lastStop(); n += 1) names.push([`${added}${n}`]);
  showBand(names);
  const sizes = slotWidths(stage.width - 8);
  for (const pane of panes) {
    // the other pane changes only with the slots that both share, and with the scale
    const drawn = JSON.stringify([stage.way, stage.at, stage.follow, stage.forward && chosenEntry(), stage.full, stage.width, sizes]);
    if (pane.drawn === drawn) continue;
    pane.drawn = drawn;
    byId(`${pane.name}-tiles`).replaceChildren(...(pane.stops.length ? chainTiles(pane, sizes) : [el("p", { class: "note" }, NO_DERIVATIVE)]));
    byId(`${pane.name}-tiles`).toggleAttribute("data-long", stage.roles.length > 9);
    if (pane.stops.length) requestAnimationFrame(() => showTile(pane, sizes));
    byId(`${pane.name}-step`).replaceChildren(...(pane.stops.length ? stepShown(pane) : []));
    byId(`${pane.name}-step`).classList.toggle("moved", stage.moved);
  }
  stage.moved = false;
  settleScrolling();
}

function showBand(names) {
  const slider = byId("stop");
  slider.max = lastStop();
  slider.value = stage.at;
  slider.setAttribute("aria-valuetext", (names[stage.at] ?? []).join(", right: "));
  byId("stops").replaceChildren(...names.map((name, i) => {
    const button = el("button", { type: "button", tabindex: -1, title: name.join(", right: ") }, ...name.map((each) => el("span", {}, each)));
    button.addEventListener("click", () => goTo(i));
    return el("li", { "aria-current": i === stage.at ? "step" : null }, button);
  }));
  showChoice();
  byId("play").textContent = stage.timer ? "❚❚ pause" : "▶ play";
  byId("say").replaceChildren(...stageSentence());
}

// Beside the buttons: which example's row is followed, or which entry of the parameter is changed.
function showChoice() {
  const select = byId("follow");
  const gradient = panes.find((pane) => pane.gradient)?.gradient;
  const options = stage.forward && gradient
    ? gradient.places.map((place, i) => [place, `change ${entryLabel(gradient, i)}`]).filter(([place]) => commonEntries().includes(place))
    : Array.from({ length: panes[0].net.count + 1 }, (_, n) => [n, n ? `example ${n}` : "all examples"]);
  const written = JSON.stringify(options);
  if (select.dataset.written !== written) {
    select.dataset.written = written;
    select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
  }
  select.setAttribute("aria-label", stage.forward ? "Entry that is changed" : "Follow");
  select.value = stage.forward ? chosenEntry() : stage.follow;
  byId("mode").value = stage.forward ? "forward" : "back";
}

// The entries that can be changed: those of both parameters, where they have some in common.
function commonEntries() {
  const [left, right] = panes.map(({ gradient }) => gradient?.places ?? []);
  const common = left.filter((place) => right.includes(place));
  return common.length ? common : [...left, ...right];
}

// The place of the entry that a column starts from: the reader's, or the first.
function chosenEntry() {
  const places = commonEntries();
  return places.includes(state.entry) ? state.entry : places[0];
}

// One sentence: which Jacobian the row passes, and whether the panes do it alike.
function stageSentence() {
  const role = currentRole();
  if (summedExamples()) {
    const n = summedExamples();
    return [el("b", {}, n === 1 ? "Example 1 adds its outer product to the gradient." : `Example ${n} adds its own; the sum is over examples 1 to ${n}.`)];
  }
  const without = panes.filter(({ stops }) => role !== TANGENT && stops.length && !stops.some((stop) => stop.role === role));
  const said = [el("b", {}, stage.forward ? columnSentence(role) : rowSentence(role))];
  const moved = stage.forward ? "column" : "row";
  for (const pane of without) said.push(el("span", { class: "differs" }, `≠ ${pane.title} has no such factor: its ${moved} stays as it is. `));
  const difference = differenceAt(role);
  if (difference) said.push(el("span", { class: "differs" }, `≠ ${difference}.`));
  return said;
}

function rowSentence(role) {
  if (role.startsWith("loss/")) return "The row starts at the loss. ";
  if (role.endsWith("/weight")) return "The row is multiplied by the weight of each example. ";
  return `The row passes ${factorName(role)}. `;
}

function namesInText([name, right]) {
  return right ? `${name} (right: ${right})` : name;
}

function factorName(role) {
  return { drop: "the factor that drops the ones", turn: "the factor that transposes" }[role.split("/")[2]] ?? namesInText(stopNames(role));
}

function columnSentence(role) {
  if (role === TANGENT) return "The column starts at the parameter. ";
  return role.startsWith("loss/") ? "The column ends at the loss. " : `The column passes ${factorName(role)}. `;
}
