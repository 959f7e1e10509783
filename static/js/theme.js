// The theme, applied before anything is painted; "auto" leaves it to the system.
(() => {
  const root = document.documentElement;
  const read = () => { try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; } };
  const apply = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
  };
  apply(read());
  document.addEventListener("DOMContentLoaded", () => {
    for (const group of document.querySelectorAll(".theme")) group.hidden = false;
    apply(read());
  });
  document.addEventListener("click", (event) => {
    const theme = event.target.closest("[data-set-theme]")?.dataset.setTheme;
    if (!theme) return;
    try { localStorage.setItem("theme", theme); } catch { /* it lasts for this page */ }
    apply(theme);
  });
})();
