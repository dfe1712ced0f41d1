/* The fields of a rule's parts: each drawn from the catalogue, its value kept in `holder[field.name]`. */
"use strict";

(() => {
  const { h, icon, draw: drawSegmentField } = window.segmentFields;

  const isEmpty = (value) => value === null || value === undefined || value === ""
    || (typeof value === "object" && Object.keys(value).length === 0);

  /** Major units as typed → minor ones; what is no amount goes to the server as typed. */
  const toMinor = (text, digits) => {
    const typed = text.trim().replace(",", ".");
    const pattern = digits ? new RegExp(`^\\d{1,12}(\\.\\d{0,${digits}})?$`) : /^\d{1,12}$/;
    if (typed === "") return null;
    if (!pattern.test(typed)) return text;
    const [whole, part = ""] = typed.split(".");
    return Number(whole + part.padEnd(digits, "0"));
  };
  const toMajor = (value, digits) => (Number.isInteger(value) ? (value / 10 ** digits).toFixed(digits) : value ?? "");

  const input = (id, options) => h("input", { id, type: "text", autocomplete: "off", ...options });

  const text = (field, value, id, change) => (field.is_long
    ? h("textarea", { id, rows: "2", maxlength: String(field.most), class: "inc-text", oninput: (event) => change(event.target.value) }, value ?? "")
    : input(id, { value: value ?? "", maxlength: field.most ? String(field.most) : null, class: "inc-text", oninput: (event) => change(event.target.value) }));

  const number = (field, value, id, change) =>
    input(id, {
      type: "number", inputmode: field.step ? "decimal" : "numeric", step: field.step ?? "1", min: String(field.min ?? ""), max: String(field.max ?? ""), class: "seg-number",
      value: value === null ? "" : String(value),
      oninput: (event) => change(event.target.value === "" ? null : Number(event.target.value)),
    });

  const percent = (field, value, id, change) => h("span", { class: "seg-amount" },
    input(id, {
      inputmode: "decimal", class: "seg-number", value: Number.isInteger(value) ? String(value / 100) : value ?? "",
      oninput: (event) => change(toMinor(event.target.value, 2)),
    }), h("span", { class: "seg-unit", "aria-hidden": "true" }, "%"));

  const switched = (field, value, id, change, context) => h("span", { class: "inc-switch" },
    input(id, { type: "checkbox", checked: Boolean(value), onchange: (event) => { change(event.target.checked); context.redraw(id); } }));

  const choice = (field, value, id, change, context) => h("select", {
    id, onchange: (event) => { change(event.target.value); context.redraw(id); },
  }, [...(field.is_optional ? [["", "–"]] : []), ...field.choices].map(([key, label]) => h("option", { value: key, selected: key === (value ?? field.initial) }, label)));

  const instant = (field, value, id, change) =>
    input(id, { type: "datetime-local", value: value ?? "", oninput: (event) => change(event.target.value) });

  const time = (field, value, id, change) =>
    input(id, { type: "time", value: (value ?? "").slice(0, 5), oninput: (event) => change(event.target.value) });

  const currencySelect = (currency, id, context, change) => h("select", { id, "aria-label": context.words.currency, onchange: (event) => change(event.target.value) },
    [...new Set([currency, ...context.currencies])].map((one) => h("option", { value: one, selected: one === currency }, one)));

  /** One amount in one currency. */
  const money = (field, value, id, change, context) => {
    const now = { currency: value?.currency ?? context.currencies[0], amount_minor: value?.amount_minor ?? null };
    const tell = () => change(now.amount_minor === null ? null : { ...now });
    const digits = () => context.digits[now.currency] ?? 2;
    const box = input(id, {
      inputmode: "decimal", class: "seg-number", value: toMajor(now.amount_minor, digits()),
      oninput: (event) => { now.amount_minor = toMinor(event.target.value, digits()); tell(); },
    });
    return h("span", { class: "seg-amount" }, box, currencySelect(now.currency, `${id}/currency`, context, (currency) => {
      now.currency = currency;
      now.amount_minor = toMinor(box.value, digits());
      tell();
    }));
  };

  /** An amount for each currency; the shop's own comes first. */
  const amounts = (field, value, id, change, context) => {
    const rows = Object.entries(value ?? {});
    if (!rows.length) rows.push([context.currencies[0], null]);
    const tell = () => change(Object.fromEntries(rows.filter(([, minor]) => minor !== null)));
    const box = h("span", { class: "inc-amounts" });
    const render = () => box.replaceChildren(
      ...rows.map((row, at) => h("span", { class: "seg-amount" },
        input(at ? `${id}/${at}` : id, {
          inputmode: "decimal", class: "seg-number", value: toMajor(row[1], context.digits[row[0]] ?? 2),
          "aria-label": at ? field.label : null,
          oninput: (event) => { row[1] = toMinor(event.target.value, context.digits[row[0]] ?? 2); tell(); },
        }),
        context.currencies.length + rows.length > 2
          ? currencySelect(row[0], `${id}/${at}/currency`, context, (currency) => { row[0] = currency; tell(); })
          : h("span", { class: "seg-unit" }, row[0]),
        at ? h("button", { type: "button", class: "seg-tool is-icon", "aria-label": `${context.words.remove} ${row[0]}`, onclick: () => { rows.splice(at, 1); tell(); render(); } }, icon("close")) : null)),
      ...(rows.length < context.currencies.length ? [h("button", {
        type: "button", class: "seg-tool is-icon", title: context.words.another, "aria-label": `${context.words.another}: ${field.label}`, onclick: () => {
          rows.push([context.currencies.find((one) => !rows.some(([used]) => used === one)), null]);
          render();
        },
      }, icon("add"))] : []));
    render();
    return box;
  };

  const day = (field, value, id, change) =>
    input(id, { type: "date", value: value ?? "", oninput: (event) => change(event.target.value) });

  /** An amount of the shop's own currency. */
  const minor = (field, value, id, change, context) => {
    const currency = context.currencies[0];
    const digits = context.digits[currency] ?? 2;
    return h("span", { class: "seg-amount" }, input(id, {
      inputmode: "decimal", class: "seg-number", value: toMajor(value, digits),
      oninput: (event) => change(toMinor(event.target.value, digits)),
    }), h("span", { class: "seg-unit" }, currency));
  };

  /** A text for each language of the shop; the default one comes first. */
  const texts = (field, value, id, change, context) => {
    const now = { ...(value ?? {}) };
    const lines = [...new Set([...context.languages, ...Object.keys(now)])];
    return h("span", { class: "inc-texts" }, lines.map((language, at) => h("span", { class: "seg-amount" },
      input(at ? `${id}/${language}` : id, {
        class: "inc-text", value: now[language] ?? "", maxlength: "120", "aria-label": at ? `${field.label} (${language})` : null,
        oninput: (event) => { if (event.target.value) now[language] = event.target.value; else delete now[language]; change({ ...now }); },
      }), lines.length > 1 ? h("span", { class: "seg-unit" }, language) : null)));
  };

  /** One of a list, by its key. */
  const pick = (field, value, id, change, context) => {
    const now = value === null ? "" : String(value);
    const pairs = (context.sets[field.source] ?? []).map(([key, label]) => [String(key), label]);
    const known = now === "" || pairs.some(([key]) => key === now) ? pairs : [[now, now], ...pairs];
    return h("select", {
      id, onchange: (event) => change(event.target.value === "" ? null : field.is_number ? Number(event.target.value) : event.target.value),
    }, h("option", { value: "", selected: now === "" }, "–"), known.map(([key, label]) => h("option", { value: key, selected: key === now }, label)));
  };

  /** A way to write a new one for a list, in a window of its own; `take` is told its key. */
  const maker = (field, id, context, take) => {
    const [label, address] = context.makes?.[field.source] ?? [];
    if (!address) return null;
    const open = () => {
      const name = `${id}__1`; // Django counts windows that opened windows by the end of their names.
      const dismiss = window.dismissAddRelatedObjectPopup;
      window.dismissAddRelatedObjectPopup = (opened, key, shown) => {
        if (opened.name !== name) return dismiss(opened, key, shown);
        opened.close();
        window.dismissAddRelatedObjectPopup = dismiss;
        context.sets[field.source] = [...(context.sets[field.source] ?? []), [String(key), shown]];
        take(key);
        context.redraw(id);
      };
      const page = new URL(address, window.location.href);
      page.searchParams.set("_popup", "1");
      window.open(page, name, "width=900,height=760,resizable=yes,scrollbars=yes")?.focus();
    };
    return h("button", { type: "button", class: "seg-button is-quiet inc-maker", onclick: open }, icon("add"), label);
  };

  const SIMPLE = { day, minor, texts, pick, text, number, percent, switch: switched, choice, instant, time, money, amounts };

  /** A labelled field with a place for its error: {element, fail}. `change` has stored the value when it is called. */
  const drawField = (field, holder, path, context) => {
    const id = `inc${path}`;
    const keep = (value) => {
      if (isEmpty(value)) delete holder[field.name];
      else holder[field.name] = value;
      context.changed(path);
    };
    if (field.kind === "words") return drawWords(field, holder, path, context, keep);
    // What a list shows as chosen is chosen.
    if (field.kind === "choice" && !field.is_optional && isEmpty(field.initial)) holder[field.name] ??= field.choices[0][0];
    const control = SIMPLE[field.kind](field, holder[field.name] ?? field.initial ?? null, id, keep, context);
    const error = h("span", { class: "seg-error", id: `${id}/error`, role: "alert" });
    const help = field.help ? h("span", { class: "seg-help" }, field.help) : null;
    const label = h("label", { for: id }, field.label);
    const make = field.kind === "pick" ? maker(field, id, context, (key) => keep(field.is_number ? Number(key) : key)) : null;
    const element = h("div", { class: `seg-field is-${field.kind}` }, label, control, error, help, make);
    const box = control.matches("input, select, textarea") ? control : control.querySelector("input");
    box.setAttribute("aria-describedby", `${id}/error`);
    element.addEventListener("focusout", () => context.left(path));
    const fail = (messages, isWanted) => {
      error.textContent = isWanted ? "" : messages.join(" ");
      box.setAttribute("aria-invalid", String(messages.length > 0 && !isWanted));
      element.classList.toggle("has-error", messages.length > 0 && !isWanted);
      element.classList.toggle("is-wanted", messages.length > 0 && isWanted);
    };
    return { element, fail };
  };

  /** Lists of words are the segments' own. */
  const drawWords = (field, holder, path, context, keep) => {
    const pairs = field.choices ?? context.sets[field.source];
    const asked = { ...field, name: "words", help: field.help, ...(pairs ? { choices: pairs } : { suggest: field.source }) };
    const args = { words: (holder[field.name] ?? []).map(String) };
    const told = { words: context.words, sets: {}, readonly: false, suggest: context.suggest };
    const drawn = drawSegmentField(asked, args, told, () => keep(field.is_number ? (args.words ?? []).map(Number) : args.words));
    drawn.input.id = `inc${path}`;
    drawn.element.querySelector("label").htmlFor = drawn.input.id;
    const make = maker(field, drawn.input.id, context, (key) => keep([...(holder[field.name] ?? []), field.is_number ? Number(key) : key]));
    if (make) drawn.element.append(make);
    drawn.element.addEventListener("focusout", () => context.left(path));
    return {
      element: drawn.element,
      fail: (messages, isWanted) => {
        drawn.fail(isWanted ? [] : messages);
        drawn.element.classList.toggle("is-wanted", messages.length > 0 && isWanted);
      },
    };
  };

  window.incentiveFields = { drawField, isEmpty };
})();
