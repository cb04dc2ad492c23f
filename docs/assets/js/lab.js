/* What the book's interactive figures share: a base element, controls, number format.
 *
 * A classic deferred script, so that it also runs from file://. Styles are constructed
 * sheets, which a strict Content-Security-Policy allows; style attributes and <style> are not.
 */
(() => {
  "use strict";
  if (window.Lab) return;

  const SVG = "http://www.w3.org/2000/svg";
  const BASE = `
    :host { display: block; margin: 1.5em 0; color: var(--md-default-fg-color);
            font-size: .8rem; line-height: 1.5; contain: layout style; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    .panel { border: 1px solid var(--md-default-fg-color--lightest); border-radius: .4rem;
             padding: .8rem; background: var(--md-default-bg-color); }
    .row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; }
    .views { display: grid; gap: .8rem; margin-bottom: .8rem;
             grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); }
    label { display: grid; gap: .1rem; font-size: .7rem; }
    input[type=range] { width: 100%; min-height: 1.2rem; margin: 0; accent-color: var(--lab-blue); }
    button, select, input[type=number] {
      font: inherit; color: inherit; min-height: 1.6rem; padding: .1rem .5rem; border-radius: .25rem;
      border: 1px solid var(--md-default-fg-color--light); background: var(--md-default-bg-color); }
    select option { color: var(--md-default-fg-color); background: var(--md-default-bg-color); }
    button { cursor: pointer; }
    button:hover { background: var(--md-code-bg-color); }
    button[aria-pressed=true] { background: var(--md-default-fg-color); color: var(--md-default-bg-color); }
    button:disabled { opacity: .5; cursor: default; }
    :focus-visible { outline: 2px solid var(--lab-blue); outline-offset: 2px; }
    svg, canvas { display: block; width: 100%; height: auto; touch-action: none; }
    svg text { fill: currentColor; font-size: 11px; }
    .axis { stroke: var(--md-default-fg-color--lighter); }
    .grid { stroke: var(--md-default-fg-color--lightest); }
    figure { margin: 0; min-width: 0; }
    figcaption, .hint { color: var(--md-default-fg-color--light); font-size: .7rem; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .1rem .6rem .1rem 0; text-align: right; font-weight: normal; }
    th:first-child { text-align: left; }
    .number { font-variant-numeric: tabular-nums; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media print { .row, .hint { display: none; } }
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

  /* h("button", {type: "button", onclick: f}, "Run"): an element with its properties and children. */
  const append = (node, given, children) => {
    for (const [name, value] of Object.entries(given || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child != null));
    return node;
  };
  const h = (tag, given, ...children) => append(document.createElement(tag), given, children);
  const s = (tag, given, ...children) => append(document.createElementNS(SVG, tag), given, children);

  /* 0.1234 -> "0.123", -2 -> "−2.000": the minus sign is the typographic one; infinities are words. */
  const format = (x, digits = 3) =>
    Number.isNaN(x) ? "undefined"
      : !Number.isFinite(x) ? (x > 0 ? "∞" : "−∞")
        : (Math.abs(x) >= 1e6 ? x.toExponential(2) : x.toFixed(digits)).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");

  /* Mulberry32: the same numbers for the same seed in every browser. */
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  class LabElement extends HTMLElement {
    /* A subclass has: static css; build(root) once; draw() after each change and each change of scheme. */
    connectedCallback() {
      if (!this.shadowRoot) {
        const root = this.attachShadow({ mode: "open" });
        root.adoptedStyleSheets = [sheet(BASE), sheet(this.constructor.css || "")];
        this.status = h("p", { role: "status", class: "unseen" });
        this.build(root);
        root.append(this.status);
      }
      this.watch = new MutationObserver(() => this.draw());
      this.watch.observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
      this.draw();
    }

    disconnectedCallback() {
      this.watch.disconnect();
      clearTimeout(this.saying);
      this.stop();
    }

    number(name, otherwise) {
      const value = Number.parseFloat(this.getAttribute(name));
      return Number.isFinite(value) ? value : otherwise;
    }

    numbers(name, otherwise) {
      const values = (this.getAttribute(name) || "").split(/[\s,]+/).filter(Boolean).map(Number);
      return values.length && values.every(Number.isFinite) ? values : otherwise;
    }

    color(name) {
      return getComputedStyle(this).getPropertyValue(name).trim();
    }

    /* Announce once the reader has paused, so that a dragged slider does not flood the listener. */
    say(text) {
      clearTimeout(this.saying);
      this.saying = setTimeout(() => { this.status.textContent = text; }, 600);
    }

    slider(name, { min, max, step, value, digits = 2 }, changed) {
      const shown = h("span", { class: "number", "aria-hidden": "true" }, format(value, digits));
      const input = h("input", { type: "range", min, max, step, value, "aria-label": name });
      input.set = (x) => { input.value = x; shown.textContent = format(x, digits); };
      input.addEventListener("input", () => { shown.textContent = format(+input.value, digits); changed(+input.value); });
      return { input, label: h("label", {}, h("span", {}, name, " ", shown), input) };
    }

    choice(name, options, value, changed) {
      const input = h("select", { onchange: () => changed(input.value) },
        options.map((option) => h("option", { value: option, selected: option === value }, option)));
      return { input, label: h("label", {}, name, input) };
    }

    button(name, clicked) {
      return h("button", { type: "button", onclick: clicked }, name);
    }

    /* A button that repeats a step while there are more, until it is pressed again. Who wants no
     * animation gets many steps at once. */
    runner({ every, more, step, atOnce }) {
      this.play = this.button("Run", () => {
        if (this.timer) { this.stop(); return; }
        if (still()) { atOnce(); return; }
        this.play.textContent = "Pause";
        this.timer = setInterval(() => { if (more()) step(); else this.stop(); }, every);
      });
      return this.play;
    }

    stop() {
      clearInterval(this.timer);
      this.timer = null;
      if (this.play) this.play.textContent = "Run";
    }
  }

  /* What a tutorial computed, as the build wrote it: Lab.data["cnn#images"]. Arrays come as base64. */
  const array = ({ dtype, shape, base64 }) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const Type = { float32: Float32Array, uint8: Uint8Array, int32: Int32Array }[dtype];
    return Object.assign(new Type(bytes.buffer), { shape });
  };

  const define = (name, type) => { if (!customElements.get(name)) customElements.define(name, type); };
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  window.Lab = { Element: LabElement, data: {}, array, define, h, s, format, random };
})();
