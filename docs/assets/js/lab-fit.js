/* <lab-fit curve="sine" points="15" noise="0.2" degree="3" lambda="0" seed="1">: a polynomial is fitted.
 *
 * The polynomial is a sum of Legendre's, whose coefficients w minimize the sum of squared errors plus
 * lambda times the sum of their squares; the constant term is not penalized. That is scikit-learn's
 * Ridge, and, with a lambda of 0, the least-squares solution of the smallest norm.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, handle } = window.Lab;
  const { clamp, scale, format, short, random, follow, keys } = window.Lab;
  const { refuse, inRange } = window.Lab;

  const SIZE = 320; // of the plot, in its own units
  const REACH = [1, 1.6]; // half the width and the height of the plane that it shows
  const CHART = { left: 42, right: 234, top: 32, bottom: 160 };
  const MOST = 15; // degree
  const HELD_OUT = 60; // points
  const POINTS = { min: 2, max: 40 };
  const NOISES = { min: 0, max: 0.6 };
  const LAMBDAS = { min: 1e-6, max: 100 };
  const ERRORS = { min: 1e-3, max: 100 }; // that the chart shows
  const ROUNDING = 1e-15; // an error below it is none
  const TICKS = [
    [0.01, "0.01"],
    [1, "1"],
    [100, "100"],
  ];

  const CURVES = {
    sine: (x) => Math.sin(1.4 * Math.PI * x),
    line: (x) => 0.9 * x,
    bell: (x) => 1.6 / (1 + 25 * x * x) - 0.6, // Runge's example, stretched
    step: (x) => (x < 0 ? -0.7 : 0.7),
  };

  const toX = scale([-REACH[0], REACH[0]], [0, SIZE]);
  const toY = scale([-REACH[1], REACH[1]], [SIZE, 0]);
  const inside = (place) => place.map((value, axis) => clamp(value, -REACH[axis], REACH[axis]));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  /* Legendre's polynomials of degree 1 to MOST at x: (k+1) P[k+1] = (2k+1) x P[k] - k P[k-1]. */
  const legendre = (x) => {
    const values = [1, x];
    for (let k = 1; k < MOST; k += 1) {
      values.push(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1));
    }
    return values.slice(1);
  };

  /* The singular values s of a matrix, given and returned by columns, with A V = U s. Rotations make
   * two columns orthogonal at a time: Hestenes, 1958, doi:10.1137/0106005. */
  const decompose = (columns) => {
    const us = columns.map((column) => [...column]);
    const vs = us.map((_, i) => us.map((_, j) => (i === j ? 1 : 0)));
    const rotate = (pair, i, j, cos, sin) => {
      const [a, b] = [pair[i], pair[j]];
      pair[i] = a.map((value, at) => cos * value - sin * b[at]);
      pair[j] = a.map((value, at) => sin * value + cos * b[at]);
    };
    let turned = true;
    for (let sweep = 0; turned && sweep < 40; sweep += 1) {
      turned = false;
      for (let i = 0; i < us.length; i += 1) {
        for (let j = i + 1; j < us.length; j += 1) {
          const [ii, jj, ij] = [dot(us[i], us[i]), dot(us[j], us[j]), dot(us[i], us[j])];
          if (ij * ij <= 1e-30 * ii * jj || ij === 0) continue;
          turned = true;
          const half = (jj - ii) / (2 * ij);
          const tan = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(1, half));
          const cos = 1 / Math.hypot(1, tan);
          rotate(us, i, j, cos, cos * tan);
          rotate(vs, i, j, cos, cos * tan);
        }
      }
    }
    const sizes = us.map((u) => Math.sqrt(dot(u, u)));
    return { us, vs, sizes };
  };

  /* Ridge regression on the columns of features: w = V s / (s² + lambda) Uᵀ y, of centered values. */
  const fit = (rows, y, degree, lambda) => {
    const middle = mean(y);
    const centers = Array.from({ length: degree }, (_, k) => mean(rows.map((row) => row[k])));
    const columns = centers.map((center, k) => rows.map((row) => row[k] - center));
    const { us, vs, sizes } = decompose(columns);
    const least = 1e-13 * Math.max(...sizes, 0) * Math.max(degree, y.length); // as good as zero
    const coefficients = Array(degree).fill(0);
    const centered = y.map((value) => value - middle);
    sizes.forEach((size, i) => {
      if (size <= least) return;
      const share = dot(us[i], centered) / (size * size + lambda); // us[i] has the length s
      vs[i].forEach((value, k) => {
        coefficients[k] += share * value;
      });
    });
    return { coefficients, intercept: middle - dot(centers, coefficients) };
  };

  const predict = ({ coefficients, intercept }, row) => intercept + dot(coefficients, row);
  const meanSquare = (model, rows, y) =>
    mean(rows.map((row, i) => (predict(model, row) - y[i]) ** 2));

  /* Points on a curve with normal noise: Box and Muller, 1958. The noise of a point is the same for
   * each size, so that points move along while its slider does. */
  const sample = (curve, count, noise, seed) => {
    const next = random(seed);
    return Array.from({ length: count }, (_, i) => {
      const x = REACH[0] * ((2 * (i + next())) / count - 1); // one in each part of the axis
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return [x, CURVES[curve](x) + noise * normal];
    });
  };

  /* Points in a link: "0.2_-1.3 0.5_0.6". */
  const pointsText = (points) =>
    points.map((place) => place.map((value) => Number(value.toFixed(3))).join("_")).join(" ");
  const readPoints = (text) => {
    const parts = text.split(" ").filter(Boolean);
    if (text && (parts.length < POINTS.min || parts.length > POINTS.max)) {
      refuse(`${POINTS.min} to ${POINTS.max} points`, parts.length);
    }
    return parts.map((part) => {
      const pair = part.split("_");
      if (pair.length !== 2) refuse("points, such as 0.2_-1.3", part);
      return pair.map((number, axis) => inRange(number, -REACH[axis], REACH[axis]));
    });
  };

  const track = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  class LabFit extends Element {
    static css = `
      .plot { border-radius: .25rem; background: var(--md-code-bg-color); cursor: crosshair; }
      svg { touch-action: pan-y pinch-zoom; } /* a tap adds a point; a swipe, the page */
      .mark { fill: var(--lab-blue); stroke-width: 1.2; }
      .handle:focus-visible .mark, .taken .mark { stroke: var(--md-default-fg-color); stroke-width: 2.5; }
      .held { fill: none; stroke: var(--lab-orange); stroke-width: 1.3; opacity: .65; }
      .truth { fill: none; stroke: var(--md-default-fg-color--lighter); stroke-width: 1.5; stroke-dasharray: 5 4; }
      .fitted { fill: none; stroke: var(--md-default-fg-color); stroke-width: 2.5; stroke-linejoin: round; }
      .training { --ink: var(--lab-blue); }
      .held-out { --ink: var(--lab-orange); }
      .errors { fill: none; stroke: var(--ink); stroke-width: 2; }
      .errors.held-out { stroke-dasharray: 6 3; }
      .now { fill: var(--ink); stroke: var(--md-default-bg-color); stroke-width: 1.2; }
      .degree { stroke: var(--md-default-fg-color--lighter); stroke-width: 1.5; }
      .chart { cursor: pointer; }
      td { padding: 0; }
      .key { display: inline-block; width: 1.2rem; margin-right: .3rem; vertical-align: -.1rem; }
      @container (max-width: 26rem) {
        .side { grid-template-columns: minmax(0, 1fr) clamp(7rem, 50cqi, 8.2rem); }
      }
      @container (max-width: 15rem) {
        .side .chart text { font-size: 20px; }
      }`;

    build(root) {
      const names = Object.keys(CURVES);
      const first = this.oneOf("curve", names, "sine");
      this.curve = this.choice("Curve", names, first, () => this.restart(), "curve");
      this.settings = {
        degree: clamp(Math.round(this.number("degree", 3)), 0, MOST),
        lambda: this.number("lambda", 0),
        count: clamp(Math.round(this.number("points", 15)), POINTS.min, POINTS.max),
        noise: this.number("noise", 0.2),
      };
      this.firstCount = this.settings.count;
      this.seed = this.number("seed", 1);
      this.plot = s("svg", {
        class: "plot",
        viewBox: `0 0 ${SIZE} ${SIZE}`,
        role: "group",
        "aria-label": "Training points, which can be moved, and the fitted curve",
        onclick: (event) => {
          if (event.target.closest(".handle")) return;
          const { left, top, width } = this.plot.getBoundingClientRect();
          const [toX, toY] = REACH.map((reach) => scale([0, 1], [-reach, reach]));
          this.add([toX((event.clientX - left) / width), -toY((event.clientY - top) / width)]);
        },
      });
      this.chart = s("svg", { class: "chart", viewBox: "0 0 240 182", role: "img" });
      const pick = (x) => {
        const { left, right } = CHART;
        const degree = Math.round(scale([left / 240, right / 240], [0, MOST])(x));
        this.setDegree(clamp(degree, 0, MOST));
      };
      follow(this.chart, this.chart, { press: pick, move: pick });
      this.setDegree = (degree) => {
        this.settings.degree = degree;
        this.sliders[0].input.set(degree);
        this.draw();
      };
      const caption = [
        "Drag a dot, or click to add one. Rings: held-out points. Dashed: the curve behind both. ",
        h("span", { class: "keys" }, "Keys: arrows, Delete, Page Up, Page Down."),
      ];
      this.sliders = this.buildSliders();
      root.append(
        box(
          "panel",
          box(
            "views",
            figure(this.plot, caption),
            box("side", this.chart, this.table(), this.news),
          ),
          box(
            "sliders",
            this.sliders.map(({ label }) => label),
          ),
          this.row(this.curve.label, ...this.buildButtons()),
        ),
      );
      this.keepSample();
      this.restart();
    }

    buildSliders() {
      const whole = { step: 1, digits: 0 };
      const offered = [
        ["degree", "degree", { min: 0, max: MOST, ...whole }],
        ["lambda", "penalty λ", { ...LAMBDAS, step: 0.05, log: true, zero: true }],
        ["count", "training points", { ...POINTS, ...whole }],
        ["noise", "noise", { ...NOISES, step: 0.02 }],
      ];
      return offered.map(([key, name, range]) => {
        const isSample = key === "count" || key === "noise";
        const changed = (value) => {
          this.settings[key] = range.step === 1 ? Math.round(value) : value;
          if (isSample) this.restart();
          else this.draw();
        };
        return this.slider(name, { ...range, value: this.settings[key], key }, changed);
      });
    }

    buildButtons() {
      const another = this.button("New sample", () => {
        this.seed += 1;
        this.restart();
      });
      const reset = this.button("Reset", () => {
        this.seed = this.number("seed", 1);
        this.settings.count = this.firstCount;
        this.sliders[2].input.set(this.firstCount);
        this.restart();
      });
      this.adder = this.button("Add point", () => this.add([0, 0]));
      this.remover = this.button("Remove point", () => this.remove(this.taken));
      return [this.adder, this.remover, another, reset];
    }

    keepSample() {
      this.keep("sample", {
        read: () => String(this.seed),
        check: (text) => Math.round(inRange(text, 0, 1e9)),
        put: (seed) => {
          this.seed = seed;
          this.restart();
        },
      });
      this.keep("moved", {
        read: () => (this.moved ? pointsText(this.points) : ""),
        check: readPoints,
        put: (points) => points.length && this.show(points, true),
      });
    }

    /* Training points and held-out points come from the same curve and the same noise. */
    restart() {
      const { count, noise } = this.settings;
      const curve = this.curve.input.value;
      this.heldOut = sample(curve, HELD_OUT, noise, this.seed + 0.5e9);
      this.heldOutRows = this.heldOut.map(([x]) => legendre(x));
      this.show(sample(curve, count, noise, this.seed).map(inside));
    }

    show(points, moved = false) {
      Object.assign(this, { points, moved });
      this.taken = Math.min(this.taken ?? 0, points.length - 1);
      this.nodes = points.map((_, i) => this.point(i));
      this.draw();
    }

    point(i) {
      const node = handle(`Training point ${i + 1}`, {
        radius: 5.5,
        reach: 13,
        "aria-valuemin": -REACH[1],
        "aria-valuemax": REACH[1],
      });
      const move = (x, y) => {
        this.points[i] = inside([x, y]);
        this.moved = true;
        this.draw();
      };
      const turn = (by) => this.take((i + by + this.points.length) % this.points.length);
      keys(node, {
        arrow: (right, up, shift) => {
          const step = shift ? 0.2 : 0.02;
          move(this.points[i][0] + step * right, this.points[i][1] + step * up);
        },
        PageUp: () => turn(-1),
        PageDown: () => turn(1),
        Delete: () => this.remove(i),
        Backspace: () => this.remove(i),
      });
      const [fromX, fromY] = REACH.map((reach) => scale([0, 1], [-reach, reach]));
      follow(node, this.plot, {
        press: () => this.take(i),
        move: (x, y) => move(fromX(x), -fromY(y)),
      });
      return node;
    }

    /* One point is in the tab order at a time, or Tab would stop at each. */
    take(i) {
      this.taken = i;
      this.draw();
      this.nodes[i].focus();
    }

    add(place) {
      if (this.points.length === POINTS.max) return;
      this.show([...this.points, inside(place)], true);
      this.take(this.points.length - 1);
    }

    remove(i) {
      if (this.points.length === POINTS.min) return;
      this.show(
        this.points.filter((_, at) => at !== i),
        true,
      );
      this.take(Math.min(i, this.points.length - 1));
    }

    table() {
      const key = (kind) =>
        s(
          "svg",
          { class: "key", viewBox: "0 0 24 12", "aria-hidden": "true" },
          s("path", { class: `errors ${kind}`, d: "M0 6h24" }),
          s("circle", { class: `now ${kind}`, cx: 12, cy: 6, r: 5 }),
        );
      const rows = [
        ["training", "training error", key("training")],
        ["heldOut", "held-out error", key("held-out")],
        ["weights", "sum of w²", null],
      ].map(([name, words, drawn]) => {
        const cell = h("td", { class: "number" });
        return [name, cell, h("tr", {}, h("th", { scope: "row" }, drawn, words), cell)];
      });
      this.cells = Object.fromEntries(rows);
      const caption = "Mean squared errors, and the size of the coefficients";
      const body = rows.map(([, , row]) => row);
      return h("table", {}, h("caption", { class: "unseen" }, caption), h("tbody", {}, body));
    }

    draw() {
      const { degree, lambda, noise } = this.settings;
      const [x, y] = [0, 1].map((axis) => this.points.map((place) => place[axis]));
      const rows = x.map(legendre);
      const heldOutY = this.heldOut.map(([, value]) => value);
      const models = Array.from({ length: MOST + 1 }, (_, k) => fit(rows, y, k, lambda));
      const errors = models.map((model) => ({
        training: meanSquare(model, rows, y),
        heldOut: meanSquare(model, this.heldOutRows, heldOutY),
      }));
      const model = models[degree];
      this.state = { x, y, heldOut: this.heldOut, degree, lambda, noise, ...model };
      Object.assign(this.state, { errors, training: errors[degree].training });
      this.state.heldOutError = errors[degree].heldOut;
      this.adder.disabled = this.points.length === POINTS.max;
      this.remover.disabled = this.points.length === POINTS.min;
      this.sliders[2].input.set(this.points.length);
      this.drawPlot(model);
      this.drawErrors(errors);
      this.drawNews(errors);
    }

    drawPlot(model) {
      const at = Array.from({ length: 301 }, (_, i) => -REACH[0] + (i / 150) * REACH[0]);
      const drawn = (value) => clamp(toY(value), -SIZE, 2 * SIZE);
      const fitted = at.map((x) => [toX(x), drawn(predict(model, legendre(x)))]);
      const truth = at.map((x) => [toX(x), drawn(CURVES[this.curve.input.value](x))]);
      this.nodes.forEach((node, i) => {
        const [x, y] = this.points[i];
        node.classList.toggle("taken", i === this.taken);
        set(node, {
          tabindex: i === this.taken ? 0 : -1,
          transform: `translate(${toX(x)} ${toY(y)})`,
          "aria-valuenow": y,
          "aria-valuetext": `x ${format(x, 2)}, y ${format(y, 2)}`,
        });
      });
      const held = this.heldOut.map(([x, y]) =>
        s("circle", { class: "held", cx: toX(x), cy: toY(y), r: 3.5 }),
      );
      const behind = s(
        "g",
        {},
        line("axis", 0, toY(0), SIZE, toY(0)),
        line("axis", toX(0), 0, toX(0), SIZE),
        s("text", { x: SIZE - 6, y: toY(0) - 6, "text-anchor": "end" }, "x"),
        s("text", { x: toX(0) + 6, y: 14 }, "y"),
        held,
        s("polyline", { class: "truth", points: track(truth) }),
        s("polyline", { class: "fitted", points: track(fitted) }),
      );
      /* A node that is dragged stays where it is, or it would lose the pointer. */
      const same = this.plot.childElementCount === this.nodes.length + 1;
      if (same && this.plot.lastChild === this.nodes.at(-1))
        this.plot.firstChild.replaceWith(behind);
      else this.plot.replaceChildren(behind, ...this.nodes);
    }

    drawErrors(errors) {
      const { left, right, top, bottom } = CHART;
      const { degree } = this.settings;
      const px = scale([0, MOST], [left, right]);
      const py = scale([ERRORS.min, ERRORS.max].map(Math.log10), [bottom, top]);
      const place = (error) => py(Math.log10(clamp(error, ERRORS.min, ERRORS.max)));
      const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
      const { training, heldOut } = errors[degree];
      const curve = (kind, key) => {
        const points = errors.map((error, k) => [px(k), place(error[key])]);
        return [
          s("polyline", { class: `errors ${kind}`, points: track(points) }),
          s("circle", {
            class: `now ${kind}`,
            cx: px(degree),
            cy: place(errors[degree][key]),
            r: 5,
          }),
        ];
      };
      set(this.chart, {
        "aria-label":
          `Errors against the degree, on a logarithmic scale. At degree ${degree}: training ` +
          `${short(training)}, held-out ${short(heldOut)}.`,
      });
      this.chart.replaceChildren(
        ...TICKS.map(([value]) => line("grid", left, place(value), right, place(value))),
        ...TICKS.map(([value, words]) => text(left - 4, place(value) + 4, "end", words)),
        line("axis", left, bottom, right, bottom),
        line("degree", px(degree), top, px(degree), bottom),
        ...[0, 5, 10].map((k) => text(px(k), bottom + 17, "middle", String(k))),
        text(right, bottom + 17, "end", String(MOST)),
        text(right, 15, "end", "by degree"),
        text(0, 15, "start", "error"),
        ...curve("training", "training"),
        ...curve("held-out", "heldOut"),
      );
      this.cells.training.textContent = short(training < ROUNDING ? 0 : training, 2);
      this.cells.heldOut.textContent = short(heldOut, 2);
      this.cells.weights.textContent = short(
        dot(this.state.coefficients, this.state.coefficients),
        2,
      );
    }

    drawNews(errors) {
      const { degree } = this.settings;
      const held = errors.map(({ heldOut }) => heldOut);
      const best = held.indexOf(Math.min(...held));
      const { training, heldOut } = errors[degree];
      const least = `Held-out error is least at degree ${best}: ${short(held[best], 2)}.`;
      this.news.textContent = least;
      const now = `training error ${short(training, 2)}, held-out error ${short(heldOut, 2)}`;
      this.say(`Degree ${degree}: ${now}. ${least}`);
    }
  }

  define("lab-fit", LabFit);
})();
