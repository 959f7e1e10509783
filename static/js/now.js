// The timeline goes on between two refreshes: its "now" line, and the bars of what is still open.
(() => {
  const redrawEvery = 15000; // ms; a short instance outgrows its axis within a second
  let drawn = { now: "", since: 0 };

  // Where a moment stands, in units of which the axis has 1000; behind its end it goes on as before.
  function place(pieces, moment) {
    const piece = pieces.find(([, end]) => moment <= end) ?? pieces.at(-1);
    const [start, end, left, right] = piece;
    return Math.min(1000, left + ((moment - start) / Math.max(1, end - start)) * (right - left));
  }

  const percent = (units) => `${(units / 10).toFixed(3)}%`;
  const units = (element, name) => parseFloat(element.getAttribute(name)) * 10;

  function grow(bar, x) {
    const planned = bar.closest("svg").querySelector('rect[data-kind="planned"]');
    const left = units(bar, "x");
    if (x <= left + units(bar, "width")) return;
    bar.setAttribute("width", percent(x - left));
    if (!planned) return;
    const end = units(planned, "x") + units(planned, "width");
    planned.setAttribute("x", percent(Math.min(x, end)));
    planned.setAttribute("width", percent(Math.max(0, end - x)));
  }

  function tick() {
    const waterfall = document.querySelector("#instance[data-live] .waterfall[data-now]");
    if (!waterfall || document.hidden) return;
    if (drawn.now !== waterfall.dataset.now) drawn = { now: waterfall.dataset.now, since: performance.now() };
    const moment = Date.parse(drawn.now) + performance.now() - drawn.since;
    const x = place(JSON.parse(waterfall.dataset.pieces), moment);
    for (const line of waterfall.querySelectorAll(".grid .now-line")) {
      line.setAttribute("x1", percent(x));
      line.setAttribute("x2", percent(x));
    }
    for (const bar of waterfall.querySelectorAll("rect[data-open]")) grow(bar, x);
    waterfall.toggleAttribute("data-outgrown", x >= 1000);
  }

  // At the edge of the drawing a new one is asked for, whatever the last answer said.
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const isOutgrown = document.querySelector(".waterfall[data-outgrown]") !== null;
    if (ctx.sourceElement?.id !== "instance" || !isOutgrown) return;
    if (performance.now() - drawn.since >= redrawEvery) delete ctx.request.headers["HX-PTag"];
  });
  setInterval(tick, 1000);
})();
