// Loaded before the first paint, so that no page flashes in the wrong colours.
(() => {
  const chosen = document.cookie.match(/(?:^|; )theme=(light|dark)/);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const stored = document.cookie.match(/(?:^|; )theme=(light|dark)/);
    document.documentElement.dataset.bsTheme = stored ? stored[1] : dark.matches ? "dark" : "light";
  };
  if (!chosen) dark.addEventListener("change", apply);
  apply();
})();
