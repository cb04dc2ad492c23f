/* The page "Your place": what place.js keeps, and buttons to export, import and erase it.
 *
 * The two scripts may come in either order: place.js calls the function that this one leaves, and
 * this one asks for a call if place.js is there already.
 */
(() => {
  "use strict";
  const LARGEST = 1_000_000; // bytes of a file to import

  const make = (tag, given, ...children) => {
    const element = Object.assign(document.createElement(tag), given);
    element.append(...children);
    return element;
  };

  const count = (entries, chapter, value) =>
    Object.entries(entries).filter(
      ([key, given]) => key.startsWith(`${chapter}#`) && given === value,
    ).length;

  /* What is done of each chapter and how much there is: the map's list says both. */
  const chapters = (place) =>
    [...document.querySelectorAll(".lab-map li")].map((item) => {
      const link = item.querySelector("a");
      const name = labPlace.name(link.getAttribute("href"));
      return {
        link,
        read: name in place.read,
        questions: [count(place.answered, name, "right"), Number(item.dataset.questions)],
        exercises: [count(place.done, name, true), Number(item.dataset.exercises)],
      };
    });

  const row = ({ link, read, questions, exercises }) => {
    const title = make("a", { href: link.getAttribute("href") }, link.textContent);
    const cells = [read ? "read" : "", ...[questions, exercises].map((pair) => pair.join(" of "))];
    return make("tr", {}, make("td", {}, title), ...cells.map((cell) => make("td", {}, cell)));
  };

  const table = (place) => {
    const heads = ["Chapter", "Read", "Questions", "Exercises"];
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    const rows = chapters(place).map(row);
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  };

  const summary = (place) => {
    const all = chapters(place);
    const total = (kind) =>
      [0, 1].map((part) => all.reduce((sum, chapter) => sum + chapter[kind][part], 0));
    const read = all.filter((chapter) => chapter.read).length;
    const [questions, exercises] = [total("questions"), total("exercises")];
    const text =
      `You have read ${read} of ${all.length} chapters, ` +
      `answered ${questions.join(" of ")} questions correctly, ` +
      `and done ${exercises.join(" of ")} exercises.`;
    return make("p", { className: "lab-total" }, text);
  };

  const exported = () => {
    const file = new Blob([labPlace.written(labPlace.load())], { type: "application/json" });
    const link = make("a", {
      href: URL.createObjectURL(file),
      download: `${labPlace.FORMAT}.json`,
    });
    link.click();
    URL.revokeObjectURL(link.href);
    return "Your place has been saved as a file.";
  };

  /* Add what a file holds to what is kept; what is kept stays. */
  const imported = async (file) => {
    try {
      if (file.size > LARGEST) throw new Error("it is larger than any export");
      const [given, kept] = [labPlace.parse(await file.text()), labPlace.load()];
      labPlace.save(
        Object.fromEntries(labPlace.KINDS.map((kind) => [kind, { ...given[kind], ...kept[kind] }])),
      );
      return `${file.name} has been added to your place.`;
    } catch (error) {
      return `${file.name} was refused, and nothing has changed: ${error.message}.`;
    }
  };

  const erased = () => {
    if (!confirm("Erase your place: what you have read, answered and done?")) return "";
    labPlace.erase();
    return "Your place has been erased.";
  };

  const fillPage = (page) => {
    const said = make("p", { role: "status" });
    const say = (text) => {
      said.textContent = text;
    };
    const button = (text, act) => {
      const made = make("button", { type: "button", className: "md-button" }, text);
      made.addEventListener("click", () => say(act()));
      return made;
    };
    const chooser = make("input", { type: "file", accept: ".json", hidden: true });
    chooser.addEventListener("change", async () => {
      const [file] = chooser.files;
      if (file) say(await imported(file));
      chooser.value = ""; // so that the same file can be chosen again
    });
    const choose = () => {
      chooser.click();
      return "";
    };
    const buttons = [
      button("Export", exported),
      button("Import", choose),
      button("Erase", erased),
      chooser,
    ];
    const rows = make("div", { className: "lab-place-table" });
    page.replaceChildren(rows, make("p", { className: "lab-ask" }, ...buttons), said);
    page.classList.add("lab-live");
  };

  window.labPlacePage = (place) => {
    const page = document.querySelector(".lab-place");
    if (!page) return;
    if (!page.matches(".lab-live")) fillPage(page);
    page.querySelector(".lab-place-table").replaceChildren(summary(place), table(place));
  };
  window.labPlace?.show();
})();
