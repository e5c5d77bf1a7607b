// Puts the page into operation: the address decides what is shown, and the form changes the address.

async function start() {
  document.documentElement.classList.add("scripted");
  const status = document.querySelector("#status");
  const form = document.querySelector("#choose");
  if (typeof DecompressionStream === "undefined") {
    status.textContent = "This browser cannot unpack the cases: use one from 2023 or later. The board, the plots and the pictures need nothing.";
    showView("behaviours", false);
    window.addEventListener("hashchange", () => showView(location.hash.slice(1).split("?")[0], true));
    return;
  }
  const records = new Records(await unpacked(document.querySelector("#records").textContent));
  const painters = { behaviours: new Board(records), cases: new Cases(records), changes: new Changes(records) };
  fill(form, records);
  let choice = null;

  const paint = (moved) => {
    choice = new Choice(records, location.hash);
    const { view } = choice;
    form.hidden = !(view in painters);
    for (const field of form.querySelectorAll("[data-views]")) {
      field.hidden = !field.dataset.views.split(" ").includes(view);
    }
    for (const { name } of form.elements) if (name) form.elements[name].value = choice[name];
    if (view === "changes") [form.elements.from.value, form.elements.to.value] = painters.changes.pair(choice).map((place) => records.columns[place].name);
    if (view === "cases") form.elements.on.value = records.columns[choice.column].name;
    const chosen = Choice.names(records).filter((name) => choice[name] && !["on", "from", "to", "case", "words"].includes(name));
    document.querySelector("#axes-count").textContent = chosen.length ? ` (${chosen.length} chosen)` : "";
    showView(view, moved);
    if (view in painters) {
      const count = painters[view].paint(choice);
      status.textContent = `${counted(count, "case")} of ${records.count.toLocaleString("en")} ${count === 1 ? "is" : "are"} chosen.`;
    } else status.textContent = "";
    for (const link of document.querySelectorAll("nav a[data-view]")) link.href = choice.with({ view: link.dataset.view, case: "" }).address;
    const open = view === "cases" && choice.case ? document.querySelector("#cases-list details[open]") : null;
    if (open) {
      open.querySelector("summary").focus({ preventScroll: true });
      open.scrollIntoView({ block: "start" });
    }
  };

  let waiting = 0;
  const changed = () => {
    clearTimeout(waiting);
    const given = Object.fromEntries([...form.elements].filter(({ name }) => name).map(({ name, value }) => [name, value]));
    if (choice.view !== "changes") { given.from = choice.from; given.to = choice.to; }
    if (choice.view !== "cases") given.on = choice.on;
    const words = given.words.trim();
    const next = choice.with({ ...given, case: records.places.has(words) ? words : "" });
    history.replaceState(null, "", next.address);
    paint(false);
  };
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target.name === "words") waiting = setTimeout(changed, 200); else changed();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    location.hash = new Choice(records, `#${choice.view}`).with({ on: choice.on, from: choice.from, to: choice.to }).address;
  });
  window.addEventListener("hashchange", () => paint(true));
  paint(location.hash.length > 1);
}

// Shows one view. ``moved``: the reader has gone there, so that its heading gets the focus.
function showView(name, moved) {
  const view = VIEWS.includes(name) ? name : VIEWS[0];
  for (const each of VIEWS) document.querySelector(`#${each}`).hidden = each !== view;
  for (const link of document.querySelectorAll("nav a[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  if (!moved) return;
  const heading = document.querySelector(`#${view} h2`);
  heading.focus({ preventScroll: true });
  document.querySelector("nav").scrollIntoView({ block: "start" });
}

// Fills the form with the columns, the behaviours, and the words of every axis that occur.
function fill(form, records) {
  const options = (select, names) => select.append(...names.map((name) => element("option", { value: name }, name)));
  for (const name of ["on", "from", "to"]) {
    const groups = [...new Set(records.columns.map(({ group }) => group))];
    form.elements[name].append(...groups.map((group) => element("optgroup", { label: group },
      records.columns.filter((column) => column.group === group)
        .map((column) => element("option", { value: column.name }, column.title === column.name ? column.name : `${column.name} (${column.title})`)))));
  }
  options(form.elements.behaviour, records.behaviours);
  form.elements.outcome.append(...records.looks.filter(({ name }) => name !== "absent")
    .map(({ name, sign, noun }) => element("option", { value: name }, `${sign} ${noun}`)));
  const place = document.querySelector("#axes");
  for (const { name, words, places } of records.axes) {
    const occurring = new Set(places);
    const select = element("select", { name });
    select.append(element("option", { value: "" }, "any"));
    options(select, words.filter((_, at) => occurring.has(at)));
    place.append(element("label", {}, name.replaceAll("_", " "), select));
  }
}

start();
