// The records of the page: unpacked, and asked for by case and column. reports/site/contents.py made them.

const ABSENT = -1;

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// Whole numbers from pairs: a value, and how often it stands there in a row.
function spread(pairs) {
  let length = 0;
  for (let place = 1; place < pairs.length; place += 2) length += pairs[place];
  const values = new Int32Array(length);
  for (let place = 0, at = 0; place < pairs.length; place += 2) {
    values.fill(pairs[place], at, at + pairs[place + 1]);
    at += pairs[place + 1];
  }
  return values;
}

// Texts from pairs: how many characters are those of the text before, and the rest.
function whole(pairs) {
  const texts = [];
  for (let place = 0, before = ""; place < pairs.length; place += 2) {
    before = before.slice(0, pairs[place]) + pairs[place + 1];
    texts.push(before);
  }
  return texts;
}

function grouped(list, size) {
  const groups = [];
  for (let place = 0; place < list.length; place += size) groups.push(list.slice(place, place + size));
  return groups;
}

class Records {
  constructor(data) {
    this.columns = data.columns;
    this.looks = data.looks.map(([name, sign, noun, plural, meaning]) => ({ name, sign, noun, plural, meaning }));
    this.behaviours = data.behaviours;
    this.switches = data.switches;
    this.defects = new Map(data.defects.map((each) => [each[0], each]));
    this.ids = whole(data.cases.ids);
    this.places = new Map(this.ids.map((id, place) => [id, place]));
    this.cases = data.cases;
    this.axes = data.cases.axes.map(([name, words, places]) => ({ name, words, places: spread(places) }));
    this.tables = data.tables;
    this.shown = spread(data.shown);
    this.found = data.found;
    this.fields = {};
    for (const name of ["outcome", "forwards", "defect", "finding", "reason", "version", "raised", "exercised", "compared"]) {
      this.fields[name] = spread(data[name]);
    }
    this.fields.measure = data.measure;
  }

  get count() { return this.ids.length; }

  // The number of what a case showed in a column; ABSENT where the record has no such case.
  result(each, column) { return this.shown[each * this.columns.length + column]; }

  column(name) { return this.columns.findIndex((each) => each.name === name); }

  behaviour(each) { return this.behaviours[this.cases.behaviour[each]]; }

  program(each) {
    const { tokens, programs, texts, program, construction, inputs, note } = this.cases;
    return {
      steps: programs[program[each]].map((place) => tokens[place]),
      meanings: this.cases.meanings,
      construction: texts[construction[each]],
      inputs: texts[inputs[each]],
      note: texts[note[each]],
    };
  }

  look(result) { return this.looks[result === ABSENT ? this.looks.length - 1 : this.fields.outcome[result]]; }

  defect(result) { return this.tables.texts[this.fields.defect[result]]; }

  reason(result) { return this.tables.texts[this.fields.reason[result]]; }

  finding(result) { return this.tables.texts[this.fields.finding[result]]; }

  verdict(result) {
    const { name, noun } = this.look(result);
    if (name === "not_applicable") return `${noun}: ${this.reason(result)}`;
    return [noun, this.defect(result)].filter(Boolean).join(" ");
  }

  // What was raised: the number of the step, its verb, the words, and the words without numbers in them.
  errors(result) {
    return this.tables.raised[this.fields.raised[result]].map((place) => {
      const [step, verb, words, general] = this.tables.errors[place];
      return { step, verb, words, general };
    });
  }

  exercised(result) { return this.tables.exercised[this.fields.exercised[result]]; }

  measures(result) {
    const flat = this.tables.measures[this.fields.measure[result]];
    return grouped(flat, 4).map(([quantity, share, ulps, detectable]) => ({ quantity, share, ulps, detectable }));
  }

  compared(result) { return new Map(grouped(this.tables.compared[this.fields.compared[result]], 2)); }

  findings(result) {
    const names = ["step", "token", "quantity", "got", "expected", "index", "regime", "error", "budget", "ulps", "switches"];
    return (this.found[result] || []).map((place) => {
      const values = this.tables.findings[place];
      return Object.fromEntries(names.map((name, at) => [name, values[at]]));
    });
  }

  command(each, column) {
    const id = this.ids[each].replaceAll("'", `'"'"'`);
    return `pytest --case '${id}'${this.columns[column].options} -v`;
  }
}
