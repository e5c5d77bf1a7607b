// The board, painted anew with the cases that are chosen, and operated with the arrow keys.

class Board {
  constructor(records) {
    this.records = records;
    this.grid = document.querySelector("#board");
    this.rows = [...this.grid.querySelectorAll("tr[data-behaviour]")].map((row) => ({
      row,
      behaviour: Number(row.dataset.behaviour),
      links: [...row.querySelectorAll("a")],
      runs: document.querySelector(`#runs-${row.dataset.behaviour}`),
    }));
    this.grid.addEventListener("keydown", (event) => this.move(event));
    this.grid.addEventListener("focusin", (event) => this.enter(event.target));
    const first = this.rows[0] && this.rows[0].links[0];
    for (const { links } of this.rows) for (const link of links) link.tabIndex = link === first ? 0 : -1;
  }

  paint(choice) {
    const { records } = this;
    const cases = choice.cases;
    const counts = this.counts(cases);
    const changed = this.changed(cases);
    for (const { row, behaviour, links, runs } of this.rows) {
      const cells = links.map((_, column) => this.cell(counts, behaviour, column));
      const shown = cells.some(({ look }) => look.name !== "absent")
        && (!choice.outcome || cells.some(({ present }) => present.has(choice.outcome)));
      row.hidden = runs.hidden = !shown;
      if (!shown) continue;
      const name = records.behaviours[behaviour];
      links.forEach((link, column) => {
        const mark = changed.has(`${behaviour} ${column}`);
        this.dress(link, cells[column], mark);
        link.href = choice.with({ view: "cases", behaviour: name, on: records.columns[column].name, case: "" }).address;
      });
      this.paintRuns(runs.querySelector("ul"), cells, name, choice);
    }
    for (const part of document.querySelectorAll("[data-part]")) {
      part.hidden = !part.querySelector("[data-behaviour]:not([hidden])");
    }
    return cases.length;
  }

  // For each behaviour and column, the number of cases of each outcome.
  counts(cases) {
    const { records } = this;
    const size = records.columns.length;
    const kinds = records.looks.length;
    const counts = new Int32Array(records.behaviours.length * size * kinds);
    for (const each of cases) {
      const start = records.cases.behaviour[each] * size;
      for (let column = 0; column < size; column += 1) {
        const result = records.result(each, column);
        if (result !== ABSENT) counts[(start + column) * kinds + records.fields.outcome[result]] += 1;
      }
    }
    return counts;
  }

  // The cells in which a case does something else than on the release before.
  changed(cases) {
    const { records } = this;
    const found = new Set();
    for (let column = 1; column < records.columns.length; column += 1) {
      if (!records.columns[column].follows) continue;
      const switches = switched(records, column - 1, column);
      for (const each of cases) {
        if (changes(records, each, column - 1, column, switches).some(({ kind }) => kind !== NUMERICS)) {
          found.add(`${records.cases.behaviour[each]} ${column}`);
        }
      }
    }
    return found;
  }

  cell(counts, behaviour, column) {
    const { looks, columns } = this.records;
    const start = (behaviour * columns.length + column) * looks.length;
    const present = new Map();
    looks.forEach((look, place) => { if (counts[start + place]) present.set(look.name, counts[start + place]); });
    const look = looks.find(({ name }) => present.has(name)) || looks[looks.length - 1];
    const usual = ["pass", "not_applicable", "absent"].includes(look.name);
    const total = [...present.values()].reduce((sum, count) => sum + count, 0);
    const count = present.get(look.name) || 0;
    const words = looks.filter(({ name }) => present.has(name))
      .map(({ name, noun, plural }) => counted(present.get(name), noun, plural)).join(", ");
    return {
      look, present, words: words || look.noun,
      text: look.sign + (usual && count === total ? "" : count),
      share: usual || !total ? 0 : count / total,
    };
  }

  dress(link, { look, text, words, share }, mark) {
    link.style.setProperty("--share", `${Math.ceil(100 * share)}%`);
    link.className = `cell ${look.name}${mark ? " changed" : ""}`;
    link.firstElementChild.textContent = text;
    link.lastElementChild.textContent = `${words}${mark ? ", changed from the release before" : ""}`;
    link.title = link.lastElementChild.textContent;
  }

  paintRuns(list, cells, name, choice) {
    const { columns } = this.records;
    const runs = [];
    cells.forEach((cell, column) => {
      const before = runs[runs.length - 1];
      const alike = before && before.cell.words === cell.words && columns[before.last].group === columns[column].group;
      if (alike) before.last = column; else runs.push({ first: column, last: column, cell });
    });
    list.replaceChildren(...runs.map(({ first, last, cell }) => {
      const address = choice.with({ view: "cases", behaviour: name, on: columns[last].name, case: "" }).address;
      const link = element("a", { class: `cell ${cell.look.name}`, href: address },
        element("span", { "aria-hidden": "true" }, cell.text),
        element("span", { class: "unseen" }, cell.words));
      return element("li", {}, element("span", { class: "over" }, between(columns[first].name, columns[last].name)), " ", link);
    }));
  }

  // One cell of the board can be reached with Tab; the arrow keys lead to the others.
  enter(link) {
    if (!link.matches("a.cell")) return;
    for (const other of this.grid.querySelectorAll("a.cell[tabindex='0']")) other.tabIndex = -1;
    link.tabIndex = 0;
  }

  move(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const ends = { Home: 0, End: this.records.columns.length - 1 };
    const rows = this.rows.filter(({ row }) => !row.hidden);
    const down = rows.findIndex(({ links }) => links.includes(event.target));
    if (down === -1 || !(event.key in steps || event.key in ends)) return;
    const right = rows[down].links.indexOf(event.target);
    const [dy, dx] = steps[event.key] || [0, ends[event.key] - right];
    const row = rows[Math.min(Math.max(down + dy, 0), rows.length - 1)];
    row.links[Math.min(Math.max(right + dx, 0), row.links.length - 1)].focus();
    event.preventDefault();
  }
}

function between(first, last) { return first === last ? first : `${first}–${last}`; }
