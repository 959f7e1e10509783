// A text field that holds JSON: says where it is broken while one types, and sets it in order.
(() => {
  const fields = "textarea[data-json]";

  const space = /[ \t\r\n]*/y;
  const token = /[{}[\]:,]|"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

  // Where a text stops being JSON: browsers do not tell. Its end, where something is missing there.
  function brokenAt(text) {
    const open = [];
    for (let at = 0, want = "value"; ; at = token.lastIndex) {
      space.lastIndex = at;
      space.exec(text);
      at = token.lastIndex = space.lastIndex;
      const found = token.exec(text)?.[0];
      if (found === undefined) return at;
      const isValue = want === "value" || want === "first value";
      if (isValue && /^[{[]/.test(found)) {
        open.push(found);
        want = found === "{" ? "first key" : "first value";
      } else if (isValue && !/^[}\]:,]/.test(found)) want = open.length ? "comma" : "end";
      else if (want.endsWith("key") && found[0] === '"') want = "colon";
      else if (want === "colon" && found === ":") want = "value";
      else if (want === "comma" && found === ",") want = open.at(-1) === "{" ? "key" : "value";
      else if ((want === "comma" || want.startsWith("first")) && found === { "{": "}", "[": "]" }[open.at(-1)]) {
        open.pop();
        want = open.length ? "comma" : "end";
      } else return at;
    }
  }

  function broken(text) {
    const lines = text.slice(0, brokenAt(text)).split("\n");
    return say("jsonBroken", { line: lines.length, column: lines.at(-1).length + 1 });
  }

  function tools(field) {
    const found = field.parentElement.querySelector(".json-tools");
    if (found) return found;
    const made = document.createElement("div");
    made.className = "json-tools";
    const said = document.createElement("output");
    said.htmlFor = field.id;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: say("jsonFormat") });
    button.dataset.kind = "quiet";
    button.addEventListener("click", () => {
      field.value = JSON.stringify(JSON.parse(field.value), null, 2);
      check(field);
      field.focus();
    });
    made.append(button, said);
    field.after(made);
    return made;
  }

  function check(field) {
    const [button, said] = tools(field).children;
    const text = field.value;
    let error = "";
    try {
      if (text.trim()) JSON.parse(text);
    } catch {
      error = broken(text);
    }
    button.disabled = Boolean(error) || !text.trim();
    said.dataset.kind = error ? "error" : "good";
    said.textContent = error || (text.trim() ? say("jsonValid") : "");
  }

  const furnish = () => document.querySelectorAll(fields).forEach(check);
  document.addEventListener("input", (event) => { if (event.target.matches(fields)) check(event.target); });
  document.addEventListener("htmx:after:swap", furnish);
  furnish();
})();
