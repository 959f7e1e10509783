// Refreshing in place: asks while the page is looked at, and says so when no answer comes.
(() => {
  const every = 5000;
  const poll = () => { if (!document.hidden) document.body.dispatchEvent(new CustomEvent("poll")); };
  // Rows stand still while some are selected or a dialog is open: a morph passes over what is held.
  const isHeld = () => document.querySelector("dialog[open], #selection[data-any]") !== null;
  const isPoll = (ctx) => ctx.sourceEvent?.type === "poll";
  // The meter asks for itself alone: its answer says nothing about the rows.
  const isOfPage = (ctx) => isPoll(ctx) && ctx.sourceElement?.id !== "budget-meter";
  const notice = document.getElementById("not-refreshed");
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const rows = isPoll(ctx) && document.querySelector("#rows tbody");
    if (!rows || ctx.sourceElement?.id !== "rows") return;
    // What was passed over is asked for whole, whatever the last answer said.
    if (rows.hasAttribute("data-held")) delete ctx.request.headers["HX-PTag"];
    rows.toggleAttribute("data-held", isHeld());
  });
  setInterval(poll, every);
  document.addEventListener("visibilitychange", poll);
  window.addEventListener("pageshow", (event) => { if (event.persisted) poll(); });

  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response.raw.redirected) return location.reload(); // signed out meanwhile
    if (isOfPage(ctx)) notice.hidden = ctx.response.status < 400;
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    // What is on the page is kept, rather than an error put in its place.
    if (ctx.response.raw.redirected || (isPoll(ctx) && ctx.response.status >= 400)) event.preventDefault();
  });
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && isOfPage(ctx)) notice.hidden = false;
  });
})();
