/* The builder: a rule as nested groups that somebody edits, while its size, sample and sentence follow. */
"use strict";

(() => {
  const { h, icon, draw } = window.segmentFields;
  const WAIT = 350;

  class Builder {
    constructor(root) {
      this.root = root;
      this.readonly = "readonly" in root.dataset;
      this.segment = root.dataset.segment ? Number(root.dataset.segment) : null;
      this.words = { ...root.querySelector("[data-words]").dataset };
      this.catalogue = JSON.parse(document.getElementById("segment-catalogue").textContent);
      this.byKey = new Map(this.catalogue.groups.flatMap((group) => group.conditions).map((c) => [c.key, c]));
      this.store = root.querySelector("textarea.seg-json");
      this.context = {
        words: this.words, sets: this.catalogue.sets, money: this.catalogue.money, readonly: this.readonly,
        suggest: (source, typed) => this.suggest(source, typed),
      };
      this.places = new Map();
      this.turn = 0;
      this.dirty = false;
    }

    start() {
      const text = this.store ? this.store.value : document.getElementById("segment-rule").textContent;
      let rule;
      try { rule = JSON.parse(text || "{}"); } catch { return; } // What cannot be read stays in the textarea.
      try { this.tree = this.read(rule ?? {}); } catch { return; }
      if (!this.tree.isGroup || this.tree.not) this.tree = { isGroup: true, all: true, not: false, parts: [this.tree] };
      if (this.store) this.store.hidden = true;
      this.root.querySelector("[data-shell]").hidden = false;
      this.listen();
      this.render();
      this.ask(0);
    }

    // The tree and its JSON

    read(node) {
      if ("not" in node) {
        const part = this.read(node.not);
        return { ...part, not: !part.not };
      }
      if ("key" in node) return { isGroup: false, not: false, key: node.key, args: { ...(node.args ?? {}) } };
      const parts = node.all ?? node.any ?? [];
      return { isGroup: true, not: false, all: !("any" in node), parts: parts.map((part) => this.read(part)) };
    }

    write(node, path = "") {
      node.path = node.not ? `${path}/not` : path;
      let json;
      if (node.isGroup) {
        const word = node.all ? "all" : "any";
        json = { [word]: node.parts.map((part, at) => this.write(part, `${node.path}/${word}/${at}`)) };
      } else {
        json = { key: node.key, args: node.args };
      }
      return node.not ? { not: json } : json;
    }

    rule() {
      const json = this.write(this.tree);
      return this.tree.parts.length ? json : {};
    }

    // Drawing

    render() {
      this.places.clear();
      this.root.querySelector("[data-rule]").replaceChildren(this.drawGroup(this.tree, null));
    }

    drawGroup(group, parent) {
      const isRoot = parent === null;
      const parts = h("ol", { class: "seg-parts" });
      group.parts.forEach((part, at) => {
        const joiner = at ? h("li", { class: "seg-joiner", "aria-hidden": "true" }, group.all ? this.words.and : this.words.or) : null;
        parts.append(...[joiner, h("li", {}, part.isGroup ? this.drawGroup(part, group) : this.drawLeaf(part, group))].filter(Boolean));
      });
      const mode = h("select", {
        "aria-label": this.words.meets, disabled: this.readonly,
        onchange: (event) => { group.all = event.target.value === "all"; this.changed(true, () => this.places.get(group).mode.focus()); },
      },
      h("option", { value: "all", selected: group.all }, this.words.all),
      h("option", { value: "any", selected: !group.all }, this.words.any));
      const error = h("p", { class: "seg-error", role: "alert" });
      const head = h("div", { class: "seg-head" }, h("span", { class: "seg-title" }, group.not ? this.words.not : null, " ", this.words.meets), mode,
        isRoot || this.readonly ? null : this.tools(group, parent, this.words.group));
      const element = h("fieldset", { disabled: this.readonly, class: `seg-group${isRoot ? " is-root" : ""}${group.not ? " is-not" : ""}` },
        h("legend", { class: "seg-hidden" }, this.words.group), head,
        group.parts.length || !isRoot ? null : h("p", { class: "seg-empty" }, this.words.empty), parts, error,
        this.readonly ? null : this.drawAdders(group));
      this.places.set(group, { element, mode, fail: (messages) => { error.textContent = messages.join(" "); } });
      return element;
    }

    drawLeaf(leaf, parent) {
      const condition = this.byKey.get(leaf.key) ?? { label: leaf.key, fields: [] };
      const fields = new Map();
      const holder = h("div", { class: "seg-fields" });
      const show = () => {
        for (const field of condition.fields) {
          const [other, choices] = field.shown_if ?? [];
          fields.get(field.name).element.hidden = Boolean(other) && !choices.includes(leaf.args[other]);
        }
      };
      for (const field of condition.fields) {
        const drawn = draw(field, leaf.args, this.context, () => { leaf.untouched?.delete(field.name); show(); this.changed(false); });
        drawn.element.addEventListener("focusout", () => { if (leaf.untouched?.delete(field.name)) this.tell(this.told ?? {}); });
        fields.set(field.name, drawn);
        holder.append(drawn.element);
      }
      show();
      const error = h("p", { class: "seg-error", role: "alert" });
      const phrase = h("p", { class: "seg-phrase" }, leaf.phrase ?? "");
      const head = h("div", { class: "seg-head" },
        h("span", { class: "seg-title", title: condition.about || null }, leaf.not ? h("em", {}, this.words.not) : null, " ", condition.label),
        this.readonly ? null : this.tools(leaf, parent, condition.label));
      const element = h("div", { class: `seg-leaf${leaf.not ? " is-not" : ""}`, role: "group", "aria-label": condition.label },
        head, condition.fields.length ? holder : null, error, phrase);
      this.places.set(leaf, {
        element, fields, phrase, first: condition.fields.length ? fields.get(condition.fields[0].name).input : null,
        fail: (messages) => { error.textContent = messages.join(" "); },
      });
      return element;
    }

    /** "Not" and "remove", the same for a condition and a group. */
    tools(node, parent, label) {
      const not = h("button", {
        type: "button", class: "seg-tool", "aria-pressed": String(node.not), title: this.words.excludeHelp,
        "aria-label": `${this.words.exclude}: ${label}`,
        onclick: () => { node.not = !node.not; this.changed(true, () => this.places.get(node).element.querySelector(".seg-tool").focus()); },
      }, this.words.exclude);
      const remove = h("button", {
        type: "button", class: "seg-tool is-icon", title: this.words.remove, "aria-label": `${this.words.remove}: ${label}`,
        onclick: () => {
          parent.parts.splice(parent.parts.indexOf(node), 1);
          this.changed(true, () => this.places.get(parent).element.querySelector(":scope > .seg-adders button").focus());
        },
      }, icon("close"));
      return h("span", { class: "seg-tools" }, not, remove);
    }

    drawAdders(group) {
      const picker = h("div", { class: "seg-picker", hidden: true });
      const open = h("button", { type: "button", class: "seg-button", "aria-expanded": "false" }, icon("add"), this.words.add);
      const close = () => { picker.hidden = true; open.setAttribute("aria-expanded", "false"); };
      open.addEventListener("click", () => {
        if (!picker.hidden) return close();
        this.fillPicker(picker, (key) => this.add(group, key), () => { close(); open.focus(); });
        picker.hidden = false;
        open.setAttribute("aria-expanded", "true");
        picker.querySelector("input").focus();
      });
      const nest = h("button", {
        type: "button", class: "seg-button is-quiet",
        onclick: () => {
          const inner = { isGroup: true, not: false, all: !group.all, parts: [] };
          group.parts.push(inner);
          this.changed(true, () => this.places.get(inner).element.querySelector(".seg-adders button").click());
        },
      }, icon("add_box"), this.words.addGroup);
      return h("div", { class: "seg-adders" }, open, nest, picker);
    }

    fillPicker(picker, choose, leave) {
      const search = h("input", { type: "search", autocomplete: "off", "aria-label": this.words.search, placeholder: this.words.search });
      const results = h("div", { class: "seg-results" });
      let best;
      const list = () => {
        const typed = search.value.trim().toLowerCase().split(/\s+/);
        const groups = this.catalogue.groups.map((group) => {
          const found = group.conditions.filter((condition) => {
            const text = `${group.label} ${condition.label} ${condition.key}`.toLowerCase();
            return typed.every((word) => text.includes(word));
          });
          const items = found.map((condition) =>
            h("button", { type: "button", title: condition.about || null, onclick: () => choose(condition.key) }, condition.label));
          return found.length ? h("div", { role: "group", "aria-label": group.label }, h("p", {}, group.label), ...items) : null;
        }).filter(Boolean);
        results.replaceChildren(...(groups.length ? groups : [h("p", {}, this.words.nothing)]));
        const items = [...results.querySelectorAll("button")];
        const text = search.value.trim().toLowerCase();
        best = items.find((item) => item.textContent.toLowerCase().startsWith(text)) ?? items[0];
        if (text) best?.classList.add("is-best");
      };
      search.addEventListener("input", list);
      picker.onkeydown = (event) => {
        const items = [...results.querySelectorAll("button")];
        const at = items.indexOf(document.activeElement);
        if (event.key === "Escape") { event.preventDefault(); leave(); }
        if (event.key === "Enter" && event.target === search) { event.preventDefault(); best?.click(); }
        if (event.key === "ArrowDown") { event.preventDefault(); items[Math.min(at + 1, items.length - 1)]?.focus(); }
        if (event.key === "ArrowUp") { event.preventDefault(); (at > 0 ? items[at - 1] : search).focus(); }
      };
      list();
      picker.replaceChildren(search, results);
    }

    add(group, key) {
      const condition = this.byKey.get(key);
      const args = {};
      for (const field of condition.fields) {
        if (field.initial !== null) args[field.name] = field.initial;
        else if (field.kind === "choice" && field.required && field.choices.length) args[field.name] = field.choices[0][0];
      }
      const leaf = { isGroup: false, not: false, key, args, untouched: new Set(condition.fields.map((field) => field.name)) };
      group.parts.push(leaf);
      this.changed(true, () => {
        const place = this.places.get(leaf);
        (place.first ?? place.element.querySelector("button")).focus();
        place.element.scrollIntoView({ block: "nearest" });
      });
    }

    // What the server says of it

    changed(isRedrawn, then) {
      this.dirty = true;
      if (isRedrawn) { this.render(); then?.(); }
      if (this.store) {
        // Fields that their choice hides are not part of the rule.
        this.store.value = JSON.stringify(this.shownRule());
        this.store.dispatchEvent(new Event("change", { bubbles: true }));
      }
      this.ask(WAIT);
    }

    shownRule() {
      const pruned = (node) => {
        if (node.isGroup) return { ...node, parts: node.parts.map(pruned) };
        const fields = this.byKey.get(node.key)?.fields ?? [];
        const hidden = fields.filter(({ shown_if: rule }) => rule && !rule[1].includes(node.args[rule[0]])).map((f) => f.name);
        return { ...node, args: Object.fromEntries(Object.entries(node.args).filter(([name]) => !hidden.includes(name))) };
      };
      this.rule(); // Places every node at its path.
      const tree = pruned(this.tree);
      return tree.parts.length ? this.write(tree) : {};
    }

    ask(wait) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.preview(), wait);
    }

    async post(url, body) {
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      const answer = await fetch(url, {
        method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: JSON.stringify(body),
      });
      return answer.json();
    }

    async suggest(source, typed) {
      try {
        const answer = await fetch(`${this.root.dataset.suggest}?${new URLSearchParams({ source, q: typed })}`);
        return (await answer.json()).pairs;
      } catch { return []; }
    }

    async preview() {
      const turn = (this.turn += 1);
      const size = this.root.querySelector("[data-size]");
      size.setAttribute("aria-busy", "true");
      let told;
      try {
        told = await this.post(this.root.dataset.preview, { rule: this.shownRule(), segment: this.segment });
      } catch {
        told = { problem: this.words.offline };
      }
      if (turn !== this.turn) return;
      size.setAttribute("aria-busy", "false");
      this.told = told;
      this.tell(told);
    }

    tell(told) {
      this.root.classList.toggle("is-stale", Boolean(told.errors ?? told.problem));
      if (!told.errors && !told.problem && !told.sentence) return;
      const errors = new Map(Object.entries(told.errors ?? {}));
      for (const [node, place] of this.places) this.placeErrors(node, place, errors);
      const count = this.root.querySelector("[data-count]");
      const share = this.root.querySelector("[data-share]");
      const sentence = this.root.querySelector("[data-sentence]");
      const rest = [...errors.values()].flat();
      if (told.errors || told.problem) {
        count.textContent = "–";
        share.textContent = this.words.mend;
        sentence.textContent = told.problem ?? [this.words.mendHelp, ...rest].join(" ");
        return;
      }
      count.textContent = told.size === null ? "–" : told.size.toLocaleString(document.documentElement.lang || undefined);
      share.textContent = told.size === null ? this.words.slow : this.share(told);
      sentence.textContent = told.sentence;
      for (const [node, place] of this.places) {
        if (!node.isGroup) { node.phrase = told.phrases[node.path] ?? ""; place.phrase.textContent = node.phrase; }
      }
      this.drawSample(told.sample);
    }

    share({ size, total }) {
      const noun = size === 1 ? this.words.customer : this.words.customers;
      if (!total) return noun;
      const percent = (100 * size) / total;
      const shown = percent > 0 && percent < 1 ? "< 1" : String(Math.round(percent));
      return `${noun}, ${shown} % ${this.words.of} ${total.toLocaleString(document.documentElement.lang || undefined)}`;
    }

    /** Puts each error at the field or node it names and takes it off the list. */
    placeErrors(node, place, errors) {
      const own = [];
      const take = (path) => {
        const found = errors.get(path) ?? [];
        errors.delete(path);
        return found;
      };
      if (node.isGroup) {
        own.push(...take(`${node.path}/${node.all ? "all" : "any"}`), ...take(node.path || "/"));
      } else {
        for (const [name, field] of place.fields) {
          // A field that nobody has been to yet is marked, not scolded.
          const found = take(`${node.path}/args/${name}`);
          const isUntouched = Boolean(node.untouched?.has(name));
          field.element.classList.toggle("is-wanted", isUntouched && found.length > 0);
          field.fail(isUntouched ? [] : found);
        }
        own.push(...take(`${node.path}/args`), ...take(`${node.path}/key`), ...take(node.path));
        for (const path of [...errors.keys()]) if (path.startsWith(`${node.path}/args/`)) own.push(...take(path));
      }
      place.fail(own);
    }

    drawSample(sample) {
      const list = this.root.querySelector("[data-sample]");
      if (!list || !sample) return;
      list.replaceChildren(...(sample.length ? sample : [null]).map((customer) => {
        if (!customer) return h("li", { class: "seg-soft" }, this.words.noSample);
        const name = customer.url ? h("a", { href: customer.url, target: "_blank", rel: "noopener" }, customer.name) : h("span", {}, customer.name);
        return h("li", {}, h("span", { class: "seg-person" }, name, h("span", { class: "seg-soft" }, [customer.email, customer.place].filter(Boolean).join(" · "))),
          customer.email ? h("button", { type: "button", class: "seg-tool", "aria-label": `${this.words.why} ${customer.name}`, onclick: () => this.explain(customer.email) }, this.words.why) : null);
      }));
    }

    // Why one customer

    async explain(who) {
      const input = this.root.querySelector("[data-who]");
      const told = this.root.querySelector("[data-told]");
      input.value = who;
      if (!who.trim()) return input.focus();
      let answer;
      try {
        answer = await this.post(this.root.dataset.explain, { rule: this.shownRule(), segment: this.segment, customer: who });
      } catch {
        answer = { problem: this.words.offline };
      }
      if (answer.problem) { told.replaceChildren(h("p", { class: "seg-error" }, answer.problem)); return; }
      const verdict = answer.is_met ? this.words.in : this.words.out;
      told.replaceChildren(
        h("p", { class: `seg-verdict ${answer.is_met ? "is-met" : "is-unmet"}` }, h("strong", {}, answer.customer.name), " ", verdict,
          answer.since ? h("span", { class: "seg-soft" }, ` · ${this.words.since} ${answer.since}`) : null),
        h("ul", { class: "seg-told" }, answer.told.map((node) => this.drawTold(node))),
      );
    }

    drawTold(node) {
      const isGroup = node.kind === "all" || node.kind === "any";
      const words = isGroup && node.parts.length ? this.words[node.kind] : node.kind === "not" ? this.words.not : node.sentence;
      const mark = h("span", { class: `seg-mark ${node.is_met ? "is-met" : "is-unmet"}` }, icon(node.is_met ? "check" : "close"),
        h("span", { class: "seg-hidden" }, node.is_met ? this.words.met : this.words.unmet));
      const hers = node.hers ? h("span", { class: "seg-hers" }, ` · ${node.hers}`) : null;
      return h("li", {}, mark, h("span", {}, words, hers), node.parts.length ? h("ul", {}, node.parts.map((part) => this.drawTold(part))) : null);
    }

    listen() {
      const who = this.root.querySelector("[data-who]");
      if (who) {
        who.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.explain(who.value); } });
        this.root.querySelector("[data-ask]").addEventListener("click", () => this.explain(who.value));
      }
      // Enter in a field of the rule must not save the whole form half-way.
      this.root.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); });
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll("[data-builder]")) new Builder(root).start();
  });
})();
