/* Lists in forms: a button adds a copy of the blank row, numbered as the server wants it. */
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-rows-add]");
  if (!button) return;
  const rows = button.closest("[data-rows]");
  const total = rows.querySelector("input[name$='-TOTAL_FORMS']");
  const number = Number(total.value);
  if (number >= Number(rows.dataset.most)) return;
  const holder = document.createElement("div");
  holder.innerHTML = rows.querySelector("[data-rows-blank]").innerHTML.replaceAll("__prefix__", String(number));
  const row = holder.firstElementChild;
  rows.querySelector("[data-rows-list]").append(row);
  total.value = String(number + 1);
  row.querySelector("input, select, textarea")?.focus();
  total.dispatchEvent(new Event("change", { bubbles: true }));
});
