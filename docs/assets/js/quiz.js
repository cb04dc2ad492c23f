/* Questions that answer at once. The build folds each answer; this lets a reader try first.
 *
 * A choice opens the reasons of all its options, a number is compared with the answer, and steps
 * are put in order with buttons. The result is said in a line that screen readers read out, and as
 * the event "lab-answer", which place.js keeps. Instant navigation runs this again on each page.
 */
(() => {
  "use strict";

  const make = (tag, given, ...children) => {
    const element = Object.assign(document.createElement(tag), given);
    element.append(...children);
    return element;
  };

  /* Return the function that says how the answer was, and tells who keeps it. */
  const judge = (quiz) => {
    const line = make("p", { className: "lab-verdict", role: "status" });
    const say = (text, right) => {
      line.textContent = text;
      line.dataset.result = right === undefined ? "" : right ? "right" : "wrong";
      if (right === undefined) return;
      quiz.dispatchEvent(new CustomEvent("lab-answer", { bubbles: true, detail: { right } }));
    };
    return { line, say };
  };

  /* The first option that is opened is the answer; then all say why they are right or wrong. */
  const choice = (quiz) => {
    const { line, say } = judge(quiz);
    const list = quiz.querySelector(".lab-options");
    const options = [...list.querySelectorAll(":scope > li > details")];
    let chosen;
    const choose = (option) => {
      chosen = option;
      option.classList.add("lab-chosen");
      for (const each of options) each.open = true;
      const right = option.matches(".lab-right");
      say(`${right ? "Right." : "No."} Each option now says why it is right or wrong.`, right);
    };
    for (const option of options) {
      option.querySelector("summary").addEventListener("click", (event) => {
        if (chosen) return; // afterwards it opens and closes as without a script
        event.preventDefault();
        choose(option);
      });
    }
    list.after(line);
  };

  /* Read a number as people write it: 1,234.5 or 0,5 or 97 % or −3. */
  const read = (text) => {
    const bare = text.replace(/[\s%]/g, "").replace("\u2212", "-");
    const grouped = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare);
    const plain = bare.replaceAll(",", grouped ? "" : ".");
    return plain === "" ? Number.NaN : Number(plain);
  };

  const number = (quiz) => {
    const answer = quiz.querySelector(":scope > details");
    const expected = read(answer.querySelector(".lab-answer").textContent);
    if (Number.isNaN(expected)) return; // a word, which stays folded
    const { line, say } = judge(quiz);
    const input = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    const check = () => {
      const given = read(input.value);
      if (Number.isNaN(given)) return say("Write a number, such as 0.5.");
      const near = Number(quiz.dataset.tolerance) + 1e-9 * Math.abs(expected);
      const right = Math.abs(given - expected) <= near;
      if (right) answer.open = true;
      say(right ? "Right." : "No. Try again, or open the answer.", right);
    };
    const label = make("label", {}, "Your answer ", input);
    const form = make("form", { className: "lab-ask" }, label, make("button", {}, "Check"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      check();
    });
    answer.before(form, line);
  };

  /* Each step gets a button that moves it up and one that moves it down. */
  const order = (quiz) => {
    const { line, say } = judge(quiz);
    const list = quiz.querySelector(".lab-steps");
    const steps = [...list.children];
    const settle = () => {
      for (const step of steps) {
        const [up, down] = step.querySelectorAll("button");
        up.ariaDisabled = String(!step.previousElementSibling);
        down.ariaDisabled = String(!step.nextElementSibling);
      }
    };
    const mover = (step, words, sign, by) => {
      const label = `Move ${by < 0 ? "up" : "down"}: ${words}`;
      const button = make("button", { type: "button", ariaLabel: label }, sign);
      button.addEventListener("click", () => {
        const place = [...list.children].indexOf(step) + by;
        if (place < 0 || place >= steps.length) return;
        if (by < 0) step.previousElementSibling.before(step);
        else step.nextElementSibling.after(step);
        button.focus(); // which a move takes away
        settle();
        say(`“${words}” is now step ${place + 1} of ${steps.length}.`);
      });
      return button;
    };
    for (const step of steps) {
      const words = step.textContent.trim();
      const moves = [mover(step, words, "\u2191", -1), mover(step, words, "\u2193", 1)];
      step.append(make("span", { className: "lab-moves" }, ...moves));
    }
    settle();
    const check = () => {
      const now = [...list.children];
      const there = now.filter((step, place) => Number(step.dataset.place) === place).length;
      const right = there === now.length;
      if (right) quiz.querySelector(":scope > details").open = true;
      say(
        right ? "Right." : `No. ${there} of ${now.length} steps are where they belong. Try again.`,
        right,
      );
    };
    const button = make("button", { type: "button" }, "Check");
    button.addEventListener("click", check);
    list.after(make("p", { className: "lab-ask" }, button), line);
  };

  const KINDS = { choice, number, order };
  for (const quiz of document.querySelectorAll(".lab-quiz[data-kind]:not(.lab-live)")) {
    quiz.classList.add("lab-live");
    KINDS[quiz.dataset.kind](quiz);
  }
})();
