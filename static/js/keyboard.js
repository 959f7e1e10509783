// The keys, in one table: what the sheet says is what they do. None of them acts on an instance.
(() => {
  const sheet = document.getElementById("keys");
  const rows = () => [...document.querySelectorAll("#rows tbody tr, table.instances tbody tr")];
  const current = () => document.activeElement?.closest("table.instances tbody tr");
  const link = (row) => row?.querySelector("a.id");
  const move = (by) => {
    const all = rows();
    const at = all.indexOf(current());
    const next = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[Math.min(Math.max(at + by, 0), all.length - 1)];
    link(next)?.focus();
  };
  const pick = (isRange) => {
    if (!current()?.querySelector("input[name=chosen]")) return;
    current().dispatchEvent(new CustomEvent("row:pick", { bubbles: true, detail: { isRange } }));
  };
  const KEYS = [
    { key: "?", says: say("keySheet"), run: () => sheet.showModal() },
    { key: "k", mod: true, says: say("keyGo"), run: () => document.getElementById("go-to").click() },
    { key: "/", says: say("keySearch"), run: () => document.querySelector("input[type=search]#q")?.select() },
    { key: "j", says: say("keyNext"), run: () => move(1) },
    { key: "k", says: say("keyBefore"), run: () => move(-1) },
    { key: "x", says: say("keyPick"), run: () => pick(false) },
    { key: "X", says: say("keyPickRange"), run: () => pick(true) },
    { key: "o", also: "Enter", says: say("keyOpen"), run: () => link(current())?.click() },
    { key: "Escape", says: say("keyClose"), run: null },
  ];
  const isTyping = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const isMac = navigator.platform.startsWith("Mac");
  const named = ({ key, mod, also }) => [mod ? `${isMac ? "⌘" : "Ctrl"} ${key.toUpperCase()}` : key === "X" ? "Shift x" : key, also].filter(Boolean);

  for (const entry of KEYS) {
    const term = document.createElement("dt");
    for (const name of named(entry)) term.append(Object.assign(document.createElement("kbd"), { textContent: name }), " ");
    document.getElementById("keys-list").append(term, Object.assign(document.createElement("dd"), { textContent: entry.says }));
  }
  const button = document.querySelector("[data-show-keys]");
  button.hidden = false;
  button.addEventListener("click", () => sheet.showModal());

  document.addEventListener("keydown", (event) => {
    const mod = isMac ? event.metaKey : event.ctrlKey;
    if (event.altKey || (event.ctrlKey && !mod) || (event.metaKey && !mod)) return;
    if (!mod && (isTyping(event.target) || document.querySelector("dialog[open]"))) return;
    const found = KEYS.find((entry) => entry.run && entry.key === event.key && Boolean(entry.mod) === mod);
    if (!found || (mod && document.querySelector("dialog[open]"))) return;
    event.preventDefault();
    found.run();
  });
  // In the palette the arrows go through what was found.
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("form.go");
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !form) return;
    const stops = [form.elements.q, ...document.querySelectorAll("#go-results a")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(at + by, 0), stops.length - 1)].focus();
  });
})();
