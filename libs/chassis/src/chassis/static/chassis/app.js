// Behaviour of all pages, attached by data attributes; every page works without it.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, listener, options) => document.addEventListener(type, listener, options);

  // Theme -------------------------------------------------------------------------------------------------------------
  const yearInSeconds = 31536000;
  on("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    document.documentElement.dataset.bsTheme = theme;
    // A cookie, so that the services on one host share it and the server can write it into the page.
    document.cookie = `theme=${theme}; path=/; max-age=${yearInSeconds}; samesite=lax`;
  });

  // Menus and messages ------------------------------------------------------------------------------------------------
  on("click", (event) => {
    all("details.menu[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
    event.target.closest("[data-dismiss]")?.closest("[role]").remove();
  });

  // Forms -------------------------------------------------------------------------------------------------------------
  const busy = (form, state) => {
    form.setAttribute("aria-busy", String(state));
    all("button[type=submit], button:not([type])", form).forEach((button) => (button.disabled = state));
  };
  on("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || isHtmx(form)) return;
    keepDraft(form);
    // After the browser has collected the fields: a disabled button would not be sent.
    setTimeout(() => busy(form, true));
  });
  addEventListener("pageshow", () => all("form[aria-busy=true]").forEach((form) => busy(form, false)));
  on("change", (event) => event.target.closest("[data-autosubmit]")?.form?.requestSubmit());

  // A password is typed once: one may look at it. It is sent, and remembered by the browser, as a password. ------------
  const reveal = (button, shown) => {
    button.setAttribute("aria-pressed", String(shown));
    document.getElementById(button.dataset.reveal).type = shown ? "text" : "password";
  };
  on("click", (event) => {
    const button = event.target.closest("[data-reveal]");
    if (button) reveal(button, button.getAttribute("aria-pressed") !== "true");
  });
  on("submit", (event) => all("[data-reveal]", event.target).forEach((button) => reveal(button, false)), true);

  // Drafts: what was typed is there again after a session ended and one signed in anew. Only what was typed: a button
  // has nothing to restore, and the one-time key is always that of the page as it is now. -----------------------------
  const draftLife = 30 * 60 * 1000;
  const isHtmx = (element) => ["hx-post", "hx-put", "hx-patch", "hx-delete"].some((name) => element.hasAttribute(name));
  const draftName = (form) =>
    `draft:${document.body.dataset.account}:${location.pathname}:${form.getAttribute("action") || form.id}`;
  const untyped = ["hidden", "password", "file", "submit", "button", "reset", "image"];
  // A hidden field that belongs to the text, as the version that it was typed for or what a preview shows, says so by
  // data-draft; with a value, that is what was typed.
  const typed = (field) => field.name && (!untyped.includes(field.type) || field.hasAttribute("data-draft"));
  const isChanged = (form) =>
    [...form.elements].filter(typed).some((field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  function keepDraft(form) {
    if (form.querySelector("input[type=password]")) return;
    const fields = [...form.elements].filter(typed);
    if (!fields.length) return;
    const values = fields.map((field) => [field.name, field.type, field.dataset.draft || field.value, field.checked]);
    try {
      sessionStorage.setItem(draftName(form), JSON.stringify({ at: Date.now(), values }));
    } catch {
      // Full or forbidden storage: signing in anew loses the draft, nothing else.
    }
  }
  // Coming from a page of this service means that the form was answered: its text is used up.
  // Coming from elsewhere, or from or to signing in, which may be unavailable, it means that it was not.
  function restoreDrafts() {
    const from = document.referrer ? new URL(document.referrer) : null;
    const answered = from?.origin === location.origin && ![from, location].some((place) => place.pathname.startsWith("/login"));
    if (!answered) return all("form").forEach(restoreDraft);
    Object.keys(sessionStorage).forEach((name) => name.startsWith("draft:") && sessionStorage.removeItem(name));
  }
  const isChosen = (field) => ["radio", "checkbox"].includes(field?.type);
  function restoreDraft(form) {
    const kept = sessionStorage.getItem(draftName(form));
    if (!kept) return;
    sessionStorage.removeItem(draftName(form));
    const draft = JSON.parse(kept);
    if (Date.now() - draft.at > draftLife) return;
    let changed = false;
    for (const [name, type, value, checked] of draft.values) {
      const field = [...form.elements].find((one) => one.name === name && (!isChosen(one) || one.value === value));
      // Of a choice that a preview has as a hidden field, the value is the one that was chosen.
      const [part, kept] = isChosen(field) ? ["checked", type === "hidden" || checked] : ["value", value];
      if (!field || field[part] === kept) continue;
      field[part] = kept;
      changed = true;
    }
    if (changed) say(form, document.body.dataset.restored);
  }

  // Requests of htmx: what went wrong is said where one pressed, with Retry --------------------------------------------
  const notices = new WeakMap();
  function say(element, text, retry) {
    notices.get(element)?.remove();
    const place =
      element.closest("[data-row]")?.querySelector("[data-notice]") || element.closest("form") || element.closest("td") || element;
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.setAttribute("role", "alert");
    notice.append(text);
    if (retry) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm btn-outline-secondary";
      button.textContent = document.body.dataset.retry;
      button.addEventListener("click", () => (notice.remove(), retry()));
      notice.append(" ", button);
    }
    notices.set(element, notice);
    if (place.tagName === "TD" || place.hasAttribute("data-notice")) place.append(notice);
    else place.after(notice);
  }
  const answerText = (request) => {
    const page = new DOMParser().parseFromString(request.responseText || "", "text/html");
    return page.querySelector("[data-error-message]")?.textContent.trim();
  };
  const failed = (kind) => (event) => {
    const { elt, requestConfig, xhr } = event.detail;
    // What the page asks for by itself is asked for again by itself.
    if (elt.hasAttribute("data-poll") || elt.hasAttribute("data-quiet")) return;
    const text = (xhr && answerText(xhr)) || document.body.dataset[kind];
    const refused = xhr && xhr.status >= 400 && xhr.status < 500;
    const again = () => htmx.trigger(elt, requestConfig.triggeringEvent?.type || "click");
    say(elt, text, refused ? null : again);
  };
  on("htmx:responseError", failed("failed"));
  on("htmx:sendError", failed("offline"));
  on("htmx:timeout", failed("slow"));
  on("htmx:beforeRequest", (event) => {
    notices.get(event.detail.elt)?.remove();
    if (event.detail.elt.tagName === "FORM") keepDraft(event.detail.elt);
  });
  const leadsToSignIn = (xhr) => Boolean(xhr.getResponseHeader("HX-Redirect")?.includes("/login"));
  // Whatever asked, the news of a list or what a line would read as: one is led away while one types.
  on("htmx:beforeOnLoad", (event) => {
    if (leadsToSignIn(event.detail.xhr)) all("form").filter(isChanged).forEach(keepDraft);
  });
  on("htmx:afterRequest", (event) => {
    // A form that its answer has replaced is on the page no more, and `detail.elt` is what was around it.
    const { requestConfig, successful, xhr } = event.detail;
    const form = requestConfig.elt;
    if (form.tagName === "FORM" && successful && xhr.status < 400 && !leadsToSignIn(xhr)) {
      sessionStorage.removeItem(draftName(form));
    }
  });

  // A row that was just answered holds its buttons for a moment: an impatient second press is not one of the new ones.
  on("htmx:load", ({ detail: { elt } }) => {
    if (elt.matches("[data-row]")) elt.classList.add("is-fresh");
  });

  // News: elements with hx-trigger="poll" ask while the page is looked at ----------------------------------------------
  setInterval(() => {
    if (document.visibilityState === "visible") all("[data-poll]").forEach((element) => htmx.trigger(element, "poll"));
  }, 30000);

  // Keyboard: data-key on links, buttons and fields; j and k walk over [data-row], whose own keys act on that row -------
  // A row that was answered anew has lost its mark, but not its id; of one that is gone, the place is where the walk goes on.
  let place = -1;
  let walked = "";
  const row = () => document.querySelector("[data-row].is-current") || document.getElementById(walked);
  function walk(step) {
    const rows = all("[data-row]");
    const from = row() ? rows.indexOf(row()) : place;
    place = Math.min(Math.max(from + step, 0), rows.length - 1);
    const next = rows[place];
    row()?.classList.remove("is-current");
    next?.classList.add("is-current");
    walked = next?.id || "";
    (next?.querySelector("a, button") || next)?.focus();
  }
  function help() {
    const dialog = document.getElementById("keyboard-help");
    if (!dialog) return;
    const list = dialog.querySelector("[data-keys]");
    const keys = new Map(all("[data-key-label]").map((one) => [one.dataset.key || one.dataset.rowKey, one.dataset.keyLabel]));
    list.querySelectorAll("[data-found]").forEach((line) => line.remove());
    list.querySelector("[data-rows]").hidden = !document.querySelector("[data-row]");
    keys.forEach((label, key) => {
      const line = list.querySelector("template").content.cloneNode(true);
      line.querySelector("kbd").textContent = key;
      line.querySelector("span").textContent = label;
      list.append(line);
    });
    dialog.showModal();
  }
  const typing = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  function press(element) {
    if (typing(element)) element.focus();
    else element.click();
  }
  on("keydown", (event) => {
    // Out of a field that a key leads into, so that keys are keys again.
    if (event.key === "Escape" && typing(event.target) && event.target.dataset.key) event.target.blur();
    if (event.key === "Escape") all("details.menu[open]").forEach((menu) => ((menu.open = false), menu.firstElementChild.focus()));
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const key = CSS.escape(event.key);
    const target = row()?.querySelector(`[data-row-key="${key}"]`) || document.querySelector(`[data-key="${key}"]`);
    if (event.key === "?") help();
    else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (target) press(target);
    else return;
    event.preventDefault();
  });
  on("click", (event) => {
    if (event.target.closest("[data-help]")) help();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  on("DOMContentLoaded", () => {
    all("[data-needs-script]").forEach((element) => (element.hidden = false));
    all("[data-autosubmit-button]").forEach((button) => (button.hidden = true));
    restoreDrafts();
    // Where pages do not fit beside each other, the one that is open is in sight.
    all(".tabs [aria-current]").forEach((tab) => tab.scrollIntoView({ block: "nearest", inline: "nearest" }));
  });
})();
