// What changed from one column to another, as `python -m reports diff` says it.

const NUMERICS = "other bytes, within the budget";

// The kinds of change, those that break a user's program first.
const KINDS = [
  "another verdict", "raises where it did not", "raises another class", "gives other results",
  "raises with other words", "raises no more", "shows another known defect, or none",
  "only in the old record", "only in the new record", NUMERICS,
];

const NOTHING = "no exception";

// The switches whose side differs between two columns.
function switched(records, from, to) {
  const a = records.columns[from].semantics;
  const b = records.columns[to].semantics;
  return new Set([...Object.keys(a), ...Object.keys(b)].filter((name) => a[name] !== b[name]));
}

// The changes of one case, each with its kind, the words on both sides, and what explains it.
function changes(records, each, from, to, switches) {
  const a = records.result(each, from);
  const b = records.result(each, to);
  if (a === b) return [];
  if (a === ABSENT || b === ABSENT) {
    return [{ kind: a === ABSENT ? "only in the new record" : "only in the old record", where: "", old: "", now: "", because: [] }];
  }
  const exercised = new Set([...records.exercised(a), ...records.exercised(b)].filter((name) => switches.has(name)));
  const because = new Set(exercised);
  const sameDefect = records.fields.defect[a] === records.fields.defect[b];
  if (!sameDefect) for (const name of [records.defect(a), records.defect(b)]) if (name) because.add(name);
  const found = [];
  const add = (kind, rest) => found.push({ kind, where: "", old: "", now: "", ...rest, because: [...because].sort() });
  if (records.fields.outcome[a] !== records.fields.outcome[b] || !sameDefect) {
    const finding = [a, b].some((result) => records.look(result).name === "finding");
    add(KINDS[finding ? 0 : 6], { where: records.finding(b), old: records.verdict(a), now: records.verdict(b) });
  }
  const raised = records.fields.raised[a] === records.fields.raised[b] ? null : firstDifference(records.errors(a), records.errors(b));
  if (raised) add(raised.kind, raised);
  if (records.fields.version[a] === records.fields.version[b]) return found;
  if (exercised.size && !found.length) add("gives other results", { now: "other outputs, buffers or parameters" });
  if (!exercised.size && !raised) add(NUMERICS, {});
  return found;
}

// The first step whose exceptions differ, and the words on either side.
function firstDifference(before, after) {
  const at = (errors, step) => errors.find((error) => error.step === step);
  const steps = [...new Set([...before, ...after].map(({ step }) => step))].sort((a, b) => a - b);
  for (const step of steps) {
    const [old, now] = [at(before, step), at(after, step)];
    if (old && now && old.words === now.words && old.verb === now.verb) continue;
    const first = (error) => error.words.split(" ")[0];
    const kind = !old ? 1 : !now ? 5 : first(old) === first(now) ? 4 : 2;
    return {
      kind: KINDS[kind],
      where: (old || now).verb,
      old: old ? old.words : NOTHING,
      now: now ? now.words : NOTHING,
      key: [old, now].map((error) => (error ? error.general : NOTHING)).join("\n"),
    };
  }
  return null;
}

// The changes of all cases in groups: those that agree but for numbers and names are one.
function shifts(records, cases, from, to) {
  const switches = switched(records, from, to);
  const groups = new Map();
  for (const each of cases) {
    for (const change of changes(records, each, from, to, switches)) {
      const key = [change.kind, change.key || `${change.where}\n${change.old}\n${change.now}\n${change.kind === KINDS[3] ? change.because : ""}`].join("\n");
      if (!groups.has(key)) groups.set(key, { ...change, where: new Set(), cases: [], explained: true, because: new Set() });
      const group = groups.get(key);
      if (change.where) group.where.add(change.where);
      change.because.forEach((name) => group.because.add(name));
      group.explained = group.explained && change.because.length > 0;
      group.cases.push(each);
    }
  }
  const order = ({ kind }) => KINDS.indexOf(kind);
  return [...groups.values()].sort((a, b) => order(a) - order(b) || b.cases.length - a.cases.length);
}

