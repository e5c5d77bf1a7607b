// Elements made of texts. Text is only ever set as text, so markup in it is shown and not acted on.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

// An id in a form that breaks between its words, and only there if it can.
function identifier(id) {
  const parts = id.split(/(?<=[-,_])/).flatMap((part) => [part, element("wbr")]);
  return element("code", { class: "id" }, parts);
}

function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

function table(caption, head, rows) {
  const line = (cells, name) => element("tr", {}, cells.map((cell, place) => {
    const scope = name === "th" ? { scope: "col" } : place === 0 ? { scope: "row" } : {};
    return element(scope.scope ? "th" : "td", scope, cell);
  }));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", { class: "plain" },
      element("caption", {}, caption),
      element("thead", {}, line(head, "th")),
      element("tbody", {}, rows.map((row) => line(row, "td")))));
}

// A command in a box, with a button that copies it.
function command(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(box.firstChild);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
  const box = element("div", { class: "command" }, element("code", {}, text), button);
  return box;
}

function percent(share) {
  if (share === null) return "–";
  if (typeof share === "string") return "beyond all bounds";
  return `${Number((100 * share).toPrecision(3))} %`;
}

function number(value) {
  if (value === null) return "–";
  return typeof value === "string" ? value : String(Number(value.toPrecision(3)));
}
