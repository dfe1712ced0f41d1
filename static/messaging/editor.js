// The template editor: language tabs, inserting at the cursor, and a preview that follows what is typed.
// Also the frames in which messages are shown: width, and HTML or plain text.
(() => {
  const pressed = (group, name, value) => {
    for (const button of group.querySelectorAll(`[data-${name}]`)) {
      button.setAttribute("aria-pressed", String(button.dataset[name] === value));
    }
  };

  const views = (root, frame, show) => {
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-width], [data-part], [data-scheme]");
      if (!button) return;
      if (button.dataset.width) {
        pressed(root, "width", button.dataset.width);
        frame.classList.toggle("is-phone", button.dataset.width === "phone");
      } else if (button.dataset.part) {
        pressed(root, "part", button.dataset.part);
        show(button.dataset.part);
      } else {
        pressed(root, "scheme", button.dataset.scheme);
        show(undefined, button.dataset.scheme);
      }
    });
  };

  const csrf = (root) => [["csrfmiddlewaretoken", root.closest("form").querySelector("[name=csrfmiddlewaretoken]").value]];

  // A form of its own: the page's own form would be taken for saved.
  const send = (frame, url, values) => {
    const post = document.createElement("form");
    post.method = "post";
    post.action = url;
    post.target = frame.name;
    post.hidden = true;
    for (const [name, value] of values) {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      post.append(input);
    }
    document.body.append(post);
    post.submit();
    post.remove();
  };

  const editor = (root) => {
    const form = root.closest("form");
    const frame = root.querySelector("iframe");
    let part = "html";
    let scheme = "light";
    const choice = form.querySelector("select[name=channel]");
    const channel = () => choice?.value ?? root.dataset.channel;
    // A text message has no blocks: parts that a channel lacks are neither shown nor sent.
    const fit = () => {
      for (const each of root.querySelectorAll("[data-channels]")) {
        const is = each.dataset.channels.split(" ").includes(channel());
        each.hidden = !is;
        for (const input of each.querySelectorAll("input, textarea")) input.disabled = !is;
      }
      root.classList.toggle("is-plain", channel() !== "email");
    };
    let field = root.querySelector("textarea");
    let timer;

    const language = () => root.querySelector("[role=tab][aria-selected=true]").dataset.language;

    const preview = () => send(frame, root.dataset.previewUrl, [
      ...[...new FormData(form)].filter(([name]) => name.startsWith("words-") || name === "category"),
      ...csrf(root),
      ["channel", channel()],
      ["preview_date", root.querySelector("[data-field=preview_date]").value],
      ["preview_scheme", scheme],
      ["preview_language", language()],
      ["preview_part", part],
      ["preview_customer", root.querySelector("[data-field=preview_customer]").value],
    ]);
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(preview, 500);
    };

    const select = (tab) => {
      for (const other of root.querySelectorAll("[role=tab]")) {
        const is = other === tab;
        other.setAttribute("aria-selected", String(is));
        other.tabIndex = is ? 0 : -1;
        document.getElementById(other.getAttribute("aria-controls")).hidden = !is;
      }
      field = document.getElementById(tab.getAttribute("aria-controls")).querySelector("textarea");
      preview();
    };

    const insert = (text, into) => {
      const start = into.selectionStart ?? into.value.length;
      const isBlock = text.startsWith("<") || text.startsWith("{%");
      const lead = isBlock && start > 0 && into.value[start - 1] !== "\n" ? "\n" : "";
      into.focus();
      into.setRangeText(lead + text + (isBlock ? "\n" : ""), start, into.selectionEnd ?? start, "end");
      into.dispatchEvent(new Event("input", { bubbles: true }));
    };

    root.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) select(tab);
      const button = event.target.closest("[data-insert]");
      if (button) insert(button.dataset.insert, document.getElementById(button.dataset.into) ?? field);
    });
    root.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const tabs = [...root.querySelectorAll("[role=tab]")];
      const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      next.focus();
      select(next);
    });
    root.addEventListener("focusin", (event) => {
      if (event.target.matches("textarea, .words-panel input")) field = event.target;
    });
    root.addEventListener("input", soon);
    form.querySelector("[name=category]")?.addEventListener("change", soon);
    choice?.addEventListener("change", () => {
      fit();
      soon();
    });
    fit();
    views(root, frame, (chosen, colours) => {
      part = chosen ?? part;
      scheme = colours ?? scheme;
      preview();
    });
    // Enter in the customer's field shows her mail; it must not save the template.
    root.querySelector("[data-field=preview_customer]").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      preview();
    });
    preview();
  };

  const mail = (root) => {
    const frame = root.querySelector("iframe");
    let part = "html";
    let scheme = "light";
    const typed = root.dataset.typed && root.closest("form")?.querySelector(`[name=${root.dataset.typed}]`);
    const show = () => {
      if (typed) send(frame, root.dataset.url, [...csrf(root), [typed.name, typed.value], ["preview_scheme", scheme]]);
      else frame.src = `${root.dataset.url}?part=${part}&scheme=${scheme}`;
    };
    views(root, frame, (chosen, colours) => {
      part = chosen ?? part;
      scheme = colours ?? scheme;
      show();
    });
    if (typed) {
      let timer;
      // The builder writes what is chosen into its own field, a moment after it was chosen.
      const soon = () => {
        clearTimeout(timer);
        timer = setTimeout(show, 500);
      };
      root.closest("form").addEventListener("input", soon);
      root.closest("form").addEventListener("change", soon);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".words").forEach(editor);
    document.querySelectorAll(".mail").forEach(mail);
  });
})();
