/* <lab-correlation shape="linear" points="24" seed="1">: drag points, see three coefficients move.
 *
 * The arithmetic is that of labkit.stats: Pearson's r, Spearman's rho as Pearson's r of average
 * ranks, Kendall's tau-b. A coefficient that does not exist (no spread in x or y) says so.
 *
 * A reader's own points, two numbers a line, are shown from the least to the largest of either.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, line, figure, handle } = window.Lab;
  const { clamp, scale, format, short, random, follow, keys } = window.Lab;
  const { refuse, inRange, drawLots } = window.Lab;

  const SIZE = 300; // of the plot, in its own units
  const EDGE = 28; // its margin
  const SPAN = 10; // what each axis shows at least
  const LARGEST = 200; // number of a reader's own points
  const OWN = "your file";

  const mean = (a) => a.reduce((sum, value) => sum + value, 0) / a.length;

  /* The three sums behind r and the slope: of products and of squares of deviations. */
  const deviations = (x, y) => {
    const [mx, my] = [mean(x), mean(y)];
    const sums = { xy: 0, xx: 0, yy: 0 };
    x.forEach((value, i) => {
      sums.xy += (value - mx) * (y[i] - my);
      sums.xx += (value - mx) ** 2;
      sums.yy += (y[i] - my) ** 2;
    });
    return sums;
  };

  const pearson = (x, y) => {
    const { xy, xx, yy } = deviations(x, y);
    return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
  };

  /* Equal values share the mean of their ranks. */
  const ranks = (a) => {
    const sorted = [...a].sort((p, q) => p - q);
    return a.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
  };

  const spearman = (x, y) => pearson(ranks(x), ranks(y));

  /* tau-b = (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties in y)) */
  const kendall = (x, y) => {
    let score = 0;
    let untiedInX = 0;
    let untiedInY = 0;
    for (let i = 0; i < x.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const dx = Math.sign(x[i] - x[j]);
        const dy = Math.sign(y[i] - y[j]);
        score += dx * dy;
        untiedInX += Math.abs(dx);
        untiedInY += Math.abs(dy);
      }
    }
    return untiedInX && untiedInY ? score / Math.sqrt(untiedInX * untiedInY) : Number.NaN;
  };

  const COEFFICIENTS = { Pearson: pearson, Spearman: spearman, Kendall: kendall };

  /* Anscombe, "Graphs in statistical analysis", The American Statistician 27 (1973),
   * doi:10.1080/00031305.1973.10478966 */
  const X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const Y1 = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
  const Y2 = [9.14, 8.14, 8.74, 8.77, 9.26, 8.1, 6.13, 3.1, 9.13, 7.26, 4.74];
  const Y3 = [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73];
  const X4 = [8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8];
  const Y4 = [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.5, 5.56, 7.91, 6.89];
  const ANSCOMBE = {
    "Anscombe I": [X, Y1],
    "Anscombe II": [X, Y2],
    "Anscombe III": [X, Y3],
    "Anscombe IV": [X4, Y4],
  };

  /* The i-th point of a sample, from two uniform numbers u and v and a roughly normal one. */
  const SHAPES = {
    linear: ({ u, normal }) => [10 * u, 1 + 8 * u + 1.5 * normal],
    "no relation": ({ u, v }) => [10 * u, 10 * v],
    curved: ({ u, normal }) => [10 * u, 1 + 32 * (u - 0.5) ** 2 + 0.4 * normal],
    exponential: ({ u, normal }) => [10 * u, 0.3 + 9 * Math.exp(9 * (u - 1)) + 0.05 * normal],
    outliers: ({ u, normal, i }) =>
      i < 2 ? [9.2 + 0.5 * i, 0.5 + 0.3 * i] : [8 * u, 1 + 8 * u + 0.5 * normal],
    clusters: ({ v, normal, i }) => {
      const [x, y] = i % 2 ? [2, 2.2] : [7, 7.2];
      return [x + 1.5 * v, y + 0.6 * normal - 1.5 * (v - 0.5)]; // each of them falls
    },
  };

  const sample = (shape, count, seed) => {
    if (ANSCOMBE[shape]) return ANSCOMBE[shape].map((values) => [...values]);
    const next = random(seed);
    const points = Array.from({ length: count }, (_, i) => {
      const [u, v] = [next(), next()];
      const normal = 2 * (next() + next() + next() - 1.5); // standard deviation 1
      return SHAPES[shape]({ u, v, normal, i });
    });
    return [points.map(([x]) => x), points.map(([, y]) => clamp(y, 0, SPAN))];
  };

  const columns = (rows) => [rows.map(([x]) => x), rows.map(([, y]) => y)];

  /* Moved points in a link: "1.2_3.4 5_6". */
  const pointsText = (x, y) =>
    x.map((value, i) => `${Number(value.toFixed(3))}_${Number(y[i].toFixed(3))}`).join(" ");

  const readPoints = (text) => {
    const parts = text.split(" ").filter(Boolean);
    if (text && (parts.length < 2 || parts.length > LARGEST)) {
      refuse(`2 to ${LARGEST} points`, parts.length);
    }
    return parts.map((part) => {
      const pair = part.split("_");
      if (pair.length !== 2) refuse("points, such as 1.2_3.4", part);
      return pair.map((number) => inRange(number, 0, 100));
    });
  };

  /* From the least of some values to the largest; one value has an axis, too. */
  const spread = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low < high ? [low, high] : [low - 1, high + 1];
  };

  class LabCorrelation extends Element {
    static css = `
      .mark { fill: var(--lab-blue); stroke-width: 1; }
      .handle:focus-visible .mark { stroke-width: 3; r: 8px; }
      .fit { stroke: var(--lab-orange); stroke-width: 2; stroke-dasharray: 6 4; }
      td:last-child { padding: 0; }
      .meter { width: 6rem; height: .5rem; }
      .meter.scale { height: auto; }
      .meter.scale text { font-size: 10px; }
      .meter line { stroke: var(--md-default-fg-color--lighter); }
      .meter rect { fill: var(--lab-blue); }
      @container (max-width: 26rem) {
        .views { grid-template-columns: minmax(0, 1fr); gap: .3rem; margin-bottom: .2rem; }
        svg text { font-size: 12px; }
      }`;

    build(root) {
      this.plot = s("svg", {
        viewBox: `0 0 ${SIZE} ${SIZE}`,
        role: "group",
        "aria-label": "Scatter plot. Each point can be dragged, or moved with the arrow keys.",
      });
      const shapes = [...Object.keys(SHAPES), ...Object.keys(ANSCOMBE)];
      const shape = this.oneOf("shape", shapes, "linear");
      const choose = () => {
        this.own?.option.remove();
        this.own = null;
        this.restart();
      };
      this.shape = this.choice("Shape", shapes, shape, choose, "shape");
      this.seed = this.number("seed", 1);
      this.equation = h("p", { class: "number" });
      const another = this.button("New sample", () => {
        this.seed += 1;
        this.restart();
      });
      const reset = this.button("Reset", () => {
        this.seed = this.number("seed", 1);
        this.restart();
      });
      const pairs = { columns: 2, expected: "two numbers, such as 1.5,2" };
      const file = this.ownTable("Your own CSV: x, y", pairs, (table) => this.receive(table));
      const caption =
        "Drag a point. By keyboard: arrow keys move it, Page Up and Page Down choose another.";
      root.append(
        box(
          "panel",
          box("views", figure(this.plot, caption), h("div", {}, this.table(), this.equation)),
          this.row(this.shape.label, another, reset, file),
        ),
      );
      this.keep("sample", {
        read: () => String(this.seed),
        check: (text) => Math.round(inRange(text, 0, 1e9)),
        put: (seed) => {
          this.seed = seed;
          this.restart();
        },
      });
      this.keep("points", {
        read: () => (this.moved && !this.own ? pointsText(this.x, this.y) : ""),
        check: readPoints,
        put: (points) => points.length && this.show(...columns(points), true),
      });
      this.restart();
    }

    table() {
      this.rows = Object.keys(COEFFICIENTS).map((name) => {
        const number = h("td", { class: "number" });
        const bar = s("rect", { y: 2, height: 6 });
        const meter = { class: "meter", viewBox: "0 0 100 10", "aria-hidden": "true" };
        const drawn = h("td", {}, s("svg", meter, line("", 50, 0, 50, 10), bar));
        return {
          name,
          number,
          bar,
          row: h("tr", {}, h("th", { scope: "row" }, name), number, drawn),
        };
      });
      const rows = this.rows.map(({ row }) => row);
      const marks = [-1, 0, 1].map((value) =>
        s("text", { x: 50 + 43 * value, y: 13, "text-anchor": "middle" }, format(value, 0)),
      );
      const below = s("svg", { class: "meter scale", viewBox: "0 0 100 16" }, marks);
      rows.push(h("tr", { "aria-hidden": "true" }, h("td"), h("td"), h("td", {}, below)));
      const caption = h("caption", { class: "unseen" }, "Coefficients");
      return h("table", {}, caption, h("tbody", {}, rows));
    }

    restart() {
      if (this.own) this.show(...columns(this.own.rows));
      else this.show(...sample(this.shape.input.value, this.number("points", 24), this.seed));
    }

    /* Show a reader's own points. They have no place in a link. */
    receive({ rows, names }) {
      if (rows.length < 2) refuse("at least 2 points", rows.length);
      this.own?.option.remove();
      this.own = { rows: drawLots(rows, LARGEST), option: h("option", {}, OWN), names };
      this.shape.input.append(this.own.option);
      this.shape.input.value = OWN;
      const drawn = rows.length > LARGEST ? `, drawn from ${rows.length} at random` : "";
      this.own.about = `${this.own.rows.length} points of your own${drawn}.`;
      this.restart();
    }

    /* Show these points, and axes that have room for them: a reader's own have their own. */
    show(x, y, moved = false) {
      Object.assign(this, { x, y, moved });
      const most = Math.max(SPAN, Math.ceil(Math.max(...x, ...y)));
      this.ranges = this.own
        ? [spread(x), spread(y)]
        : [
            [0, most],
            [0, most],
          ];
      const [low, high] = [EDGE, SIZE - EDGE];
      this.toX = scale(this.ranges[0], [low, high]);
      this.toY = scale(this.ranges[1], [high, low]);
      this.nodes = x.map((_, i) => this.point(i));
      this.fit = line("fit");
      const [[left, right], [bottom, top]] = this.ranges.map((range) =>
        range.map((end) => short(end)),
      );
      const [nameX, nameY] = this.own?.names ?? ["x", "y"];
      const text = (x, y, anchor, words) => s("text", { x, y, "text-anchor": anchor }, words);
      this.plot.replaceChildren(
        line("axis", low, high, high, high),
        line("axis", low, low, low, high),
        text(low, SIZE - 10, "start", left),
        text((low + high) / 2, SIZE - 10, "middle", nameX),
        text(high, SIZE - 10, "end", right),
        text(low - 4, high, "end", bottom),
        text(low + 6, low - 8, "middle", nameY),
        text(low - 4, low + 8, "end", top),
        this.fit,
        ...this.nodes,
      );
      this.draw();
    }

    point(i) {
      const [[left, right], [bottom, top]] = this.ranges;
      const range = { "aria-valuemin": bottom, "aria-valuemax": top };
      const node = handle(`Point ${i + 1}`, { radius: 5, reach: 12, ...range });
      set(node, { tabindex: i ? -1 : 0 });
      const move = (x, y) => {
        this.x[i] = clamp(x, left, right);
        this.y[i] = clamp(y, bottom, top);
        this.moved = true;
        this.draw();
      };
      const turn = (by) => this.take((i + by + this.nodes.length) % this.nodes.length);
      keys(node, {
        arrow: (across, up, shift) => {
          const step = shift ? 0.1 : 0.01; // of an axis
          move(this.x[i] + step * (right - left) * across, this.y[i] + step * (top - bottom) * up);
        },
        PageUp: () => turn(-1),
        PageDown: () => turn(1),
      });
      const inside = [EDGE / SIZE, 1 - EDGE / SIZE];
      const [fromX, fromY] = this.ranges.map((ends) => scale(inside, ends));
      follow(node, this.plot, {
        press: () => this.take(i),
        move: (x, y) => move(fromX(x), fromY(1 - y)),
      });
      return node;
    }

    /* One point is in the tab order at a time, or Tab would stop at each. */
    take(i) {
      this.nodes.forEach((node, at) => {
        set(node, { tabindex: at === i ? 0 : -1 });
      });
      this.nodes[i].focus();
    }

    draw() {
      const { x, y } = this;
      const { xy, xx } = deviations(x, y);
      const exists = xx > 0 && Number.isFinite(pearson(x, y));
      const slope = exists ? xy / xx : Number.NaN;
      const intercept = mean(y) - slope * mean(x);
      const found = Object.entries(COEFFICIENTS).map(([name, of]) => [name, of(x, y)]);
      this.state = { x: [...x], y: [...y], slope, intercept };
      for (const [name, value] of found) this.state[name.toLowerCase()] = value;

      this.nodes.forEach((node, i) => {
        set(node, {
          transform: `translate(${this.toX(x[i])} ${this.toY(y[i])})`,
          "aria-valuenow": y[i],
          "aria-valuetext": `x ${format(x[i], 1)}, y ${format(y[i], 1)}`,
        });
      });
      this.drawFit(slope, intercept);
      found.forEach(([, value], i) => {
        const { number, bar } = this.rows[i];
        number.textContent = format(value);
        const length = 50 * (value || 0); // none for a coefficient that does not exist
        set(bar, { x: 50 + Math.min(0, length), width: Math.abs(length) });
      });
      this.say(found.map(([name, value]) => `${name} ${format(value, 2)}`).join(", "));
    }

    /* The part of the fitted line that is inside the frame. */
    drawFit(slope, intercept) {
      const exists = Number.isFinite(slope);
      set(this.fit, { visibility: exists ? "visible" : "hidden" });
      const about = this.own ? `${this.own.about} ` : "";
      if (!exists) {
        this.equation.textContent = `${about}No fitted line: x or y has no spread.`;
        return;
      }
      const sign = slope < 0 ? "−" : "+";
      const [a, b] = [format(intercept, 2), format(Math.abs(slope), 2)];
      this.equation.textContent = `${about}Fitted line: y = ${a} ${sign} ${b} x`;
      const [ends, [bottom, top]] = this.ranges;
      const flat = Math.abs(slope) * (ends[1] - ends[0]) < 1e-9 * (top - bottom);
      const [[x1, y1], [x2, y2]] = ends.map((x) => {
        const y = clamp(intercept + slope * x, bottom, top);
        return flat ? [x, y] : [(y - intercept) / slope, y];
      });
      set(this.fit, { x1: this.toX(x1), y1: this.toY(y1), x2: this.toX(x2), y2: this.toY(y2) });
    }
  }

  define("lab-correlation", LabCorrelation);
})();
