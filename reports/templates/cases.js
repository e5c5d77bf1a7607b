// The list of cases, and what one case did: its steps, its values, the other columns, the command.

const PAGE = 60;

class Cases {
  constructor(records) {
    this.records = records;
    this.place = document.querySelector("#cases-list");
  }

  paint(choice) {
    const { records } = this;
    const { column } = choice;
    const order = new Map(records.looks.map(({ name }, place) => [name, place]));
    const cases = choice.cases
      .map((each) => ({ each, look: records.look(records.result(each, column)) }))
      .filter(({ look }) => look.name !== "absent" && (!choice.outcome || look.name === choice.outcome))
      .sort((a, b) => order.get(a.look.name) - order.get(b.look.name) || a.each - b.each);
    const list = element("div", { class: "list" });
    this.place.replaceChildren(
      element("p", { class: "lead" }, this.sentence(cases, choice)),
      list,
    );
    this.more(list, cases, 0, choice);
    if (choice.case) this.show(list, choice);
    return cases.length;
  }

  sentence(cases, choice) {
    const { records } = this;
    const totals = records.looks
      .map((look) => [look, cases.filter((each) => each.look === look).length])
      .filter(([, count]) => count)
      .map(([{ sign, noun, plural }, count]) => `${sign} ${counted(count, noun, plural)}`);
    const where = choice.behaviour ? ` of ${choice.behaviour}` : "";
    const what = `${counted(cases.length, "case")}${where} on ${records.columns[choice.column].title}`;
    return cases.length ? `${what}: ${totals.join(", ")}.` : `${what}. Take out words or choices to see more.`;
  }

  more(list, cases, from, choice) {
    const shown = cases.slice(from, from + PAGE);
    list.append(...shown.map(({ each, look }) => this.fold(each, look, choice)));
    const left = cases.length - from - shown.length;
    if (left <= 0) return;
    const button = element("button", { type: "button", class: "more" }, `Show ${Math.min(left, PAGE)} more of ${left.toLocaleString("en")}`);
    button.addEventListener("click", () => {
      button.remove();
      this.more(list, cases, from + PAGE, choice);
      list.children[from + PAGE].querySelector("summary").focus();
    });
    list.append(button);
  }

  // Opens the case that the address names; one that the list does not show is put first.
  show(list, choice) {
    const each = this.records.places.get(choice.case);
    if (each === undefined) {
      list.prepend(element("p", { class: "missing" }, `There is no case ${choice.case} in these records.`));
      return;
    }
    let fold = list.querySelector(`[data-case="${each}"]`);
    if (!fold) {
      fold = this.fold(each, this.records.look(this.records.result(each, choice.column)), choice);
      list.prepend(fold);
    }
    fold.open = true;
  }

  fold(each, look, choice) {
    const fold = element("details", { class: `case ${look.name}`, "data-case": each },
      element("summary", {},
        element("span", { class: `sign ${look.name}`, title: look.noun },
          element("span", { "aria-hidden": "true" }, look.sign), element("span", { class: "unseen" }, `${look.noun}: `)),
        identifier(this.records.ids[each])));
    fold.addEventListener("toggle", () => {
      if (fold.open && fold.childElementCount === 1) fold.append(this.detail(each, choice));
    });
    return fold;
  }

  detail(each, choice) {
    const { records } = this;
    const { column } = choice;
    const result = records.result(each, column);
    const heading = (text) => element("h3", {}, text);
    if (result === ABSENT) return element("p", {}, `${records.columns[column].title} has no such case.`);
    const parts = [
      this.reasons(result),
      this.findings(result),
      heading("Steps"), this.steps(each, result),
      heading("Values"), this.values(result),
      this.rules(result, column),
      heading("In the other columns"), this.others(each, column, choice),
      heading("Run it"),
      element("p", {}, "In a clone of the suite, this prints every step with the expected and the observed values, "
        + "and for a finding a standalone script:"),
      command(records.command(each, column)),
    ];
    return element("div", { class: "detail" }, parts.flat().filter(Boolean));
  }

  reasons(result) {
    const { records } = this;
    const name = records.defect(result);
    const look = records.look(result);
    const parts = [records.finding(result), records.reason(result)].filter(Boolean)
      .map((text) => element("p", { class: "reason" }, text));
    if (look.name === "contract") parts.unshift(element("p", {}, "Within the contract, by its clause ", element("code", {}, name), ":"));
    if (look.name !== "known_defect") return parts;
    const known = records.defects.get(name);
    parts.push(element("p", { class: "reason" }, "Shows exactly the known defect ", element("code", {}, name), known ? ":" : "."));
    if (known) {
      const [, circumstances, instead, avoid, source] = known;
      parts.push(element("dl", {},
        element("dt", {}, "When"), element("dd", {}, circumstances),
        element("dt", {}, "Instead"), element("dd", {}, instead),
        element("dt", {}, "To avoid it"), element("dd", {}, avoid),
        element("dt", {}, "Source"), element("dd", {}, source)));
    }
    return parts;
  }

