/* <lab-layers data="circles" layers="2" units="4" activation="tanh" rate="0.03">: a network learns.
 *
 * Dense layers, a sigmoid at the end, binary cross-entropy from its logits, full batches, and
 * labkit's Adam. Everything is float64, so labkit with dtype="float64" gives the same numbers.
 *
 * A reader's own points, two numbers and a class of 0 or 1 a line, are scaled to the plane.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, layers } = window.Lab;
  const { clamp, scale, format, random, paint } = window.Lab;
  const { refuse, inRange, count, runText, readRun, drawLots } = window.Lab;

  const CELLS = 48; // of each view, in a row; the browser blends them
  const REACH = 1.2; // half the width of each view
  const COUNT = 160; // points
  const LARGEST = 400; // number of a reader's own points
  const MOST = 2000; // steps of a run
  const RATES = { min: 0.001, max: 0.3 };
  const OWN = "your file";
  const TOSS = Math.log(2); // the loss of "one half" for every point

  /* The i-th point and its class, from uniform random numbers. */
  const DATA = {
    XOR: (next) => {
      const [x, y] = [2 * next() - 1, 2 * next() - 1];
      const gap = 0.08; // along both axes, so that the classes do not touch
      /* Exclusive or: class 1 where the signs differ. */
      return [x + gap * Math.sign(x), y + gap * Math.sign(y), x * y < 0 ? 1 : 0];
    },
    circles: (next, i) => {
      const inner = i % 2;
      const radius = inner ? 0.5 * Math.sqrt(next()) : 0.75 + 0.3 * next();
      const angle = 2 * Math.PI * next();
      return [radius * Math.cos(angle), radius * Math.sin(angle), inner];
    },
    spirals: (next, i) => {
      const arm = i % 2;
      const radius = 0.08 + (0.95 * i) / COUNT;
      const angle = 2.6 * Math.PI * radius + arm * Math.PI + 0.12 * (next() - 0.5);
      return [radius * Math.cos(angle), radius * Math.sin(angle), arm];
    },
  };

  /* A reader's rows, with both inputs scaled from their range to -1 and 1. */
  const scaled = (rows) => {
    if (rows.length < 4) refuse("at least 4 points", rows.length);
    const classes = [...new Set(rows.map((row) => row[2]))].sort((a, b) => a - b);
    if (classes.length < 2) refuse("points of class 0 and of class 1", `class ${classes[0]} alone`);
    const axes = [0, 1].map((axis) => {
      const values = rows.map((row) => row[axis]);
      const range = [Math.min(...values), Math.max(...values)];
      if (range[0] === range[1]) refuse(`a column ${axis + 1} that varies`, range[0]);
      return { range, to: scale(range, [-1, 1]) };
    });
    const points = rows.map(([x1, x2, t]) => [axes[0].to(x1), axes[1].to(x2), t]);
    return { points, ranges: axes.map(({ range }) => range) };
  };

  const sigmoid = (z) => 1 / (1 + Math.exp(-z));

  /* y = f(z), its derivative, from whichever of z and y is at hand, and the share of full color with
   * which an output is shown. */
  const squash = (y) => 0.5 + 0.5 * Math.tanh(y);
  const ACTIVATIONS = {
    tanh: { f: Math.tanh, slope: ({ y }) => 1 - y * y, share: squash },
    relu: { f: (z) => Math.max(0, z), slope: ({ z }) => (z > 0 ? 1 : 0), share: squash },
    sigmoid: { f: sigmoid, slope: ({ y }) => y * (1 - y), share: (y) => y },
    linear: { f: (z) => z, slope: () => 1, share: squash },
  };

  class Network {
    constructor(sizes, activation, seed) {
      const next = random(seed);
      /* Box and Muller, 1958 */
      const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      this.activation = ACTIVATIONS[activation];
      this.layers = sizes.slice(1).map((units, i) => {
        const inputs = sizes[i];
        const variance = (activation === "relu" ? 2 : 1) / inputs; // He's, or LeCun's
        const zeros = () => [new Float64Array(inputs * units), new Float64Array(units)];
        const weights = zeros(); // kernel and bias
        weights[0] = weights[0].map(() => Math.sqrt(variance) * normal());
        return { inputs, units, weights, gradients: zeros(), m: zeros(), v: zeros() };
      });
      this.steps = 0;
    }

    /* The logit of one sample. Each layer keeps its input x, its sums z and its outputs y. */
    forward(sample) {
      let x = sample;
      for (const layer of this.layers) {
        const { inputs, units, weights } = layer;
        const [kernel, bias] = weights;
        const z = Array.from(bias);
        for (let i = 0; i < inputs; i += 1) {
          for (let j = 0; j < units; j += 1) z[j] += x[i] * kernel[i * units + j];
        }
        const last = layer === this.layers.at(-1);
        Object.assign(layer, { x, z, y: z.map(last ? sigmoid : this.activation.f) });
        x = layer.y;
      }
      return this.layers.at(-1).z[0];
    }

    /* Add one sample's gradients, from that of the loss with respect to the logit. */
    backward(byLogit) {
      let dz = [byLogit];
      for (let at = this.layers.length - 1; at >= 0; at -= 1) {
        const { inputs, units, x, weights, gradients } = this.layers[at];
        const [byKernel, byBias] = gradients;
        const dx = Array(inputs).fill(0);
        for (let j = 0; j < units; j += 1) {
          byBias[j] += dz[j];
          for (let i = 0; i < inputs; i += 1) {
            byKernel[i * units + j] += x[i] * dz[j];
            dx[i] += weights[0][i * units + j] * dz[j];
          }
        }
        if (at === 0) return;
        const { z, y } = this.layers[at - 1];
        dz = dx.map((d, i) => d * this.activation.slope({ z: z[i], y: y[i] }));
      }
    }

    /* The mean over the points of max(z, 0) - z t + log(1 + exp(-|z|)), which is the cross-entropy of
     * sigmoid(z) against t, and the share of points on the right side. */
    measure(points) {
      let loss = 0;
      let right = 0;
      for (const [x1, x2, t] of points) {
        const z = this.forward([x1, x2]);
        loss += Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z)));
        if (z > 0 === (t === 1)) right += 1;
      }
      return { loss: loss / points.length, accuracy: right / points.length };
    }

    /* Adam: Kingma and Ba, arXiv:1412.6980, with Keras's epsilon. */
    step(points, rate) {
      for (const { gradients } of this.layers) {
        for (const gradient of gradients) gradient.fill(0);
      }
      for (const [x1, x2, t] of points) {
        this.backward((sigmoid(this.forward([x1, x2])) - t) / points.length);
      }
      this.steps += 1;
      const size = (rate * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
      for (const { weights, gradients, m, v } of this.layers) {
        for (const part of [0, 1]) {
          for (let i = 0; i < weights[part].length; i += 1) {
            const g = gradients[part][i];
            m[part][i] += (g - m[part][i]) * 0.1;
            v[part][i] += (g * g - v[part][i]) * 0.001;
            weights[part][i] -= (size * m[part][i]) / (Math.sqrt(v[part][i]) + 1e-7);
          }
        }
      }
    }
  }

  class LabLayers extends Element {
    static css = `
      .one { fill: var(--lab-orange); }
      .zero { fill: var(--lab-blue); }
      .one, .zero { stroke: var(--md-default-bg-color); stroke-width: .6; }
      .loss { fill: none; stroke: var(--lab-purple); stroke-width: 2; }
      .now { fill: var(--lab-purple); }
      .toss { stroke: var(--md-default-fg-color--lighter); stroke-dasharray: 4 4; }
      .net-frame { min-height: 9rem; margin-top: .8rem; }
      .net { display: grid; gap: .3rem; }
      .net div { display: flex; gap: .6rem; align-items: center; }
      .net ol { display: flex; flex-wrap: wrap; gap: .2rem; }
      .net canvas { width: 1.9rem; aspect-ratio: 1; }
      .net p { flex: none; width: 3rem; margin: 0; font-size: .65rem; }`;

    build(root) {
      this.depth = clamp(this.number("layers", 2), 0, 4);
      this.units = clamp(this.number("units", 4), 1, 8);
      this.rate = this.number("rate", 0.03);
      this.seed = this.number("seed", 1);
      const pick = (name, names, otherwise, changed) => {
        const key = name.toLowerCase();
        return this.choice(name, names, this.oneOf(key, names, otherwise), changed, key);
      };
      this.data = pick("Data", Object.keys(DATA), "circles", () => {
        this.own?.option.remove();
        this.own = null;
        this.restart();
      });
      this.activation = pick("Activation", Object.keys(ACTIVATIONS), "tanh", () => this.restart());
      const columns = {
        columns: 3,
        expected: "two inputs and a class of 0 or 1, such as 1.5,2,1",
        fits: ([, , t]) => t === 0 || t === 1,
      };
      const file = this.ownTable("Your own CSV: x₁, x₂, class", columns, (table) =>
        this.take(table),
      );
      this.surface = h("canvas", { "aria-hidden": "true" });
      this.dots = s("svg", { viewBox: "0 0 200 200", role: "img" });
      this.curve = s("svg", { viewBox: "0 0 200 200", role: "img" });
      this.net = box("net");
      const netCaption =
        "Each neuron's output over the same plane, layer by layer: orange is high, blue is low.";
      const netFigure = figure(this.net, netCaption);
      netFigure.className = "net-frame";
      root.append(
        box(
          "panel",
          box(
            "views",
            figure(
              layers(this.surface, this.dots),
              "The network's answer in the plane. Triangles are class 1, circles class 0.",
            ),
            figure(this.curve, "The loss, step by step. Dashed: one half for every point."),
          ),
          this.news,
          box("row", this.buildButtons()),
          box("sliders", this.buildSliders()),
          this.row(this.data.label, this.activation.label, file),
          netFigure,
        ),
      );
      this.keep("weights", {
        read: () => String(this.seed),
        check: (text) => Math.round(inRange(text, 0, 1e9)),
        put: (seed) => {
          this.seed = seed;
          this.restart();
        },
      });
      const ranges = [
        [1, 2 * MOST],
        [RATES.min, RATES.max],
      ];
      this.keep("run", {
        read: () => runText(this.run),
        check: (text) => readRun(text, ranges),
        put: (run) => this.repeat(run),
      });
      this.restart();
    }

    buildSliders() {
      const whole = { step: 1, digits: 0 };
      const fine = { step: 0.001, digits: 3 };
      const settings = [
        ["hidden layers", { min: 0, max: 4, value: this.depth, ...whole, key: "layers" }, "depth"],
        ["units per layer", { min: 1, max: 8, value: this.units, ...whole, key: "units" }, "units"],
        ["learning rate", { ...RATES, value: this.rate, ...fine, key: "rate" }, "rate"],
      ];
      return settings.map(([name, range, property]) => {
        const slider = this.slider(name, range, (value) => {
          this[property] = range.step === 1 ? Math.round(value) : value;
          if (property !== "rate") this.restart(); // a new network; the rate may change under way
        });
        return slider.label;
      });
    }

    buildButtons() {
      const step = this.button("Step", () => {
        this.stop();
        this.advance(1);
      });
      const run = this.runner({
        every: 50,
        more: () => this.network.steps < MOST,
        step: () => this.advance(4),
        atOnce: () => this.advance(100),
      });
      const reset = this.button("Reset", () => this.restart());
      const another = this.button("New weights", () => {
        this.seed += 1;
        this.restart();
      });
      return [run, step, reset, another];
    }

    restart() {
      this.stop();
      const next = random(7);
      const make = DATA[this.data.input.value];
      this.points = this.own?.points ?? Array.from({ length: COUNT }, (_, i) => make(next, i));
      this.run = [];
      const sizes = [2, ...Array(this.depth).fill(this.units), 1];
      this.network = new Network(sizes, this.activation.input.value, this.seed);
      this.losses = [this.network.measure(this.points).loss];
      this.views = this.network.layers.map(({ units }) =>
        Array.from({ length: units }, () => h("canvas", { "aria-hidden": "true" })),
      );
      const rows = this.views.map((row, at) => {
        const name = at === this.depth ? "output" : `layer ${at + 1}`;
        const items = row.map((canvas) => h("li", {}, canvas));
        return h("div", {}, h("p", {}, name), h("ol", {}, items));
      });
      this.net.replaceChildren(...rows);
      this.draw();
    }

    advance(steps) {
      this.train(steps, this.rate);
      this.draw();
    }

    train(steps, rate) {
      for (let i = 0; i < steps; i += 1) {
        count(this.run, [rate]);
        this.network.step(this.points, rate);
        this.losses.push(this.network.measure(this.points).loss);
      }
    }

    /* Take the steps of a link, a few at a time, so that the page can be used meanwhile. */
    repeat(run) {
      const rest = run.map((part) => [...part]);
      const more = () => rest.length > 0;
      const step = () => {
        const steps = Math.min(20, rest[0][0]);
        this.train(steps, rest[0][1]);
        rest[0][0] -= steps;
        if (rest[0][0] === 0) rest.shift();
        if (!more()) this.remembered = this.link;
        this.draw();
      };
      if (more()) this.go(20, more, step);
    }

    /* Learn a reader's own points. They have no place in a link, which holds all else. */
    take({ rows }) {
      const { points, ranges } = scaled(drawLots(rows, LARGEST));
      this.own?.option.remove();
      const option = h("option", {}, OWN);
      this.data.input.append(option);
      this.data.input.value = OWN;
      const drawn = rows.length > LARGEST ? `, drawn from ${rows.length} at random` : "";
      const spans = ranges.map(
        (range, i) => `x${"₁₂"[i]} from ${range.map((x) => format(x, 2)).join(" to ")}`,
      );
      this.own = {
        points,
        option,
        about: `${points.length} points of your own${drawn}; ${spans.join(", ")}. `,
      };
      this.restart();
    }

    draw() {
      const { network, points, rate } = this;
      const { loss, accuracy } = network.measure(points);
      const weights = network.layers.map((layer) => layer.weights.map((part) => [...part]));
      const shapes = network.layers.map(({ inputs, units }) => [inputs, units]);
      this.state = { steps: network.steps, loss, accuracy, rate, points, weights, shapes };
      this.drawViews();
      this.drawPoints(accuracy);
      this.drawLosses(loss);
      const now = `${network.steps} steps, loss ${format(loss)}, accuracy ${format(accuracy)}`;
      this.tell(`${this.own?.about ?? ""}${now}`);
    }

    drawPoints(accuracy) {
      const toX = scale([-REACH, REACH], [0, 200]);
      const right = format(100 * accuracy, 0);
      set(this.dots, {
        "aria-label": `${this.points.length} points of two classes; ${right} % are on the right side.`,
      });
      const marks = this.points.map(([x, y, t]) =>
        t
          ? s("path", { class: "one", d: `M${toX(x)} ${toX(-y) - 3.6}l3.4 6h-6.8z` })
          : s("circle", { class: "zero", cx: toX(x), cy: toX(-y), r: 2.8 }),
      );
      this.dots.replaceChildren(...marks);
    }

    drawLosses(loss) {
      const steps = Math.max(50, this.losses.length - 1);
      const top = Math.max(0.8, ...this.losses);
      const px = scale([0, steps], [20, 195]);
      const py = scale([0, top], [180, 15]);
      const points = this.losses.map((value, i) => `${px(i)},${py(value)}`).join(" ");
      const first = format(this.losses[0]);
      set(this.curve, {
        "aria-label": `Loss ${format(loss)} after ${this.network.steps} steps, from ${first}.`,
      });
      this.curve.replaceChildren(
        line("axis", 20, 180, 195, 180),
        line("axis", 20, 10, 20, 180),
        s("text", { x: 195, y: 194, "text-anchor": "end" }, `${steps} steps`),
        s("text", { x: 24, y: 16 }, format(top, 1)),
        line("toss", 20, py(TOSS), 195, py(TOSS)),
        s("text", { x: 195, y: py(TOSS) - 5, "text-anchor": "end" }, `ln 2 = ${format(TOSS, 2)}`),
        s("polyline", { class: "loss", points }),
        s("circle", { class: "now", cx: px(this.losses.length - 1), cy: py(loss), r: 4 }),
      );
    }

    /* Every neuron's output over the plane. One forward pass for each cell feeds all views. */
    drawViews() {
      const { network } = this;
      const center = scale([-0.5, CELLS - 0.5], [-REACH, REACH]);
      const shares = this.views.map((row) => row.map(() => new Float64Array(CELLS * CELLS)));
      for (let i = 0; i < CELLS * CELLS; i += 1) {
        network.forward([center(i % CELLS), -center(Math.floor(i / CELLS))]);
        network.layers.forEach(({ y }, at) => {
          const share = at === this.depth ? (p) => p : network.activation.share;
          y.forEach((value, unit) => {
            shares[at][unit][i] = share(value);
          });
        });
      }
      const [blue, orange] = [this.color("--lab-blue"), this.color("--lab-orange")];
      const show = (canvas, values) =>
        paint(canvas, [CELLS, CELLS], (i) => {
          const color = values[i] > 0.5 ? orange : blue;
          return [...color, 200 * Math.abs(values[i] - 0.5) + 10];
        });
      this.views.forEach((row, at) => {
        row.forEach((canvas, unit) => {
          show(canvas, shares[at][unit]);
        });
      });
      show(this.surface, shares[this.depth][0]);
    }
  }

  define("lab-layers", LabLayers);
})();
