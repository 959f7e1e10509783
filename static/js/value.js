// JSON values as a tree: folding, search and copy. The page holds the beginning as text; a value that
// is all there becomes a tree when it is seen, a longer one when a reader asks for the whole.
(() => {
  const source = document.currentScript.dataset.worker;
  const waiting = new Map();
  let worker = null;
  let count = 0;

  function ask(question) {
    worker ??= start();
    const id = ++count;
    worker.postMessage({ id, ...question });
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }

  function start() {
    const made = new Worker(source);
    made.onmessage = ({ data: { id, told, failed } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (failed) reject(new Error(failed));
      else resolve(told);
    };
    return made;
  }

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  const sizes = ({ kind, size }) => (kind === "array" ? `[ ${size.toLocaleString("en")} ]` : `{ ${size.toLocaleString("en")} }`);

  // -- the tree ----------------------------------------------------------------------------------
  function item(key, entry) {
    const name = make("span", { className: "key", textContent: entry.name });
    if (!entry.size) {
      const text = entry.kind === "array" ? "[ ]" : entry.kind === "object" ? "{ }" : entry.text;
      const value = make("span", { className: "leaf", textContent: text });
      value.dataset.kind = entry.kind;
      const line = make("li", {}, name, value);
      if (entry.isCut) line.append(make("button", { className: "more", type: "button", textContent: say("valueAll"), onclick: () => whole(key, entry, value, line) }));
      return line;
    }
    const details = make("details", {}, make("summary", {}, name, make("span", { className: "size", textContent: sizes(entry) })));
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) grow(details, key, entry.path, 0); });
    return make("li", {}, details);
  }

  async function whole(key, entry, value, line) {
    value.textContent = (await ask({ ask: "text", key, path: entry.path })).slice(0, 200000);
    line.lastChild.remove();
  }

  async function grow(parent, key, path, from) {
    show(parent, key, path, from, await ask({ ask: "children", key, path, from }));
  }

  function show(parent, key, path, from, { entries, total }) {
    const list = parent.querySelector(":scope > ul") ?? parent.appendChild(make("ul"));
    list.append(...entries.map((entry) => item(key, entry)));
    const left = total - from - entries.length;
    if (left <= 0) return;
    const more = make("button", { className: "more", type: "button", textContent: say("valueMore", { number: left.toLocaleString("en") }) });
    const line = make("li", {}, more);
    more.onclick = () => { line.remove(); grow(parent, key, path, from + entries.length); };
    list.append(line);
  }

  // -- one value ---------------------------------------------------------------------------------
  async function open(box) {
    const text = box.querySelector("pre");
    const key = (box.dataset.key ||= `value-${++count}`);
    const tree = box.querySelector(".tree");
    box.dataset.text = text.textContent.length;
    const isWhole = box.hasAttribute("data-whole");
    tree.replaceChildren(make("p", { className: "soft", textContent: say("valueReading") }));
    try {
      const told = await ask({ ask: "open", key, text: isWhole ? text.textContent : null, source: box.dataset.source, refused: say("valueRefused") });
      tree.replaceChildren();
      show(tree, key, [], 0, told);
      for (const only of tree.querySelectorAll(":scope > ul > li:only-child > details")) only.open = true;
    } catch (error) {
      tree.replaceChildren(make("p", { className: "errors", textContent: say("valueUnread", { error: error.message }) }));
    }
  }

  // What is seen is told by what is open: to ask for its place would lay the page out for each.
  function furnish(within) {
    for (const box of within.querySelectorAll("[data-value]")) {
      const tools = box.querySelector(".tree-tools");
      if (!tools || box.closest("details:not([open])")) continue;
      const isNew = box.dataset.text !== String(box.querySelector("pre").textContent.length);
      tools.hidden = false;
      if (isNew && box.hasAttribute("data-whole")) open(box);
    }
  }

  async function search(input) {
    const box = input.closest("[data-value]");
    if (!box.dataset.text) await open(box);
    const found = box.querySelector(".found");
    const text = input.value.trim();
    box.classList.toggle("is-searched", text !== "");
    if (!text) return found.replaceChildren();
    const { entries, total } = await ask({ ask: "search", key: box.dataset.key, text });
    if (input.value.trim() !== text) return;
    const form = entries.length < total ? "valueFoundFirst" : "valueFound";
    found.replaceChildren(
      make("p", { className: "soft", textContent: say(form, { number: total.toLocaleString("en"), shown: entries.length }) }),
      make("ul", {}, ...entries.map((entry) => item(box.dataset.key, entry))),
    );
  }

  async function copy(button) {
    const box = button.closest("[data-value]");
    const isWhole = box.hasAttribute("data-whole");
    if (!isWhole && !box.dataset.text) await open(box);
    const text = isWhole ? box.querySelector("pre").textContent : await ask({ ask: "text", key: box.dataset.key, path: [] });
    await navigator.clipboard.writeText(text);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-value] [data-do]");
    if (!button) return;
    const box = button.closest("[data-value]");
    if (button.dataset.do === "copy") return copy(button);
    box.classList.toggle("is-text", button.dataset.do === "text");
    if (button.dataset.do === "tree" && !box.dataset.text) open(box);
  });
  document.addEventListener("input", ({ target }) => { if (target.matches("[data-value] .tree-search")) search(target); });
  document.addEventListener("toggle", ({ target }) => { if (target.open) furnish(target); }, true);
  document.addEventListener("htmx:after:swap", () => furnish(document));
  furnish(document);
})();
