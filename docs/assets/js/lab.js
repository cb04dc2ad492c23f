/* What the book's interactive figures share: a base element, controls, pointers and keys, painting.
 *
 * A classic deferred script, so that it also runs from file://. Styles are constructed sheets,
 * which a strict Content-Security-Policy allows; style attributes and <style> are not.
 */
(() => {
  "use strict";
  if (window.Lab) return;

  const BASE = `
    :host {
      display: block; margin: 1.5em 0; contain: layout style;
      color: var(--md-default-fg-color); font-size: .8rem; line-height: 1.5;
    }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }

    .panel {
      padding: .8rem; border: 1px solid var(--md-default-fg-color--lightest); border-radius: .4rem;
      background: var(--md-default-bg-color);
    }
    .views {
      display: grid; gap: .8rem; margin-bottom: .8rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
    }
    .sliders {
      display: grid; gap: .3rem 1rem; margin: .6rem 0;
      grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr));
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
    .map canvas { aspect-ratio: 1; image-rendering: pixelated; }
    .map svg { position: absolute; inset: 0 0 auto; }
    .handle { cursor: grab; }
    .handle:focus-visible { outline: none; } /* its mark shows the focus */
    .handle:focus-visible .mark { stroke: var(--md-default-fg-color); stroke-width: 4; }
    .mark { fill: var(--lab-orange); stroke: var(--md-default-bg-color); stroke-width: 1.5; }
    .reach { fill: transparent; }

    figure { margin: 0; min-width: 0; }
    figcaption { color: var(--md-default-fg-color--light); font-size: .7rem; }
    ol { margin: 0; padding: 0; list-style: none; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .1rem .6rem .1rem 0; text-align: right; font-weight: normal; }
    th:first-child { text-align: left; }
    .news { min-height: 1.5em; margin: .4rem 0; }
    .number { font-variant-numeric: tabular-nums; }
    .unseen {
      position: absolute; width: 1px; height: 1px; overflow: hidden;
      clip-path: inset(50%); white-space: nowrap;
    }
    @media print { .row { display: none; } }
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
      { class: "handle", tabindex: 0, role: "slider", "aria-label": name, ...given },
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

  /* Values as greys, from black at `low` to white at `high`. */
  const greys = (values, low, high) => {
    const shade = high > low ? scale([low, high], [0, 255]) : () => 127;
    return (i) => [shade(values[i]), shade(values[i]), shade(values[i]), 255];
  };

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* A figure. A subclass has build(root), called once, and draw(), called after each change and each
   * change of the page's scheme. It may have `css`, and `needsData`: then this.given is what its
   * attribute `data` names, and without that the text between its tags stays. */
  class LabElement extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) {
        this.given = window.Lab.data[this.getAttribute("data")];
        if (this.constructor.needsData && !this.given) return;
        const root = this.attachShadow({ mode: "open" });
        root.adoptedStyleSheets = [sheet(BASE), sheet(this.constructor.css ?? "")];
        this.status = h("p", { role: "status", class: "unseen" });
        this.news = h("p", { class: "news number" });
        root.append(this.status);
        this.build(root);
      }
      this.watch = new MutationObserver(() => this.draw());
      this.watch.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
      this.draw();
    }

    disconnectedCallback() {
      this.watch?.disconnect();
      clearTimeout(this.saying);
      this.stop();
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

    slider(name, { min, max, step, value, digits = 2 }, changed) {
      const shown = h("span", { class: "number", "aria-hidden": "true" }, format(value, digits));
      const input = h("input", { type: "range", min, max, step, value, "aria-label": name });
      input.set = (x) => {
        input.value = x;
        shown.textContent = format(x, digits);
      };
      input.addEventListener("input", () => {
        shown.textContent = format(Number(input.value), digits);
        changed(Number(input.value));
      });
      return { input, label: h("label", {}, h("span", {}, name, " ", shown), input) };
    }

    choice(name, options, value, changed) {
      const items = options.map((option) =>
        h("option", { value: option, selected: option === value }, option),
      );
      const input = h("select", { onchange: () => changed(input.value) }, items);
      return { input, label: h("label", {}, name, input) };
    }

    button(name, clicked) {
      return h("button", { type: "button", onclick: clicked }, name);
    }

    /* A button that repeats a step while there are more, until it is pressed again. A reader who
     * wants no animation gets many steps at once. */
    runner({ every, more, step, atOnce }) {
      this.play = this.button("Run", () => {
        if (this.timer) this.stop();
        else if (still()) atOnce();
        else {
          this.play.textContent = "Pause";
          this.timer = setInterval(() => (more() ? step() : this.stop()), every);
        }
      });
      return this.play;
    }

    stop() {
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
  Object.assign(window.Lab, { clamp, scale, format, term, random, array });
  Object.assign(window.Lab, { follow, keys, paint, greys });
})();
