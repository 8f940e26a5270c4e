// Rows that exist in both panes, and the marks that say whether they differ: `Rows` collects, `markRows` compares.

class Rows {
  constructor() {
    this.rows = new Map();
  }

  // The mark of a row, to be put where the row begins; `content` is what is compared.
  mark(key, content) {
    const mark = el("span", { class: "mark" });
    this.rows.set(key, { mark, content, quiet: false });
    return mark;
  }

  // As `mark`, for a line that is its own key, and shows nothing where the other pane has it too.
  quietMark(line) {
    const mark = this.mark(line, line);
    this.rows.get(line).quiet = true;
    return mark;
  }
}

function markRows(badge, left, right) {
  const keys = new Set([...left.rows.keys(), ...right.rows.keys()]);
  let differing = 0;
  for (const key of keys) {
    const [a, b] = [left.rows.get(key), right.rows.get(key)];
    const same = a !== undefined && b !== undefined && a.content === b.content;
    differing += !same;
    for (const row of [a, b]) {
      const word = same ? "yes" : "no";
      if (!row || row.mark.dataset.same === word) continue;
      row.mark.dataset.same = word;
      if (same && row.quiet) row.mark.replaceChildren();
      else row.mark.replaceChildren(
        el("span", { "aria-hidden": "true" }, same ? "=" : "≠"),
        spoken(same ? "same in both panes: " : "differs between the panes: "),
      );
    }
  }
  badge.dataset.same = differing ? "no" : "yes";
  const all = differing === keys.size ? "differs" : `${differing} of ${keys.size} differ`;
  badge.textContent = differing ? `≠ ${all}` : "= same in both panes";
}
