/* <lab-layers data="circles" layers="2" units="4" activation="tanh" rate="0.03">: a network learns.
 *
 * Dense layers, a sigmoid at the end, binary cross-entropy from its logits, full batches, and
 * labkit's Adam. Everything is float64, so labkit with dtype="float64" gives the same numbers.
 */
(() => {
  "use strict";
  const { Element, define, h, s, format, random } = window.Lab;
  const CELLS = 40, REACH = 1.2, COUNT = 160; // cells of each view, its half width in units, points

  const DATA = {
    XOR: (next) => { const x = 2 * next() - 1, y = 2 * next() - 1; return [x + 0.08 * Math.sign(x), y + 0.08 * Math.sign(y), x * y > 0 ? 1 : 0]; },
    circles: (next, i) => { const inner = i % 2, r = inner ? 0.5 * Math.sqrt(next()) : 0.75 + 0.3 * next(), t = 2 * Math.PI * next(); return [r * Math.cos(t), r * Math.sin(t), inner]; },
    spirals: (next, i) => { const arm = i % 2, r = 0.08 + (0.95 * i) / COUNT, t = 2.6 * Math.PI * r + arm * Math.PI + 0.12 * (next() - 0.5); return [r * Math.cos(t), r * Math.sin(t), arm]; },
  };
  const ACTIVATIONS = { // f(z), and f'(z) from z and y = f(z)
    tanh: [Math.tanh, (z, y) => 1 - y * y],
    relu: [(z) => Math.max(0, z), (z) => (z > 0 ? 1 : 0)],
    sigmoid: [(z) => 1 / (1 + Math.exp(-z)), (z, y) => y * (1 - y)],
    linear: [(z) => z, () => 1],
  };
  const sigmoid = ACTIVATIONS.sigmoid[0];

  class Network {
    constructor(sizes, activation, seed) {
      const next = random(seed);
      const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()); // Box and Muller, 1958
      this.f = ACTIVATIONS[activation];
      this.layers = sizes.slice(1).map((units, i) => {
        const inputs = sizes[i], scale = Math.sqrt((activation === "relu" ? 2 : 1) / inputs); // He's and LeCun's variance
        const kernel = Float64Array.from({ length: inputs * units }, () => scale * normal());
        const zeros = () => [new Float64Array(inputs * units), new Float64Array(units)];
        return { inputs, units, weights: [kernel, new Float64Array(units)], gradients: zeros(), m: zeros(), v: zeros() };
      });
      this.steps = 0;
    }

    forward(x) { // one sample; each layer keeps its input x, sum z and output y
      this.layers.forEach((layer, at) => {
        const { inputs, units, weights: [kernel, bias] } = layer, last = at === this.layers.length - 1;
        layer.x = x;
        layer.z = Array.from(bias);
        for (let i = 0; i < inputs; i += 1) for (let j = 0; j < units; j += 1) layer.z[j] += x[i] * kernel[i * units + j];
        layer.y = last ? layer.z.map(sigmoid) : layer.z.map(this.f[0]);
        x = layer.y;
      });
      return this.layers[this.layers.length - 1].z[0];
    }

    backward(dz) { // adds to the gradients
      for (let at = this.layers.length - 1; at >= 0; at -= 1) {
        const { inputs, units, x, weights: [kernel], gradients: [byKernel, byBias] } = this.layers[at];
        const dx = Array(inputs).fill(0);
        for (let j = 0; j < units; j += 1) {
          byBias[j] += dz[j];
          for (let i = 0; i < inputs; i += 1) {
            byKernel[i * units + j] += x[i] * dz[j];
            dx[i] += kernel[i * units + j] * dz[j];
          }
        }
        if (at) { const { z, y } = this.layers[at - 1]; dz = dx.map((d, i) => d * this.f[1](z[i], y[i])); }
      }
    }

    /* Mean over the points of max(z, 0) - z t + log(1 + exp(-|z|)): cross-entropy of sigmoid(z) against t. */
    measure(points) {
      let loss = 0, right = 0;
      for (const [x1, x2, t] of points) {
        const z = this.forward([x1, x2]);
        loss += (Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z)))) / points.length;
        right += (z > 0) === (t === 1) ? 1 / points.length : 0;
      }
      return { loss, accuracy: right };
    }

    step(points, rate) { // Adam, Kingma and Ba, arXiv:1412.6980, epsilon as in Keras
      for (const { gradients } of this.layers) gradients.forEach((gradient) => gradient.fill(0));
      for (const [x1, x2, t] of points) this.backward([(sigmoid(this.forward([x1, x2])) - t) / points.length]);
      this.steps += 1;
      const size = (rate * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
      for (const { weights, gradients, m, v } of this.layers) {
        weights.forEach((weight, k) => weight.forEach((_, i) => {
          const g = gradients[k][i];
          m[k][i] += (g - m[k][i]) * 0.1;
          v[k][i] += (g * g - v[k][i]) * 0.001;
          weight[i] -= (size * m[k][i]) / (Math.sqrt(v[k][i]) + 1e-7);
        }));
      }
    }
  }

  class LabLayers extends Element {
    static css = `
      .map { position: relative; } canvas { image-rendering: pixelated; aspect-ratio: 1; } .map svg { position: absolute; inset: 0 0 auto; }
      .one { fill: var(--lab-orange); } .zero { fill: var(--lab-blue); } .one, .zero { stroke: var(--md-default-bg-color); stroke-width: .6; }
      .loss { fill: none; stroke: var(--lab-purple); stroke-width: 2; }
      .net { display: grid; gap: .3rem; } .net div { display: flex; gap: .6rem; align-items: center; }
      .net ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem; } .net canvas { width: 1.9rem; }
      .net p { margin: 0; font-size: .65rem; width: 3rem; flex: none; } .sliders { display: grid; gap: .3rem 1rem; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); margin: .6rem 0; }
      .news { margin: .4rem 0; min-height: 1.5em; } .net-frame { min-height: 9rem; }`;

    build(root) {
      const pick = (name, among, otherwise) => among.find((one) => one.toLowerCase() === (this.getAttribute(name) || "").toLowerCase()) || otherwise;
      this.depth = Math.min(4, Math.max(0, this.number("layers", 2)));
      this.units = Math.min(8, Math.max(1, this.number("units", 4)));
      this.rate = this.number("rate", 0.03);
      this.seed = this.number("seed", 1);
      const again = () => this.restart();
      this.data = this.choice("Data", Object.keys(DATA), pick("data", Object.keys(DATA), "circles"), again);
      this.activation = this.choice("Activation", Object.keys(ACTIVATIONS), pick("activation", Object.keys(ACTIVATIONS), "tanh"), again);
      const sliders = [
        this.slider("hidden layers", { min: 0, max: 4, step: 1, value: this.depth, digits: 0 }, (depth) => { this.depth = depth; again(); }),
        this.slider("units per layer", { min: 1, max: 8, step: 1, value: this.units, digits: 0 }, (units) => { this.units = units; again(); }),
        this.slider("learning rate", { min: 0.001, max: 0.3, step: 0.001, value: this.rate, digits: 3 }, (rate) => { this.rate = rate; }),
      ];
      this.surface = h("canvas", { width: CELLS, height: CELLS, "aria-hidden": "true" });
      this.dots = s("svg", { viewBox: "0 0 200 200", role: "img" });
      this.curve = s("svg", { viewBox: "0 0 200 200", role: "img" });
      this.net = h("div", { class: "net" });
      this.news = h("p", { class: "news number" });
      root.append(h("div", { class: "panel" },
        h("div", { class: "views" },
          h("figure", {}, h("div", { class: "map" }, this.surface, this.dots), h("figcaption", {}, "The network's answer in the plane. Triangles are class 1, circles class 0.")),
          h("figure", {}, this.curve, h("figcaption", {}, "The loss, step by step."))),
        h("figure", { class: "net-frame" }, this.net, h("figcaption", {}, "Each neuron's output over the same plane, layer by layer: orange is high, blue is low.")),
        this.news, h("div", { class: "sliders" }, sliders.map((slider) => slider.label)),
        h("div", { class: "row" }, this.data.label, this.activation.label,
          this.button("Step", () => { this.stop(); this.advance(1); }),
          this.runner({ every: 50, more: () => this.network.steps < 2000, step: () => this.advance(4), atOnce: () => this.advance(100) }),
          this.button("Reset", again),
          this.button("New weights", () => { this.seed += 1; again(); }))));
      this.restart();
    }

    restart() {
      this.stop();
      const next = random(7), make = DATA[this.data.input.value];
      this.points = Array.from({ length: COUNT }, (_, i) => make(next, i));
      this.network = new Network([2, ...Array(this.depth).fill(this.units), 1], this.activation.input.value, this.seed);
      this.losses = [this.network.measure(this.points).loss];
      this.net.replaceChildren(...this.network.layers.map((layer, at) => h("div", {},
        h("p", {}, at === this.depth ? "output" : `layer ${at + 1}`),
        h("ol", {}, layer.z.map(() => h("li", {}, h("canvas", { width: CELLS, height: CELLS, "aria-hidden": "true" })))))));
      this.draw();
    }

    advance(steps) {
      for (let i = 0; i < steps; i += 1) {
        this.network.step(this.points, this.rate);
        this.losses.push(this.network.measure(this.points).loss);
      }
      this.draw();
    }

    draw() {
      if (!this.network) return;
      const { network, points } = this, { loss, accuracy } = network.measure(points);
      this.state = { steps: network.steps, loss, accuracy, rate: this.rate, activation: this.activation.input.value, points, weights: network.layers.map((layer) => layer.weights.map((array) => [...array])), shapes: network.layers.map(({ inputs, units }) => [inputs, units]) };
      this.paint();
      const at = (value) => 100 + (100 * value) / REACH;
      this.dots.setAttribute("aria-label", `${points.length} points of two classes; ${format(100 * accuracy, 0)} % are on the right side.`);
      this.dots.replaceChildren(...points.map(([x, y, t]) => (t
        ? s("path", { class: "one", d: `M${at(x)} ${at(-y) - 3.6}l3.4 6h-6.8z` })
        : s("circle", { class: "zero", cx: at(x), cy: at(-y), r: 2.8 }))));
      const top = Math.max(0.8, ...this.losses), n = Math.max(50, this.losses.length - 1);
      const spot = (value, i) => `${20 + (175 * i) / n},${180 - (165 * value) / top}`;
      this.curve.setAttribute("aria-label", `Loss ${format(loss)} after ${network.steps} steps, from ${format(this.losses[0])}.`);
      this.curve.replaceChildren(
        s("line", { class: "axis", x1: 20, x2: 195, y1: 180, y2: 180 }), s("line", { class: "axis", x1: 20, x2: 20, y1: 10, y2: 180 }),
        s("text", { x: 195, y: 194, "text-anchor": "end" }, `${n} steps`), s("text", { x: 24, y: 16 }, format(top, 1)),
        s("polyline", { class: "loss", points: this.losses.map(spot).join(" ") }));
      this.news.textContent = `${network.steps} steps, loss ${format(loss)}, accuracy ${format(accuracy)}`;
      this.say(this.news.textContent);
    }

    paint() { // one forward pass per cell feeds every view
      const views = [...this.net.querySelectorAll("canvas")], pictures = [...views, this.surface].map((canvas) => canvas.getContext("2d").createImageData(CELLS, CELLS));
      const rgb = ["--lab-blue", "--lab-orange"].map((name) => this.color(name).match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16)));
      const set = (picture, i, share) => picture.data.set([...rgb[share > 0.5 ? 1 : 0], 200 * Math.abs(share - 0.5) + 10], 4 * i);
      const hidden = ACTIVATIONS.sigmoid === this.network.f ? (y) => y : (y) => 0.5 + 0.5 * Math.tanh(y);
      for (let i = 0; i < CELLS * CELLS; i += 1) {
        const x = (2 * ((i % CELLS) + 0.5)) / CELLS - 1, y = 1 - (2 * (Math.floor(i / CELLS) + 0.5)) / CELLS;
        const answer = sigmoid(this.network.forward([REACH * x, REACH * y]));
        let at = 0;
        this.network.layers.forEach((layer, l) => layer.y.forEach((value) => { set(pictures[at], i, l === this.depth ? value : hidden(value)); at += 1; }));
        set(pictures[at], i, answer);
      }
      [...views, this.surface].forEach((canvas, i) => canvas.getContext("2d").putImageData(pictures[i], 0, 0));
    }
  }

  define("lab-layers", LabLayers);
})();
