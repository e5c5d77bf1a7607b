// What the reader has chosen: it stands in the address behind the "#", so that it can be kept and sent.

const VIEWS = ["behaviours", "cases", "changes", "causes", "numbers", "states", "runs"];

// The choices besides the view; each is left out of the address where it is "".
class Choice {
  constructor(records, address) {
    const [view, rest] = address.replace(/^#/, "").split("?");
    const given = new URLSearchParams(rest || "");
    this.view = VIEWS.includes(view) ? view : VIEWS[0];
    for (const name of Choice.names(records)) this[name] = given.get(name) || "";
    this.records = records;
  }

  static names(records) {
    return ["words", "behaviour", "outcome", "on", "from", "to", "case", ...records.axes.map(({ name }) => name)];
  }

  get address() {
    const given = new URLSearchParams();
    for (const name of Choice.names(this.records)) if (this[name]) given.set(name, this[name]);
    const text = given.toString();
    return `#${this.view}${text ? `?${text}` : ""}`;
  }

  // The same choices with some of them changed.
  with(changes) { return Object.assign(new Choice(this.records, this.address), changes); }

  // The column that the cases are shown of.
  get column() {
    const named = this.records.column(this.on);
    return named === -1 ? newest(this.records) : named;
  }

  // The places of the cases that have all the words, and the chosen word on every axis.
  get cases() {
    const { records } = this;
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = records.axes
      .filter(({ name }) => this[name])
      .map(({ name, words: all, places }) => ({ places, place: all.indexOf(this[name]) }));
    const behaviour = records.behaviours.indexOf(this.behaviour);
    const found = [];
    for (let each = 0; each < records.count; each += 1) {
      if (this.behaviour && records.cases.behaviour[each] !== behaviour) continue;
      if (!chosen.every(({ places, place }) => places[each] === place)) continue;
      const text = words.length ? `${records.ids[each]} ${records.behaviour(each)}`.toLowerCase() : "";
      if (words.every((word) => text.includes(word))) found.push(each);
    }
    return found;
  }
}

// The last column of the first group: the newest release, where there are releases.
function newest(records) {
  const { group } = records.columns[0];
  return records.columns.filter((column) => column.group === group).length - 1;
}
