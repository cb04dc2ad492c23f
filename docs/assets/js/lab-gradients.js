/* <lab-gradients graph="squared error" x="2" w="1" b="-1.5" y="1">: slopes on a graph.
 *
 * Each operation has its value and its local slopes, one along each of its inputs. The slope of the
 * loss L along a number is a sum over the operations that use it: the slope of L along the result,
 * times the local slope.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, clamp, scale, short } = window.Lab;

  const REACH = 3; // of x, w and b; the target goes from 0 to 1
  const [WIDTH, HEIGHT] = [330, 330]; // of the picture, in its own units
  const [WIDE, HIGH] = [100, 38]; // of a box
  const NUDGE = 0.001;
  const SLIDERS = {
    x: ["input x", -REACH],
    w: ["weight w", -REACH],
    b: ["bias b", -REACH],
    y: ["target y", 0],
  };
  const NUMBERS = ["x", "w", "b", "y", "u", "z", "h", "ŷ", "L"]; // of all graphs

  /* An operation: its formula, its inputs, the column and row of its box, its value from its inputs,
   * and its local slopes from its inputs and its value. */
  const operation = (name, formula, inputs, [column, row], value, slopes) => ({
    name,
    formula: `${name} = ${formula}`,
    inputs,
    column,
    row,
    value,
    slopes,
  });
  const product = operation(
    "u",
    "x · w",
    ["x", "w"],
    [1.1, 1],
    (x, w) => x * w,
    (x, w) => [w, x],
  );
  const sum = operation(
    "z",
    "u + b",
    ["u", "b"],
    [0.5, 2],
    (u, b) => u + b,
    () => [1, 1],
  );
  const sigmoid = operation(
    "ŷ",
    "σ(z)",
    ["z"],
    [0.5, 3],
    (z) => 1 / (1 + Math.exp(-z)),
    (_, p) => [p * (1 - p)],
  );
  const square = (row) =>
    operation(
      "L",
      "(ŷ − y)²",
      ["ŷ", "y"],
      [1.2, row],
      (p, y) => (p - y) ** 2,
      (p, y) => [2 * (p - y), 2 * (y - p)],
    );
  const GRAPHS = {
    "squared error": [product, sum, sigmoid, square(4)],
    "cross-entropy": [
      product,
      sum,
      sigmoid,
      operation(
        "L",
        "entropy(ŷ, y)",
        ["ŷ", "y"],
        [1.2, 4],
        (p, y) => -y * Math.log(p) - (1 - y) * Math.log1p(-p),
        (p, y) => [(p - y) / (p * (1 - p)), Math.log1p(-p) - Math.log(p)],
      ),
    ],
    "weight used twice": [
      product,
      sum,
      operation(
        "h",
        "relu(z)",
        ["z"],
        [0.5, 3],
        (z) => Math.max(0, z),
        (z) => [z > 0 ? 1 : 0],
      ),
      operation(
        "ŷ",
        "h · w",
        ["h", "w"],
        [1, 4],
        (v, w) => v * w,
        (v, w) => [w, v],
      ),
      square(5),
    ],
  };
  /* In the last graph, 0.5 would leap over the valley and make the loss larger. */
  const RATES = { "squared error": 0.5, "cross-entropy": 0.5, "weight used twice": 0.05 };

  /* Forward: each value from those before it. A number in `forced` keeps the value given there. */
  const forward = (graph, given, forced = {}) => {
    const values = { ...given, ...forced };
    for (const { name, inputs, value } of graph) {
      values[name] = forced[name] ?? value(...inputs.map((input) => values[input]));
    }
    return values;
  };

  /* Back: `uses` lists for each number the results that it takes part in, with the local slope. */
  const backward = (graph, values) => {
    const uses = Object.fromEntries(Object.keys(values).map((name) => [name, []]));
    const slopes = Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
    slopes.L = 1;
    for (const { name, inputs, slopes: localSlopes } of [...graph].reverse()) {
      const local = localSlopes(...inputs.map((input) => values[input]), values[name]);
      inputs.forEach((input, i) => {
        uses[input].unshift([name, local[i]]);
        slopes[input] += slopes[name] * local[i];
      });
    }
    return { uses, slopes };
  };

  const toX = scale([0, 2], [WIDE / 2 + 2, WIDTH - WIDE / 2 - 2]);
  const slope = (of, along) => `∂${of}/∂${along}`;
  const factor = (x) => (x < 0 ? `(${short(x)})` : short(x));

  class LabGradients extends Element {
    static css = `
      .graph { touch-action: auto; max-width: 26rem; }
      .graph .formula { font-size: 12px; }
      .graph .value, .graph .slope { font-size: 13px; }
      .graph .local {
        font-size: 12px; fill: var(--lab-blue);
        stroke: var(--md-default-bg-color); stroke-width: 3; paint-order: stroke;
      }
      .slope { fill: var(--lab-orange); font-weight: bold; }
      .node { cursor: pointer; }
      .node rect { fill: var(--md-default-bg-color); stroke: var(--md-default-fg-color--light); }
      .node.parameter rect { fill: var(--md-code-bg-color); }
      .node.taken rect { stroke: var(--md-default-fg-color); stroke-width: 3; }
      .edge { stroke: var(--md-default-fg-color--light); stroke-width: 1.2; }
      .edge.taken { stroke: var(--lab-orange); stroke-width: 3; }
      .side .news { min-height: 7.5em; overflow-wrap: anywhere; }
      .side .sliders { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
      @container (max-width: 26rem) {
        .side .news { min-height: 5.6em; font-size: .68rem; line-height: 1.4; }
        .side .sliders { grid-column: 1 / -1; font-size: .65rem; }
        .side .sliders label { font-size: inherit; }
      }`;

    build(root) {
      const names = Object.keys(GRAPHS);
      const first = this.oneOf("graph", names, names[0]);
      const redraw = () => this.draw();
      this.graph = this.choice("Graph", names, first, redraw, "graph");
      this.taken = this.choice("Explain", NUMBERS, "w", redraw, "explain");
      this.start = { x: 2, w: 1, b: -1.5, y: 1 };
      this.sliders = {};
      for (const [key, [name, min]] of Object.entries(SLIDERS)) {
        const max = key === "y" ? 1 : REACH;
        this.start[key] = clamp(this.number(key, this.start[key]), min, max);
        const settings = { min, max, step: 0.05, value: this.start[key], key };
        this.sliders[key] = this.slider(name, settings, (value) => {
          this.values[key] = value;
          this.draw();
        });
      }
      this.values = { ...this.start };
      this.picture = s("svg", {
        class: "graph",
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "img",
      });
      this.step = this.button("Step", () => this.descend());
      this.rows = h("tbody");
      const heads = ["number", "value", "slope of L along it"];
      const table = h(
        "table",
        { class: "unseen" },
        h("caption", {}, "All numbers of the graph"),
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        this.rows,
      );
      const caption =
        "Left in each box: its value. Right, in orange: the slope of L along it. At the lines, in " +
        "blue: the local slopes. A click on a box explains its slope.";
      root.append(
        box(
          "panel",
          box(
            "views",
            figure(this.picture, caption),
            box(
              "side",
              this.news,
              box(
                "sliders",
                Object.values(this.sliders).map(({ label }) => label),
              ),
              table,
            ),
          ),
          this.row(
            this.graph.label,
            this.taken.label,
            this.step,
            this.button("Reset", () => this.change(this.start)),
          ),
        ),
      );
    }

    change(values) {
      for (const [key, value] of Object.entries(values)) {
        const [, min] = SLIDERS[key];
        this.values[key] = clamp(value, min, REACH);
        this.sliders[key].input.set(this.values[key]);
      }
      this.draw();
    }

    /* A step of gradient descent: the weight and the bias move, the data stay. */
    descend() {
      const { rate, slopes } = this.state;
      this.change({ w: this.values.w - rate * slopes.w, b: this.values.b - rate * slopes.b });
    }

    draw() {
      const graph = GRAPHS[this.graph.input.value];
      const values = forward(graph, this.values);
      const { slopes, uses } = backward(graph, values);
      for (const option of this.taken.input.options) option.disabled = !(option.value in values);
      if (!(this.taken.input.value in values)) this.taken.input.value = "w";
      const taken = this.taken.input.value;
      const rate = RATES[this.graph.input.value];
      this.step.textContent = `Step, η = ${rate}`;
      this.state = { graph: this.graph.input.value, values, slopes, rate };
      this.drawGraph(graph, { values, slopes, uses, taken });
      this.rows.replaceChildren(
        ...Object.keys(values).map((name) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            h("td", {}, short(values[name])),
            h("td", {}, short(slopes[name])),
          ),
        ),
      );
      set(this.picture, {
        "aria-label": `Graph of ${graph.length} operations. The loss L is ${short(values.L)}.`,
      });
      const nudged = forward(graph, this.values, { [taken]: values[taken] + NUDGE });
      this.tell(this.explain(taken, slopes, uses[taken], nudged.L - values.L));
    }

    explain(name, slopes, uses, change) {
      if (name === "L") return "∂L/∂L = 1. Here the walk back begins.";
      const words = uses.map(([result]) => `${slope("L", result)} · ${slope(result, name)}`);
      const numbers = uses.map(
        ([result, local]) => `${factor(slopes[result])}\u00a0·\u00a0${factor(local)}`,
      );
      const found = [words, numbers].map((parts) => parts.join(" + "));
      return (
        `${slope("L", name)} = ${found[0]} = ${found[1]} = ${short(slopes[name])}. ` +
        `A check: nudge ${name} alone by ${NUDGE}, and L changes by ${short(change)}.`
      );
    }

    drawGraph(graph, { values, slopes, uses, taken }) {
      const bottom = graph.at(-1).row;
      const toY = scale([0, bottom], [HIGH / 2 + 2, HEIGHT - HIGH / 2 - 2]);
      const leaves = { x: [0.8, 0], w: [2, 0], b: [0, 1], y: [2, bottom - 1] };
      const operations = graph.map(({ name, column, row }) => [name, [column, row]]);
      const places = Object.fromEntries(
        [...Object.entries(leaves), ...operations].map(([name, [column, row]]) => [
          name,
          [toX(column), toY(row)],
        ]),
      );
      const formulas = Object.fromEntries(graph.map(({ name, formula }) => [name, formula]));
      const edges = Object.entries(uses).flatMap(([name, results]) =>
        results.map(([result, local]) => this.edge(places, [name, result], local, taken)),
      );
      const nodes = Object.entries(places).map(([name, [x, y]]) => {
        const kinds = ["node", "wb".includes(name) && "parameter", name === taken && "taken"];
        return s(
          "g",
          {
            class: kinds.filter(Boolean).join(" "),
            transform: `translate(${x} ${y})`,
            onclick: () => {
              this.taken.input.value = name;
              this.draw();
            },
          },
          s("rect", { x: -WIDE / 2, y: -HIGH / 2, width: WIDE, height: HIGH, rx: 6 }),
          s("text", { class: "formula", y: -4, "text-anchor": "middle" }, formulas[name] ?? name),
          s("text", { class: "value", x: -WIDE / 2 + 6, y: 12 }, short(values[name])),
          s(
            "text",
            { class: "slope", x: WIDE / 2 - 6, y: 12, "text-anchor": "end" },
            short(slopes[name]),
          ),
        );
      });
      this.picture.replaceChildren(
        ...edges.map(([drawn]) => drawn),
        ...nodes,
        ...edges.map(([, label]) => label),
      );
    }

    /* The line from a number to a result, and its local slope at the side where there is room. */
    edge(places, [name, result], local, taken) {
      const [[x1, y1], [x2, y2]] = [places[name], places[result]];
      const [top, end] = [y1 + HIGH / 2, y2 - HIGH / 2];
      const share = y2 - y1 > HEIGHT / 3 ? 0.6 : 0.5; // a long line passes other boxes
      const [x, y] = [x1 + share * (x2 - x1), top + share * (end - top)];
      const right = x1 > x2 || x1 === x2;
      const drawn = line(name === taken ? "edge taken" : "edge", x1, top, x2, end);
      const place = { x: x + (right ? 7 : -7), y: y + 5, "text-anchor": right ? "start" : "end" };
      return [drawn, s("text", { class: "local", ...place }, short(local))];
    }
  }

  define("lab-gradients", LabGradients);
})();
