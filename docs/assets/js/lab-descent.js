/* <lab-descent surface="valley" optimizers="SGD Momentum" rate="0.015" steps="40">: a race downhill.
 *
 * The rules are those of labkit.optimizers, with Keras's defaults: momentum as in SGD(momentum=…),
 * RMSprop with rho 0.9, Adam with 0.9 and 0.999, and epsilon 1e-7. Other attributes: condition,
 * adaptive (the rate of RMSprop and Adam), momentum, noise, start="x y", seed.
 *
 * All paths follow from the settings and the number of steps, so that a reader who moves the start
 * or a slider sees whole paths change.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, layers, handle } = window.Lab;
  const { clamp, scale, format, short, random, follow, keys, paint } = window.Lab;
  const { refuse, inRange } = window.Lab;

  const SIZE = 320; // of the map, in its own units
  const REACH = 2; // half the width of the map
  const CELLS = 480; // of the map's shading, in a row
  const CHART = { left: 42, right: 234, top: 32, bottom: 136 };
  const MOST = 2000; // steps
  const GOAL = 0.01; // the loss that ends the race
  const LIMIT = 1e6; // a loss above it has diverged
  const LOWEST = 1e-4; // loss that the chart shows
  const TICKS = [
    [-4, "10⁻⁴"],
    [-2, "0.01"],
    [0, "1"],
    [2, "100"],
    [4, "10⁴"],
  ];
  const RATES = { min: 0.0001, max: 2 };
  const CONDITIONS = { min: 1, max: 1000 };
  const NOISES = { min: 0, max: 5 };

  /* Half of u² + k v²: the curvature across the valley is k times that along it. */
  const quadratic = (u, v, k) => [(u * u + k * v * v) / 2, u, k * v];

  /* At (x, y), each surface gives its loss and the two derivatives. The least loss is 0, at `best`.
   * A surface has rates at which it can be descended, of the first three optimizers and of the rest. */
  const SURFACES = {
    bowl: {
      at: (x, y) => quadratic(x, y, 1),
      formula: "½ (x² + y²)",
      start: [-1.6, 1.2],
      rates: [0.05, 0.1],
    },
    valley: {
      at: quadratic,
      conditioned: true,
      formula: "½ (x² + k y²)",
      start: [-1.8, 0.9],
      rates: [0.01, 0.1],
    },
    "rotated valley": {
      at: (x, y, k) => {
        const [loss, u, v] = quadratic((x + y) / Math.SQRT2, (y - x) / Math.SQRT2, k);
        return [loss, (u - v) / Math.SQRT2, (u + v) / Math.SQRT2];
      },
      conditioned: true,
      formula: "½ (u² + k v²), turned by 45°",
      start: [-1.8, -0.5],
      rates: [0.01, 0.1],
    },
    Rosenbrock: {
      at: (x, y) => {
        const off = y - x * x;
        return [(1 - x) ** 2 + 100 * off * off, 2 * (x - 1) - 400 * x * off, 200 * off];
      },
      formula: "(1 − x)² + 100 (y − x²)²",
      best: [1, 1],
      middle: [0, 1],
      start: [-1.2, 1.2],
      rates: [0.0008, 0.1],
    },
    /* Its higher minimum is at x = -0.887; between both is a saddle, at -0.113. */
    "double well": {
      at: (x, y) => {
        const right = (x - 1) ** 2 + y * y;
        const left = (x + 1) ** 2 + y * y + 0.2;
        const dx = 2 * (x - 1) * left + 2 * (x + 1) * right;
        return [right * left, dx, 2 * y * (left + right)];
      },
      formula: "((x − 1)² + y²) ((x + 1)² + y² + 0.2)",
      best: [1, 0],
      start: [-1.5, 1.3],
      rates: [0.01, 0.1],
    },
  };

  /* The change of one coordinate, from its gradient g and its state: the velocity or mean m, the mean
   * square v. `mark` is drawn where an optimizer has arrived. */
  const accelerate = (state, g, { rate, momentum }) => {
    state.m = momentum * state.m - rate * g;
    return state.m;
  };
  const OPTIMIZERS = {
    SGD: {
      change: (_, g, { rate }) => -rate * g,
      mark: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    },
    Momentum: { change: accelerate, mark: "M-4.5-4.5h9v9h-9z" },
    Nesterov: {
      change: (state, g, given) => given.momentum * accelerate(state, g, given) - given.rate * g,
      mark: "M0-6.5l6 10.5h-12z",
    },
    RMSprop: {
      change: (state, g, { adaptive }) => {
        state.v += 0.1 * (g * g - state.v);
        return (-adaptive * g) / Math.sqrt(state.v + 1e-7);
      },
      adapts: true,
      mark: "M0-6.5l6.5 6.5l-6.5 6.5l-6.5-6.5z",
    },
    Adam: {
      change: (state, g, { adaptive }, t) => {
        state.m += 0.1 * (g - state.m);
        state.v += 0.001 * (g * g - state.v);
        const size = (adaptive * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
        return (-size * state.m) / (Math.sqrt(state.v) + 1e-7);
      },
      adapts: true,
      mark: "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    },
  };

  /* So many pairs of normal numbers: Box and Muller, 1958. All optimizers get the same noise. */
  const normals = (steps, seed) => {
    const next = random(seed);
    return Array.from({ length: steps }, () => {
      const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - next())), 2 * Math.PI * next()];
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    });
  };

  /* The path of one optimizer, its losses, and after how many steps it met the goal or diverged. */
  const descend = (change, at, start, given, noises) => {
    const states = [0, 1].map(() => ({ m: 0, v: 0 }));
    const run = { path: [start], losses: [at(...start)[0]], reached: null, diverged: null };
    if (run.losses[0] < GOAL) run.reached = 0;
    for (const [i, noise] of noises.entries()) {
      const place = run.path[i];
      const [, ...gradient] = at(...place);
      const next = place.map((value, axis) => {
        const g = gradient[axis] + given.noise * noise[axis];
        return value + change(states[axis], g, given, i + 1);
      });
      const [loss] = at(...next);
      run.path.push(next);
      run.losses.push(loss);
      if (loss < GOAL) run.reached ??= i + 1;
      if (!(loss < LIMIT)) {
        run.diverged = i + 1;
        break;
      }
    }
    return run;
  };

  const bounded = (value) => clamp(value, -REACH, REACH);
  const steps = (count) => `${count} step${count === 1 ? "" : "s"}`;
  const listed = (names) =>
    names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  const dots = (points) => points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
  const track = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  class LabDescent extends Element {
    static css = `
      .sliders { grid-template-columns: repeat(auto-fit, minmax(min(9rem, 40cqi), 1fr)); }
      .map { border-radius: .25rem; }
      .map svg { cursor: crosshair; }
      svg { touch-action: pan-y pinch-zoom; } /* a tap moves the start; a swipe, the page */
      .start { fill: var(--md-default-bg-color); stroke: var(--md-default-fg-color); stroke-width: 2.5; }
      .best { fill: none; stroke: var(--md-default-fg-color); stroke-width: 2; }
      .sgd { --ink: var(--md-default-fg-color); }
      .momentum { --ink: var(--lab-orange); }
      .nesterov { --ink: var(--lab-green); }
      .rmsprop { --ink: var(--lab-purple); }
      .adam { --ink: var(--lab-blue); }
      .track { fill: none; stroke: var(--ink); stroke-width: 1.6; stroke-linejoin: round; }
      .dots { fill: none; stroke: var(--ink); stroke-width: 4; stroke-linecap: round; }
      .many .dots { stroke-width: 2.5; }
      .head { fill: var(--ink); stroke: var(--md-default-bg-color); stroke-width: 1.2; }
      .goal { stroke: var(--md-default-fg-color--lighter); stroke-dasharray: 4 4; }
      td:last-child, th:last-child { padding-right: 0; }
      thead th { color: var(--md-default-fg-color--light); vertical-align: bottom; }
      tr.off td { visibility: hidden; }
      th label { display: flex; gap: .3rem; align-items: center; }
      th svg { width: .8rem; flex: none; }
      input[type=checkbox] { margin: 0; accent-color: var(--lab-blue); }
      label:has(:disabled) { opacity: .5; }
      .side .news { min-height: 3em; }
      @container (max-width: 26rem) {
        th label { font-size: inherit; }
        th, td { padding-right: .3rem; }
      }
      @container (max-width: 15rem) {
        .side { grid-template-columns: minmax(0, 1fr); }
        .side .chart { max-height: 6rem; }
        .side .chart text { font-size: 14px; }
      }`;

    build(root) {
      const known = Object.keys(OPTIMIZERS);
      const wanted = (this.getAttribute("optimizers") ?? "").toLowerCase().split(/[\s,]+/);
      const named = known.filter((name) => wanted.includes(name.toLowerCase()));
      this.names = named.length ? named : known;
      this.shown = new Set(this.names);
      const names = Object.keys(SURFACES);
      const first = this.oneOf("surface", names, "valley");
      this.surface = this.choice("Surface", names, first, (name) => this.choose(name), "surface");
      this.readStart(first);
      this.buildMap();
      this.buildChart();
      this.mapCaption = h("span", { class: "number" });
      const sliders = this.buildSliders();
      root.append(
        box(
          "panel",
          box(
            "views",
            figure(layers(this.heat, this.over), this.mapCaption),
            box("side", this.chart, this.table(), this.news),
          ),
          box("sliders", sliders),
          this.row(this.surface.label, ...this.buildButtons()),
        ),
      );
      this.keepRace();
    }

    readStart(surface) {
      const { start, rates } = SURFACES[surface];
      this.settings = {
        rate: this.number("rate", rates[0]),
        adaptive: this.number("adaptive", rates[1]),
        momentum: this.number("momentum", 0.9),
        noise: this.number("noise", 0),
        condition: this.number("condition", 100),
      };
      const given = this.numbers("start", start);
      this.start = given.length === 2 ? given.map(bounded) : start;
      this.steps = clamp(Math.round(this.number("steps", 0)), 0, MOST);
      this.seed = this.number("seed", 1);
    }

    buildSliders() {
      const adapts = (name) => Boolean(OPTIMIZERS[name].adapts);
      const both = this.names.some(adapts) && !this.names.every(adapts);
      const offered = [
        ["rate", "learning rate", { ...RATES, step: 0.01, log: true }, !this.names.every(adapts)],
        [
          "momentum",
          "momentum",
          { min: 0, max: 0.99, step: 0.01 },
          this.names.some((name) => ["Momentum", "Nesterov"].includes(name)),
        ],
        [
          "adaptive",
          both ? "RMSprop, Adam rate" : "learning rate",
          { ...RATES, step: 0.01, log: true },
          this.names.some(adapts),
        ],
        ["condition", "condition number k", { ...CONDITIONS, step: 0.01, log: true }, true],
        ["noise", "gradient noise", { ...NOISES, step: 0.1, digits: 1 }, true],
      ].filter(([, , , has]) => has);
      this.sliders = {};
      for (const [key, name, range] of offered) {
        this.sliders[key] = this.slider(
          name,
          { ...range, value: this.settings[key], key },
          (value) => {
            this.settings[key] = value;
            this.draw();
          },
        );
      }
      return Object.values(this.sliders).map(({ label }) => label);
    }

    buildButtons() {
      const step = this.button("Step", () => {
        this.stop();
        this.advance(1);
      });
      /* The longer the race, the faster it is shown. */
      const run = this.runner({
        every: 50,
        more: () => this.steps < MOST,
        step: () => {
          const open = this.isOpen();
          this.advance(1 + Math.floor(this.steps / 50));
          if (open && !this.isOpen()) this.stop();
        },
        atOnce: () => this.advance(50),
      });
      const reset = this.button("Reset", () => {
        this.stop();
        this.steps = 0;
        this.draw();
      });
      this.another = this.button("New noise", () => {
        this.seed += 1;
        this.draw();
      });
      return [run, step, reset, this.another];
    }

    /* Whether an optimizer is still on its way. */
    isOpen() {
      return Object.values(this.runs).some(
        ({ reached, diverged }) => reached === null && diverged === null,
      );
    }

    advance(more) {
      this.steps = Math.min(MOST, this.steps + more);
      this.draw();
    }

    /* Another surface has a start and rates of its own. */
    choose(name) {
      this.stop();
      const { start, rates } = SURFACES[name];
      Object.assign(this, { start, steps: 0 });
      Object.assign(this.settings, { rate: rates[0], adaptive: rates[1] });
      for (const key of ["rate", "adaptive"]) this.sliders[key]?.input.set(this.settings[key]);
      this.draw();
    }

    keepRace() {
      this.keep("start", {
        read: () => this.start.map((value) => Number(value.toFixed(4))).join("_"),
        check: (text) => {
          const pair = text.split("_");
          if (pair.length !== 2) refuse("a start, such as -1.5_1", text);
          return pair.map((value) => inRange(value, -REACH, REACH + 1));
        },
        put: (start) => this.moveTo(start),
      });
      this.keep("seed", {
        read: () => String(this.seed),
        check: (text) => Math.round(inRange(text, 0, 1e9)),
        put: (seed) => {
          this.seed = seed;
        },
      });
      this.keep("show", {
        read: () => [...this.shown].join(" ") || "none",
        check: (text) => {
          const names = text === "none" ? [] : text.split(" ");
          for (const name of names)
            if (!this.names.includes(name)) refuse(listed(this.names), name);
          return names;
        },
        put: (names) => {
          this.shown = new Set(names);
        },
      });
      this.keep("steps", {
        read: () => String(this.steps),
        check: (text) => Math.round(inRange(text, 0, MOST)),
        put: (count) => {
          this.stop();
          this.steps = count;
          this.draw();
        },
      });
    }

    buildMap() {
      this.heat = h("canvas", { "aria-hidden": "true" });
      this.best = s("path", { class: "best" });
      this.trails = s("g");
      this.dot = handle("Start", { kind: "start", radius: 7, reach: 18 });
      this.over = s(
        "svg",
        {
          viewBox: `0 0 ${SIZE} ${SIZE}`,
          role: "group",
          "aria-label": "Contour map of the loss over x and y, with the optimizers' paths",
          onclick: (event) => {
            const { left, top, width } = this.over.getBoundingClientRect();
            this.moveToShare((event.clientX - left) / width, (event.clientY - top) / width);
          },
        },
        s("text", { x: SIZE - 6, y: SIZE - 8, "text-anchor": "end" }, "x"),
        s("text", { x: 8, y: 16 }, "y"),
        this.best,
        this.trails,
        this.dot,
      );
      keys(this.dot, {
        arrow: (right, up, shift) => {
          const size = shift ? 0.25 : 0.05;
          this.moveTo([this.start[0] + size * right, this.start[1] + size * up]);
        },
      });
      follow(this.dot, this.over, {
        press: () => this.dot.focus(),
        move: (x, y) => this.moveToShare(x, y),
      });
    }

    get middle() {
      return SURFACES[this.surface.input.value].middle ?? [0, 0];
    }

    moveToShare(x, y) {
      const [mx, my] = this.middle;
      const offset = scale([0, 1], [-REACH, REACH]);
      this.moveTo([mx + offset(x), my - offset(y)]);
    }

    moveTo(start) {
      this.start = this.middle.map((middle, axis) => middle + bounded(start[axis] - middle));
      this.draw();
    }

    buildChart() {
      this.chart = s("svg", {
        class: "chart",
        viewBox: "0 0 240 158",
        preserveAspectRatio: "xMinYMin",
        role: "img",
      });
    }

    table() {
      this.rows = this.names.map((name) => {
        const cells = [h("td"), h("td")];
        const input = h("input", {
          type: "checkbox",
          checked: true,
          onchange: () => {
            this.shown[input.checked ? "add" : "delete"](name);
            this.draw();
          },
        });
        const mark = s("path", { class: "head", d: OPTIMIZERS[name].mark });
        const icon = s("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" }, mark);
        const head = h("th", { scope: "row" }, h("label", {}, input, icon, name));
        const row = h("tr", {}, head, cells);
        row.classList.add(name.toLowerCase());
        return { name, input, cells, row };
      });
      const goal = [h("span", { class: "keys" }, "steps "), `to ${GOAL}`];
      const heads = ["Optimizer", "loss", goal].map((head) => h("th", { scope: "col" }, head));
      const rows = this.rows.map(({ row }) => row);
      return h(
        "table",
        {},
        h("caption", { class: "unseen" }, "The optimizers and their losses"),
        h("thead", {}, h("tr", {}, heads)),
        h("tbody", {}, rows),
      );
    }

    draw() {
      const name = this.surface.input.value;
      const surface = SURFACES[name];
      const { settings, start, steps: count, seed } = this;
      const at = (x, y) => surface.at(x, y, settings.condition);
      const noises = normals(count, seed);
      const racing = this.names.filter((racer) => this.shown.has(racer));
      this.runs = Object.fromEntries(
        racing.map((racer) => [
          racer,
          descend(OPTIMIZERS[racer].change, at, start, settings, noises),
        ]),
      );
      this.state = { surface: name, start: [...start], ...settings, steps: count, seed };
      Object.assign(this.state, { loss: at(...start), runs: this.runs });
      if (this.sliders.condition) this.sliders.condition.input.disabled = !surface.conditioned;
      this.another.hidden = settings.noise === 0;
      const [mx, my] = surface.middle ?? [0, 0];
      this.toX = scale([mx - REACH, mx + REACH], [0, SIZE]);
      this.toY = scale([my - REACH, my + REACH], [SIZE, 0]);
      this.drawMap(surface, at);
      this.drawPaths(surface);
      this.drawChart();
      this.drawTable();
      this.drawNews();
    }

    /* The surface, and lines of equal loss at equal ratios, one of which is the goal. A pixel is on a
     * line if its distance to one, a difference in level over the gradient, is below a pixel. */
    drawMap(surface, at) {
      const { condition } = this.settings;
      const inks = ["--md-default-fg-color", "--lab-blue"].map((ink) => this.color(ink));
      const painted = `${surface.formula} ${surface.conditioned ? condition : ""} on ${inks}`;
      if (this.painted === painted) return;
      this.painted = painted;
      this.mapCaption.textContent = `Loss ${surface.formula}. Stronger shade: lower. Drag the ring, or click, to move the start.`;
      const [mx, my] = surface.middle ?? [0, 0];
      const toX = scale([-0.5, CELLS - 0.5], [mx - REACH, mx + REACH]);
      const toY = scale([-0.5, CELLS - 0.5], [my + REACH, my - REACH]);
      const corners = [-REACH, REACH].flatMap((dx) =>
        [-REACH, REACH].map((dy) => at(mx + dx, my + dy)[0]),
      );
      const count = 13; // levels from the goal to the highest corner
      const ratio = Math.log(Math.max(...corners) / GOAL) / count;
      const pixel = (2 * REACH) / CELLS;
      const [ink, blue] = inks;
      paint(this.heat, [CELLS, CELLS], (i) => {
        const [loss, dx, dy] = at(toX(i % CELLS), toY(Math.floor(i / CELLS)));
        if (loss < GOAL) return [...blue.slice(0, 3), 150];
        const level = Math.log(loss / GOAL) / ratio;
        const perPixel = (pixel * Math.hypot(dx, dy)) / (loss * ratio);
        const away = Math.abs(level - Math.round(level)) / perPixel;
        const isLine = clamp(1.2 - away, 0, 1) * clamp(0.35 / perPixel - 0.6, 0, 1);
        const shade = 0.34 * (1 - Math.floor(level) / count) ** 1.3;
        return [...ink.slice(0, 3), 255 * (0.02 + shade + 0.22 * isLine)];
      });
    }

    drawPaths(surface) {
      const [bestX, bestY] = surface.best ?? [0, 0];
      set(this.best, { d: `M${this.toX(bestX) - 5} ${this.toY(bestY) - 5}l10 10m0-10l-10 10` });
      const place = ([x, y]) => [
        clamp(this.toX(x), -SIZE, 2 * SIZE), // SVG draws no huge numbers
        clamp(this.toY(y), -SIZE, 2 * SIZE),
      ];
      const parts = Object.entries(this.runs).map(([name, { path }]) => {
        const points = path.map(place);
        return { name, points, head: points.at(-1) };
      });
      const kind = (name) => name.toLowerCase();
      set(this.trails, { class: this.steps > 100 ? "many" : null });
      this.trails.replaceChildren(
        ...parts.map(({ name, points }) =>
          s(
            "g",
            { class: kind(name) },
            s("polyline", { class: "track", points: track(points) }),
            s("path", { class: "dots", d: dots(points.slice(1)) }),
          ),
        ),
        ...(this.steps ? parts : []).map(({ name, head }) => this.mark(name, head)),
      );
      const [x, y] = this.start;
      set(this.dot, {
        transform: `translate(${this.toX(x)} ${this.toY(y)})`,
        "aria-valuemin": this.middle[0] - REACH,
        "aria-valuemax": this.middle[0] + REACH,
        "aria-valuenow": x,
        "aria-valuetext": `x ${format(x, 2)}, y ${format(y, 2)}`,
      });
    }

    mark(name, [x, y]) {
      const group = { class: name.toLowerCase(), transform: `translate(${x} ${y})` };
      return s("g", group, s("path", { class: "head", d: OPTIMIZERS[name].mark }));
    }

    drawChart() {
      const { left, right, top, bottom } = CHART;
      const runs = Object.entries(this.runs);
      const last = Math.max(20, this.steps);
      const highest = Math.max(1, Math.ceil(Math.log10(this.state.loss[0]) + 0.3));
      const px = scale([0, last], [left, right]);
      const py = scale([Math.log10(LOWEST), highest], [bottom, top]);
      const toY = (loss) => clamp(py(Math.log10(Math.max(loss, LOWEST))), top, bottom);
      const ticks = TICKS.filter(([power]) => power <= highest);
      const parts = runs.map(([name, { losses }]) => {
        const points = losses.map((loss, i) => [px(i), toY(loss)]);
        return { name, points };
      });
      const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
      set(this.chart, {
        "aria-label": `Loss of each optimizer over ${steps(this.steps)}, on a logarithmic scale.`,
      });
      this.chart.replaceChildren(
        ...ticks.map(([power]) => line("grid", left, py(power), right, py(power))),
        ...ticks.map(([power, words]) => text(left - 4, py(power) + 4, "end", words)),
        line("axis", left, bottom, right, bottom),
        line("goal", left, toY(GOAL), right, toY(GOAL)),
        text(right, bottom + 17, "end", `${last} steps`),
        text(left, bottom + 17, "start", "0"),
        text(0, 15, "start", "loss"),
        ...parts.map(({ name, points }) =>
          s(
            "g",
            { class: name.toLowerCase() },
            s("polyline", { class: "track", points: track(points) }),
          ),
        ),
        ...parts.map(({ name, points }) => this.mark(name, points.at(-1))),
      );
    }

    drawTable() {
      for (const { name, input, cells, row } of this.rows) {
        const run = this.runs[name];
        input.checked = Boolean(run);
        row.classList.toggle("off", !run);
        if (!run) continue;
        const { losses, reached, diverged } = run;
        cells[0].textContent = diverged === null ? short(losses.at(-1), 2) : "diverged";
        cells[1].textContent = reached ?? "–";
      }
    }

    drawNews() {
      const runs = Object.entries(this.runs);
      const gone = runs.filter(([, { diverged }]) => diverged !== null);
      const left = runs.filter(([, { diverged }]) => diverged === null);
      const sentences = [`${steps(this.steps)}.`];
      if (!runs.length) sentences.push("Choose an optimizer.");
      if (left.length && this.steps) {
        const [name, { losses }] = left.reduce((a, b) =>
          b[1].losses.at(-1) < a[1].losses.at(-1) ? b : a,
        );
        sentences.push(`Lowest: ${name}, ${short(losses.at(-1), 2)}.`);
      } else if (left.length) {
        sentences.push(`The loss at the start is ${short(this.state.loss[0])}.`);
      }
      if (gone.length) {
        const names = listed(gone.map(([name]) => name));
        sentences.push(`${names} diverged: the rate is too large.`);
      }
      this.tell(sentences.join(" "));
    }
  }

  define("lab-descent", LabDescent);
})();