class Changes {
  constructor(records) {
    this.records = records;
    this.place = document.querySelector("#changes-list");
  }

  paint(choice) {
    const { records } = this;
    const [from, to] = this.pair(choice);
    const cases = choice.cases;
    const groups = shifts(records, cases, from, to);
    const names = [records.columns[from].title, records.columns[to].title];
    const matters = groups.filter(({ kind }) => kind !== NUMERICS);
    const total = new Set(matters.flatMap((group) => group.cases)).size;
    const head = total
      ? `From ${names[0]} to ${names[1]}, ${total.toLocaleString("en")} of ${counted(cases.length, "case")} changed what a program can see.`
      : `From ${names[0]} to ${names[1]}, nothing changed that a program can see but bytes within the budget.`;
    this.place.replaceChildren(
      element("p", { class: "lead" }, head),
      ...KINDS.filter((kind) => groups.some((group) => group.kind === kind)).map((kind) => this.kind(kind, groups, choice, to)),
      this.switches(from, to),
    );
    return cases.length;
  }

  // The two columns to compare: those chosen, or else the last two of the first group.
  pair(choice) {
    const { records } = this;
    const last = newest(records);
    const to = records.column(choice.to);
    const from = records.column(choice.from);
    const second = to === -1 ? last : to;
    return [from === -1 ? Math.max(second - 1, 0) : from, second];
  }

  kind(kind, groups, choice, to) {
    const mine = groups.filter((group) => group.kind === kind);
    const total = mine.reduce((sum, group) => sum + group.cases.length, 0);
    return element("section", {},
      element("h3", {}, `${kind}: ${counted(total, "case")}`),
      mine.map((group) => this.group(group, choice, to)));
  }

  group(group, choice, to) {
    const words = group.old === group.now ? group.now : [element("del", {}, group.old), " → ", element("ins", {}, group.now)];
    const where = [...group.where].join(", ");
    const list = element("ul", { class: "ids" });
    const fold = element("details", { class: "group" },
      element("summary", {}, element("b", {}, counted(group.cases.length, "case")), where ? ` ${where}: ` : " ", words),
      element("p", { class: "because" }, this.because(group)), list);
    fold.addEventListener("toggle", () => {
      if (!fold.open || list.childElementCount) return;
      const shown = [...group.cases].sort((a, b) => this.records.ids[a].length - this.records.ids[b].length).slice(0, 50);
      const link = (each) => choice.with({ view: "cases", case: this.records.ids[each], on: this.records.columns[to].name, behaviour: "", words: this.records.ids[each] }).address;
      list.replaceChildren(...shown.map((each) => element("li", {}, element("a", { href: link(each) }, identifier(this.records.ids[each])))));
      if (shown.length < group.cases.length) list.append(element("li", {}, `and ${group.cases.length - shown.length} more`));
    });
    return fold;
  }

  because({ kind, because, explained }) {
    if (kind === NUMERICS) return "The values moved by roundings that a correct implementation may make.";
    if (kind.startsWith("only in")) return "The other record has no such case.";
    if (!explained) return "Nothing in the registries of the suite explains every case.";
    return `Because of ${[...because].join(", ")}.`;
  }

  switches(from, to) {
    const { records } = this;
    const names = [...switched(records, from, to)].sort();
    if (!names.length) return element("p", {}, "The same behaviour is specified for both.");
    const side = (column, name) => {
      const holds = records.columns[column].semantics[name];
      return holds === undefined ? "(not in the record)" : records.switches[name][holds ? 0 : 1];
    };
    return element("section", {},
      element("h3", {}, `Specified otherwise: ${counted(names.length, "rule")}`),
      element("dl", { class: "rules" }, names.flatMap((name) => [
        element("dt", {}, element("code", {}, name)),
        element("dd", {}, element("del", {}, side(from, name)), " → ", element("ins", {}, side(to, name)),
          ` Source: ${records.switches[name][2]}.`),
      ])));
  }
}
