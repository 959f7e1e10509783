// Holds JSON values beside the page, so that one of many megabytes never stops it: reads, lists
// what a place holds a hundred at a time, and searches. A place is a list of names and numbers.
const values = new Map();
const PAGE = 100; // entries told at once
const TOLD = 400; // characters of a text
const MOST_FOUND = 200;

const kindOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

function entry(name, value, path) {
  const kind = kindOf(value);
  const size = kind === "array" ? value.length : kind === "object" ? Object.keys(value).length : 0;
  const text = kind === "string" ? JSON.stringify(value.slice(0, TOLD)) : size || kind === "array" || kind === "object" ? "" : String(value);
  return { name: String(name).slice(0, TOLD), kind, size, text, isCut: kind === "string" && value.length > TOLD, path };
}

const at = (key, path) => path.reduce((value, name) => value[name], values.get(key));

function children(key, path, from) {
  const value = at(key, path);
  const names = Array.isArray(value) ? null : Object.keys(value);
  const total = names ? names.length : value.length;
  const entries = [];
  for (let n = from; n < Math.min(total, from + PAGE); n++) {
    const name = names ? names[n] : n;
    entries.push(entry(name, value[name], [...path, name]));
  }
  return { entries, total };
}

// Names and values that hold the text, in the order of the document; without recursion, for depth.
function search(key, text) {
  const wanted = text.toLowerCase();
  const found = [];
  const stack = [["", values.get(key), []]];
  let total = 0;
  while (stack.length) {
    const [name, value, path] = stack.pop();
    const kind = kindOf(value);
    const isBranch = kind === "array" || kind === "object";
    const said = isBranch ? String(name) : `${name} ${value}`;
    if (path.length && said.toLowerCase().includes(wanted)) {
      total += 1;
      if (found.length < MOST_FOUND) found.push(entry(path.join(" › "), value, path));
    }
    if (!isBranch) continue;
    const names = kind === "array" ? [...value.keys()] : Object.keys(value);
    for (const child of names.reverse()) stack.push([child, value[child], [...path, child]]);
  }
  return { entries: found, total };
}

async function open(key, text, source, refused) {
  if (text === null) {
    const response = await fetch(source);
    if (!response.ok) throw new Error(refused.replace("{status}", response.status));
    text = await response.text();
  }
  values.set(key, JSON.parse(text));
  return children(key, [], 0);
}

onmessage = async ({ data: { id, ask, key, text, source, refused, path, from } }) => {
  try {
    if (ask === "open") return postMessage({ id, told: await open(key, text, source, refused) });
    if (ask === "children") return postMessage({ id, told: children(key, path, from) });
    if (ask === "search") return postMessage({ id, told: search(key, text) });
    if (ask === "text") return postMessage({ id, told: JSON.stringify(at(key, path), null, 2) });
  } catch (error) {
    postMessage({ id, failed: error.message });
  }
};
