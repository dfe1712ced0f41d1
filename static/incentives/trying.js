/* The try-it panel: products found by name become lines of the basket. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-find]");
  if (!place) return;
  const input = place.querySelector("input");
  const list = place.querySelector("datalist");
  const lines = document.querySelector("textarea[name=lines]");
  let turn = 0;

  const put = (line) => {
    const before = lines.value.replace(/\s+$/, "");
    lines.value = before ? `${before}\n${line}` : line;
    input.value = "";
    list.replaceChildren();
    lines.dispatchEvent(new Event("change", { bubbles: true }));
  };

  input.addEventListener("input", async () => {
    // Chosen from the list, the box holds a whole line.
    const chosen = [...list.options].find((option) => option.value === input.value);
    if (chosen) return put(chosen.value);
    const mine = (turn += 1);
    const answer = await fetch(`${place.dataset.find}?${new URLSearchParams({ source: "priced_products", q: input.value })}`);
    if (mine !== turn || !answer.ok) return;
    const { pairs } = await answer.json();
    list.replaceChildren(...pairs.map(([value, label]) => Object.assign(document.createElement("option"), { value, label, textContent: label })));
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (list.options.length) put(list.options[0].value);
  });
  // The search box itself changes nothing of the basket.
  input.addEventListener("change", (event) => event.stopPropagation());
});
