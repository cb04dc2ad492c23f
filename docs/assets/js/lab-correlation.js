/* <lab-correlation shape="linear" points="24" seed="1">: drag points, see three coefficients move.
 *
 * The arithmetic is that of labkit.stats: Pearson's r, Spearman's rho as Pearson's r of average
 * ranks, Kendall's tau-b. A coefficient that does not exist (no spread in x or y) says so.
 */
(() => {
  "use strict";
  const { Element, define, h, s, format, random } = window.Lab;
  const SIZE = 300, EDGE = 24, SPAN = 10; // pixels of the picture, its margin, data units on each axis

  const mean = (a) => a.reduce((sum, value) => sum + value, 0) / a.length;

  const pearson = (x, y) => {
    const mx = mean(x), my = mean(y);
    let xy = 0, xx = 0, yy = 0;
    for (let i = 0; i < x.length; i += 1) {
      xy += (x[i] - mx) * (y[i] - my);
      xx += (x[i] - mx) ** 2;
      yy += (y[i] - my) ** 2;
    }
    return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
  };

  const ranks = (a) => { // equal values share the mean of their ranks
    const sorted = [...a].sort((p, q) => p - q);
    return a.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
  };

  const kendall = (x, y) => { // tau-b = (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties in y))
    let score = 0, inX = 0, inY = 0;
    for (let i = 0; i < x.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const dx = Math.sign(x[i] - x[j]), dy = Math.sign(y[i] - y[j]);
        score += dx * dy;
        inX += Math.abs(dx);
        inY += Math.abs(dy);
      }
    }
    return inX && inY ? score / Math.sqrt(inX * inY) : NaN;
  };

  /* Anscombe, "Graphs in statistical analysis", The American Statistician 27 (1973), doi:10.1080/00031305.1973.10478966 */
  const X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const ANSCOMBE = {
    "Anscombe I": [X, [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]],
    "Anscombe II": [X, [9.14, 8.14, 8.74, 8.77, 9.26, 8.1, 6.13, 3.1, 9.13, 7.26, 4.74]],
    "Anscombe III": [X, [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73]],
    "Anscombe IV": [[8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8], [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.5, 5.56, 7.91, 6.89]],
  };

  const SHAPES = {
    linear: (u, e) => [10 * u, 1 + 8 * u + 1.5 * e],
    "no relation": (u, e, v) => [10 * u, 10 * v],
    curved: (u, e) => [10 * u, 1 + 32 * (u - 0.5) ** 2 + 0.4 * e],
    exponential: (u, e) => [10 * u, 0.3 + 9 * Math.exp(9 * (u - 1)) + 0.05 * e],
    outliers: (u, e, v, i) => (i < 2 ? [9.2 + 0.5 * i, 0.5 + 0.3 * i] : [8 * u, 1 + u * 8 + 0.5 * e]),
    clusters: (u, e, v, i) => (i % 2 ? [2 + 1.5 * v, 2.2 + e * 0.6 - 1.5 * (v - 0.5)] : [7 + 1.5 * v, 7.2 + e * 0.6 - 1.5 * (v - 0.5)]),
  };

  const make = (shape, count, seed) => {
    if (ANSCOMBE[shape]) return ANSCOMBE[shape].map((values) => [...values]);
    const next = random(seed);
    const x = [], y = [];
    for (let i = 0; i < count; i += 1) {
      const u = next(), v = next();
      const e = next() + next() + next() - 1.5; // roughly normal, standard deviation 0.5
      const [px, py] = (SHAPES[shape] || SHAPES.linear)(u, 2 * e, v, i);
      x.push(px);
      y.push(Math.min(SPAN, Math.max(0, py)));
    }
    return [x, y];
  };

  class LabCorrelation extends Element {
    static css = `
      .point { fill: var(--lab-blue); stroke: var(--md-default-bg-color); stroke-width: 1; cursor: grab; }
      .reach { fill: transparent; }
      g:focus-visible { outline: none; } g:focus-visible .point { stroke: var(--md-default-fg-color); stroke-width: 3; r: 8px; }
      .fit { stroke: var(--lab-orange); stroke-width: 2; stroke-dasharray: 6 4; }
      .meter { height: .5rem; width: 6rem; } td:last-child { padding: 0; }
      .meter line { stroke: var(--md-default-fg-color--lighter); } .meter rect { fill: var(--lab-blue); }`;

    build(root) {
      this.frame = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group", "aria-label": "Scatter plot. Each point can be dragged, or moved with the arrow keys." });
      this.rows = ["Pearson", "Spearman", "Kendall"].map((name) => {
        const number = h("td", { class: "number" });
        const bar = s("rect", { y: 2, height: 6 });
        return { name, number, bar, row: h("tr", {}, h("th", { scope: "row" }, name), number,
          h("td", {}, s("svg", { class: "meter", viewBox: "0 0 100 10", "aria-hidden": "true" }, s("line", { x1: 50, x2: 50, y1: 0, y2: 10 }), bar))) };
      });
      this.line = h("p", { class: "number" });
      const shapes = [...Object.keys(SHAPES), ...Object.keys(ANSCOMBE)];
      const start = shapes.find((name) => name.toLowerCase() === (this.getAttribute("shape") || "").toLowerCase()) || "linear";
      this.shape = this.choice("Shape", shapes, start, () => this.reset());
      this.seed = this.number("seed", 1);
      root.append(h("div", { class: "panel" },
        h("div", { class: "views" },
          h("figure", {}, this.frame, h("figcaption", {}, "Drag a point. By keyboard: arrow keys move it, Page Up and Page Down choose another.")),
          h("div", {}, h("table", {}, h("caption", { class: "unseen" }, "Coefficients"), h("tbody", {}, this.rows.map((row) => row.row))), this.line)),
        h("div", { class: "row" }, this.shape.label,
          this.button("New sample", () => { this.seed += 1; this.reset(); }),
          this.button("Reset", () => { this.seed = this.number("seed", 1); this.reset(); }))));
      this.reset();
    }

    reset() {
      [this.x, this.y] = make(this.shape.input.value, this.number("points", 24), this.seed);
      this.span = Math.max(SPAN, Math.ceil(Math.max(...this.x, ...this.y)));
      this.nodes = this.x.map((_, i) => this.point(i));
      this.fit = s("line", { class: "fit" });
      const low = EDGE, high = SIZE - EDGE;
      this.frame.replaceChildren(
        s("line", { class: "axis", x1: low, x2: high, y1: high, y2: high }),
        s("line", { class: "axis", x1: low, x2: low, y1: low, y2: high }),
        s("text", { x: high, y: SIZE - 6, "text-anchor": "end" }, "x"),
        s("text", { x: 8, y: low + 4 }, "y"),
        this.fit, ...this.nodes);
      this.draw();
    }

    point(i) {
      const node = s("g", { tabindex: i ? -1 : 0, role: "slider", "aria-label": `Point ${i + 1}`, "aria-valuemin": 0, "aria-valuemax": this.span }, s("circle", { class: "reach", r: 12 }), s("circle", { class: "point", r: 5 }));
      const move = (x, y) => {
        this.x[i] = Math.min(this.span, Math.max(0, x));
        this.y[i] = Math.min(this.span, Math.max(0, y));
        this.draw();
      };
      const take = (to) => { // one point is in the tab order at a time
        this.nodes.forEach((other) => other.setAttribute("tabindex", other === to ? 0 : -1));
        to.focus();
      };
      node.addEventListener("keydown", (event) => {
        const turn = { PageUp: -1, PageDown: 1 }[event.key];
        if (turn) {
          event.preventDefault();
          take(this.nodes[(i + turn + this.nodes.length) % this.nodes.length]);
        }
        const step = event.shiftKey ? 1 : 0.1;
        const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
        if (!by) return;
        event.preventDefault();
        move(this.x[i] + by[0], this.y[i] + by[1]);
      });
      node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); take(node); event.preventDefault(); });
      node.addEventListener("pointermove", (event) => {
        if (!node.hasPointerCapture(event.pointerId)) return;
        const box = this.frame.getBoundingClientRect();
        const unit = (pixel, size) => ((pixel / size) * SIZE - EDGE) / (SIZE - 2 * EDGE);
        move(unit(event.clientX - box.left, box.width) * this.span, (1 - unit(event.clientY - box.top, box.height)) * this.span);
      });
      return node;
    }

    draw() {
      if (!this.nodes) return;
      const { x, y } = this;
      const place = (value) => EDGE + (value / this.span) * (SIZE - 2 * EDGE);
      const r = pearson(x, y);
      const slope = r * Math.sqrt(y.reduce((sum, v) => sum + (v - mean(y)) ** 2, 0) / x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0));
      const intercept = mean(y) - slope * mean(x);
      this.state = { x: [...x], y: [...y], pearson: r, spearman: pearson(ranks(x), ranks(y)), kendall: kendall(x, y), slope, intercept };
      this.nodes.forEach((node, i) => {
        node.setAttribute("transform", `translate(${place(x[i])} ${SIZE - place(y[i])})`);
        node.setAttribute("aria-valuenow", y[i]);
        node.setAttribute("aria-valuetext", `x ${format(x[i], 1)}, y ${format(y[i], 1)}`);
      });
      this.fit.setAttribute("visibility", Number.isFinite(slope) ? "visible" : "hidden");
      if (Number.isFinite(slope)) this.clip(slope, intercept, place);
      for (const row of this.rows) {
        const value = this.state[row.name.toLowerCase()];
        row.number.textContent = format(value);
        row.bar.setAttribute("x", 50 + Math.min(0, 50 * (value || 0)));
        row.bar.setAttribute("width", Math.abs(50 * (value || 0)));
      }
      this.line.textContent = Number.isFinite(slope)
        ? `Fitted line: y = ${format(intercept, 2)} ${slope < 0 ? "−" : "+"} ${format(Math.abs(slope), 2)} x`
        : "No fitted line: x or y has no spread.";
      this.say(this.rows.map((row) => `${row.name} ${format(this.state[row.name.toLowerCase()], 2)}`).join(", "));
    }

    clip(slope, intercept, place) { // the part of the line inside the frame
      const ends = [0, this.span].map((at) => {
        const value = Math.min(this.span, Math.max(0, intercept + slope * at));
        return Math.abs(slope) < 1e-12 ? [at, value] : [(value - intercept) / slope, value];
      });
      ends.forEach(([x, y], i) => {
        this.fit.setAttribute(`x${i + 1}`, place(x));
        this.fit.setAttribute(`y${i + 1}`, SIZE - place(y));
      });
    }
  }

  define("lab-correlation", LabCorrelation);
})();
