// A link with hx-target="#dialog-body" opens in the dialog; without JavaScript it is a page.
(() => {
  const dialog = document.getElementById("dialog");
  const body = document.getElementById("dialog-body");
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target === body && !dialog.open) dialog.showModal();
  });
  // A link that is called a button opens with the space bar too.
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches("a[role=button]")) {
      event.preventDefault();
      event.target.click();
    }
  });
  dialog.addEventListener("close", () => body.replaceChildren());
  for (const one of document.querySelectorAll("dialog")) {
    one.addEventListener("click", (event) => {
      if (event.target === one || event.target.closest("[data-close]")) {
        event.preventDefault();
        one.close();
      }
    });
  }

  // Fold-away lists close when somebody goes on elsewhere.
  const fold = (except) => document.querySelectorAll("details.choose[open]").forEach((list) => { list.open = list.contains(except); });
  document.addEventListener("click", (event) => fold(event.target));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") fold(null); });
})();
