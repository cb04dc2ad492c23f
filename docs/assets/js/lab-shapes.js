/* <lab-shapes a="3, 1" b="4">: two shapes meet, and NumPy's rule says what becomes of them.
 *
 * Sizes are compared from the last axis on. A size of one, or an absent axis, is repeated. The table
 * shows every axis, and the cells below it the last two.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, figure, refuse } = window.Lab;

  const CELL = 24; // its side, in the picture's own units
  const DRAWN = 4; // the largest size of an axis that is drawn
  const AXES = 3; // at most
  const LARGEST = 999; // size of an axis
  const WIDTH = (3 * DRAWN + 4) * CELL;
  const EXPECTED = `up to ${AXES} sizes from 1 to ${LARGEST}, such as 3, 1`;

  const name = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const product = (shape) => shape.reduce((result, size) => result * size, 1);

  /* "(3, 1)" -> [3, 1], "4," -> [4], and "3x1", as in links, -> [3, 1]. Nothing is the shape of a
   * single number. */
  const parse = (text) => {
    const inner = text.trim().replace(/^\((.*)\)$/, "$1");
    const parts = inner.replace(/,\s*$/, "").split(/[,x]/);
    if (parts.length === 1 && !parts[0].trim()) return [];
    const sizes = parts.map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
    const right = sizes.every((size) => size >= 1 && size <= LARGEST);
    return right && sizes.length <= AXES ? sizes : refuse(EXPECTED, text);
  };

  /* Both shapes with as many axes, null where one is absent, and the size of each axis of the result,
   * null where the two do not fit. */
  const meet = (a, b) => {
    const axes = Math.max(a.length, b.length);
    const [ours, theirs] = [a, b].map((shape) => [
      ...Array(axes - shape.length).fill(null),
      ...shape,
    ]);
    const result = ours.map((size, i) => {
      const [one, other] = [size ?? 1, theirs[i] ?? 1];
      if (one === other || other === 1) return one;
      return one === 1 ? other : null;
    });
    return { ours, theirs, result };
  };

  const drawable = (shape) => shape.slice(-2).every((size) => size <= DRAWN);

  class LabShapes extends Element {
    static css = `
      input[type=text] {
        width: 7rem; max-width: 100%; min-height: 1.6rem; padding: .1rem .5rem;
        border: 1px solid var(--md-default-fg-color--light); border-radius: .25rem;
        background: var(--md-default-bg-color); color: inherit; font: inherit;
      }
      table { margin: .6rem 0 0; }
      th, td { min-width: 4.2rem; }
      .wrong { font-weight: bold; text-decoration: underline wavy; }
      .news { min-height: 3em; }
      .none { visibility: hidden; } /* it keeps its place, or the buttons would jump */
      .views { grid-template-columns: minmax(0, 1fr); margin: 0 0 .8rem; }
      svg { max-width: ${(1.2 * WIDTH) / 16}rem; }
      svg text { text-anchor: middle; dominant-baseline: central; }
      svg .long { font-size: 10px; }
      rect { stroke: var(--md-default-fg-color); fill-opacity: .3; }
      .a { fill: var(--lab-blue); }
      .b { fill: var(--lab-orange); }
      .sum { fill: var(--lab-green); }
      rect.repeated {
        fill: none; stroke: var(--md-default-fg-color--light); stroke-dasharray: 2 3;
      }
      text.repeated { fill: var(--md-default-fg-color--light); }
      @container (max-width: 26rem) {
        svg .long { font-size: 13px; }
        input[type=text] { width: 5.6rem; }
        th, td { min-width: 3rem; padding-right: .4rem; }
      }`;

    build(root) {
      this.shapes = { a: parse(this.getAttribute("a") ?? "3, 1") };
      this.shapes.b = parse(this.getAttribute("b") ?? "4");
      this.inputs = {};
      const labels = ["a", "b"].map((key) => this.shapeInput(key));
      this.table = h("table");
      this.picture = s("svg", { role: "img", viewBox: `0 0 ${WIDTH} ${CELL * 3.2}` });
      this.drawn = figure(
        this.picture,
        "The last two axes. Dotted cells are repetitions, which take no memory.",
      );
      const example = (title, a, b) => this.button(title, () => this.change({ a, b }));
      root.append(
        box(
          "panel",
          box("row", labels),
          this.table,
          this.news,
          box("views", this.drawn),
          this.row(
            example("Row and column", [3, 1], [4]),
            example("Rows and means", [4, 3], [3]),
            example("The trap", [3], [3, 1]),
            example("No fit", [4, 3], [4]),
          ),
        ),
      );
    }

    shapeInput(key) {
      const take = () => this.attempt("This is no shape", () => this.take());
      const value = this.shapes[key].join(", ");
      const input = h("input", { type: "text", value, autocomplete: "off", oninput: take });
      this.inputs[key] = input;
      this.keep(key, {
        read: () => this.shapes[key].join("x") || "()",
        check: parse,
        put: (shape) => this.change({ [key]: shape }),
      });
      return h("label", {}, `Shape of ${key}`, input);
    }

    /* Both, so that a wrong text in one field is still refused when the other one changes. */
    take() {
      const read = ([key, input]) => [key, parse(input.value)];
      this.shapes = Object.fromEntries(Object.entries(this.inputs).map(read));
      this.draw();
    }

    change(shapes) {
      for (const [key, shape] of Object.entries(shapes)) {
        this.shapes[key] = shape;
        this.inputs[key].value = shape.join(", ");
      }
      this.warn("");
      this.draw();
    }

    draw() {
      const { a, b } = this.shapes;
      const { ours, theirs, result } = meet(a, b);
      const fits = !result.includes(null);
      this.drawTable(ours, theirs, result);
      const sum = `${name(a)} + ${name(b)}`;
      if (fits) {
        const [numbers, given] = [product(result), product(a) + product(b)];
        const [all, few] = [numbers, given].map((count) => count.toLocaleString("en"));
        const more = drawable(result) ? "" : " It is too large to draw.";
        this.tell(`${sum} has the shape ${name(result)}: ${all} numbers, made from ${few}.${more}`);
      } else {
        const at = result.lastIndexOf(null);
        const sizes = `${ours[at]} meets ${theirs[at]}, and neither is 1`;
        this.tell(`${sum} is an error: along axis −${result.length - at}, ${sizes}.`);
      }
      this.state = { a, b, result: fits ? result : null };
      this.drawCells(ours, theirs, result, fits);
    }

    drawTable(ours, theirs, result) {
      const heads = result.map((_, i) => h("th", { scope: "col" }, `axis −${result.length - i}`));
      const stretched = (sizes) =>
        sizes.map((size, i) => {
          if (result[i] === null || size === result[i]) return h("td", {}, String(size));
          return h("td", {}, `${size ?? "none"} → ${result[i]}`);
        });
      const sums = result.map((size) =>
        size === null ? h("td", { class: "wrong" }, "no fit") : h("td", {}, String(size)),
      );
      const line = (title, cells) => h("tr", {}, h("th", { scope: "row" }, title), cells);
      this.table.replaceChildren(
        h("thead", {}, h("tr", {}, h("td"), heads)),
        h(
          "tbody",
          {},
          line("a", stretched(ours)),
          line("b", stretched(theirs)),
          line("a + b", sums),
        ),
      );
    }

    /* The last two axes of the result: a counts 1, 2, 3, …, b counts 10, 20, 30, …, row by row. */
    drawCells(ours, theirs, result, fits) {
      const [rows, columns] = [1, 1, ...result].slice(-2);
      const drawn = fits && drawable(result);
      set(this.drawn, { class: drawn ? null : "none" });
      if (!drawn) return;
      const grid = (sizes, unit) => {
        const [down, across] = [null, null, ...sizes].slice(-2).map((size) => size ?? 1);
        const at = (i, j) => unit * ((i % down) * across + (j % across) + 1);
        return { at, real: (i, j) => i < down && j < across };
      };
      const [a, b] = [grid(ours, 1), grid(theirs, 10)];
      const sum = { at: (i, j) => a.at(i, j) + b.at(i, j), real: () => true };
      const cells = [];
      for (const [number, [kind, { at, real }]] of [
        ["a", a],
        ["b", b],
        ["sum", sum],
      ].entries()) {
        const left = number * (columns + 1) + 0.1;
        for (let i = 0; i < rows; i += 1) {
          for (let j = 0; j < columns; j += 1) {
            const [x, y] = [CELL * (left + j), CELL * (i + 0.1)];
            const value = at(i, j);
            const look = real(i, j) ? "" : "repeated";
            const place = { x: x + CELL / 2, y: y + CELL / 2 };
            const long = value > 99 ? "long" : "";
            cells.push(
              s("rect", { class: `${kind} ${look}`, x, y, width: CELL, height: CELL }),
              s("text", { class: `${look} ${long}`, ...place }, String(value)),
            );
          }
        }
        const sign = { x: CELL * (left - 0.5), y: CELL * (rows / 2 + 0.1) };
        if (number) cells.push(s("text", sign, number === 1 ? "+" : "="));
      }
      this.picture.replaceChildren(...cells);
      set(this.picture, {
        viewBox: `0 0 ${WIDTH} ${CELL * (rows + 0.2)}`,
        "aria-label": `Cells of a, of b and of their sum, ${rows} by ${columns}; repeated ones are dotted.`,
      });
    }
  }

  define("lab-shapes", LabShapes);
})();
