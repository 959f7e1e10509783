// Refreshing in place: asks while the page is looked at, and says so when no answer comes.
(() => {
  const every = 5000;
  const poll = () => { if (!document.hidden) document.body.dispatchEvent(new CustomEvent("poll")); };
  const isPoll = (ctx) => ctx.sourceEvent?.type === "poll";
  // The meter asks for itself alone: its answer says nothing about the rows.
  const isOfPage = (ctx) => isPoll(ctx) && ctx.sourceElement?.id !== "budget-meter";
  const notice = document.getElementById("not-refreshed");
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
