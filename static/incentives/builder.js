/* The incentive builder: a rule drawn from its classes' catalogue; what it says and what is wrong follow as one types. */
"use strict";

(() => {
  const { h, icon } = window.segmentFields;
  const { drawField, isEmpty } = window.incentiveFields;
  const WAIT = 300;
  /** Without what says nothing: a part that was never filled in equals one that is not there. */
  const bare = (value) => {
    if (Array.isArray(value)) return value.map(bare);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, bare(inside)]).filter(([, inside]) => !isEmpty(inside)));
  };
  const same = (one, other) => JSON.stringify(bare(one)) === JSON.stringify(bare(other ?? {}));

  class Builder {
    constructor(root) {
      this.root = root;
      this.words = { ...root.querySelector("[data-words]").dataset };
      this.catalogue = JSON.parse(document.getElementById("incentive-catalogue").textContent);
      this.store = root.querySelector("textarea.seg-json");
      this.open = new Set();
      this.turn = 0;
      this.context = {
        ...this.catalogue, words: this.words,
        suggest: (source, typed) => this.suggest(source, typed),
        changed: (path) => { this.touched.add(path); this.keep(); },
        // An error that appears under the mouse would move the button that is being clicked away from it.
        left: (path) => { if (!this.touched.has(path)) { this.touched.add(path); setTimeout(() => this.tell(), 200); } },
        redraw: (id) => this.render(id),
      };
    }

    start() {
      let rule;
      try { rule = JSON.parse(this.store.value || "{}"); } catch { return; } // What cannot be read stays in the textarea.
      if (rule === null || typeof rule !== "object" || Array.isArray(rule)) return;
      this.rule = rule;
      // On a form that came back with errors, or on a rule that was saved before, nothing is new to her.
      this.isAllTouched = Boolean(this.root.dataset.row) || document.querySelector(".errornote, .errorlist") !== null;
      this.touched = new Set();
      this.fresh = new Set();
      this.store.hidden = true;
      this.root.querySelector("[data-shell]").hidden = false;
      this.render();
      this.keep(0);
    }

    // Drawing

    render(focus) {
      this.places = new Map();
      const sections = this.catalogue.sections.map(({ title, fields }) => this.section(title, fields, false));
      const rest = this.catalogue.rest.map((field) => this.section(field.label, [field], isEmpty(this.rule[field.name]) || same(this.rule[field.name], field.initial)));
      this.root.querySelector("[data-rule]").replaceChildren(...sections, ...rest);
      if (this.root.dataset.tabbed !== undefined) this.tab([...sections, ...rest]);
      if (focus) document.getElementById(focus)?.focus();
      if (this.told) this.tell();
    }

    /** One section at a time, each behind its tab; arrows move between tabs. */
    tab(sections) {
      const list = this.root.querySelector("[data-tabs]");
      list.hidden = false;
      const titles = sections.map((section) => section.querySelector("h2, summary").textContent);
      this.shown = titles.includes(this.shown) ? this.shown : titles[0];
      const show = (title, isFocused) => {
        this.shown = title;
        sections.forEach((section, at) => { section.hidden = titles[at] !== title; if (section.matches("details")) section.open = true; });
        [...list.children].forEach((tab, at) => {
          tab.setAttribute("aria-selected", String(titles[at] === title));
          tab.tabIndex = titles[at] === title ? 0 : -1;
          if (isFocused && titles[at] === title) tab.focus();
        });
      };
      list.replaceChildren(...titles.map((title, at) => h("button", {
        type: "button", role: "tab", class: "inc-tab", onclick: () => show(title, false),
        onkeydown: (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (step) show(titles[(at + step + titles.length) % titles.length], true);
        },
      }, title)));
      show(this.shown, false);
    }

    section(title, fields, isFolded) {
      const inside = h("div", { class: "inc-section-fields" }, fields.map((field) => this.draw(field, this.rule, "")));
      if (!isFolded && !this.catalogue.rest.includes(fields[0])) {
        return h("section", { class: "inc-section" }, h("h2", {}, title), inside);
      }
      return this.fold(`section:${title}`, title, !isFolded, inside, "inc-section");
    }

    fold(key, title, isOpen, inside, kind) {
      const details = h("details", { class: kind, open: isOpen || this.open.has(key) }, h("summary", {}, title), inside);
      details.addEventListener("toggle", () => { if (details.open) this.open.add(key); else this.open.delete(key); });
      return details;
    }

    draw(field, holder, above) {
      const path = `${above}/${field.name}`;
      if (field.kind === "part") return this.drawPart(field, holder, path);
      if (field.kind === "one_of") return this.drawOneOf(field, holder, path);
      if (field.kind === "many") return this.drawMany(field, holder, path);
      const drawn = drawField(field, holder, path, this.context);
      this.places.set(path, drawn.fail);
      return drawn.element;
    }

    /** The fields that fit what is chosen, the first ones shown, the rest below a fold that opens where it says something. */
    drawFields({ fields, more }, holder, path) {
      const fitting = fields.filter((field) => this.isShown(field, fields, holder));
      const shown = fitting.filter((field) => field.is_first);
      const rest = fitting.filter((field) => !field.is_first);
      const says = rest.some((field) => !isEmpty(bare(holder[field.name])) && !same(holder[field.name], field.initial));
      return [
        h("div", { class: "seg-fields" }, shown.map((field) => this.draw(field, holder, path))),
        rest.length ? this.fold(path, more, says, h("div", { class: "seg-fields" }, rest.map((field) => this.draw(field, holder, path))), "inc-more") : null,
      ];
    }

    isShown(field, fields, holder) {
      if (!field.shown_if) return true;
      const [other, values] = field.shown_if;
      const initial = fields.find((one) => one.name === other)?.initial ?? null;
      return values.includes(holder[other] ?? initial);
    }

    drawPart(field, holder, path) {
      if (field.is_optional) return this.drawOptional(field, holder, path);
      holder[field.name] ??= {};
      const error = this.place(path);
      const isOnly = path.split("/").length === 2;
      return h("fieldset", { class: "inc-part" }, h("legend", { class: isOnly ? "seg-hidden" : "inc-legend" }, field.label),
        error, ...this.drawFields(field, holder[field.name], path));
    }

    /** A part that may be left out: a switch, and below it the part. */
    drawOptional(field, holder, path) {
      const isThere = Boolean(holder[field.name]);
      const drawn = drawField({ ...field, kind: "switch", initial: false }, { [field.name]: isThere }, path, {
        ...this.context, changed: () => {}, redraw: (id) => {
          if (isThere) delete holder[field.name]; else holder[field.name] = {};
          this.context.changed(path);
          this.render(id);
        },
      });
      if (!isThere) return drawn.element;
      return h("div", { class: "inc-part" }, drawn.element, this.place(path), ...this.drawFields(field, holder[field.name], path));
    }

    drawOneOf(field, holder, path) {
      holder[field.name] ??= { kind: field.initial?.kind ?? field.variants[0].kind };
      const value = holder[field.name];
      const id = `inc${path}`;
      const variant = field.variants.find((one) => one.kind === value.kind) ?? field.variants[0];
      const select = h("select", {
        id, onchange: (event) => { holder[field.name] = { kind: event.target.value }; this.context.changed(path); this.render(id); },
      }, field.variants.map((one) => h("option", { value: one.kind, selected: one === variant }, one.label)));
      return h("fieldset", { class: "inc-part" }, h("legend", { class: "seg-hidden" }, field.label),
        h("div", { class: "seg-field" }, h("label", { for: id }, field.label), select), this.place(path),
        ...this.drawFields(variant, value, path));
    }

    drawMany(field, holder, path) {
      holder[field.name] ??= [];
      const items = holder[field.name];
      const cards = items.map((item, at) => this.drawItem(field, items, at, `${path}/${at}`));
      const none = items.length ? null : this.words[`none${field.name[0].toUpperCase()}${field.name.slice(1)}`];
      return h("div", { class: "inc-many" }, none ? h("p", { class: "seg-empty" }, none) : null, ...cards, this.place(path),
        items.length < (field.most ?? Infinity) ? this.drawAdder(field, items, path) : null);
    }

    drawItem(field, items, at, path) {
      const item = items[at];
      const variant = field.item.variants?.find((one) => one.kind === item.kind);
      const title = variant ? variant.label : field.called.replace("%(n)s", at + 1);
      const remove = h("button", {
        type: "button", class: "seg-tool is-icon", title: this.words.remove, "aria-label": `${this.words.remove}: ${title}`,
        onclick: () => { items.splice(at, 1); this.touched.clear(); this.fresh.clear(); this.keep(); this.render(`add${path.slice(0, path.lastIndexOf("/"))}`); },
      }, icon("close"));
      return h("div", { class: "seg-leaf inc-item", role: "group", "aria-label": title },
        h("div", { class: "seg-head" }, h("span", { class: "seg-title", title: variant?.about || null }, title), h("span", { class: "seg-tools" }, remove)),
        this.place(path), ...this.drawFields(variant ?? field.item, item, path));
    }

    drawAdder(field, items, path) {
      const add = (item) => {
        items.push(item);
        this.fresh.add(`${path}/${items.length - 1}`);
        this.keep();
        this.render();
        const card = this.root.querySelector(`[id^="inc${path}/${items.length - 1}/"]`);
        (card ?? document.getElementById(`add${path}`))?.focus();
      };
      const open = h("button", { type: "button", class: "seg-button", id: `add${path}`, "aria-expanded": "false" }, icon("add"), field.adds);
      if (!field.item.variants) {
        open.addEventListener("click", () => add({}));
        return h("div", { class: "seg-adders" }, open);
      }
      const picker = h("div", { class: "seg-picker", hidden: true });
      const close = () => { picker.hidden = true; open.setAttribute("aria-expanded", "false"); open.focus(); };
      open.addEventListener("click", () => {
        if (!picker.hidden) return close();
        this.fillPicker(picker, field.item.variants, (kind) => add({ kind }), close);
        picker.hidden = false;
        open.setAttribute("aria-expanded", "true");
        picker.querySelector("input").focus();
      });
      return h("div", { class: "seg-adders" }, open, picker);
    }

    fillPicker(picker, variants, choose, leave) {
      const search = h("input", { type: "search", autocomplete: "off", "aria-label": this.words.search, placeholder: this.words.search });
      const results = h("div", { class: "seg-results" });
      const list = () => {
        const typed = search.value.trim().toLowerCase().split(/\s+/);
        const found = variants.filter(({ kind, label, about }) => typed.every((word) => `${kind} ${label} ${about}`.toLowerCase().includes(word)));
        results.replaceChildren(...(found.length ? found.map(({ kind, label, about }) =>
          h("button", { type: "button", onclick: () => choose(kind) }, h("strong", {}, label), h("span", { class: "inc-about" }, about))) : [h("p", {}, this.words.nothing)]));
        if (search.value.trim()) results.querySelector("button")?.classList.add("is-best");
      };
      search.addEventListener("input", list);
      picker.onkeydown = (event) => {
        const items = [...results.querySelectorAll("button")];
        const at = items.indexOf(document.activeElement);
        if (event.key === "Escape") { event.preventDefault(); leave(); }
        if (event.key === "Enter" && event.target === search) { event.preventDefault(); items[0]?.click(); }
        if (event.key === "ArrowDown") { event.preventDefault(); items[Math.min(at + 1, items.length - 1)]?.focus(); }
        if (event.key === "ArrowUp") { event.preventDefault(); (at > 0 ? items[at - 1] : search).focus(); }
      };
      list();
      picker.replaceChildren(search, results);
    }

    /** A place of its own for what is wrong with a whole part. */
    place(path) {
      const error = h("p", { class: "seg-error", role: "alert" });
      this.places.set(path, (messages, isWanted) => { error.textContent = isWanted ? "" : messages.join(" "); });
      return error;
    }

    // The rule and what the server says of it

    /** The rule without the fields that a choice hides. */
    pruned(fields, holder) {
      const kept = holder.kind === undefined ? {} : { kind: holder.kind };
      for (const field of fields) {
        const value = holder[field.name];
        if (value === undefined || !this.isShown(field, fields, holder)) continue;
        kept[field.name] = this.prunedValue(field, value);
      }
      return kept;
    }

    prunedValue(field, value) {
      const of = (described, one) => (described.fields || described.variants
        ? this.pruned(described.fields ?? described.variants.find(({ kind }) => kind === one.kind)?.fields ?? [], one) : one);
      return field.kind === "many" ? value.map((one) => of(field.item, one)) : of(field, value);
    }

    keep(wait = WAIT) {
      const fields = [...this.catalogue.sections.flatMap((section) => section.fields), ...this.catalogue.rest];
      this.sent = this.pruned(fields, this.rule);
      this.store.value = JSON.stringify(this.sent);
      this.store.dispatchEvent(new Event("change", { bubbles: true }));
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), wait);
    }

    async suggest(source, typed) {
      try {
        const answer = await fetch(`${this.root.dataset.suggest}?${new URLSearchParams({ source, q: typed })}`);
        return (await answer.json()).pairs;
      } catch { return []; }
    }

    async ask() {
      const turn = (this.turn += 1);
      const said = this.root.querySelector("[data-said]");
      said.setAttribute("aria-busy", "true");
      let told;
      try {
        const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
        const answer = await fetch(this.root.dataset.say, {
          method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token },
          body: JSON.stringify({ rule: this.sent, row: Number(this.root.dataset.row) || null }),
        });
        told = await answer.json();
      } catch {
        told = { problem: this.words.offline };
      }
      if (turn !== this.turn) return;
      said.setAttribute("aria-busy", "false");
      this.told = told;
      this.tell();
    }

    tell() {
      const told = this.told ?? {};
      const rest = this.placeErrors(told.errors ?? {});
      this.root.querySelector("[data-sentence]").textContent = told.problem ?? told.sentence ?? this.words.mend;
      this.root.querySelector("[data-faults]").replaceChildren(...rest.map((message) => h("li", {}, message)));
      this.root.classList.toggle("is-stale", !told.sentence);
      const example = this.root.querySelector("[data-example]");
      example.hidden = !told.example;
      // Drawn by the server, which escapes whatever people typed.
      if (told.example) example.querySelector("[data-example-table]").innerHTML = told.example;
    }

    /** Puts each error at the nearest place above it; returns those that have none. */
    placeErrors(errors) {
      const found = new Map();
      const rest = [];
      for (const [pointer, messages] of Object.entries(errors)) {
        let path = pointer;
        while (path && !this.places.has(path)) path = path.slice(0, path.lastIndexOf("/"));
        if (!path) rest.push(...messages);
        else found.set(path, [...(found.get(path) ?? []), ...messages]);
      }
      for (const [path, fail] of this.places) {
        const messages = found.get(path) ?? [];
        fail(messages, messages.length > 0 && !this.isTouched(path));
      }
      const tabs = [...(this.root.querySelector("[data-tabs]")?.children ?? [])];
      tabs.forEach((tab, at) => tab.classList.toggle("has-error", Boolean(this.root.querySelector("[data-rule]").children[at]?.querySelector(".has-error, .is-wanted"))));
      return rest;
    }

    /** Whether she has been there, or anywhere inside. */
    isTouched(path) {
      const isNew = [...this.fresh].some((one) => path === one || path.startsWith(`${one}/`));
      return (this.isAllTouched && !isNew) || [...this.touched].some((one) => one === path || one.startsWith(`${path}/`));
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll("[data-incentive-builder]")) new Builder(root).start();
  });
})();
