// What scripts write, in the reader's language: components/texts.html has it, with {name} where a value goes.
const say = (name, values = {}) =>
  document.getElementById("texts").dataset[name].replace(/\{(\w+)\}/g, (whole, value) => String(values[value] ?? whole));
