/* A reader's own place: chapters read, questions answered, exercises done.
 *
 * It stays in this browser's storage and is never sent. Where the browser allows no storage, the
 * pages are as they are without this script. Ticks stand in the navigation, the map and the lists
 * of chapters; the page "Your place" shows all of it: see place-page.js.
 */
(() => {
  "use strict";
  const KEY = "deep-learning-lab";
  const FORMAT = "deep-learning-lab-place-1";
  const VALUES = { read: [true], answered: ["right", "wrong"], done: [true] };
  const KINDS = Object.keys(VALUES);
  const { base } = JSON.parse(document.getElementById("__config").textContent);
  const ROOT = new URL(`${base.replace(/\/$/, "")}/`, location).pathname; // "/" on the 404 page

  const make = (tag, given, ...children) => {
    const element = Object.assign(document.createElement(tag), given);
    element.append(...children);
    return element;
  };

  /* What a page is called in the storage, wherever the book stands: foundations/neurons */
  const name = (address = location) => {
    const path = decodeURI(new URL(address, location).pathname).slice(ROOT.length);
    return path.replace(/(^|\/)(index\.html)?$/, "").replace(/\.html$/, "");
  };

  /* Storage */

  const empty = () => Object.fromEntries(KINDS.map((kind) => [kind, {}]));

  /* Return a place from what a file or the storage holds; throw what is wrong with it. */
  const parse = (text) => {
    let given;
    try {
      given = JSON.parse(text);
    } catch {
      throw new Error("it is not JSON, as every export is");
    }
    if (given?.format !== FORMAT) throw new Error("it is no export of this page");
    const place = empty();
    for (const kind of KINDS) {
      for (const [key, value] of Object.entries(given[kind] ?? {})) {
        if (VALUES[kind].includes(value)) place[kind][key] = value;
        else throw new Error(`in "${kind}", the entry "${key}" cannot be read`);
      }
    }
    return place;
  };
  const written = (place) => JSON.stringify({ format: FORMAT, ...place }, null, 1);

  const isAllowed = () => {
    try {
      localStorage.setItem(`${KEY}-try`, "");
      localStorage.removeItem(`${KEY}-try`);
      return true;
    } catch {
      return false;
    }
  };
  if (!isAllowed()) return;

  const load = () => {
    try {
      return parse(localStorage.getItem(KEY));
    } catch {
      return empty(); // nothing is kept yet
    }
  };
  const save = (place) => {
    localStorage.setItem(KEY, written(place));
    show();
  };
  const erase = () => {
    localStorage.removeItem(KEY);
    show();
  };
  const set = (kind, key, value) => {
    const place = load();
    if (value) place[kind][key] = value;
    else delete place[kind][key];
    save(place);
  };

  /* Links to chapters, to which the stylesheet adds a tick */

  const showLinks = (place) => {
    for (const link of document.querySelectorAll("a[data-chapter], a.md-nav__link")) {
      const address = link.getAttribute("href");
      if (address && !address.includes("#")) {
        link.classList.toggle("lab-done", name(address) in place.read);
      }
    }
  };

  /* At the end of a chapter */

  const showRead = (place) => {
    const line = document.querySelector(".lab-read");
    if (!line) return;
    if (line.hidden) {
      const button = make("button", { type: "button", className: "md-button" });
      button.addEventListener("click", () => set("read", name(), !(name() in load().read)));
      line.prepend(button);
      line.append(make("span", { role: "status" }));
      line.hidden = false;
    }
    const read = name() in place.read;
    const [button, said] = [line.firstChild, line.lastChild];
    button.textContent = read ? "Mark as unread" : "Mark as read";
    said.textContent = read ? "\u2713 You have read this chapter." : "";
  };

  /* Exercises and questions, each with its own number */

  const keyOf = (section) => `${name()}#${section.id}`;

  const showDone = (place) => {
    for (const exercise of document.querySelectorAll(".lab-exercise[id]")) {
      const title = exercise.querySelector(".lab-number");
      let box = title.querySelector("input");
      if (!box) {
        box = make("input", { type: "checkbox", ariaLabel: `Done: ${title.textContent}` });
        box.addEventListener("change", () => set("done", keyOf(exercise), box.checked));
        title.append(make("label", { className: "lab-state" }, box, " Done"));
      }
      box.checked = keyOf(exercise) in place.done;
    }
  };

  const showAnswered = (place) => {
    for (const quiz of document.querySelectorAll(".lab-quiz[id]")) {
      const title = quiz.querySelector(".lab-number");
      const answer = place.answered[keyOf(quiz)];
      title.querySelector(".lab-state")?.remove();
      if (!answer) continue;
      const words = answer === "right" ? "\u2713 answered" : "answered, not yet right";
      title.append(make("span", { className: "lab-state" }, words));
    }
  };
  document.addEventListener("lab-answer", (event) => {
    set("answered", keyOf(event.target), event.detail.right ? "right" : "wrong");
  });

  const show = () => {
    const place = load();
    for (const part of [showLinks, showRead, showDone, showAnswered]) part(place);
    window.labPlacePage?.(place);
  };
  window.labPlace = { FORMAT, KINDS, erase, load, name, parse, save, show, written };
  addEventListener("storage", show); // another tab has changed it
  document$.subscribe(show); // Material's: now, and after each change of the page
})();
