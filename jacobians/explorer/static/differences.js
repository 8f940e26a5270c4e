// In which ways two conventions differ, in the sentences of the library's comparison.

// By what a sentence is about, the sentence; names alone are no difference.
function differencesOf([left, right]) {
  const layouts_ = [left.layout, right.layout];
  const lines = ["batch", "weights"].filter((field) => layouts_[0][field] !== layouts_[1][field]).join(" and ");
  const turned = layouts_.map(({ batch, weights }) => batch === weights);
  const about = { lines: lines && lines + (turned[0] === turned[1] ? "" : ", turned"), bias: "bias", vec: "vec", derivative: "derivative", weight: "place of 1/N" };
  const found = Object.entries(about).map(([name, key]) => {
    const said = [left, right].map((pane) => key && pane.ways[key]);
    if (!said.every(Boolean) || said[0][0] === said[1][0]) return null;
    return [name, [left, right].map((pane, i) => `${pane.title.toLowerCase()} ${wayText(pane, name, said[i])}`).join("; ")];
  });
  return Object.fromEntries(found.filter(Boolean));
}

function wayText(pane, name, [kind, text]) {
  const { first, loss } = fillersOf(pane.laid);
  return pane.words.text((name === "weight" && kind === "early" ? loss : first).text(text));
}

// The difference that a step of the stage shows.
function differenceAt(role) {
  const [of, wrt, kind] = role.split("/");
  const { lines, bias, vec, weight } = differencesOf(panes);
  if (kind === "drop") return bias;
  if (kind === "turn") return lines;
  if (kind === "weight" || of === "loss") return weight;
  return /^Z/.test(of) && wrt === "parameter" ? vec : undefined;
}

function differencesShown() {
  return Object.values(differencesOf(panes)).map((text) => el("li", {}, `${text[0].toUpperCase()}${text.slice(1)}.`));
}
