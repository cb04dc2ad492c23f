/* <lab-neuron inputs="1 -0.5" weights="1.5 2" bias="-0.5" activation="sigmoid">: one neuron, by hand.
 *
 * z = w1 x1 + w2 x2 + b and y = f(z), with f as in labkit.activations. Two views: the curve of f
 * with the point (z, y) on it, and the plane of inputs with the line z = 0, which can be dragged.
 */
(() => {
  "use strict";
  const { Element, define, h, s, format } = window.Lab;
  const SIZE = 240, REACH = 3, STEPS = 48; // pixels of a view, its half width in units, cells of the shading

  const ACTIVATIONS = {
    sigmoid: (z) => 1 / (1 + Math.exp(-z)),
    tanh: Math.tanh,
    relu: (z) => Math.max(0, z),
    leaky_relu: (z) => (z < 0 ? 0.2 * z : z),
    elu: (z) => (z < 0 ? Math.expm1(z) : z),
    softplus: (z) => Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z))),
    silu: (z) => z / (1 + Math.exp(-z)),
    linear: (z) => z,
  };
  const bounded = (value, limit) => Math.min(limit, Math.max(-limit, value));
  const toPixel = (value) => ((value + REACH) / (2 * REACH)) * SIZE;
  const toUnit = (share) => share * 2 * REACH - REACH;

  class LabNeuron extends Element {
    static css = `
      .curve { fill: none; stroke: var(--lab-blue); stroke-width: 2.5; }
      .drop { stroke: var(--lab-orange); stroke-dasharray: 3 3; }
      .boundary { stroke: var(--md-default-fg-color); stroke-width: 2; }
      .handle { cursor: grab; } .handle .reach { fill: transparent; } .handle:focus-visible { outline: none; }
      .dot { fill: var(--lab-orange); stroke: var(--md-default-bg-color); stroke-width: 1.5; }
      .grip { fill: var(--md-default-bg-color); stroke: var(--md-default-fg-color); stroke-width: 2; }
      .handle:focus-visible .dot, .handle:focus-visible .grip { stroke: var(--lab-blue); stroke-width: 4; }
      .plane { position: relative; } .plane canvas { image-rendering: pixelated; aspect-ratio: 1; } .plane svg { position: absolute; inset: 0 0 auto; }
      .sliders { display: grid; gap: .3rem 1rem; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); margin-bottom: .6rem; }
      .sum { overflow-wrap: anywhere; margin: .2rem 0 .8rem; }`;

    build(root) {
      const [x1, x2] = this.numbers("inputs", [1, -0.5]), [w1, w2] = this.numbers("weights", [1.5, 2]);
      const start = { x1, x2, w1, w2, b: this.number("bias", -0.5) };
      const named = this.getAttribute("activation");
      this.values = { ...start };
      this.f = ACTIVATIONS[named] ? named : "sigmoid";
      this.sliders = {};
      const names = { x1: "input x₁", x2: "input x₂", w1: "weight w₁", w2: "weight w₂", b: "bias b" };
      for (const [key, name] of Object.entries(names)) {
        this.sliders[key] = this.slider(name, { min: -REACH, max: REACH, step: 0.05, value: start[key] },
          (value) => { this.values[key] = value; this.draw(); });
      }
      this.select = this.choice("Activation", Object.keys(ACTIVATIONS), this.f, (name) => { this.f = name; this.draw(); });
      this.sum = h("p", { class: "sum number" });
      this.curve = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
      this.shade = h("canvas", { width: STEPS, height: STEPS, "aria-hidden": "true" });
      this.line = s("line", { class: "boundary" });
      this.dot = this.handle("dot", "Input point", (x, y) => this.set({ x1: x, x2: y }));
      this.grip = this.handle("grip", "Decision boundary", (x, y) => this.turn(x, y));
      this.plane = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "group", "aria-label": "Plane of the two inputs" },
        s("line", { class: "axis", x1: 0, x2: SIZE, y1: SIZE / 2, y2: SIZE / 2 }), s("line", { class: "axis", x1: SIZE / 2, x2: SIZE / 2, y1: 0, y2: SIZE }),
        s("text", { x: SIZE - 16, y: SIZE / 2 - 5 }, "x₁"), s("text", { x: SIZE / 2 + 5, y: 12 }, "x₂"),
        this.line, this.grip, this.dot);
      root.append(h("div", { class: "panel" }, this.sum,
        h("div", { class: "views" },
          h("figure", {}, this.curve, h("figcaption", {}, "The activation, and this neuron's point on it.")),
          h("figure", {}, h("div", { class: "plane" }, this.shade, this.plane),
            h("figcaption", {}, "Hatched: z below 0. The line is z = 0. Drag its ring, or the point; arrow keys work too."))),
        h("div", { class: "sliders" }, Object.values(this.sliders).map((slider) => slider.label)),
        h("div", { class: "row" }, this.select.label,
          this.button("Reset", () => { this.f = this.select.input.value = ACTIVATIONS[named] ? named : "sigmoid"; this.set(start); }))));
    }

    set(values) {
      for (const [key, value] of Object.entries(values)) {
        this.values[key] = bounded(value, REACH);
        this.sliders[key].input.set(this.values[key]);
      }
      this.draw();
    }

    /* The ring is the boundary's point nearest to the origin: p = -b w / |w|². Moving it keeps |w|. */
    foot() {
      const { w1, w2, b } = this.values, square = w1 * w1 + w2 * w2;
      return square ? [(-b * w1) / square, (-b * w2) / square] : [0, 0];
    }

    turn(x, y) {
      const { w1, w2, b } = this.values, length = Math.hypot(w1, w2), far = Math.hypot(x, y);
      if (!length || far < 1e-9) return;
      const sign = b > 0 ? -1 : 1; // keep the positive side where it is
      const w = [(sign * length * x) / far, (sign * length * y) / far];
      const bias = -(w[0] * x + w[1] * y), scale = Math.min(1, REACH / Math.max(...w.map(Math.abs), Math.abs(bias)));
      this.set({ w1: w[0] * scale, w2: w[1] * scale, b: bias * scale });
    }

    handle(kind, name, move) {
      const node = s("g", { class: "handle", tabindex: 0, role: "slider", "aria-label": name, "aria-valuemin": -REACH, "aria-valuemax": REACH },
        s("circle", { class: "reach", r: 14 }), s("circle", { class: kind, r: 6 }));
      node.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!by) return;
        event.preventDefault();
        move(...node.at.map((value, i) => bounded(value + by[i] * (event.shiftKey ? 0.5 : 0.05), REACH)));
      });
      node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); node.focus(); event.preventDefault(); });
      node.addEventListener("pointermove", (event) => {
        if (!node.hasPointerCapture(event.pointerId)) return;
        const box = this.plane.getBoundingClientRect();
        move(bounded(toUnit((event.clientX - box.left) / box.width), REACH), bounded(-toUnit((event.clientY - box.top) / box.height), REACH));
      });
      return node;
    }

    place(node, [x, y]) {
      node.at = [x, y];
      node.setAttribute("transform", `translate(${toPixel(x)} ${SIZE - toPixel(y)})`);
      node.setAttribute("aria-valuenow", x);
      node.setAttribute("aria-valuetext", `x₁ ${format(x, 2)}, x₂ ${format(y, 2)}`);
    }

    draw() {
      if (!this.plane) return;
      const { x1, x2, w1, w2, b } = this.values, f = ACTIVATIONS[this.f];
      const z = w1 * x1 + w2 * x2 + b, y = f(z);
      this.state = { ...this.values, activation: this.f, z, y };
      const term = (value) => (value < 0 ? `(${format(value, 2)})` : format(value, 2));
      this.sum.replaceChildren(`z = ${term(w1)} × ${term(x1)} + ${term(w2)} × ${term(x2)} + ${term(b)} = `, h("strong", {}, format(z)),
        `,  y = ${this.f}(z) = `, h("strong", {}, format(y)));
      this.drawCurve(f, z, y);
      this.drawPlane(w1, w2, b, f);
      this.place(this.dot, [x1, x2]);
      this.place(this.grip, this.foot());
      this.say(`z ${format(z, 2)}, output ${format(y, 2)}`);
    }

    drawCurve(f, z, y) {
      const span = Math.max(5, Math.ceil(Math.abs(z))), low = Math.min(-0.4, 1.1 * f(-span)), high = Math.max(1.2, f(span));
      const px = (value) => ((value + span) / (2 * span)) * SIZE, py = (value) => SIZE - ((value - low) / (high - low)) * (SIZE - 16) - 8;
      const points = Array.from({ length: 121 }, (_, i) => -span + (i / 60) * span);
      const label = (x, at, text, anchor = "start") => s("text", { x, y: at, "text-anchor": anchor }, text);
      this.curve.setAttribute("aria-label", `Curve of ${this.f}. At z = ${format(z, 2)} the output is ${format(y, 2)}.`);
      this.curve.replaceChildren(
        s("line", { class: "axis", x1: 0, x2: SIZE, y1: py(0), y2: py(0) }), s("line", { class: "axis", x1: px(0), x2: px(0), y1: 0, y2: SIZE }),
        s("line", { class: "grid", x1: 0, x2: SIZE, y1: py(1), y2: py(1) }),
        label(SIZE - 4, py(0) - 5, "z", "end"), label(px(0) + 5, 12, "y"), label(4, py(1) - 4, "1"), label(4, py(0) + 13, format(-span, 0)), label(SIZE - 4, py(0) + 13, format(span, 0), "end"),
        s("polyline", { class: "curve", points: points.map((value) => `${px(value)},${py(f(value))}`).join(" ") }),
        s("line", { class: "drop", x1: px(z), x2: px(z), y1: py(0), y2: py(y) }), s("line", { class: "drop", x1: px(0), x2: px(z), y1: py(y), y2: py(y) }),
        s("circle", { class: "dot", cx: px(z), cy: py(y), r: 6 }));
    }

    drawPlane(w1, w2, b, f) {
      const context = this.shade.getContext("2d");
      const cells = Array.from({ length: STEPS * STEPS }, (_, i) => {
        const x = toUnit(((i % STEPS) + 0.5) / STEPS), y = -toUnit((Math.floor(i / STEPS) + 0.5) / STEPS);
        return w1 * x + w2 * y + b;
      });
      const outputs = cells.map(f), top = Math.max(...outputs.map(Math.abs), 1e-9);
      context.clearRect(0, 0, STEPS, STEPS);
      context.fillStyle = this.color("--lab-blue");
      outputs.forEach((value, i) => {
        const column = i % STEPS, row = Math.floor(i / STEPS), hatched = cells[i] < 0 && (column + row) % 4 === 0;
        context.globalAlpha = 0.06 + 0.4 * (Math.abs(value) / top) * (cells[i] < 0 ? 0.35 : 1) + (hatched ? 0.16 : 0);
        context.fillRect(column, row, 1, 1);
      });
      const length = Math.hypot(w1, w2), [px, py] = this.foot(), far = 3 * REACH;
      this.line.setAttribute("visibility", length ? "visible" : "hidden");
      if (!length) return;
      const along = [-w2 / length, w1 / length];
      [[1, far], [2, -far]].forEach(([end, t]) => {
        this.line.setAttribute(`x${end}`, toPixel(px + t * along[0]));
        this.line.setAttribute(`y${end}`, SIZE - toPixel(py + t * along[1]));
      });
    }
  }

  define("lab-neuron", LabNeuron);
})();
