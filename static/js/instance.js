// The page of an instance: asks twice as often as other pages, tells how current it is, and adds the reader's own time.
(() => {
  const every = 2500;
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

  function furnish() {
    for (const element of document.querySelectorAll("[data-local-time]")) {
      const moment = new Date(element.dataset.localTime);
      if (!isNaN(moment)) element.textContent = say("here", { time: local.format(moment) });
    }
    // The tab tells the state, also while it is in the background.
    const page = document.getElementById("instance");
    if (page) document.title = page.dataset.title + document.title.slice(document.title.lastIndexOf(" · "));
  }

  // -- live: the page has a trigger only while the instance may change -----------------------------
  const poll = () => {
    if (!document.hidden) document.querySelector("#instance[data-live]")?.dispatchEvent(new CustomEvent("poll"));
  };
  // An answer that nothing has changed says when that was last true.
  function hear({ detail: { ctx } }) {
    const told = ctx.sourceElement?.id === "instance" && ctx.response?.headers.get("Told-At");
    const chip = document.querySelector("#live[data-stale-from]");
    if (!told || !chip) return;
    const fresh = Date.parse(chip.dataset.staleFrom) - Date.parse(chip.querySelector("time").dateTime);
    chip.querySelector("time").dateTime = told;
    chip.dataset.staleFrom = new Date(Date.parse(told) + fresh).toISOString();
  }
  setInterval(poll, every);
  document.addEventListener("visibilitychange", poll);
  document.addEventListener("htmx:after:request", hear);
  document.addEventListener("htmx:after:swap", furnish);
  furnish();
})();
