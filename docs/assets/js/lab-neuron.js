/* <lab-neuron inputs="1 -0.5" weights="1.5 2" bias="-0.5" activation="sigmoid">: one neuron, by hand.
 *
 * z = w1 x1 + w2 x2 + b and ŷ = f(z), with f as in labkit.activations. Two views: the curve of f
 * with the point (z, y) on it, and the plane of inputs with the line z = 0, which can be dragged.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, layers, handle } = window.Lab;
  const { clamp, scale, format, term, follow, keys, paint, inRange } = window.Lab;

  const SIZE = 240; // of a view, in its own units
  const REACH = 3; // half the width of the plane
  const CELLS = 192; // of the plane's shading, in a row
  const HATCH = 14; // cells from one line of the hatching to the next
  const SLIDERS = {
    x1: "input x₁",
    x2: "input x₂",
    w1: "weight w₁",
    w2: "weight w₂",
    b: "bias b",
  };
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

  const toX = scale([-REACH, REACH], [0, SIZE]);
  const toY = scale([-REACH, REACH], [SIZE, 0]);
  const fromShare = scale([0, 1], [-REACH, REACH]);
  const bounded = (value) => clamp(value, -REACH, REACH);
  const text = (x, y, content, anchor = "start") =>
    s("text", { x, y, "text-anchor": anchor }, content);

  class LabNeuron extends Element {
    static css = `
      .curve { fill: none; stroke: var(--lab-blue); stroke-width: 2.5; }
      .drop { stroke: var(--lab-orange); stroke-dasharray: 3 3; }
      .boundary { stroke: var(--md-default-fg-color); stroke-width: 2; }
      .grip {
        fill: var(--md-default-bg-color);
        stroke: var(--md-default-fg-color); stroke-width: 2;
      }
      .sum { margin: .2rem 0 .8rem; overflow-wrap: anywhere; }
      .sliders { margin: 0 0 .6rem; }`;

    build(root) {
      const [x1, x2] = this.numbers("inputs", [1, -0.5]);
      const [w1, w2] = this.numbers("weights", [1.5, 2]);
      this.start = { x1, x2, w1, w2, b: this.number("bias", -0.5) };
      this.values = { ...this.start };
      this.startActivation = this.oneOf("activation", Object.keys(ACTIVATIONS), "sigmoid");
      this.activation = this.startActivation;

      this.sliders = {};
      for (const [key, name] of Object.entries(SLIDERS)) {
        const settings = { min: -REACH, max: REACH, step: 0.05, value: this.start[key] };
        this.sliders[key] = this.slider(name, settings, (value) => {
          this.values[key] = value;
          this.draw();
        });
        this.keep(key, {
          read: () => String(Number(this.values[key].toFixed(4))),
          check: (text) => inRange(text, -REACH, REACH),
          put: (value) => this.change({ [key]: value }),
        });
      }
      const names = Object.keys(ACTIVATIONS);
      const choose = (name) => {
        this.activation = name;
        this.draw();
      };
      this.select = this.choice("Activation", names, this.activation, choose, "f");
      this.sum = h("p", { class: "sum number" });
      this.curve = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
      this.buildPlane();

      const planeCaption =
        "Hatched: z below 0. The line is z = 0. Drag its ring, or the point; arrow keys work too.";
      const sliders = Object.values(this.sliders).map((slider) => slider.label);
      root.append(
        box(
          "panel",
          this.sum,
          box(
            "views",
            figure(this.curve, "The activation, and this neuron's point on it."),
            figure(layers(this.shade, this.plane), planeCaption),
          ),
          box("sliders", sliders),
          this.row(
            this.select.label,
            this.button("Reset", () => this.reset()),
          ),
        ),
      );
    }

    buildPlane() {
      this.shade = h("canvas", { "aria-hidden": "true" });
      this.boundary = line("boundary");
      this.dot = this.buildHandle("Input point", "", (x, y) => this.change({ x1: x, x2: y }));
      this.grip = this.buildHandle("Decision boundary", "grip", (x, y) => this.turn(x, y));
      this.plane = s(
        "svg",
        {
          viewBox: `0 0 ${SIZE} ${SIZE}`,
          role: "group",
          "aria-label": "Plane of the two inputs",
        },
        line("axis", 0, SIZE / 2, SIZE, SIZE / 2),
        line("axis", SIZE / 2, 0, SIZE / 2, SIZE),
        text(SIZE - 4, SIZE / 2 - 5, "x₁", "end"),
        text(SIZE / 2 + 5, 12, "x₂"),
        this.boundary,
        this.grip,
        this.dot,
      );
      for (const node of [this.dot, this.grip]) {
        follow(node, this.plane, {
          press: () => node.focus(),
          move: (x, y) => node.move(bounded(fromShare(x)), bounded(-fromShare(y))),
        });
      }
    }

    buildHandle(name, kind, move) {
      const range = { "aria-valuemin": -REACH, "aria-valuemax": REACH };
      const node = Object.assign(handle(name, { kind, ...range }), { move });
      keys(node, {
        arrow: (right, up, shift) => {
          const step = shift ? 0.5 : 0.05;
          move(bounded(node.at[0] + step * right), bounded(node.at[1] + step * up));
        },
      });
      return node;
    }

    reset() {
      this.activation = this.startActivation;
      this.select.input.value = this.activation;
      this.change(this.start);
    }

    change(values) {
      for (const [key, value] of Object.entries(values)) {
        this.values[key] = bounded(value);
        this.sliders[key].input.set(this.values[key]);
      }
      this.draw();
    }

    /* The ring is the boundary's point nearest to the origin: -b w / |w|². */
    foot() {
      const { w1, w2, b } = this.values;
      const square = w1 * w1 + w2 * w2;
      return square ? [(-b * w1) / square, (-b * w2) / square] : [0, 0];
    }

    /* Let the boundary have its ring at (x, y). The weights turn and keep their length, unless the
     * bias that this takes is out of reach: then all three shrink, which moves no boundary. */
    turn(x, y) {
      const { w1, w2, b } = this.values;
      const length = Math.hypot(w1, w2);
      const far = Math.hypot(x, y);
      if (!length || far < 1e-9) return;
      const side = b > 0 ? -1 : 1; // where z is positive, it stays positive
      const [u1, u2] = [(side * length * x) / far, (side * length * y) / far];
      const bias = -(u1 * x + u2 * y);
      const shrink = Math.min(1, REACH / Math.max(Math.abs(u1), Math.abs(u2), Math.abs(bias)));
      this.change({ w1: u1 * shrink, w2: u2 * shrink, b: bias * shrink });
    }

    draw() {
      const { x1, x2, w1, w2, b } = this.values;
      const z = w1 * x1 + w2 * x2 + b;
      const y = ACTIVATIONS[this.activation](z);
      this.state = { ...this.values, activation: this.activation, z, y };
      this.sum.replaceChildren(
        `z = ${term(w1)} × ${term(x1)} + ${term(w2)} × ${term(x2)} + ${term(b)} = `,
        h("strong", {}, format(z)),
        `,  ŷ = ${this.activation}(z) = `,
        h("strong", {}, format(y)),
      );
      this.drawCurve(z, y);
      this.drawShade();
      this.drawBoundary();
      this.place(this.dot, [x1, x2]);
      this.place(this.grip, this.foot());
      this.say(`z ${format(z, 2)}, output ${format(y, 2)}`);
    }

    /* The curve is drawn as far as the point on it, so both axes follow z. */
    drawCurve(z, y) {
      const f = ACTIVATIONS[this.activation];
      const span = Math.max(5, Math.ceil(Math.abs(z)));
      const px = scale([-span, span], [0, SIZE]);
      const low = Math.min(-0.4, 1.1 * f(-span));
      const high = Math.max(1.2, f(span));
      const py = scale([low, high], [SIZE - 8, 8]);
      const at = Array.from({ length: 121 }, (_, i) => -span + (i / 60) * span);
      const points = at.map((value) => `${px(value)},${py(f(value))}`).join(" ");
      set(this.curve, {
        "aria-label": `Curve of ${this.activation}. At z = ${format(z, 2)} the output is ${format(y, 2)}.`,
      });
      this.curve.replaceChildren(
        line("axis", 0, py(0), SIZE, py(0)),
        line("axis", px(0), 0, px(0), SIZE),
        line("grid", 0, py(1), SIZE, py(1)),
        text(SIZE - 4, py(0) - 5, "z", "end"),
        text(px(0) + 5, 12, "ŷ"),
        text(4, py(1) - 4, "1"),
        text(4, py(0) + 13, format(-span, 0)),
        text(SIZE - 4, py(0) + 13, format(span, 0), "end"),
        s("polyline", { class: "curve", points }),
        line("drop", px(z), py(0), px(z), py(y)),
        line("drop", px(0), py(y), px(z), py(y)),
        s("circle", { class: "mark", cx: px(z), cy: py(y), r: 6 }),
      );
    }

    /* The output over the plane. Where z is negative it is paler and hatched, as the colors alone
     * would not tell both sides apart. */
    drawShade() {
      const { w1, w2, b } = this.values;
      const center = scale([-0.5, CELLS - 0.5], [-REACH, REACH]);
      const sums = Array.from(
        { length: CELLS * CELLS },
        (_, i) => w1 * center(i % CELLS) - w2 * center(Math.floor(i / CELLS)) + b,
      );
      const sizes = sums.map((z) => Math.abs(ACTIVATIONS[this.activation](z)));
      const top = Math.max(...sizes, 1e-9);
      const blue = this.color("--lab-blue");
      paint(this.shade, [CELLS, CELLS], (i) => {
        const negative = sums[i] < 0;
        const hatched = negative && ((i % CELLS) + Math.floor(i / CELLS)) % HATCH < 2;
        const strength = 0.4 * (sizes[i] / top) * (negative ? 0.35 : 1);
        return [...blue, 255 * (0.06 + strength + (hatched ? 0.16 : 0))];
      });
    }

    drawBoundary() {
      const { w1, w2 } = this.values;
      const length = Math.hypot(w1, w2);
      set(this.boundary, { visibility: length ? "visible" : "hidden" });
      if (!length) return;
      const [x, y] = this.foot();
      const [dx, dy] = [(-3 * REACH * w2) / length, (3 * REACH * w1) / length]; // beyond the view
      set(this.boundary, { x1: toX(x + dx), y1: toY(y + dy), x2: toX(x - dx), y2: toY(y - dy) });
    }

    place(node, [x, y]) {
      node.at = [x, y];
      set(node, {
        transform: `translate(${toX(x)} ${toY(y)})`,
        "aria-valuenow": x,
        "aria-valuetext": `x₁ ${format(x, 2)}, x₂ ${format(y, 2)}`,
      });
    }
  }

  define("lab-neuron", LabNeuron);
})();
