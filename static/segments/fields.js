/* The fields of a condition's arguments: drawn from the catalogue, kept in `args`, each with a place for its error. */
"use strict";

(() => {
  let serial = 0;

  /** An element with properties, data and children; text is never read as HTML. */
  const h = (name, properties = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key in element && typeof value !== "string") element[key] = value;
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  };

  const icon = (name) => h("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

  const select = (field, value, change) => {
    const options = field.choices.map(([key, label]) => h("option", { value: key, selected: key === value }, label));
    if (!field.choices.some(([key]) => key === value)) {
      options.unshift(h("option", { value: "", selected: true }, value ? String(value) : "…"));
    }
    return h("select", { onchange: (event) => change(event.target.value || null) }, options);
  };

  const number = (field, value, change) =>
    h("input", {
      type: "number", inputmode: field.step === 1 ? "numeric" : "decimal", step: String(field.step),
      min: String(field.min ?? ""), max: String(field.max ?? ""), value: value === null ? "" : String(value),
      class: "seg-number",
      oninput: (event) => {
        const text = event.target.value;
        change(text === "" ? null : Number(text));
      },
    });

  /** Money is shown in major units and kept in minor ones; what is no amount goes to the server as typed. */
  const amount = (field, value, change, money) => {
    const shown = Number.isInteger(value) ? (value / 10 ** money.digits).toFixed(money.digits) : value ?? "";
    const toMinor = (text) => {
      const typed = text.trim().replace(",", ".");
      const pattern = money.digits ? new RegExp(`^\\d{1,12}(\\.\\d{0,${money.digits}})?$`) : /^\d{1,12}$/;
      if (typed === "") return null;
      if (!pattern.test(typed)) return text;
      const [whole, part = ""] = typed.split(".");
      return Number(whole + part.padEnd(money.digits, "0"));
    };
    const input = h("input", {
      type: "text", inputmode: "decimal", autocomplete: "off", value: String(shown), class: "seg-number",
      oninput: (event) => change(toMinor(event.target.value)),
    });
    return h("span", { class: "seg-amount" }, input, h("span", { class: "seg-unit", "aria-hidden": "true" }, money.currency));
  };

  const text = (field, value, change) =>
    h("input", { type: "text", value: value ?? "", oninput: (event) => change(event.target.value || null) });

  const date = (field, value, change) =>
    h("input", { type: "date", value: value ?? "", oninput: (event) => change(event.target.value || null) });

  /** A list of words: chips, an input, and suggestions below it that arrows and Enter choose from. */
  const words = (field, value, change, context) => {
    const pairs = field.choices ?? (field.set ? context.sets[field.set] : null);
    const chosen = Array.isArray(value) ? [...value] : [];
    const labels = new Map(pairs ?? []);
    const listId = `seg-list-${(serial += 1)}`;
    const chips = h("span", { class: "seg-chips" });
    const list = h("ul", { class: "seg-options", role: "listbox", id: listId, hidden: true });
    const input = h("input", {
      type: "text", autocomplete: "off", spellcheck: false, role: "combobox", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": listId, placeholder: chosen.length ? "" : context.words.type,
    });
    let offered = [];
    let marked = -1;
    let asked = 0;

    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      marked = -1;
    };
    const drawChips = () => {
      chips.replaceChildren(
        ...chosen.map((word) =>
          h("span", { class: "seg-chip" }, labels.get(word) ?? word,
            h("button", {
              type: "button", "aria-label": `${context.words.remove} ${labels.get(word) ?? word}`,
              onclick: () => { chosen.splice(chosen.indexOf(word), 1); drawChips(); change([...chosen]); input.focus(); },
            }, "×"))),
      );
      input.placeholder = chosen.length ? "" : context.words.type;
    };
    const add = (word, label) => {
      if (label) labels.set(word, label);
      if (word && !chosen.includes(word)) { chosen.push(word); drawChips(); change([...chosen]); }
      input.value = "";
      close();
    };
    const mark = (at) => {
      marked = at;
      [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
      const item = list.children[at];
      if (item) { item.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", item.id); }
    };
    const offer = (found) => {
      offered = found.filter(([key]) => !chosen.includes(key)).slice(0, 30);
      list.replaceChildren(
        ...offered.map(([key, label], index) =>
          h("li", {
            role: "option", id: `${listId}-${index}`, "aria-selected": "false",
            onmousedown: (event) => { event.preventDefault(); add(key, label); },
          }, label)),
      );
      list.hidden = offered.length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
      marked = -1;
      if (pairs && offered.length && input.value) mark(0);
    };
    const look = async () => {
      const typed = input.value.trim().toLowerCase();
      const turn = (asked += 1);
      if (pairs) {
        const starts = pairs.filter(([key, label]) => label.toLowerCase().startsWith(typed) || key.toLowerCase() === typed);
        const holds = pairs.filter((pair) => !starts.includes(pair) && pair[1].toLowerCase().includes(typed));
        offer([...starts, ...holds]);
      } else if (field.suggest) {
        await new Promise((wake) => setTimeout(wake, 150));
        if (turn !== asked) return;
        const found = await context.suggest(field.suggest, input.value.trim());
        if (turn === asked && document.activeElement === input) offer(found);
      }
    };
    input.addEventListener("input", look);
    input.addEventListener("focus", look);
    input.addEventListener("blur", () => { if (input.value.trim() && !pairs) add(input.value.trim()); asked += 1; close(); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (offered.length) mark((marked + (event.key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length);
      } else if (event.key === "Enter" || (event.key === "," && !pairs)) {
        event.preventDefault();
        if (!list.hidden && marked >= 0) add(...offered[marked]);
        else if (!pairs && input.value.trim()) add(input.value.trim());
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        close();
      } else if (event.key === "Backspace" && input.value === "" && chosen.length) {
        chosen.pop();
        drawChips();
        change([...chosen]);
      }
    });
    drawChips();
    const box = h("span", { class: "seg-words", onclick: (event) => { if (event.target === box) input.focus(); } }, chips, input, list);
    return box;
  };

  const KINDS = { choice: select, number, amount, text, date, words };

  /** Draws one field; `changed` is called after `args` has its new value. */
  const draw = (field, args, context, changed) => {
    const errorId = `seg-error-${(serial += 1)}`;
    const control = KINDS[field.kind](
      field, args[field.name] ?? null,
      (value) => {
        if (value === null || (Array.isArray(value) && value.length === 0)) delete args[field.name];
        else args[field.name] = value;
        changed(field);
      },
      field.kind === "amount" ? context.money : context,
    );
    const input = control.matches("input, select") ? control : control.querySelector("input");
    input.id = `seg-field-${serial}`;
    input.setAttribute("aria-describedby", errorId);
    input.disabled = context.readonly;
    const error = h("span", { class: "seg-error", id: errorId, role: "alert" });
    const label = h("label", { for: input.id }, field.label);
    const help = field.help ? h("span", { class: "seg-help" }, field.help) : null;
    const element = h("div", { class: `seg-field is-${field.kind}`, "data-field": field.name }, label, control, error, help);
    const fail = (messages) => {
      error.textContent = messages.join(" ");
      input.setAttribute("aria-invalid", String(messages.length > 0));
      element.classList.toggle("has-error", messages.length > 0);
    };
    return { element, input, fail };
  };

  window.segmentFields = { h, icon, draw };
})();
