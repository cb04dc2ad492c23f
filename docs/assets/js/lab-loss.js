/* <lab-loss slope="-0.5" bias="1" loss="MSE" rate="0.1" momentum="0">: a line, its loss, and descent on it.
 *
 * Losses and their gradients are those of labkit.losses (Huber with delta 1); a step is labkit's
 * SGD: v <- momentum v - rate g, then w <- w + v. A run that diverges is drawn until it leaves the map.
 */
(() => {
  "use strict";
  const { Element, define, h, s, format, random } = window.Lab;
  const SIZE = 280, REACH = 4, CELLS = 56, LIMIT = 1e6; // pixels, half width of both maps, heat-map cells, "diverged"

  const LOSSES = { // of the error e = prediction - target: value and derivative
    MSE: [(e) => e * e, (e) => 2 * e],
    MAE: [Math.abs, Math.sign],
    Huber: [(e) => (Math.abs(e) <= 1 ? 0.5 * e * e : Math.abs(e) - 0.5), (e) => Math.max(-1, Math.min(1, e))],
  };

  const sample = (seed) => {
    const next = random(seed), x = [], y = [];
    for (let i = 0; i < 12; i += 1) {
      x.push(-3 + (6 * i) / 11);
      y.push(0.9 * x[i] - 0.5 + (next() + next() - 1));
    }
    y[10] = -3.2; // one outlier
    return [x, y];
  };

  class LabLoss extends Element {
    static css = `
      .point { fill: var(--lab-blue); } .residual { stroke: var(--lab-grey); stroke-dasharray: 2 3; }
      .line { stroke: var(--lab-orange); stroke-width: 2.5; }
      .handle { cursor: grab; } .handle .reach { fill: transparent; } .handle:focus-visible { outline: none; }
      .dot { fill: var(--lab-orange); stroke: var(--md-default-bg-color); stroke-width: 1.5; }
      .handle:focus-visible .dot { stroke: var(--md-default-fg-color); stroke-width: 4; }
      .path { fill: none; stroke: var(--md-default-fg-color); stroke-width: 1.5; } .best { fill: none; stroke: var(--md-default-fg-color); stroke-width: 2; }
      .map { position: relative; overflow: hidden; } .map canvas { aspect-ratio: 1; } .map svg { position: absolute; inset: 0 0 auto; }
      .sliders { display: grid; gap: .3rem 1rem; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); margin: .6rem 0; }
      tr[aria-current] th { font-weight: bold; } tr[aria-current] th::after { content: " ◂"; } table { font-size: .7rem; } .news { min-height: 1.5em; margin: .4rem 0; }`;

    build(root) {
      this.start = { slope: this.number("slope", -0.5), bias: this.number("bias", 1) };
      this.seed = this.number("seed", 3);
      [this.x, this.y] = sample(this.seed);
      const named = Object.keys(LOSSES).find((name) => name.toLowerCase() === (this.getAttribute("loss") || "").toLowerCase()) || "MSE";
      const settings = { rate: this.number("rate", 0.05), momentum: this.number("momentum", 0) };
      this.settings = settings;
      this.sliders = {
        slope: this.slider("slope", { min: -REACH, max: REACH, step: 0.01, value: this.start.slope }, (slope) => this.move({ slope })),
        bias: this.slider("bias", { min: -REACH, max: REACH, step: 0.01, value: this.start.bias }, (bias) => this.move({ bias })),
        rate: this.slider("learning rate", { min: 0.005, max: 0.6, step: 0.005, value: settings.rate, digits: 3 }, (rate) => { settings.rate = rate; }),
        momentum: this.slider("momentum", { min: 0, max: 0.95, step: 0.05, value: settings.momentum }, (momentum) => { settings.momentum = momentum; }),
      };
      this.select = this.choice("Loss", Object.keys(LOSSES), named, () => this.restart());
      this.scene = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
      this.heat = h("canvas", { width: CELLS, height: CELLS, "aria-hidden": "true" });
      this.path = s("polyline", { class: "path" });
      this.best = s("path", { class: "best" });
      this.dot = this.handle();
      this.over = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group", "aria-label": "Map of the loss over slope and bias" },
        this.best, this.path, this.dot, s("text", { x: SIZE - 34, y: SIZE - 6 }, "slope"), s("text", { x: 6, y: 14 }, "bias"));
      this.rows = Object.keys(LOSSES).map((name) => {
        const cells = [h("td"), h("td"), h("td")];
        return { name, cells, row: h("tr", {}, h("th", { scope: "row" }, name), cells) };
      });
      this.news = h("p", { class: "news number" });
      const heads = ["Loss", "value", "∂/∂slope", "∂/∂bias"].map((text) => h("th", { scope: "col" }, text));
      root.append(h("div", { class: "panel" },
        h("div", { class: "views" },
          h("figure", {}, this.scene, h("figcaption", {}, "The points, the line, and each error as a dotted length.")),
          h("figure", {}, h("div", { class: "map" }, this.heat, this.over), h("figcaption", {}, "The chosen loss for each slope and bias: the stronger the color, the lower. The cross is the lowest. Drag the dot."))),
        h("table", {}, h("caption", { class: "unseen" }, "Losses and their gradients"), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, this.rows.map((row) => row.row))),
        this.news,
        h("div", { class: "sliders" }, Object.values(this.sliders).map((slider) => slider.label)),
        h("div", { class: "row" }, this.select.label, this.button("Step", () => { this.stop(); this.step(); }),
          this.runner({ every: 60, more: () => this.steps < 500, step: () => this.step(), atOnce: () => { for (let i = 0; i < 50; i += 1) this.step(); } }),
          this.button("Reset", () => this.restart()))));
      this.restart();
    }

    restart() {
      this.stop();
      this.surface = null;
      this.move(this.start);
    }

    move(values) { // by hand: a new descent starts here
      Object.assign(this, { slope: this.slope, bias: this.bias, ...values, velocity: [0, 0], steps: 0, diverged: false });
      this.trail = [[this.slope, this.bias]];
      this.draw();
    }

    measure(name, slope, bias) {
      const [value, derivative] = LOSSES[name], n = this.x.length;
      let loss = 0, bySlope = 0, byBias = 0;
      for (let i = 0; i < n; i += 1) {
        const error = slope * this.x[i] + bias - this.y[i];
        loss += value(error) / n;
        bySlope += (derivative(error) * this.x[i]) / n;
        byBias += derivative(error) / n;
      }
      return { loss, bySlope, byBias };
    }

    step() {
      if (this.diverged) return;
      const { rate, momentum } = this.settings, { bySlope, byBias } = this.measure(this.select.input.value, this.slope, this.bias);
      this.velocity = [momentum * this.velocity[0] - rate * bySlope, momentum * this.velocity[1] - rate * byBias];
      this.slope += this.velocity[0];
      this.bias += this.velocity[1];
      this.steps += 1;
      this.trail.push([this.slope, this.bias]);
      this.diverged = !(this.measure(this.select.input.value, this.slope, this.bias).loss < LIMIT);
      if (this.diverged) this.stop();
      this.draw();
    }

    handle() {
      const node = s("g", { class: "handle", tabindex: 0, role: "slider", "aria-label": "Slope and bias", "aria-valuemin": -REACH, "aria-valuemax": REACH },
        s("circle", { class: "reach", r: 14 }), s("circle", { class: "dot", r: 6 }));
      const clip = (value) => Math.max(-REACH, Math.min(REACH, value));
      node.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!by) return;
        event.preventDefault();
        const size = event.shiftKey ? 0.5 : 0.05;
        this.move({ slope: clip(this.slope + by[0] * size), bias: clip(this.bias + by[1] * size) });
      });
      node.addEventListener("pointerdown", (event) => { this.stop(); node.setPointerCapture(event.pointerId); node.focus(); event.preventDefault(); });
      node.addEventListener("pointermove", (event) => {
        if (!node.hasPointerCapture(event.pointerId)) return;
        const box = this.over.getBoundingClientRect(), share = (at, size) => (2 * at / size - 1) * REACH;
        this.move({ slope: clip(share(event.clientX - box.left, box.width)), bias: clip(-share(event.clientY - box.top, box.height)) });
      });
      return node;
    }

    draw() {
      if (!this.trail) return;
      const px = (value) => ((value + REACH) / (2 * REACH)) * SIZE, py = (value) => SIZE - px(value);
      const { slope, bias } = this, chosen = this.select.input.value;
      this.state = { x: [...this.x], y: [...this.y], slope, bias, chosen, steps: this.steps, diverged: this.diverged, velocity: [...this.velocity], ...this.settings };
      for (const { name, cells, row } of this.rows) {
        const { loss, bySlope, byBias } = this.state[name] = this.measure(name, slope, bias);
        [loss, bySlope, byBias].forEach((value, i) => { cells[i].textContent = format(value); });
        if (name === chosen) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
      }
      this.sliders.slope.input.set(slope);
      this.sliders.bias.input.set(bias);
      this.scene.setAttribute("aria-label", `Twelve points and the line y = ${format(slope, 2)} x + ${format(bias, 2)}.`);
      const shown = (value) => Math.max(-99, Math.min(99, value)); // far outside the picture, yet a number that SVG draws
      this.scene.replaceChildren(
        s("line", { class: "axis", x1: 0, x2: SIZE, y1: py(0), y2: py(0) }), s("line", { class: "axis", x1: px(0), x2: px(0), y1: 0, y2: SIZE }),
        s("text", { x: SIZE - 12, y: py(0) - 5 }, "x"), s("text", { x: px(0) + 5, y: 12 }, "y"),
        ...this.x.map((x, i) => s("line", { class: "residual", x1: px(x), x2: px(x), y1: py(this.y[i]), y2: py(shown(slope * x + bias)) })),
        s("line", { class: "line", x1: 0, x2: SIZE, y1: py(shown(-slope * REACH + bias)), y2: py(shown(slope * REACH + bias)) }),
        ...this.x.map((x, i) => s("circle", { class: "point", cx: px(x), cy: py(this.y[i]), r: 4.5 })));
      this.drawMap(chosen, px, py);
      this.path.setAttribute("points", this.trail.map(([a, b]) => `${px(shown(a))},${py(shown(b))}`).join(" "));
      const inside = Math.max(Math.abs(slope), Math.abs(bias)) <= REACH;
      this.dot.setAttribute("visibility", inside ? "visible" : "hidden");
      this.dot.setAttribute("transform", `translate(${px(shown(slope))} ${py(shown(bias))})`);
      this.dot.setAttribute("aria-valuenow", Math.max(-REACH, Math.min(REACH, slope)));
      this.dot.setAttribute("aria-valuetext", `slope ${format(slope, 2)}, bias ${format(bias, 2)}`);
      const loss = format(this.state[chosen].loss), steps = `${this.steps} step${this.steps === 1 ? "" : "s"}`;
      this.news.textContent = this.diverged ? `Diverged after ${steps}: ${chosen} ${loss}. The learning rate is too large; reset, and make it smaller.`
        : `${steps}, ${chosen} ${loss}${inside ? "" : ". The line has left the map"}`;
      this.say(this.news.textContent);
    }

    drawMap(chosen, px, py) {
      const scheme = this.color("--lab-blue");
      if (!this.surface || this.painted !== scheme) {
        const at = (i) => -REACH + ((i + 0.5) / CELLS) * 2 * REACH, context = this.heat.getContext("2d");
        this.surface = Array.from({ length: CELLS * CELLS }, (_, i) => this.measure(chosen, at(i % CELLS), -at(Math.floor(i / CELLS))).loss);
        const low = Math.min(...this.surface), high = Math.max(...this.surface), lowest = this.surface.indexOf(low);
        context.clearRect(0, 0, CELLS, CELLS);
        context.fillStyle = scheme;
        this.surface.forEach((loss, i) => {
          const height = Math.sqrt((loss - low) / (high - low)); // the root spreads the bottom of the bowl
          context.globalAlpha = 0.7 * (1 - Math.floor(12 * height) / 12);
          context.fillRect(i % CELLS, Math.floor(i / CELLS), 1, 1);
        });
        const x = px(at(lowest % CELLS)), y = py(-at(Math.floor(lowest / CELLS)));
        this.best.setAttribute("d", `M${x - 5} ${y - 5}l10 10m0-10l-10 10`);
        this.painted = scheme;
      }
    }
  }

  define("lab-loss", LabLoss);
})();
