/* <lab-digit data="cnn#network">: draw a digit; the network that the tutorial trained reads it.
 *
 * A drawing is prepared as the data were: it is cut out and scaled to a bitmap of 32 × 32 dots, as
 * tall as that and at most 20 dots wide; a pen of one width draws it there; and the
 * number of inked dots in each 4 × 4 block, divided by 16, is a pixel of the 8 × 8 digit (Alpaydin and
 * Kaynak, 1998, doi:10.24432/C50P49). The data themselves show the height and the width. The digit is
 * laid on the sheet that the network takes, where the reader wants it.
 */
(() => {
  "use strict";
  const { Element, define, h, box, figure } = window.Lab;
  const { clamp, format, array, follow, keys, paint, greys, inRange, refuse } = window.Lab;

  const BOARD = 4096; // places in a row at which a stroke can have a point
  const NEAR = BOARD / 100; // a stroke's points are no nearer to each other
  const STEP = BOARD / 32; // of the pen, by a key
  const BITMAP = 32; // dots in a row
  const WIDTH = 20; // dots in a row that a digit may fill
  const BLOCK = 4; // dots in a row of a pixel
  const DIGIT = BITMAP / BLOCK; // pixels in a row
  const PEN = 2; // radius, in dots
  const LONGEST = 2000; // number of points of a drawing in a link
  /* Two of these letters are a coordinate in a link. */
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  /* The squared distance of a point from a line's nearest point. */
  const distance = ([x, y], [x1, y1], [x2, y2]) => {
    const [dx, dy] = [x2 - x1, y2 - y1];
    const along = ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1);
    const share = clamp(along, 0, 1);
    return (x - x1 - share * dx) ** 2 + (y - y1 - share * dy) ** 2;
  };

  /* The 8 × 8 pixels of a drawing, from 0 to 1. */
  const prepare = (strokes) => {
    const pixels = new Float64Array(DIGIT * DIGIT);
    const points = strokes.flat();
    if (!points.length) return pixels;
    const axes = [0, 1].map((axis) => {
      const values = points.map((point) => point[axis]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return { middle: (low + high) / 2, size: Math.max(high - low, 1) };
    });
    /* Every digit of the data is as tall as its bitmap; a wide one is narrowed, but a
     * mere dash is not blown up. */
    const [across, down] = [WIDTH, BITMAP].map((dots, axis) => (dots - 2 * PEN) / axes[axis].size);
    const enlarge = [Math.min(across, down), Math.min(down, 3 * across)];
    const place = (point) =>
      point.map((value, axis) => (value - axes[axis].middle) * enlarge[axis] + BITMAP / 2);
    const lines = strokes.flatMap((stroke) => {
      const placed = stroke.map(place);
      return placed.map((point, i) => [placed[Math.max(0, i - 1)], point]);
    });
    for (let i = 0; i < BITMAP * BITMAP; i += 1) {
      const [row, column] = [Math.floor(i / BITMAP), i % BITMAP];
      const dot = [column + 0.5, row + 0.5];
      if (lines.some((ends) => distance(dot, ...ends) <= PEN * PEN)) {
        const pixel = Math.floor(row / BLOCK) * DIGIT + Math.floor(column / BLOCK);
        pixels[pixel] += 1 / (BLOCK * BLOCK);
      }
    }
    return pixels;
  };

  /* Strokes as text, "aBcDeFgH.iJkL", and back. */
  const strokesText = (strokes) => {
    const pair = (value) => LETTERS[value >> 6] + LETTERS[value % 64];
    return strokes.map((stroke) => stroke.flat().map(pair).join("")).join(".");
  };

  const readStrokes = (text) => {
    if (text.length > 4 * LONGEST) refuse(`at most ${LONGEST} points`, text);
    const strokes = text.split(".").filter(Boolean);
    return strokes.map((stroke) => {
      if (!/^([\w-]{4})+$/.test(stroke)) refuse("strokes of four letters a point", stroke);
      const pairs = stroke
        .match(/../g)
        .map(([a, b]) => 64 * LETTERS.indexOf(a) + LETTERS.indexOf(b));
      return pairs.flatMap((x, i) => (i % 2 ? [] : [[x, pairs[i + 1]]]));
    });
  };

  /* What Keras's layers compute. A map is { values, shape: [rows, columns, channels] }, flattened in
   * that order; a kernel is [rows, columns, inputs, units]. */
  const LAYERS = {
    Conv2D({ values, shape }, { kernel, bias, padding }) {
      const [rows, columns, inputs] = shape;
      const [height, width, , units] = kernel.shape;
      if (padding !== "same") throw new Error(`Expected padding "same". Received: ${padding}`);
      const [top, left] = [(height - 1) >> 1, (width - 1) >> 1];
      const result = new Float64Array(rows * columns * units);
      /* Add to one output, at `to`, what one pixel gives through one weight of each unit. */
      const addPixel = (to, pixel, weights) => {
        for (let c = 0; c < inputs; c += 1) {
          const value = values[pixel * inputs + c];
          if (value === 0) continue; // most of a sheet is paper
          const from = (weights * inputs + c) * units;
          for (let unit = 0; unit < units; unit += 1) {
            result[to + unit] += value * kernel[from + unit];
          }
        }
      };
      for (let at = 0; at < rows * columns; at += 1) {
        result.set(bias, at * units);
        for (let weights = 0; weights < height * width; weights += 1) {
          const row = Math.floor(at / columns) + Math.floor(weights / width) - top;
          const column = (at % columns) + (weights % width) - left;
          const inside = row >= 0 && row < rows && column >= 0 && column < columns;
          if (inside) addPixel(at * units, row * columns + column, weights);
        }
      }
      return { values: result, shape: [rows, columns, units] };
    },

    MaxPooling2D({ values, shape }, { pool_size: size }) {
      const [rows, columns, channels] = shape;
      const out = [Math.floor(rows / size), Math.floor(columns / size), channels];
      const result = new Float64Array(out[0] * out[1] * channels).fill(-Infinity);
      values.forEach((value, i) => {
        const row = Math.floor(i / channels / columns / size);
        const column = Math.floor((Math.floor(i / channels) % columns) / size);
        if (row >= out[0] || column >= out[1]) return; // a rest that fills no window
        const to = (row * out[1] + column) * channels + (i % channels);
        result[to] = Math.max(result[to], value);
      });
      return { values: result, shape: out };
    },

    Flatten({ values }) {
      return { values, shape: [values.length] };
    },

    Dense({ values }, { kernel, bias }) {
      const units = kernel.shape[1];
      const result = Float64Array.from(bias);
      values.forEach((value, i) => {
        for (let unit = 0; unit < units; unit += 1) {
          result[unit] += value * kernel[i * units + unit];
        }
      });
      return { values: result, shape: [units] };
    },
  };

  const ACTIVATIONS = {
    linear: (z) => z,
    relu: (z) => z.map((value) => Math.max(0, value)),
    softmax: (z) => {
      const top = Math.max(...z); // the largest power is exp(0)
      const powers = z.map((value) => Math.exp(value - top));
      const sum = powers.reduce((total, power) => total + power);
      return powers.map((power) => power / sum);
    },
  };

  /* Each layer's output, in their order. */
  const run = (layers, values, shape) => {
    let flow = { values, shape };
    return layers.map((layer) => {
      flow = LAYERS[layer.type](flow, layer);
      flow = { ...flow, values: ACTIVATIONS[layer.activation ?? "linear"](flow.values) };
      return { name: layer.name, shape: flow.shape, values: [...flow.values] };
    });
  };

  class LabDigit extends Element {
    static needsData = true;
    static css = `
      .paper { background: #fff; border: 1px solid var(--md-default-fg-color--light); }
      .sheet { image-rendering: pixelated; }
      .board { cursor: crosshair; }
      .views { grid-template-columns: repeat(3, minmax(0, 1fr)); }
      .scores li, .axis-marks {
        display: grid; grid-template-columns: 1rem 1fr 2.6rem; gap: .4rem; align-items: center;
      }
      .axis-marks { font-size: .6rem; color: var(--md-default-fg-color--light); }
      .axis-marks i { font-style: normal; }
      .axis-marks span { display: flex; justify-content: space-between; grid-column: 2; }
      .scores .best { font-weight: bold; }
      .bar { height: .55rem; border: 1px solid var(--md-default-fg-color--lighter); }
      .bar i { display: block; height: 100%; background: var(--lab-blue); }
      .best .bar i { background: var(--lab-orange); }
      .maps { margin: .5rem 0 0; }
      .maps ol { display: grid; gap: 2px; min-height: 1rem; }
      .maps .few { grid-template-columns: repeat(8, minmax(0, 2.4rem)); }
      .maps .many { grid-template-columns: repeat(16, minmax(0, 2rem)); }
      .maps canvas { background: #000; image-rendering: pixelated; }
      .news { margin: 0 0 .5rem; }
      @container (max-width: 26rem) {
        .views { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
        .views figure:nth-child(2) { order: 3; width: 5rem; }
        .views figure:nth-child(2) figcaption { width: 12rem; max-width: 90cqi; }
        .scores li { grid-template-columns: .7rem 1fr 2.2rem; font-size: .65rem; line-height: 1.3; }
        .axis-marks { grid-template-columns: .7rem 1fr 2.2rem; }
      }`;

    build(root) {
      const { layers, input, samples } = this.given;
      this.layers = layers.map((layer) =>
        layer.kernel
          ? { ...layer, kernel: array(layer.kernel), bias: array(layer.bias) }
          : { ...layer },
      );
      this.shape = input;
      this.pixels = array(samples.pixels);
      this.strokes = []; // each a list of places on the board, [x, y]
      this.pen = [BOARD / 2, BOARD / 2];

      this.board = h("canvas", {
        class: "board paper",
        tabindex: 0,
        role: "application",
        "aria-label": "Drawing board. Arrow keys move the pen, space draws, Delete erases all.",
      });
      this.listen();
      this.sheet = h("canvas", {
        class: "sheet paper",
        role: "img",
        "aria-label": "The sheet that the network reads",
      });
      const names = ["your drawing", ...this.names(samples)];
      this.pick = this.choice("Input", names, names[1], () => this.draw());
      const [rows, columns] = this.shape;
      root.append(
        box(
          "panel",
          this.news,
          box(
            "views",
            figure(this.board, "Draw here: mouse, finger, or arrow keys and space."),
            figure(this.sheet, `What the network reads: ${rows} × ${columns} pixels.`),
            figure(this.buildScores(), "The ten class scores."),
          ),
          this.row(
            this.pick.label,
            this.button("Clear", () => this.clear()),
          ),
          box("sliders", this.buildOffset()),
          this.buildMaps(),
        ),
      );
      this.keepDrawing(names.length - 1);
    }

    keepDrawing(most) {
      this.keep("sheet", {
        read: () => String(this.pick.input.selectedIndex),
        check: (text) => Math.round(inRange(text, 0, most)),
        put: (index) => {
          this.pick.input.selectedIndex = index;
        },
      });
      this.keep("drawing", {
        read: () => strokesText(this.strokes),
        check: readStrokes,
        put: (strokes) => {
          this.strokes = strokes;
          this.draw();
        },
      });
    }

    names(samples) {
      const labels = array(samples.labels);
      const predictions = array(samples.predictions);
      return Array.from(labels, (label, i) => {
        const read = predictions[i] === label ? "" : `, read as ${predictions[i]}`;
        return `test sheet ${i + 1}: a ${label}${read}`;
      });
    }

    buildScores() {
      this.bars = Array.from({ length: 10 }, (_, digit) => {
        const length = h("i");
        const number = h("span", { class: "number" });
        const bar = h("span", { class: "bar", "aria-hidden": "true" }, length);
        return { length, number, row: h("li", {}, h("span", {}, String(digit)), bar, number) };
      });
      const rows = this.bars.map(({ row }) => row);
      const ends = h("span", {}, ...["0", "0.5", "1"].map((mark) => h("i", {}, mark)));
      const marks = h("div", { class: "axis-marks", "aria-hidden": "true" }, ends);
      return h("div", {}, h("ol", { class: "scores" }, rows), marks);
    }

    /* Where on the sheet the drawing lies: in the middle, at first. */
    buildOffset() {
      this.offset = this.shape.slice(0, 2).map((length) => (length - DIGIT) >> 1);
      return ["rows down", "columns right"].map((name, axis) => {
        const max = this.shape[axis] - DIGIT;
        const key = ["row", "column"][axis];
        const settings = { min: 0, max, step: 1, value: this.offset[axis], digits: 0, key };
        const changed = (value) => {
          this.offset[axis] = Math.round(value);
          this.drawOwn();
        };
        return this.slider(name, settings, changed).label;
      });
    }

    /* A row of maps for each layer that has some, but the last, whose outputs are the scores. */
    buildMaps() {
      this.maps = this.layers
        .map((layer, at) => ({ layer, at, list: h("ol") }))
        .slice(0, -1)
        .filter(({ layer }) => layer.type !== "Flatten");
      return this.maps.map((map) => {
        const shown = figure(map.list, "");
        shown.className = "maps";
        map.caption = shown.lastChild;
        return shown;
      });
    }

    listen() {
      const onBoard = (...shares) =>
        shares.map((share) => clamp(Math.floor(share * BOARD), 0, BOARD - 1));
      follow(this.board, this.board, {
        press: (x, y) => {
          this.pen = onBoard(x, y);
          this.strokes.push([this.pen]);
          this.drawOwn();
        },
        move: (x, y) => this.movePen(onBoard(x, y), true),
      });
      keys(this.board, {
        arrow: (right, up) => {
          const [x, y] = this.pen;
          const to = [x + STEP * right, y - STEP * up].map((value) => clamp(value, 0, BOARD - 1));
          this.movePen(to, this.down);
        },
        Delete: () => this.clear(),
        " ": () => {
          this.down = !this.down;
          if (this.down) this.strokes.push([this.pen]);
          this.drawOwn();
          this.say(this.down ? "Pen down" : "Pen up");
        },
      });
      for (const name of ["focus", "blur"]) {
        this.board.addEventListener(name, () => {
          this.down = false;
          this.draw();
        });
      }
    }

    movePen(to, draws) {
      const [dx, dy] = to.map((value, axis) => value - this.pen[axis]);
      if (draws && Math.hypot(dx, dy) < NEAR) return;
      this.pen = to;
      if (draws) {
        this.strokes.at(-1)?.push(to); // none if it was erased under way
        this.drawOwn();
      } else this.draw();
    }

    clear() {
      this.strokes = [];
      this.down = false;
      this.drawOwn();
    }

    drawOwn() {
      this.pick.input.selectedIndex = 0;
      this.draw();
    }

    /* The pixels of the chosen test sheet, or of the sheet with the drawing on it. */
    input() {
      const [rows, columns] = this.shape;
      const size = rows * columns;
      const sample = this.pick.input.selectedIndex - 1;
      if (sample >= 0) {
        return Float64Array.from(this.pixels.subarray(sample * size, (sample + 1) * size));
      }
      const pixels = new Float64Array(size);
      prepare(this.strokes).forEach((value, i) => {
        const row = Math.floor(i / DIGIT) + this.offset[0];
        pixels[row * columns + (i % DIGIT) + this.offset[1]] = value;
      });
      return pixels;
    }

    draw() {
      const pixels = this.input();
      const outputs = run(this.layers, pixels, this.shape);
      const scores = outputs.at(-1).values;
      const read = scores.indexOf(Math.max(...scores));
      const blank = pixels.every((value) => value === 0);
      this.state = { input: [...pixels], layers: outputs, scores, read };
      this.bars.forEach(({ length, number, row }, digit) => {
        length.style.width = `${100 * scores[digit]}%`;
        number.textContent = format(scores[digit], 3);
        row.className = digit === read && !blank ? "best" : "";
      });
      this.tell(
        blank
          ? "The sheet is empty. Draw a digit."
          : `The network reads a ${read}, with score ${format(scores[read], 3)}.`,
      );
      paint(this.sheet, this.shape, greys(pixels, 1, 0));
      this.drawBoard();
      for (const map of this.maps) this.drawMaps(map, outputs[map.at]);
    }

    /* The strokes, if the reader's own drawing is chosen, and the pen, if the keys move it. */
    drawBoard() {
      const size = 512; // pixels in a row
      Object.assign(this.board, { width: size, height: size });
      const context = this.board.getContext("2d");
      const line = (points, width, color) => {
        const at = points.map((point) => point.map((value) => (value / BOARD) * size));
        Object.assign(context, { lineWidth: width, strokeStyle: color });
        Object.assign(context, { lineCap: "round", lineJoin: "round" });
        context.beginPath();
        context.moveTo(...at[0]);
        for (const place of at) context.lineTo(...place);
        context.stroke();
      };
      const own = this.pick.input.selectedIndex === 0;
      for (const stroke of own ? this.strokes : []) line(stroke, size / 16, "#000");
      const keyed = this.shadowRoot.activeElement === this.board;
      if (keyed) line([this.pen], size / 24, `rgb(${this.color("--lab-orange")})`);
    }

    /* A layer's maps side by side, on one scale; a number counts as a map of one pixel. */
    drawMaps({ layer, list, caption }, { shape, values }) {
      const [rows, columns, channels] = shape.length === 3 ? shape : [1, 1, shape[0]];
      while (list.children.length < channels) {
        list.append(h("li", {}, h("canvas", { "aria-hidden": "true" })));
      }
      list.className = channels > 8 ? "many" : "few";
      const top = Math.max(...values, 1e-9);
      for (let c = 0; c < channels; c += 1) {
        const map = values.filter((_, i) => i % channels === c);
        paint(list.children[c].firstChild, [rows, columns], greys(map, 0, top));
      }
      const size = shape.join(" × ");
      caption.textContent = `${layer.name} (${layer.type}): ${size}. White is ${format(top, 2)}.`;
    }
  }

  define("lab-digit", LabDigit);
})();
