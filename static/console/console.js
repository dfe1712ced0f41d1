// What the theme leaves out: its icons are ligatures, which a screen reader would read aloud as words ("sell Products").
(() => {
  const hush = (root) => {
    for (const icon of root.querySelectorAll?.("span.material-symbols-outlined:not([aria-hidden])") ?? []) {
      const control = icon.closest("a, button");
      const isItsName = control && !control.ariaLabel && control.textContent.trim() === icon.textContent.trim();
      if (!isItsName) icon.setAttribute("aria-hidden", "true");
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const added of change.addedNodes) {
        if (added.nodeType === Node.ELEMENT_NODE) hush(added.parentNode ?? added);
      }
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => hush(document));
})();
