/* What the book's interactive figures share: a base element, controls, pointers and keys, painting,
 * states in links, and tables of a reader's own.
 *
 * A classic deferred script, so that it also runs from file://. Styles are constructed sheets,
 * which a strict Content-Security-Policy allows; style attributes and <style> are not.
 */
(() => {
  "use strict";
  if (window.Lab) return;

  const BASE = `
    :host {
      display: block; margin: 1.5em 0; contain: layout style; scroll-margin-top: 3.2rem;
      color: var(--md-default-fg-color); font-size: .8rem; line-height: 1.5;
    }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }

    .panel {
      padding: .8rem; border: 1px solid var(--md-default-fg-color--lightest); border-radius: .4rem;
      background: var(--md-default-bg-color);
      container-type: inline-size;
    }
    :host([over]) .panel { border-color: var(--lab-blue); }
    .views {
      display: grid; gap: .8rem; margin-bottom: .8rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
    }
    .sliders {
      display: grid; gap: .3rem 1rem; margin: .6rem 0;
      grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); align-items: end;
    }
    .row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; }

    label { display: grid; gap: .1rem; font-size: .7rem; }
    input[type=range] { width: 100%; min-height: 1.2rem; margin: 0; accent-color: var(--lab-blue); }
    button, select, input[type=number] {
      min-height: 1.6rem; padding: .1rem .5rem; border-radius: .25rem;
      border: 1px solid var(--md-default-fg-color--light); background: var(--md-default-bg-color);
      color: inherit; font: inherit;
    }
    select option { color: var(--md-default-fg-color); background: var(--md-default-bg-color); }
    button { cursor: pointer; }
    button:hover { background: var(--md-code-bg-color); }
    :focus-visible { outline: 2px solid var(--lab-blue); outline-offset: 2px; }

    svg, canvas { display: block; width: 100%; height: auto; touch-action: none; }
    svg text { fill: currentColor; font-size: 11px; }
    .axis { stroke: var(--md-default-fg-color--lighter); }
    .grid { stroke: var(--md-default-fg-color--lightest); }
    .map { position: relative; overflow: hidden; }
    .map canvas { aspect-ratio: 1; }
    .map svg { position: absolute; inset: 0 0 auto; }
    .handle { cursor: grab; }
    .handle:focus-visible { outline: none; } /* its mark shows the focus */
    .handle:focus-visible .mark { stroke: var(--md-default-fg-color); stroke-width: 4; }
    .mark { fill: var(--lab-orange); stroke: var(--md-default-bg-color); stroke-width: 1.5; }
    .reach { fill: transparent; }

    figure { margin: 0; min-width: 0; }
    figcaption { margin-top: .3rem; color: var(--md-default-fg-color--light); font-size: .7rem; }
    ol { margin: 0; padding: 0; list-style: none; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .1rem .6rem .1rem 0; text-align: right; font-weight: normal; }
    th:first-child { text-align: left; }
    .side table { width: 100%; margin-top: .3rem; font-size: .7rem; }
    .side .chart text { font-size: 9px; }
    .news { min-height: 1.5em; margin: .4rem 0; }
    .warning {
      margin: 0 0 .4rem; padding-left: .5rem; border-left: 3px solid var(--lab-red, currentColor);
      overflow-wrap: anywhere;
    }
    input[type=file] { max-width: 100%; font: inherit; }
    .number { font-variant-numeric: tabular-nums; }
    .unseen {
      position: absolute; width: 1px; height: 1px; overflow: hidden;
      clip-path: inset(50%); white-space: nowrap;
    }
    @media print { .row { display: none; } }

    /* On a phone the pictures stand side by side, so that they and their controls share a screen.
     * They are smaller there, and what is written or held in them is larger. */
    @container (max-width: 26rem) {
      .views { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .5rem; margin: 0 0 .4rem; }
      .sliders { gap: .1rem .8rem; margin: .3rem 0; }
      .row { gap: .4rem .6rem; }
      .news { margin: .2rem 0; }
      figcaption { font-size: .6rem; line-height: 1.35; }
      svg text { font-size: 17px; }
      .reach { r: 26px; }

      /* Only a large picture, which has its chart and its numbers at its side, stands above them. */
      .views:has(.side) { grid-template-columns: minmax(0, 1fr); gap: .2rem; }
      .views:has(.side) figure { width: min(100%, 14.5rem); margin: auto; }
      .side { display: grid; grid-template-columns: minmax(0, 1fr) 9.6rem; gap: 0 .4rem; }
      .side .news { grid-column: 1 / -1; font-size: .7rem; }
      .side .chart text { font-size: 19px; }
      .side table { margin: 0; font-size: .62rem; line-height: 1.3; }
      .views:has(.side) ~ .sliders {
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); font-size: .65rem;
      }
      .views:has(.side) ~ .sliders label { font-size: inherit; }
      .views:has(.side) ~ .row label { grid-auto-flow: column; align-items: center; gap: .3rem; }
      .keys { display: none; }
    }
  `;

  const sheets = new Map();
  const sheet = (text) => {
    if (!sheets.has(text)) {
      const made = new CSSStyleSheet();
      made.replaceSync(text);
      sheets.set(text, made);
    }
    return sheets.get(text);
  };

  /* Elements. h("button", { type: "button", onclick: f }, "Run") is one with its attributes, its
   * listeners and its children; s makes those of SVG. */

  const set = (node, given) => {
    for (const [name, value] of Object.entries(given)) {
      if (value === true) node.setAttribute(name, "");
      else if (value === false || value == null) node.removeAttribute(name);
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value);
    }
    return node;
  };
  const fill = (node, given, children) => {
    set(node, given ?? {}).append(...children.flat().filter((child) => child != null));
    return node;
  };
  const h = (tag, given, ...children) => fill(document.createElement(tag), given, children);
  const s = (tag, given, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), given, children);

  const box = (kind, ...children) => h("div", { class: kind }, ...children);
  const line = (kind, x1, y1, x2, y2) => s("line", { class: kind, x1, y1, x2, y2 });
  const figure = (content, caption) => h("figure", {}, content, h("figcaption", {}, caption));

  /* A picture with marks above it: one grows and shrinks with the other. */
  const layers = (canvas, svg) => box("map", canvas, svg);

  /* A mark that can be dragged and moved by keys: `reach` is where a finger may take hold of it. */
  const handle = (name, { kind = "", radius = 6, reach = 14, ...given } = {}) =>
    s(
      "g",
      {
        class: "handle",
        tabindex: 0,
        role: "slider",
        "aria-label": name,
        ontouchstart: (event) => event.preventDefault(), // or the page might scroll along
        ...given,
      },
      s("circle", { class: "reach", r: reach }),
      s("circle", { class: `mark ${kind}`, r: radius }),
    );

  /* Numbers. */

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /* The straight line that takes from[0] to to[0], and from[1] to to[1]. */
  const scale = (from, to) => (value) =>
    to[0] + ((value - from[0]) / (from[1] - from[0])) * (to[1] - to[0]);

  /* 0.1234 -> "0.123", -2 -> "−2.000": the minus sign is the typographic one, infinities are words. */
  const format = (x, digits = 3) => {
    if (Number.isNaN(x)) return "undefined";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const text = Math.abs(x) >= 1e6 ? x.toExponential(2) : x.toFixed(digits);
    return text.replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−"); // no "−0.000"
  };

  /* The leading digits alone, however large or small the number: 0.0123, 2150, 1.2e−7. */
  const short = (x, digits = 3) => {
    if (!Number.isFinite(x)) return format(x);
    const rounded = Number(x.toPrecision(digits));
    const size = Math.abs(rounded);
    const plain = size === 0 || (size >= 1e-4 && size < 1e6);
    return (plain ? String(rounded) : rounded.toExponential()).replaceAll("-", "−");
  };

  /* A number within a product or sum: a negative one in parentheses. */
  const term = (x) => (x < 0 ? `(${format(x, 2)})` : format(x, 2));

  /* Mulberry32: the same numbers for the same seed in every browser. */
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  /* What a tutorial computed, as the build wrote it: Lab.data["cnn#images"]. Arrays come as base64. */
  const array = ({ dtype, shape, base64 }) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const Type = { float32: Float32Array, uint8: Uint8Array, int32: Int32Array }[dtype];
    return Object.assign(new Type(bytes.buffer), { shape });
  };

  /* What a reader gives may be wrong: links are edited, files are of all kinds. A Refusal says what
   * was expected and what came. The figure shows it and stays as it is. */

  class Refusal extends Error {}

  const refuse = (expected, received) => {
    const text = String(received).trim();
    const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new Refusal(`expected ${expected}, received “${short}”.`);
  };

  const inRange = (text, low, high) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!(value >= low && value <= high)) refuse(`a number from ${low} to ${high}`, text);
    return value;
  };

  const oneOf = (text, names) => (names.includes(text) ? text : refuse(names.join(", "), text));

  /* A run is a list of [steps, ...settings], written "100x0.03 20x0.1": who takes the same steps with
   * the same settings comes to the same place. `ranges` has the least and the largest steps in all,
   * then those of each setting. */
  const count = (run, settings) => {
    const last = run.at(-1);
    if (last && settings.every((setting, i) => setting === last[i + 1])) last[0] += 1;
    else run.push([1, ...settings]);
  };
  const runText = (run) => run.map((part) => part.join("x")).join(" ");
  const readRun = (text, ranges) => {
    const run = text.split(" ").filter(Boolean);
    const parts = run.map((part) => {
      const numbers = part.split("x");
      if (numbers.length !== ranges.length) refuse("steps and settings, such as 100x0.03", part);
      return numbers.map((number, i) => inRange(number, ...ranges[i]));
    });
    const steps = parts.reduce((sum, [more]) => sum + Math.round(more), 0);
    if (steps > ranges[0][1]) refuse(`at most ${ranges[0][1]} steps`, steps);
    return parts;
  };

  /* A table as text: numbers in columns, between commas, semicolons or tabs. The first line may have
   * names instead. Beside a semicolon or a tab, a decimal comma is read as a point. */
  const parseTable = (text, { columns, expected, fits }) => {
    const rows = [];
    let names = null;
    for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (!line.trim()) continue;
      const mark = ["\t", ";", ","].find((known) => line.includes(known)) ?? ",";
      const cells = line.split(mark).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
      const numbers = cells.map((cell) => {
        const number = mark === "," ? cell : cell.replace(",", ".");
        return number === "" ? Number.NaN : Number(number);
      });
      const heads = !names && !rows.length && numbers.every(Number.isNaN);
      const full = heads || (numbers.every(Number.isFinite) && fits(numbers));
      const right = cells.length === columns && full;
      if (!right) refuse(`line ${i + 1} to hold ${expected}`, line);
      if (heads) names = cells;
      else rows.push(numbers);
    }
    return { rows, names };
  };

  /* At most so many of the rows, drawn at random, in their order. */
  const drawLots = (rows, most) => {
    const next = random(1);
    const lots = rows.map((row, i) => [next(), row, i]).sort(([a], [b]) => a - b);
    const drawn = lots.slice(0, most).sort(([, , i], [, , j]) => i - j);
    return drawn.map(([, row]) => row);
  };

  /* Pointers and keys. */

  /* Follow a pointer from its press on a node, even when it leaves the node. Both functions get its
   * place on `area`, as shares of the width and height. With `hover`, a mouse need not be pressed. */
  const follow = (node, area, { press = () => {}, move, hover = false }) => {
    const place = (event) => {
      const box = area.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // or it would select text
      node.setPointerCapture(event.pointerId);
      press(...place(event));
    });
    node.addEventListener("pointermove", (event) => {
      const held = node.hasPointerCapture(event.pointerId);
      if (held || (hover && event.pointerType !== "touch")) move(...place(event));
    });
  };

  const ARROWS = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
  };

  /* Do something for a key: arrow(right, up, shift) for the arrow keys, others by their names. */
  const keys = (node, { arrow, ...others }) => {
    node.addEventListener("keydown", (event) => {
      const direction = ARROWS[event.key];
      const act = direction ? () => arrow(...direction, event.shiftKey) : others[event.key];
      if (!act) return;
      event.preventDefault(); // or the page would scroll
      act();
    });
  };

  /* Painting. A canvas has a pixel for each value of a grid; the style sheet enlarges it. */

  /* color(i) gives the red, green, blue and opacity of the i-th pixel, each from 0 to 255. */
  const paint = (canvas, [rows, columns], color) => {
    Object.assign(canvas, { width: columns, height: rows });
    const context = canvas.getContext("2d");
    const picture = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i += 1) picture.data.set(color(i), 4 * i);
    context.putImageData(picture, 0, 0);
  };

  /* Values as greys, from black at `black` to white at `white`. */
  const greys = (values, black, white) => {
    const shade = black !== white ? scale([black, white], [0, 255]) : () => 127;
    return (i) => [shade(values[i]), shade(values[i]), shade(values[i]), 255];
  };

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const LARGEST = 1e6; // bytes of a reader's file

  /* A figure. A subclass has build(root), called once, and draw(), called after each change and each
   * change of the page's scheme. It may have `css`, and `needsData`: then this.given is what its
   * attribute `data` names, and without that the text between its tags stays.
   *
   * Its state stands in the page's address once a reader has changed it: `#lab-neuron?w1=0.5&b=1`, or
   * `#lab-neuron-2?…` for the second of its kind on a page. */
  class LabElement extends HTMLElement {
    kept = new Map();

    connectedCallback() {
      this.given ??= window.Lab.data[this.getAttribute("data")];
      if (this.constructor.needsData && !this.given) return;
      const isNew = !this.shadowRoot;
      if (isNew) this.make();
      this.draw();
      if (isNew) {
        this.first = new Map([...this.kept].map(([key, { read }]) => [key, read()]));
        this.remembered = this.link;
      }
      this.watch = new MutationObserver(() => this.draw());
      this.watch.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
      this.onHash = () => this.open();
      addEventListener("hashchange", this.onHash);
      this.open();
    }

    make() {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet(BASE), sheet(this.constructor.css ?? "")];
      this.status = h("p", { role: "status", class: "unseen" });
      this.news = h("p", { class: "news number" });
      this.warning = h("p", { class: "warning", role: "alert", hidden: true });
      root.append(this.status, this.warning);
      const place = [...document.querySelectorAll(this.localName)].indexOf(this);
      this.id ||= place > 0 ? `${this.localName}-${place + 1}` : this.localName;
      this.build(root);
      for (const change of ["input", "click", "pointerup", "keyup"]) {
        root.addEventListener(change, () => this.plan());
      }
    }

    disconnectedCallback() {
      this.watch?.disconnect();
      removeEventListener("hashchange", this.onHash);
      this.stop();
      clearTimeout(this.saying);
      clearTimeout(this.planned);
    }

    /* Links. */

    /* Let the address hold something under a key: `read` gives it as text, "" if it need not be
     * there; `check` turns such a text into a value or refuses it; `put` sets the value. Values are
     * set in the order in which they were declared. */
    keep(key, field) {
      this.kept.set(key, field);
    }

    get link() {
      const texts = [...this.kept].map(([key, { read }]) => [key, read()]);
      return `#${this.id}?${new URLSearchParams(texts.filter(([, text]) => text !== ""))}`;
    }

    /* Show what the address holds, if it is this figure's. */
    open() {
      const [id, query] = location.hash.slice(1).split("?");
      if (id !== this.id || query === undefined) return;
      const wrong = "This link cannot be shown, so the figure is as it was";
      this.attempt(wrong, () => this.restore(new URLSearchParams(query)));
      this.remembered = this.link;
      this.scrollIntoView();
    }

    restore(state) {
      for (const key of state.keys()) {
        if (!this.kept.has(key)) refuse([...this.kept.keys()].join(", "), key);
      }
      const checked = [...this.kept].map(([key, { check, put }]) => {
        try {
          return [put, check(state.get(key) ?? this.first.get(key))];
        } catch (error) {
          throw error instanceof Refusal ? new Refusal(`${key}: ${error.message}`) : error;
        }
      });
      for (const [put, value] of checked) put(value);
    }

    /* Browsers allow few changes of the address in a short time. */
    plan() {
      clearTimeout(this.planned);
      this.planned = setTimeout(() => this.timer || this.remember(), 400);
    }

    remember() {
      if (this.link !== this.remembered) this.write();
    }

    write() {
      this.remembered = this.link;
      history.replaceState(history.state, "", new URL(this.link, location.href)); // Material's state
    }

    /* Do what a Refusal may end, and show that one. */
    attempt(wrong, act) {
      let text = "";
      try {
        act();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        text = `${wrong}: ${error.message}`;
      }
      this.warn(text);
    }

    warn(text) {
      this.warning.textContent = text;
      this.warning.hidden = !text;
    }

    /* Attributes: a number, several, or one of some names in any case. */

    number(name, otherwise) {
      const value = Number.parseFloat(this.getAttribute(name));
      return Number.isFinite(value) ? value : otherwise;
    }

    numbers(name, otherwise) {
      const values = (this.getAttribute(name) ?? "")
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(Number);
      return values.length && values.every(Number.isFinite) ? values : otherwise;
    }

    oneOf(name, names, otherwise) {
      const wanted = this.getAttribute(name)?.toLowerCase();
      return names.find((known) => known.toLowerCase() === wanted) ?? otherwise;
    }

    /* A color of the page's scheme, as [red, green, blue]. */
    color(name) {
      this.status.style.color = `var(${name})`; // which the browser resolves
      return getComputedStyle(this.status).color.match(/\d+/g).map(Number);
    }

    /* Say it to a screen reader, once its user has paused: a dragged slider must not flood them. */
    say(text) {
      clearTimeout(this.saying);
      this.saying = setTimeout(() => {
        this.status.textContent = text;
      }, 600);
    }

    /* Show a line of news, and say it. */
    tell(text) {
      this.news.textContent = text;
      this.say(text);
    }

    /* Controls. */

    /* With a `key`, the address holds the setting. On a `log` scale the input holds the number's
     * logarithm, from that of `min` to that of `max`; with `zero`, its left end stands for 0. */
    slider(name, { min, max, step, value, digits = 2, key, log = false, zero = false }, changed) {
      const place = (x) => (log ? Math.log10(Math.max(x, min)) : x);
      const [lowest, least] = [zero ? 0 : min, place(min)];
      const at = (position) => {
        if (!log) return position;
        return zero && position <= least ? 0 : Number((10 ** position).toPrecision(2));
      };
      const shown = h("span", { class: "number", "aria-hidden": "true" });
      const range = { type: "range", min: least, max: place(max), step, value: place(value) };
      const input = h("input", { ...range, "aria-label": name });
      let now = value; // which the steps of the input may not hold
      const show = (x) => {
        now = x;
        shown.textContent = log ? short(x) : format(x, digits);
        if (log) set(input, { "aria-valuetext": shown.textContent });
      };
      input.set = (x) => {
        input.value = place(x);
        show(x);
      };
      input.addEventListener("input", () => {
        show(at(Number(input.value)));
        changed(now);
      });
      show(value);
      const put = (x) => {
        input.set(x);
        changed(x);
      };
      const check = (text) => inRange(text, lowest, max);
      const read = () => String(clamp(now, lowest, max)); // an attribute may be out of range
      if (key) this.keep(key, { read, check, put });
      return { input, label: h("label", {}, h("span", {}, name, " ", shown), input) };
    }

    choice(name, options, value, changed, key) {
      const items = options.map((option) =>
        h("option", { value: option, selected: option === value }, option),
      );
      const input = h("select", { onchange: () => changed(input.value) }, items);
      const put = (option) => {
        input.value = option;
        changed(option);
      };
      const check = (text) => (text === "" ? value : oneOf(text, options));
      const read = () => (options.includes(input.value) ? input.value : ""); // "" for a file's
      if (key) this.keep(key, { read, check, put });
      return { input, label: h("label", {}, name, input) };
    }

    button(name, clicked) {
      return h("button", { type: "button", onclick: clicked }, name);
    }

    /* The last row of a figure: its buttons, and one that copies the link to its state. */
    row(...controls) {
      const name = "Copy link";
      const copy = this.button(name, async () => {
        this.write(); // since then, the theme may have put the heading above it there
        const address = new URL(this.link, location.href).href;
        const copied = navigator.clipboard?.writeText(address).then(() => "Link copied");
        copy.textContent = (await copied?.catch(() => null)) ?? "Copy it from the address bar";
        this.say(copy.textContent);
        setTimeout(() => {
          copy.textContent = name;
        }, 3000);
      });
      return box("row", controls, copy);
    }

    /* A chooser for a reader's own table, which may also be dropped on the figure. It is read here
     * and sent nowhere; nor does it enter the address. A row has so many `columns` and `fits`; `take`
     * gets { rows, names } and may refuse them. */
    ownTable(name, { columns, expected, fits = () => true }, take) {
      const read = (file) => {
        const reader = new FileReader();
        const wrong = `${file.name} cannot be used`;
        reader.addEventListener("load", () =>
          this.attempt(wrong, () => take(parseTable(reader.result, { columns, expected, fits }))),
        );
        reader.addEventListener("error", () => this.warn(`${wrong}: ${reader.error.message}`));
        if (file.size <= LARGEST) reader.readAsText(file);
        else
          this.warn(`${wrong}: expected at most 1 MB, received ${format(file.size / 1e6, 1)} MB.`);
      };
      const input = h("input", {
        type: "file",
        accept: ".csv,.tsv,.txt,text/csv,text/plain",
        onclick: () => {
          input.value = ""; // or the same file, mended, would be no change
        },
        onchange: () => read(input.files[0]),
      });
      const over = (on) => (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault(); // or the browser would open the file
        this.toggleAttribute("over", on);
        if (event.type === "drop") read(event.dataTransfer.files[0]);
      };
      this.addEventListener("dragover", over(true));
      this.addEventListener("dragleave", over(false));
      this.addEventListener("drop", over(false));
      return h("label", {}, name, input);
    }

    /* A button that repeats a step while there are more, until it is pressed again. A reader who
     * wants no animation gets many steps at once. */
    runner({ every, more, step, atOnce }) {
      this.play = this.button("Run", () => {
        if (this.timer) this.stop();
        else if (still()) atOnce();
        else {
          this.go(every, more, step);
        }
      });
      return this.play;
    }

    go(every, more, step) {
      this.play.textContent = "Pause";
      this.timer = setInterval(() => (more() ? step() : this.stop()), every);
    }

    stop() {
      if (this.timer) this.plan();
      clearInterval(this.timer);
      this.timer = null;
      if (this.play) this.play.textContent = "Run";
    }
  }

  const define = (name, type) => {
    if (!customElements.get(name)) customElements.define(name, type);
  };

  window.Lab = { Element: LabElement, data: {}, define };
  Object.assign(window.Lab, { h, s, set, box, line, figure, layers, handle });
  Object.assign(window.Lab, { clamp, scale, format, short, term, random, array });
  Object.assign(window.Lab, { refuse, inRange, count, runText, readRun, drawLots });
  Object.assign(window.Lab, { follow, keys, paint, greys });
})();
