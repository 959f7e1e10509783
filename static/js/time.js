// Ages and elapsed times that tick by the server's clock, and the reader's own time in titles.
(() => {
  let ahead = 0; // ms that the server's clock is ahead of this one
  const two = (number) => String(number).padStart(2, "0");
  const span = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`;
    return `${Math.floor(seconds / 86400)} d ${two(Math.floor(seconds / 3600) % 24)} h`;
  };
  const about = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} d`;
  };
  const age = (seconds) => (seconds < 0 ? `in ${about(-seconds)}` : `${about(seconds)} ago`);
  const away = (seconds) => (seconds <= 0 ? `in ${span(-seconds)}` : `${span(seconds)} ago`);
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

  function tick() {
    const now = Date.now() + ahead;
    const seconds = (element) => Math.floor((now - Date.parse(element.dateTime)) / 1000);
    for (const element of document.querySelectorAll("time[data-age]")) write(element, age(seconds(element)));
    for (const element of document.querySelectorAll("time[data-elapsed]")) write(element, span(Math.max(0, seconds(element))));
    for (const element of document.querySelectorAll("time[data-countdown]")) write(element, away(seconds(element)));
    for (const element of document.querySelectorAll("[data-stale-from]")) {
      element.classList.toggle("is-stale", now >= Date.parse(element.dataset.staleFrom));
    }
    for (const element of document.querySelectorAll("time[datetime]:not([data-local])")) {
      element.dataset.local = "";
      const utc = element.title || element.textContent;
      element.title = `${utc}\n${local.format(new Date(element.dateTime))}`;
    }
  }

  // A page out of the history tells an old "now"; then the reader's clock must do until a refresh.
  const [visit] = performance.getEntriesByType("navigation");
  const told = Date.parse(document.documentElement.dataset.now);
  if (told && visit?.type !== "back_forward") ahead = told - Date.now() + (performance.now() - visit.responseStart);
  document.addEventListener("htmx:after:request", ({ detail }) => {
    const date = Date.parse(detail.ctx.response?.headers.get("Date"));
    if (date && Math.abs(date - Date.now() - ahead) > 2000) ahead = date - Date.now();
  });
  document.addEventListener("htmx:after:swap", tick);
  setInterval(tick, 1000);
  tick();
})();
