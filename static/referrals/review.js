/* The review queue by keys: j and k move, a approves and r rejects the card that is lit. */
"use strict";

(() => {
  const cards = () => [...document.querySelectorAll("[data-card]")];
  let at = 0;

  const light = (place) => {
    const all = cards();
    all.forEach((card) => card.removeAttribute("data-lit"));
    if (!all.length) return;
    at = Math.max(0, Math.min(place, all.length - 1));
    all[at].setAttribute("data-lit", "");
    all[at].focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "j") light(at + 1);
    else if (event.key === "k") light(at - 1);
    else if (event.key === "a" || event.key === "r") cards()[at]?.querySelector(`[data-key="${event.key}"]`)?.click();
    else return;
    event.preventDefault();
  });

  document.addEventListener("focusin", (event) => {
    const place = cards().indexOf(event.target.closest("[data-card]"));
    if (place >= 0 && place !== at) {
      at = place;
      cards().forEach((card, n) => card.toggleAttribute("data-lit", n === at));
    }
  });

  // A second press while the answer is under way would decide the next one.
  document.addEventListener("htmx:beforeRequest", (event) => {
    event.target.querySelectorAll?.("button").forEach((button) => { button.disabled = true; });
  });
  document.addEventListener("htmx:afterSwap", () => light(at));
  // The theme hides the page until Alpine has started; only then can anything take the focus.
  const begin = () => requestAnimationFrame(() => light(0));
  document.addEventListener("alpine:initialized", begin);
  if (document.readyState === "complete") begin(); else window.addEventListener("load", begin);
})();
