// Ages and elapsed times that tick by the server's clock, and moments in the zone that was chosen.
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
  const age = (seconds) => (seconds < 0 ? say("ahead", { time: about(-seconds) }) : say("ago", { time: about(seconds) }));
  const away = (seconds) => (seconds <= 0 ? say("ahead", { time: span(-seconds) }) : say("ago", { time: span(seconds) }));
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const moment = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d{3})?)? UTC$/; // as the server writes one

  // As the server writes a moment, in another zone: with its seconds and milliseconds if it had any.
  function inZone(date, zone, [, seconds, thousandths]) {
    const told = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (seconds) told.second = "2-digit";
    if (thousandths) told.fractionalSecondDigits = 3;
    const parts = new Intl.DateTimeFormat("en-GB", { ...told, timeZone: zone, timeZoneName: "short" }).formatToParts(date);
    const part = (type) => parts.find((one) => one.type === type)?.value;
    const second = seconds ? `:${part("second")}` : "";
    const fraction = thousandths ? `.${part("fractionalSecond")}` : "";
    return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}${second}${fraction} ${part("timeZoneName")}`;
  }

  const choice = {
    read() { try { return localStorage.getItem("zone") || "UTC"; } catch { return this.held || "UTC"; } },
    keep(zone) { this.held = zone; try { localStorage.setItem("zone", zone); } catch { /* it lasts for this page */ } },
  };

  // The text of a moment in the chosen zone; its title in that of UTC, and of the reader.
  function tell(element) {
    const utc = element.dataset.local || element.title || element.textContent;
    const chosen = choice.read();
    const zones = new Set(["UTC", chosen, own]);
    const date = new Date(element.dateTime);
    const form = moment.exec(element.dataset.text || element.textContent);
    element.dataset.local = utc;
    if (form) {
      element.dataset.text = form[0];
      write(element, chosen === "UTC" ? form[0] : inZone(date, chosen, form));
    }
    zones.delete("UTC");
    element.title = [utc, ...[...zones].map((zone) => inZone(date, zone, ["", true]))].join("\n");
  }

  function tick() {
    const now = Date.now() + ahead;
    const seconds = (element) => Math.floor((now - Date.parse(element.dateTime)) / 1000);
    for (const element of document.querySelectorAll("time[data-age]")) write(element, age(seconds(element)));
    for (const element of document.querySelectorAll("time[data-elapsed]")) write(element, span(Math.max(0, seconds(element))));
    for (const element of document.querySelectorAll("time[data-countdown]")) write(element, away(seconds(element)));
    for (const element of document.querySelectorAll("[data-stale-from]")) {
      element.classList.toggle("is-stale", now >= Date.parse(element.dataset.staleFrom));
    }
    for (const element of document.querySelectorAll("time[datetime]:not([data-local])")) tell(element);
  }

  function offer(select) {
    const zones = [...new Set(["UTC", own, choice.read(), ...(Intl.supportedValuesOf?.("timeZone") ?? [])])];
    select.replaceChildren(...zones.map((zone) => new Option(zone === own ? say("ownZone", { zone }) : zone, zone)));
    select.value = choice.read();
    select.closest("[hidden]")?.removeAttribute("hidden");
    select.addEventListener("change", () => {
      choice.keep(select.value);
      for (const element of document.querySelectorAll("time[data-local]")) tell(element);
    });
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
  for (const select of document.querySelectorAll("[data-set-zone]")) offer(select);
  setInterval(tick, 1000);
  tick();
})();
