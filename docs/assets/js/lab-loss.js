/* <lab-loss steepness="-0.5" bias="1" loss="MSE" rate="0.1" momentum="0">: a line, its loss, and descent on it.
 *
 * Losses and their gradients are those of labkit.losses (Huber with delta 1); a step is labkit's
 * SGD: v <- momentum v - rate g, then w <- w + v. A run that diverges is drawn until it leaves the map.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, layers, handle } = window.Lab;
  const { clamp, scale, format, random, follow, keys, paint } = window.Lab;
  const { inRange, count, runText, readRun } = window.Lab;

  const SIZE = 280; // of a view, in its own units
  const REACH = 4; // half the width of both maps
  const CELLS = 224; // of the loss map, in a row
  const LIMIT = 1e6; // a loss above it has diverged
  const MOST = 500; // steps of a run
  const RATES = { min: 0.005, max: 0.6 };
  const MOMENTA = { min: 0, max: 0.95 };

  /* Of the error, prediction - target: value and derivative. */
  const LOSSES = {
    MSE: [(e) => e * e, (e) => 2 * e],
    MAE: [Math.abs, Math.sign],
    Huber: [(e) => (Math.abs(e) <= 1 ? 0.5 * e * e : Math.abs(e) - 0.5), (e) => clamp(e, -1, 1)],
  };

  const toX = scale([-REACH, REACH], [0, SIZE]);
  const toY = scale([-REACH, REACH], [SIZE, 0]);
  const fromShare = scale([0, 1], [-REACH, REACH]);
  const bounded = (value) => clamp(value, -REACH, REACH);
  /* A number that SVG draws, outside the picture, where the true one may be infinite. */
  const drawable = (value) => clamp(value, -99, 99);

  /* Twelve points near a line, one of them an outlier. */
  const sample = (seed) => {
    const next = random(seed);
    const x = Array.from({ length: 12 }, (_, i) => -3 + (6 * i) / 11);
    const y = x.map((value) => 0.9 * value - 0.5 + (next() + next() - 1));
    y[10] = -3.2;
    return [x, y];
  };

  class LabLoss extends Element {
    static css = `
      .point { fill: var(--lab-blue); }
      .residual { stroke: var(--lab-grey); stroke-dasharray: 2 3; }
      .line { stroke: var(--lab-orange); stroke-width: 2.5; }
      .path { fill: none; stroke: var(--md-default-fg-color); stroke-width: 1.5; }
      .best { fill: none; stroke: var(--md-default-fg-color); stroke-width: 2; }
      table { margin-top: .6rem; font-size: .7rem; }
      tr[aria-current] th { font-weight: bold; }
      tr[aria-current] th::after { content: " ◂"; }`;

    build(root) {
      this.start = { steepness: this.number("steepness", -0.5), bias: this.number("bias", 1) };
      [this.x, this.y] = sample(this.number("seed", 3));
      const names = Object.keys(LOSSES);
      this.select = this.choice(
        "Loss",
        names,
        this.oneOf("loss", names, "MSE"),
        () => this.restart(),
        "loss",
      );
      this.buildSliders();
      this.scene = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
      this.buildMap();
      this.rows = names.map((name) => {
        const cells = [h("td"), h("td"), h("td")];
        return { name, cells, row: h("tr", {}, h("th", { scope: "row" }, name), cells) };
      });
      const step = this.button("Step", () => {
        this.stop();
        this.step();
      });
      const run = this.runner({
        every: 60,
        more: () => this.steps < MOST,
        step: () => this.step(),
        atOnce: () => {
          for (let i = 0; i < 50; i += 1) this.step();
        },
      });
      const mapCaption =
        "The chosen loss for each steepness and bias: the stronger the color, the lower. " +
        "The cross is the lowest. Drag the dot.";
      const sliders = Object.values(this.sliders).map((slider) => slider.label);
      const reset = this.button("Reset", () => this.restart());
      root.append(
        box(
          "panel",
          box(
            "views",
            figure(this.scene, "The points, the line, and each error as a dotted length."),
            figure(layers(this.heat, this.over), mapCaption),
          ),
          this.news,
          box("sliders", sliders),
          this.row(this.select.label, step, run, reset),
          this.table(),
        ),
      );
      this.keepDescent();
      this.restart();
    }

    /* The address holds where the line was before the descent, and the steps of the descent. */
    keepDescent() {
      for (const [axis, name] of ["steepness", "bias"].entries()) {
        this.keep(name, {
          read: () => String(Number(this.trail[0][axis].toFixed(4))),
          check: (text) => inRange(text, -LIMIT, LIMIT), // a line that fled may be moved on
          put: (value) => this.move({ [name]: value }),
        });
      }
      const ranges = [
        [1, 10 * MOST],
        [RATES.min, RATES.max],
        [MOMENTA.min, MOMENTA.max],
      ];
      this.keep("run", {
        read: () => runText(this.run),
        check: (text) => readRun(text, ranges),
        put: (run) => {
          for (const [steps, rate, momentum] of run) {
            for (let i = 0; i < steps; i += 1) this.descend(rate, momentum);
          }
          this.draw();
        },
      });
    }

    table() {
      const heads = ["Loss", "value", "∂/∂steepness", "∂/∂bias"].map((head) =>
        h("th", { scope: "col" }, head),
      );
      const rows = this.rows.map(({ row }) => row);
      return h(
        "table",
        {},
        h("caption", { class: "unseen" }, "Losses and their gradients"),
        h("thead", {}, h("tr", {}, heads)),
        h("tbody", {}, rows),
      );
    }

    buildSliders() {
      const settings = { rate: this.number("rate", 0.05), momentum: this.number("momentum", 0) };
      this.settings = settings;
      const weight = (name) => {
        const range = { min: -REACH, max: REACH, step: 0.01, value: this.start[name] };
        return this.slider(name, range, (value) => this.move({ [name]: value }));
      };
      this.sliders = {
        steepness: weight("steepness"),
        bias: weight("bias"),
        rate: this.slider(
          "learning rate",
          { ...RATES, step: 0.005, value: settings.rate, digits: 3, key: "rate" },
          (rate) => {
            settings.rate = rate;
          },
        ),
        momentum: this.slider(
          "momentum",
          { ...MOMENTA, step: 0.05, value: settings.momentum, key: "momentum" },
          (momentum) => {
            settings.momentum = momentum;
          },
        ),
      };
    }

    buildMap() {
      this.heat = h("canvas", { "aria-hidden": "true" });
      this.path = s("polyline", { class: "path" });
      this.best = s("path", { class: "best" });
      this.dot = handle("Steepness and bias", { "aria-valuemin": -REACH, "aria-valuemax": REACH });
      this.over = s(
        "svg",
        {
          viewBox: `0 0 ${SIZE} ${SIZE}`,
          role: "group",
          "aria-label": "Map of the loss over steepness and bias",
        },
        this.best,
        this.path,
        this.dot,
        s("text", { x: SIZE - 4, y: SIZE - 6, "text-anchor": "end" }, "steepness"),
        s("text", { x: 6, y: 14 }, "bias"),
      );
      keys(this.dot, {
        arrow: (right, up, shift) => {
          const size = shift ? 0.5 : 0.05;
          this.move({
            steepness: bounded(this.steepness + size * right),
            bias: bounded(this.bias + size * up),
          });
        },
      });
      follow(this.dot, this.over, {
        press: () => {
          this.stop();
          this.dot.focus();
        },
        move: (x, y) =>
          this.move({ steepness: bounded(fromShare(x)), bias: bounded(-fromShare(y)) }),
      });
    }

    restart() {
      this.stop();
      this.move(this.start);
    }

    /* Put the line somewhere by hand: a new descent starts there. */
    move(values) {
      Object.assign(this, values, { velocity: [0, 0], steps: 0, run: [], diverged: false });
      this.trail = [[this.steepness, this.bias]];
      this.draw();
    }

    /* The mean loss over the points, and its two derivatives. */
    measure(name, steepness, bias) {
      const [value, derivative] = LOSSES[name];
      const count = this.x.length;
      let loss = 0;
      let bySteepness = 0;
      let byBias = 0;
      this.x.forEach((x, i) => {
        const error = steepness * x + bias - this.y[i];
        loss += value(error) / count;
        bySteepness += (derivative(error) * x) / count;
        byBias += derivative(error) / count;
      });
      return { loss, bySteepness, byBias };
    }

    step() {
      this.descend(this.settings.rate, this.settings.momentum);
      if (this.diverged) this.stop();
      this.draw();
    }

    descend(rate, momentum) {
      if (this.diverged) return;
      const name = this.select.input.value;
      count(this.run, [rate, momentum]);
      const { bySteepness, byBias } = this.measure(name, this.steepness, this.bias);
      this.velocity = [
        momentum * this.velocity[0] - rate * bySteepness,
        momentum * this.velocity[1] - rate * byBias,
      ];
      this.steepness += this.velocity[0];
      this.bias += this.velocity[1];
      this.steps += 1;
      this.trail.push([this.steepness, this.bias]);
      this.diverged = !(this.measure(name, this.steepness, this.bias).loss < LIMIT);
    }

    draw() {
      const { x, y, steepness, bias, steps, diverged } = this;
      const chosen = this.select.input.value;
      this.state = { x: [...x], y: [...y], steepness, bias, chosen, steps, diverged };
      Object.assign(this.state, { velocity: [...this.velocity], ...this.settings });
      for (const { name, cells, row } of this.rows) {
        const measured = this.measure(name, steepness, bias);
        this.state[name] = measured;
        cells[0].textContent = format(measured.loss);
        cells[1].textContent = format(measured.bySteepness);
        cells[2].textContent = format(measured.byBias);
        set(row, { "aria-current": name === chosen ? "true" : null });
      }
      this.sliders.steepness.input.set(steepness);
      this.sliders.bias.input.set(bias);
      this.drawScene();
      this.drawMap(chosen);
      this.drawDescent();
      this.drawNews(chosen);
    }

    drawScene() {
      const { x, y, steepness, bias } = this;
      const lineAt = (value) => toY(drawable(steepness * value + bias));
      set(this.scene, {
        "aria-label": `Twelve points and the line y = ${format(steepness, 2)} x + ${format(bias, 2)}.`,
      });
      this.scene.replaceChildren(
        line("axis", 0, toY(0), SIZE, toY(0)),
        line("axis", toX(0), 0, toX(0), SIZE),
        s("text", { x: SIZE - 12, y: toY(0) - 5 }, "x"),
        s("text", { x: toX(0) + 5, y: 12 }, "y"),
        ...x.map((value, i) => line("residual", toX(value), toY(y[i]), toX(value), lineAt(value))),
        line("line", 0, lineAt(-REACH), SIZE, lineAt(REACH)),
        ...x.map((value, i) =>
          s("circle", { class: "point", cx: toX(value), cy: toY(y[i]), r: 4.5 }),
        ),
      );
    }

    /* The map does not change while the line moves, so it is painted for a new loss or scheme only. */
    drawMap(chosen) {
      const color = this.color("--lab-blue");
      const painted = `${chosen} on ${color}`;
      if (this.painted === painted) return;
      this.painted = painted;
      const center = scale([-0.5, CELLS - 0.5], [-REACH, REACH]);
      const losses = Array.from({ length: CELLS * CELLS }, (_, i) => {
        const [steepness, bias] = [center(i % CELLS), -center(Math.floor(i / CELLS))];
        return this.measure(chosen, steepness, bias).loss;
      });
      const low = Math.min(...losses);
      const high = Math.max(...losses);
      paint(this.heat, [CELLS, CELLS], (i) => {
        const height = Math.sqrt((losses[i] - low) / (high - low)); // spreads the bowl's bottom
        return [...color, 255 * 0.7 * (1 - Math.floor(12 * height) / 12)];
      });
      const lowest = losses.indexOf(low);
      const x = toX(center(lowest % CELLS));
      const y = toY(-center(Math.floor(lowest / CELLS)));
      set(this.best, { d: `M${x - 5} ${y - 5}l10 10m0-10l-10 10` });
    }

    drawDescent() {
      const { steepness, bias } = this;
      const [x, y] = [toX(drawable(steepness)), toY(drawable(bias))];
      const points = this.trail.map(([a, b]) => `${toX(drawable(a))},${toY(drawable(b))}`);
      set(this.path, { points: points.join(" ") });
      this.inside = Math.max(Math.abs(steepness), Math.abs(bias)) <= REACH;
      set(this.dot, {
        visibility: this.inside ? "visible" : "hidden",
        transform: `translate(${x} ${y})`,
        "aria-valuenow": bounded(steepness),
        "aria-valuetext": `steepness ${format(steepness, 2)}, bias ${format(bias, 2)}`,
      });
    }

    drawNews(chosen) {
      const loss = format(this.state[chosen].loss);
      const steps = `${this.steps} step${this.steps === 1 ? "" : "s"}`;
      if (this.diverged) {
        this.tell(
          `Diverged after ${steps}: ${chosen} ${loss}. ` +
            "The learning rate is too large; reset, and make it smaller.",
        );
      } else {
        this.tell(`${steps}, ${chosen} ${loss}${this.inside ? "" : ". The line has left the map"}`);
      }
    }
  }

  define("lab-loss", LabLoss);
})();