  findings(result) {
    const found = this.records.findings(result);
    if (!found.length) return null;
    const rows = found.map((each) => [
      `${each.step} ${each.token}`,
      `${each.quantity}${each.index ? ` at ${each.index}` : ""}${each.regime ? ` (${each.regime})` : ""}`,
      each.expected, each.got,
      each.error === null ? "–" : `${number(each.error)} / ${number(each.budget)}`,
      number(each.ulps), each.switches,
    ]);
    const head = ["Step", "Quantity", "Expected", "Observed", "Error / budget", "Ulps", "Explained by the other side of"];
    return [element("h3", {}, "Findings"), table(`Findings: ${counted(found.length, "difference")}`, head, rows)];
  }

  steps(each, result) {
    const { steps, meanings, construction, inputs, note } = this.records.program(each);
    const errors = new Map(this.records.errors(result).map((error) => [error.step, error.words]));
    if (!construction) {
      const raised = [...errors].map(([step, words]) => element("li", {}, `step ${step} raises `, element("span", { class: "raises" }, words)));
      return [element("p", {}, "This version of the suite does not know the id, so the steps are not shown."), element("ul", {}, raised)];
    }
    const line = (step, text) => element("li", { value: step },
      element("code", {}, text),
      errors.has(step) ? element("span", { class: "raises" }, " raises ", errors.get(step)) : null);
    const verbs = new Set(steps.map((text) => text.split(":")[0]));
    const known = Object.entries(meanings).filter(([verb]) => verbs.has(verb));
    return [
      element("p", { class: "inputs" }, `Inputs: ${inputs}.`, note ? ` ${note[0].toUpperCase()}${note.slice(1)}.` : ""),
      element("div", { class: "steps", tabindex: steps.length > PAGE ? "0" : null, role: "region", "aria-label": "Steps" },
        element("ol", { start: "0" }, line(0, construction), steps.map((text, place) => line(place + 1, text)))),
      known.length ? element("details", { class: "meanings" }, element("summary", {}, "What the words of these steps mean"),
        element("dl", {}, known.flatMap(([verb, meaning]) => [
          element("dt", {}, element("code", {}, verb)), element("dd", {}, meaning),
        ]))) : null,
    ];
  }

  values(result) {
    const { records } = this;
    const compared = records.compared(result);
    const measures = records.measures(result);
    const budgeted = new Set(measures.map(({ quantity }) => quantity));
    const rows = measures.map(({ quantity, share, ulps, detectable }) => [
      quantity, String(compared.get(quantity) ?? "–"), percent(share), number(ulps), number(detectable),
    ]);
    const exact = [...compared].filter(([name]) => !budgeted.has(name)).map(([name, count]) => `${name} ${count}`);
    const head = ["Quantity", "Compared", "Largest error, of its budget", "in ulps", "Smallest error that would be seen"];
    return [
      rows.length ? table("Observed against expected values", head, rows) : null,
      exact.length ? element("p", {}, `Compared exactly: ${exact.join(", ")}.`) : null,
    ];
  }

  rules(result, column) {
    const names = this.records.exercised(result);
    if (!names.length) return null;
    const { semantics } = this.records.columns[column];
    return [element("h3", {}, "Depends on the release"), element("dl", { class: "rules" }, names.flatMap((name) => {
      const sentences = this.records.switches[name] || ["", ""];
      const sentence = name in semantics ? sentences[semantics[name] ? 0 : 1] : "";
      return [element("dt", {}, element("code", {}, name)), element("dd", {}, sentence)];
    }))];
  }

  // The verdicts of all columns, neighbours that are alike as one.
  others(each, column, choice) {
    const { records } = this;
    const runs = [];
    records.columns.forEach(({ name, group }, place) => {
      const result = records.result(each, place);
      const before = runs[runs.length - 1];
      const alike = before && before.group === group && before.result === result;
      if (alike) before.last = name; else runs.push({ first: name, last: name, group, result });
    });
    const verdict = (result) => (result === ABSENT ? "no case" : records.verdict(result));
    return element("ul", { class: "runs" }, runs.map(({ first, last, result }) => {
      const look = records.look(result);
      const address = choice.with({ view: "cases", case: records.ids[each], on: last }).address;
      return element("li", {}, element("span", { class: "over" }, between(first, last)), " ",
        element("a", { class: `cell ${look.name}`, href: address }, look.sign ? `${look.sign} ` : "", verdict(result)));
    }), element("li", { class: "hint" }, "Columns in one run returned the same bytes."));
  }
}
