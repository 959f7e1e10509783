// "+3" on a status chip: how many more there are than when the page was loaded.
(() => {
  const chips = () => [...document.querySelectorAll(".chip[data-chip]")];
  // A chip that says "1,000+" has no count to compare with.
  const atFirst = new Map(chips().map(({ dataset }) => [dataset.chip, dataset.count]));
  const more = ({ dataset: { chip, count } }) => (atFirst.has(chip) ? count - atFirst.get(chip) : count - 0);

  document.addEventListener("htmx:after:swap", () => {
    for (const chip of chips()) {
      chip.querySelector(".since")?.remove();
      const number = more(chip);
      if (!number) continue;
      const since = document.createElement("span");
      since.className = "since";
      since.title = say("sinceLoaded");
      since.textContent = number > 0 ? `+${number}` : `−${-number}`;
      chip.append(since);
    }
  });
})();
