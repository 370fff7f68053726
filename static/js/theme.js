// Light or dark: as the system has it until the switch is used, then as chosen. A classic script in <head>, so that it
// runs before the first paint. Whoever draws with colours (charts) listens to `themechange` on document.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem("runyard.theme");
    } catch {
      return null; // storage is blocked: follow the system
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  const apply = (theme) => {
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) {
      button.querySelector("use").setAttribute("href", isDark() ? "#i-sun" : "#i-moon");
      button.setAttribute("aria-label", isDark() ? "Light theme" : "Dark theme");
      button.title = button.getAttribute("aria-label");
    }
    document.dispatchEvent(new CustomEvent("themechange"));
  };

  apply(chosen());
  system.addEventListener("change", () => apply(chosen()));
  addEventListener("storage", (event) => event.key === "runyard.theme" && apply(chosen()));
  document.addEventListener("DOMContentLoaded", () => {
    apply(chosen());
    document.getElementById("theme")?.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("runyard.theme", theme);
      } catch {
        // nothing to keep it in: it holds for this page
      }
      apply(theme);
    });
  });
})();
