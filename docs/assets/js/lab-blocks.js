/* <lab-blocks block="residual" channels="64" size="28" window="3">: six blocks of convolutional
 * networks, what each costs and how far it sees.
 *
 * Every block takes and gives maps with the same number of channels. Convolutions have no bias and
 * are followed by batch normalization, strides are one, padding keeps the size. So a kernel of n
 * weights costs n multiply-adds at each place, as labkit.cost and Keras's layers count.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, figure, clamp } = window.Lab;

  const CHANNELS = { min: 8, max: 256, step: 8 };
  const SIZES = { min: 4, max: 112, step: 1 };
  const WINDOWS = { min: 3, max: 7, step: 2 };
  const EXPANSION = 6; // of the inverted residual: Sandler and others 2018
  const [WIDTH, HEIGHT] = [92, 42]; // of a box
  const [NEAR, FAR] = [56, 84]; // from one row of boxes to the next
  const COLUMNS = [50, 150, 250, 350]; // centers of the branches
  const CENTER = 200;
  const TALL = 7 * NEAR + HEIGHT + 4; // the tallest block has eight rows

  const whole = (n) => Math.round(n).toLocaleString("en");

  /* The steps of a block, each with its place in the picture, its weights, and how many pixels one
   * place of it sees. */
  class Graph {
    constructor(channels) {
      this.steps = [];
      this.input = this.step("input", "", channels, [], {});
    }

    step(kind, window, channels, from, { kernel = 0, reach = 0, column }) {
      const row = from.length ? Math.max(...from.map((source) => source.row)) + 1 : 0;
      const field = Math.max(1, ...from.map((source) => source.field)) + reach;
      const x = column ?? from[0]?.x ?? CENTER;
      const made = { kind, window, channels, from, kernel, field, row, x };
      made.parameters = kernel ? kernel + 4 * channels : 0; // γ, β, mean and variance of each channel
      this.steps.push(made);
      return made;
    }

    conv(from, k, channels, column) {
      const kernel = k * k * from.channels * channels;
      return this.step("conv", `${k} × ${k}`, channels, [from], { kernel, reach: k - 1, column });
    }

    depthwise(from, k) {
      const kernel = k * k * from.channels;
      const given = { kernel, reach: k - 1 };
      return this.step("depthwise", `${k} × ${k}`, from.channels, [from], given);
    }

    pool(from, column) {
      return this.step("max pool", "3 × 3", from.channels, [from], { reach: 2, column });
    }

    sum(...from) {
      return this.step("sum", "", from[0].channels, from, { column: CENTER });
    }

    join(...from) {
      const channels = from.reduce((total, source) => total + source.channels, 0);
      return this.step("concat", "", channels, from, { column: CENTER });
    }

    get costs() {
      const total = (name) => this.steps.reduce((sum, step) => sum + step[name], 0);
      return { parameters: total("parameters"), weights: total("kernel") };
    }
  }

  /* Each from the paper that the chapters cite for it; `w` channels come and go. */
  const BLOCKS = {
    plain: (g, w, k) => g.conv(g.conv(g.input, k, w), k, w),
    residual: (g, w, k) =>
      g.sum(g.conv(g.conv(g.conv(g.input, 1, w / 4), k, w / 4), 1, w), g.input),
    inception: (g, w, k) => {
      const [first, second, third, fourth] = COLUMNS;
      return g.join(
        g.conv(g.input, 1, w / 4, first),
        g.conv(g.conv(g.input, 1, w / 4, second), k, w / 4),
        g.conv(g.conv(g.conv(g.input, 1, w / 8, third), k, w / 4), k, w / 4),
        g.conv(g.pool(g.input, fourth), 1, w / 4),
      );
    },
    separable: (g, w, k) => {
      const half = (from) => g.conv(g.depthwise(from, k), 1, w);
      return half(half(g.input));
    },
    "inverted residual": (g, w, k) =>
      g.sum(g.conv(g.depthwise(g.conv(g.input, 1, EXPANSION * w), k), 1, w), g.input),
    dense: (g, w, k) => {
      const more = (from) => g.join(g.conv(g.conv(from, 1, 2 * w), k, w / 2), from);
      return g.conv(more(more(g.input)), 1, w);
    },
  };

  const NOTES = {
    plain: "Two full convolutions, as in VGG.",
    residual: "The bottleneck of ResNet50: the window works on a quarter of the channels.",
    inception: "Branches side by side, each with fewer channels, then joined.",
    separable: "Windows for each channel alone, then a mix of the channels; twice, as in Xception.",
    "inverted residual": `MobileNetV2: wide inside, by a factor of ${EXPANSION}, narrow between blocks.`,
    dense: "DenseNet: each step adds channels to all those before it; the last one halves them.",
  };

  const counted = (name, channels, window) => {
    const graph = new Graph(channels);
    const output = BLOCKS[name](graph, channels, window);
    return { steps: graph.steps, field: output.field, ...graph.costs };
  };

  class LabBlocks extends Element {
    static css = `
      .views:has(.side) { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); }
      svg { max-width: 22rem; margin: auto; }
      svg text { font-size: 15px; text-anchor: middle; }
      rect { fill: var(--md-code-bg-color); stroke: var(--md-default-fg-color--light); }
      .conv { fill: color-mix(in srgb, var(--lab-blue) 18%, transparent); stroke: var(--lab-blue); }
      .depthwise { fill: color-mix(in srgb, var(--lab-orange) 18%, transparent); stroke: var(--lab-orange); }
      path { fill: none; stroke: var(--md-default-fg-color--light); stroke-width: 1.5; }
      .side table { font-size: .7rem; }
      .side td { white-space: nowrap; }
      .side th { line-height: 1.2; }
      .side tr > :last-child { padding-right: 0; }
      .chosen > * { font-weight: bold; }
      .news { min-height: 3em; }
      @container (max-width: 26rem) {
        .views:has(.side) { grid-template-columns: minmax(0, 1fr); }
        .side { display: block; }
        .side table { font-size: .66rem; }
      }`;

    build(root) {
      const whole = (name, { min, max, step }, otherwise) =>
        clamp(min + step * Math.round((this.number(name, otherwise) - min) / step), min, max);
      this.block = this.oneOf("block", Object.keys(BLOCKS), "residual");
      this.channels = whole("channels", CHANNELS, 64);
      this.size = whole("size", SIZES, 28);
      this.window = whole("window", WINDOWS, 3);
      this.picture = s("svg", { role: "img", viewBox: `0 0 ${2 * CENTER} ${TALL}` });
      this.table = h("table");
      const caption =
        "From the input at the top to the output: the window, and the channels that come out.";
      const choose = (name) => {
        this.block = name;
        this.draw();
      };
      const { label } = this.choice("Block", Object.keys(BLOCKS), this.block, choose, "block");
      root.append(
        box(
          "panel",
          box("views", figure(this.picture, caption), box("side", this.news, this.table)),
          box("sliders", this.buildSliders()),
          this.row(label),
        ),
      );
    }

    buildSliders() {
      const slider = (name, key, range) =>
        this.slider(name, { ...range, value: this[key], digits: 0, key }, (value) => {
          const steps = Math.round((value - range.min) / range.step); // a link may lie between two
          this[key] = range.min + range.step * steps;
          this.draw();
        }).label;
      return [
        slider("channels", "channels", CHANNELS),
        slider("height and width", "size", SIZES),
        slider("window", "window", WINDOWS),
      ];
    }

    draw() {
      const { block, channels, size, window } = this;
      const places = size * size;
      const rows = Object.keys(BLOCKS).map((name) => {
        const { parameters, weights, field } = counted(name, channels, window);
        return { name, parameters, products: weights * places, field };
      });
      this.state = { block, channels, size, window, rows };
      this.drawSteps();
      this.drawTable(rows);
      const { parameters, products, field } = rows.find(({ name }) => name === block);
      const cost = `${whole(parameters)} parameters, ${whole(products)} multiply-adds`;
      const seen = `one place sees ${field} × ${field} pixels`;
      this.tell(`${NOTES[block]} ${cost}; ${seen}.`);
    }

    drawTable(rows) {
      const head = (text) => h("th", { scope: "col" }, text);
      const cells = ({ name, parameters, products, field }) => [
        h("th", { scope: "row" }, name),
        h("td", {}, whole(parameters)),
        h("td", {}, whole(products / 1e3)),
        h("td", {}, `${field} × ${field}`),
      ];
      this.table.replaceChildren(
        h("thead", {}, h("tr", {}, ["block", "parameters", "10³ multiply-adds", "sees"].map(head))),
        h(
          "tbody",
          {},
          rows.map((row) => {
            const chosen = row.name === this.block;
            return h(
              "tr",
              { class: chosen && "chosen", "aria-current": chosen && "true" },
              cells(row),
            );
          }),
        ),
      );
    }

    drawSteps() {
      const { steps } = counted(this.block, this.channels, this.window);
      const pitch = Math.min(FAR, (TALL - HEIGHT - 4) / steps.at(-1).row);
      const top = ({ row }) => row * pitch + 2;
      const lines = steps.flatMap((step) =>
        step.from.map((source) => this.wire(source, step, top)),
      );
      const boxes = steps.flatMap((step) => {
        const y = top(step);
        const { x, kind, window, channels } = step;
        const place = { x: x - WIDTH / 2, y, width: WIDTH, height: HEIGHT, rx: 5 };
        const shape = window ? `${window}, ${channels}` : String(channels);
        return [
          s("rect", { class: kind, ...place }),
          s("text", { x, y: y + 17 }, kind),
          s("text", { x, y: y + 35 }, shape),
        ];
      });
      const told = steps.map(({ kind, window, channels }) =>
        [kind, window, `${channels} channels`].filter(Boolean).join(" "),
      );
      set(this.picture, { "aria-label": `${this.block} block: ${told.join("; ")}.` });
      this.picture.replaceChildren(...lines, ...boxes);
    }

    /* A line from one box to another: down a branch, or past the boxes between them. */
    wire(source, step, top) {
      const [from, to] = [top(source) + HEIGHT, top(step)];
      if (step.row === source.row + 1 || step.x !== source.x) {
        // A branch ends below what stands beside it.
        const bend = source.x === CENTER ? from : Math.max(from, to - NEAR + HEIGHT);
        return s("path", { d: `M${source.x} ${from}V${bend}L${step.x} ${to}` });
      }
      const [side, far] = [source.x + WIDTH / 2, source.x + WIDTH / 2 + 55];
      const [start, end] = [from - HEIGHT / 2, to + HEIGHT / 2];
      return s("path", { d: `M${side} ${start}C${far} ${start} ${far} ${end} ${side} ${end}` });
    }
  }

  define("lab-blocks", LabBlocks);
})();
