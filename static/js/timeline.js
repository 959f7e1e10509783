// The timeline: arrow keys walk its rows and bars, dragging over it looks at a shorter time, and a
// link to a step that is on this page opens it in place. Without this each is a link or a form.
(() => {
  const least = 6; // pixels; less is a click
  let drag = null;

  // -- the keyboard ------------------------------------------------------------------------------
  function walk(event) {
    const row = event.target.closest(".waterfall .row");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const names = [...document.querySelectorAll(".waterfall .row a.name, .waterfall .row .name a:first-child")];
    const own = row.querySelector("a.name, .name a");
    const place = names.indexOf(own);
    const stops = [own, ...row.querySelectorAll(".bars a")];
    const stop = stops.indexOf(event.target);
    const next = {
      ArrowDown: names[place + 1],
      ArrowUp: names[place - 1],
      Home: names[0],
      End: names.at(-1),
      ArrowRight: stops[stop + 1],
      ArrowLeft: stops[stop - 1],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  // -- a shorter time ----------------------------------------------------------------------------
  const bound = (share) => Math.min(1, Math.max(0, share));

  // The moment, in ms, that stands at this share of the axis.
  function moment(waterfall, share) {
    const pieces = JSON.parse(waterfall.dataset.pieces);
    const x = share * 1000;
    const piece = pieces.find(([, , , right]) => x <= right) ?? pieces.at(-1);
    const [start, end, left, right] = piece;
    return Math.round(start + bound(right > left ? (x - left) / (right - left) : 0) * (end - start));
  }

  function begin(event) {
    const waterfall = event.target.closest(".waterfall");
    const axis = waterfall?.querySelector(".axis").getBoundingClientRect();
    if (!axis || event.button || event.pointerType === "touch" || !event.target.closest(".bars, .axis")) return;
    drag = { waterfall, axis, from: event.clientX, brush: null };
  }

  function stretch(event) {
    if (!drag || (!drag.brush && Math.abs(event.clientX - drag.from) < least)) return;
    if (!drag.brush) {
      drag.brush = document.createElement("div");
      drag.brush.className = "brush";
      drag.waterfall.append(drag.brush);
    }
    const [left, right] = [drag.from, event.clientX].sort((a, b) => a - b);
    const edge = drag.waterfall.getBoundingClientRect().left;
    drag.brush.style.left = `${Math.max(left, drag.axis.left) - edge}px`;
    drag.brush.style.width = `${Math.max(0, Math.min(right, drag.axis.right) - Math.max(left, drag.axis.left))}px`;
  }

  function end(event) {
    if (!drag) return;
    const { waterfall, axis, brush, from } = drag;
    drag = null;
    if (!brush) return;
    brush.remove();
    addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true });
    const shares = [from, event.clientX].map((x) => bound((x - axis.left) / axis.width)).sort((a, b) => a - b);
    const [since, until] = shares.map((share) => new Date(moment(waterfall, share)).toISOString().slice(0, -1));
    if (since === until) return;
    const form = document.querySelector(".timeline-tools");
    form.elements.from.value = since;
    form.elements.to.value = until;
    form.requestSubmit();
  }

  function give_up() {
    drag?.brush?.remove();
    drag = null;
  }

  // -- permalinks --------------------------------------------------------------------------------
  const step = (hash) => (/^#step-\d+$/.test(hash) ? document.getElementById(hash.slice(1)) : null);

  function show(target) {
    for (const other of document.querySelectorAll(".step[aria-current]")) other.removeAttribute("aria-current");
    target.setAttribute("aria-current", "true");
    for (const details of target.querySelectorAll("details[id$=-more]")) details.open = true;
    target.scrollIntoView({ block: "start" });
  }

  function follow(event) {
    const link = event.target.closest?.('a[href*="#step-"]');
    const target = link && step(link.hash);
    if (!target || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    // What refreshes the page asks for the same step from now on.
    const page = document.querySelector("#instance[hx-get]");
    if (page) page.setAttribute("hx-get", location.pathname + location.search);
    show(target);
    target.querySelector("summary, a")?.focus({ preventScroll: true });
  }

  const arrive = () => { const target = step(location.hash); if (target) show(target); };

  document.addEventListener("keydown", (event) => (event.key === "Escape" ? give_up() : walk(event)));
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", stretch);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", give_up);
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".waterfall")) event.preventDefault(); });
  document.addEventListener("click", follow);
  document.addEventListener("change", (event) => {
    if (event.target.matches(".timeline-tools select, .timeline-tools [type=checkbox]")) event.target.form.requestSubmit();
  });
  window.addEventListener("popstate", arrive);
  arrive();
})();
