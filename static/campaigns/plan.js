/* The campaign's form: its steps, hours and variants as cards, and the summary of the whole plan kept live. */
"use strict";

(() => {
  const { h, icon } = window.segmentFields;
  const WAIT = 400;
  const END = "end";
  const choices = () => JSON.parse(document.getElementById("plan-choices").textContent);
  let serial = 0;

  /** A labelled control; the label is read with it. */
  const field = (label, control, kind = "") => {
    const id = `plan-field-${(serial += 1)}`;
    control.id = id;
    return h("div", { class: `seg-field ${kind}` }, h("label", { for: id }, label), control);
  };
  const select = (pairs, value, change) => h("select", { onchange: (event) => change(event.target.value) },
    pairs.map(([key, label]) => h("option", { value: String(key), selected: String(key) === String(value ?? "") }, label)));
  const number = (value, least, change) => h("input", {
    type: "number", inputmode: "numeric", min: String(least), class: "seg-number", value: String(value ?? ""),
    oninput: (event) => change(event.target.value === "" ? null : Number(event.target.value)),
  });
  const time = (value, change) => h("input", { type: "time", value: (value ?? "").slice(0, 5), oninput: (event) => change(event.target.value) });
  const idOf = (text) => (text === "" ? null : Number(text));

  class Editor {
    constructor(root, siblings) {
      this.root = root;
      this.kind = root.dataset.planParts;
      this.words = { ...root.querySelector("[data-words]").dataset };
      this.store = root.querySelector("textarea");
      this.siblings = siblings;
      this.choices = choices();
      this.open = new Set();
    }

    start() {
      try { this.rows = JSON.parse(this.store.value || "[]"); } catch { return; } // Stays in the textarea.
      if (!Array.isArray(this.rows)) return;
      this.store.hidden = true;
      this.render();
    }

    keep() {
      this.store.value = JSON.stringify(this.rows);
      this.store.dispatchEvent(new Event("change", { bubbles: true }));
    }

    /** Kept and drawn anew, with the focus where it was told to be. */
    redraw(focus) {
      this.keep();
      this.render();
      if (focus) this.root.querySelector(focus)?.focus();
      if (this.kind === "steps") this.siblings.variants?.render();
    }

    render() {
      const word = this.kind[0].toUpperCase() + this.kind.slice(1);
      const cards = this.rows.map((row, at) => this.card(row, at));
      const add = h("button", { type: "button", class: "seg-button", "data-add": "", onclick: () => this.add() }, icon("add"), this.words[`add${word}`]);
      const none = this.rows.length ? null : h("p", { class: "seg-empty" }, this.words[`none${word}`]);
      this.root.querySelector("[data-list]").replaceChildren(...[none, ...cards, add].filter(Boolean));
    }

    card(row, at) {
      const title = this.kind === "steps" ? `${this.words.step} ${at + 1}` : this.kind === "variants" ? row.label || row.key : `${this.words.windows} ${at + 1}`;
      const tool = (name, label, act, isOff) => h("button", {
        type: "button", class: "seg-tool is-icon", title: label, "aria-label": `${label}: ${title}`, disabled: isOff, onclick: act,
      }, icon(name));
      const tools = this.kind === "steps" ? [
        tool("arrow_upward", this.words.up, () => this.move(at, -1), at === 0),
        tool("arrow_downward", this.words.down, () => this.move(at, 1), at === this.rows.length - 1),
      ] : [];
      tools.push(tool("close", this.words.remove, () => { this.rows.splice(at, 1); this.loosen(); this.redraw("[data-add]"); }));
      return h("div", { class: "seg-leaf plan-step", role: "group", "aria-label": title },
        h("div", { class: "seg-head" }, h("span", { class: "seg-title" }, title), h("span", { class: "seg-tools" }, tools)),
        ...this[`${this.kind}Card`](row, at));
    }

    add() {
      const blank = {
        steps: () => ({ key: this.freshKey("step"), wait: { hours: this.rows.length ? 24 : 0 }, messages: [], incentive: null }),
        windows: () => ({ weekdays: [0, 1, 2, 3, 4], from: "09:00", until: "18:00" }),
        variants: () => ({ key: this.freshKey("variant"), label: String.fromCharCode(65 + this.rows.length), weight: 1, steps: {} }),
      };
      // A test of one variant is none.
      if (this.kind === "variants" && !this.rows.length) this.rows.push(blank.variants());
      this.rows.push(blank[this.kind]());
      this.redraw();
      this.root.querySelector(".plan-step:last-of-type :is(input, select)")?.focus();
    }

    freshKey(word) {
      let n = this.rows.length + 1;
      while (this.rows.some(({ key }) => key === `${word}-${n}`)) n += 1;
      return `${word}-${n}`;
    }

    move(at, by) {
      [this.rows[at], this.rows[at + by]] = [this.rows[at + by], this.rows[at]];
      this.loosen();
      this.redraw();
    }

    /** Steps lead forward only: what leads back, or to nothing, goes on with the next one. */
    loosen() {
      if (this.kind !== "steps") return;
      this.rows.forEach((row, at) => {
        const ahead = new Set([END, ...this.rows.slice(at + 1).map(({ key }) => key)]);
        for (const name of ["then", "otherwise"]) if (row[name] && !ahead.has(row[name])) row[name] = null;
      });
    }

    // Steps

    stepsCard(row, at) {
      const fields = h("div", { class: "seg-fields" }, this.wait(row, "wait"), this.incentive(row), ...this.messages(row, at));
      const ahead = [["", this.words.next], [END, this.words.end], ...this.rows.slice(at + 1).map(({ key }, n) => [key, `${this.words.step} ${at + n + 2}`])];
      const leads = (name, label) => field(label, select(ahead, row[name], (value) => { row[name] = value || null; this.keep(); }));
      const inside = [
        field(this.words.only, select([["", this.words.everyone], ...this.choices.segments], row.only_for, (value) => {
          row.only_for = idOf(value);
          if (!row.only_for) row.otherwise = null;
          this.redraw();
        })),
        row.only_for ? leads("otherwise", this.words.others) : null,
        leads("then", this.words.then),
      ].filter(Boolean);
      const isOpen = Boolean(row.only_for || row.then || row.otherwise) || this.open.has(row.key);
      const more = h("details", { class: "inc-more", open: isOpen }, h("summary", {}, this.words.more), h("div", { class: "seg-fields" }, inside));
      more.addEventListener("toggle", () => { if (more.open) this.open.add(row.key); else this.open.delete(row.key); });
      return [fields, more];
    }

    wait(holder, name, isOptional = false) {
      const now = holder[name] ?? (isOptional ? null : (holder[name] = { hours: 0 }));
      const byDays = now !== null && now.days !== undefined && now.days !== null;
      const kinds = [["hours", this.words.hours], ["days", this.words.days]];
      if (isOptional) kinds.unshift(["", this.words.asIs]);
      const kind = select(kinds, now === null ? "" : byDays ? "days" : "hours", (value) => {
        holder[name] = value === "days" ? { days: 1, hour: "10:00" } : value === "hours" ? { hours: 24 } : null;
        this.redraw();
      });
      kind.setAttribute("aria-label", `${this.words.wait}: ${this.words.hours}, ${this.words.days}`);
      if (now === null) return field(this.words.wait, kind);
      const key = byDays ? "days" : "hours";
      const count = number(now[key], 0, (value) => { now[key] = value; this.keep(); });
      const parts = [count, kind];
      if (byDays) {
        const hour = time(now.hour, (value) => { now.hour = value; this.keep(); });
        hour.setAttribute("aria-label", this.words.hour);
        parts.push(hour);
      }
      const shown = field(this.words.wait, count);
      shown.append(h("span", { class: "seg-amount" }, parts));
      return shown;
    }

    incentive(holder, none = this.words.nothing) {
      return field(this.words.give, select([["", none], ...this.choices.incentives], holder.incentive, (value) => { holder.incentive = idOf(value); this.keep(); }));
    }

    /** A message a channel; the channels that are taken are offered no more. */
    messages(holder, at, none = this.words.nothing) {
      const chosen = holder.messages ?? [];
      const channelOf = new Map(this.choices.templates.map(([pk, , channel]) => [pk, channel]));
      const several = new Set(this.choices.templates.map(([, , channel]) => channel)).size > 1;
      const pairs = (own) => this.choices.templates
        .filter(([pk, , channel]) => pk === own || !chosen.some((other) => other !== own && channelOf.get(other) === channel))
        .map(([pk, name, channel]) => [pk, several ? `${name} (${channel})` : name]);
      const put = (n, value) => {
        const next = [...chosen];
        if (value === null) next.splice(n, 1); else next[n] = value;
        holder.messages = next.length || holder.key ? next : null;
        this.redraw();
      };
      const shown = (chosen.length ? chosen : [null]).map((pk, n) => field(this.words.say, select([["", none], ...pairs(pk)], pk, (value) => put(n, idOf(value)))));
      if (chosen.length && pairs(null).length) {
        shown.push(field(this.words.another, select([["", "…"], ...pairs(null)], "", (value) => { if (value) put(chosen.length, idOf(value)); })));
      }
      if (chosen.length > 1 && holder.key) {
        shown.push(field(this.words.reach, select([["first", this.words.first], ["all", this.words.all]], holder.reach ?? "first", (value) => { holder.reach = value; this.keep(); })));
      }
      return shown;
    }

    // Hours of the week

    windowsCard(row) {
      const days = this.choices.weekdays.map((name, day) => {
        const box = h("input", { type: "checkbox", checked: row.weekdays.includes(day), onchange: (event) => {
          row.weekdays = event.target.checked ? [...row.weekdays, day].sort() : row.weekdays.filter((one) => one !== day);
          this.keep();
        } });
        return h("label", { class: "plan-day" }, box, name);
      });
      return [
        h("div", { class: "plan-days", role: "group", "aria-label": this.words.weekdays }, days),
        h("div", { class: "seg-fields" },
          field(this.words.from, time(row.from, (value) => { row.from = value; this.keep(); })),
          field(this.words.until, time(row.until, (value) => { row.until = value; this.keep(); }))),
      ];
    }

    // Variants

    variantsCard(row) {
      const name = h("input", { type: "text", value: row.label ?? "", maxlength: "60", oninput: (event) => { row.label = event.target.value; this.keep(); } });
      const steps = this.siblings.steps?.rows ?? [];
      const changes = steps.map((step, at) => {
        const change = row.steps[step.key] ?? {};
        const holder = new Proxy(change, { set: (target, key, value) => {
          if (value === null || value === undefined) delete target[key]; else target[key] = value;
          if (Object.keys(target).length) row.steps[step.key] = target; else delete row.steps[step.key];
          return true;
        } });
        return h("fieldset", { class: "plan-change" }, h("legend", {}, `${this.words.step} ${at + 1}`), h("div", { class: "seg-fields" },
          this.wait(holder, "wait", true), this.incentive(holder, this.words.asIs), ...this.messages(holder, at, this.words.asIs)));
      });
      return [
        h("div", { class: "seg-fields" }, field(this.words.label, name), field(this.words.weight, number(row.weight ?? 1, 1, (value) => { row.weight = value; this.keep(); }))),
        ...changes,
      ];
    }
  }

  /** Asks the server what the form says, a moment after the last change. */
  class Summary {
    constructor(root) {
      this.root = root;
      this.form = root.closest("form") ?? document.querySelector("#campaign_form");
      this.turn = 0;
    }

    start() {
      const later = () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.ask(), WAIT); };
      this.form.addEventListener("input", later);
      this.form.addEventListener("change", later);
      this.root.querySelector("[data-count]")?.addEventListener("click", () => this.ask(true));
      window.jQuery?.(this.form).on("change", later); // the theme's choosers tell jQuery alone
      if (this.root.dataset.isNew) this.ask();
    }

    async ask(isCounting = false) {
      const turn = (this.turn += 1);
      this.root.setAttribute("aria-busy", "true");
      const body = new FormData(this.form);
      if (isCounting) body.append("count", "1");
      let told = {};
      try {
        const answer = await fetch(this.root.dataset.say, { method: "POST", body });
        told = await answer.json();
      } catch { told = { problem: this.root.dataset.offline }; }
      if (turn !== this.turn) return;
      this.root.setAttribute("aria-busy", "false");
      const sentence = this.root.querySelector("[data-sentence]");
      if (told.sentence) sentence.textContent = told.sentence;
      this.root.classList.toggle("is-stale", !told.sentence);
      this.root.querySelector("[data-faults]").replaceChildren(...(told.faults ?? (told.problem ? [told.problem] : [])).map((one) => h("li", {}, one)));
      // Drawn by the server, which escapes whatever people typed.
      if (told.count) this.root.querySelector("[data-dry-run]").innerHTML = told.count;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const editors = {};
    for (const root of document.querySelectorAll("[data-plan-parts]")) editors[root.dataset.planParts] = new Editor(root, editors);
    for (const kind of ["steps", "windows", "variants"]) editors[kind]?.start();
    for (const root of document.querySelectorAll("[data-plan-summary]")) new Summary(root).start();
  });
})();
