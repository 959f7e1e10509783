// Selected instances: by hand, by range, the page, or all that match. Kept in this tab, for this
// search, over refreshes and pages. The form sends them; without JavaScript it sends the ticked ones.
(() => {
  const form = document.getElementById("selection");
  if (!form) return;
  const rows = () => document.getElementById("rows");
  const boxes = () => [...document.querySelectorAll("#rows input[name=chosen]")];
  const field = (name) => form.querySelector(`input[name=${name}]`);
  const key = `selection:${field("list").value}`;
  let chosen = new Set();
  let isMatching = false;
  let anchor = null; // where a range begins

  function load() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(key)) ?? {};
      chosen = new Set(kept.chosen ?? []);
      isMatching = kept.isMatching === true;
    } catch { /* nothing was kept */ }
  }
  function keep() {
    try {
      if (chosen.size || isMatching) sessionStorage.setItem(key, JSON.stringify({ chosen: [...chosen], isMatching }));
      else sessionStorage.removeItem(key);
    } catch { /* it lasts for this page */ }
  }

  function show() {
    const all = boxes();
    for (const box of all) {
      box.checked = isMatching || chosen.has(box.value);
      box.closest("tr").toggleAttribute("data-selected", box.checked);
    }
    const here = all.filter((box) => box.checked).length;
    const page = document.querySelector("[data-pick-page]");
    if (page) {
      page.parentElement.hidden = false;
      page.checked = all.length > 0 && here === all.length;
      page.indeterminate = here > 0 && here < all.length;
    }
    const { matches, matchesText } = rows().dataset;
    const number = isMatching ? matchesText : chosen.size.toLocaleString("en");
    form.toggleAttribute("data-any", isMatching || chosen.size > 0);
    const elsewhere = isMatching ? 0 : chosen.size - here;
    const said = isMatching ? "selectedMatching" : elsewhere ? "selectedElsewhere" : "selected";
    const text = say(said, { number, elsewhere: elsewhere.toLocaleString("en") });
    const count = form.querySelector("[data-count]");
    if (count.textContent !== text) count.textContent = text;
    const more = form.querySelector("[data-pick-matching]");
    more.hidden = isMatching || here < all.length || Number(matches) <= chosen.size;
    more.textContent = say("selectMatching", { number: matchesText });
    form.querySelector("[data-pick-none]").hidden = false;
    for (const name of ["list", "matching"]) field(name).disabled = !isMatching;
    field("number").disabled = false;
    field("number").value = isMatching ? matches : chosen.size;
  }
  function pick(some, isWanted) {
    // One taken out of "all that match" leaves those that are seen: never more than was looked at.
    if (isMatching) chosen = new Set(boxes().map((box) => box.value));
    isMatching = false;
    for (const box of some) chosen[isWanted ? "add" : "delete"](box.value);
    keep();
    show();
  }
  function pickRange(box, isWanted) {
    const all = boxes();
    const from = all.findIndex((one) => one.value === anchor);
    const to = all.indexOf(box);
    pick(from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1), isWanted);
  }
  function pickNone() {
    chosen.clear();
    isMatching = false;
    keep();
    show();
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest("#rows input[name=chosen]");
    if (box) {
      if (event.shiftKey) pickRange(box, box.checked); else pick([box], box.checked);
      anchor = box.value;
    } else if (event.target.matches("[data-pick-page]")) pick(boxes(), event.target.checked);
    else if (event.target.closest("[data-pick-none]")) pickNone();
    else if (event.target.closest("[data-pick-matching]")) {
      isMatching = true;
      keep();
      show();
      form.querySelector("[data-pick-none]").focus(); // the button that had it is gone
    }
  });
  document.addEventListener("row:pick", ({ target, detail: { isRange } }) => {
    const box = target.querySelector("input[name=chosen]");
    if (isRange) pickRange(box, true); else pick([box], !box.checked);
    anchor = box.value;
  });
  // All that match are named by their query; else the rows of other pages go along with these.
  form.addEventListener("formdata", ({ formData }) => {
    formData.delete("chosen");
    if (!isMatching) for (const pk of chosen) formData.append("chosen", pk);
  });
  form.addEventListener("submit", (event) => { if (!isMatching && !chosen.size) event.preventDefault(); });
  document.addEventListener("htmx:after:swap", show);
  window.addEventListener("pageshow", () => { load(); show(); });
  form.setAttribute("data-scripted", "");
})();
