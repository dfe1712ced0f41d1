// The sorry desk: copy a code, and let a double click send a form once.
(() => {
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    // Over plain HTTP inside a shop's network the clipboard is closed; a selection still copies.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await copy(document.querySelector(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied;
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-once]");
    if (!form) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });

  // The theme hides the page until Alpine has started; only then can anything take the focus.
  document.addEventListener("alpine:initialized", () => {
    requestAnimationFrame(() => {
      const first = document.querySelector(".sorry [role=alert]") ? null : document.querySelector("[data-first]");
      first?.focus();
    });
  });

  // Back from the next page the form may be sent again; its token still makes it one coupon.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once]").forEach((form) => {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });
})();
