/* <lab-digit data="cnn#network">: draw a digit; the network that the tutorial trained reads it.
 *
 * The board is a bitmap of 32 × 32. As in the data set, the number of inked dots in each 4 × 4
 * block, divided by 16, is a pixel of the 8 × 8 digit (Alpaydin and Kaynak, 1998,
 * doi:10.24432/C50P49). The digit is laid on the sheet that the network takes, where the reader wants it.
 */
(() => {
  "use strict";
  const { Element, define, h, box, figure } = window.Lab;
  const { clamp, format, array, follow, keys, paint, greys } = window.Lab;

  const BOARD = 32; // dots in a row
  const BLOCK = 4; // dots in a row of a pixel
  const DIGIT = BOARD / BLOCK; // pixels in a row
  const PEN = 1.9; // radius, in dots

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
      canvas { image-rendering: pixelated; }
      .board {
        border: 1px solid var(--md-default-fg-color--light); background: var(--md-default-bg-color);
        cursor: crosshair;
      }
      .views { grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); }
      .scores li {
        display: grid; grid-template-columns: 1rem 1fr 2.6rem; gap: .4rem; align-items: center;
      }
      .scores .best { font-weight: bold; }
      .bar { height: .55rem; border: 1px solid var(--md-default-fg-color--lighter); }
      .bar i { display: block; height: 100%; background: var(--lab-blue); }
      .best .bar i { background: var(--lab-orange); }
      .maps { margin: .5rem 0; }
      .maps ol { display: flex; flex-wrap: wrap; gap: .2rem; min-height: 2rem; }
      .maps canvas { width: 2rem; background: #000; }
      .news { margin: 0 0 .5rem; }`;

    build(root) {
      const { layers, input, samples } = this.given;
      this.layers = layers.map((layer) =>
        layer.kernel
          ? { ...layer, kernel: array(layer.kernel), bias: array(layer.bias) }
          : { ...layer },
      );
      this.shape = input;
      this.pixels = array(samples.pixels);
      this.ink = new Uint8Array(BOARD * BOARD);
      this.pen = [BOARD / 2, BOARD / 2]; // x and y

      this.board = h("canvas", {
        class: "board",
        tabindex: 0,
        role: "application",
        "aria-label": "Drawing board. Arrow keys move the pen, space draws, Delete erases all.",
      });
      this.listen();
      this.sheet = h("canvas", { role: "img", "aria-label": "The sheet that the network reads" });
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
          box(
            "row",
            this.pick.label,
            this.button("Clear", () => this.clear()),
          ),
          box("sliders", this.buildOffset()),
          this.buildMaps(),
        ),
      );
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
      return h("ol", { class: "scores" }, rows);
    }

    /* Where on the sheet the drawing lies: in the middle, at first. */
    buildOffset() {
      this.offset = this.shape.slice(0, 2).map((length) => (length - DIGIT) >> 1);
      return ["rows down", "columns right"].map((name, axis) => {
        const max = this.shape[axis] - DIGIT;
        const settings = { min: 0, max, step: 1, value: this.offset[axis], digits: 0 };
        const changed = (value) => {
          this.offset[axis] = value;
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
      const onBoard = (x, y) => [x * BOARD, y * BOARD];
      follow(this.board, this.board, {
        press: (x, y) => {
          this.pen = onBoard(x, y);
          this.dab(this.pen);
          this.drawOwn();
        },
        move: (x, y) => {
          this.stroke(onBoard(x, y));
          this.drawOwn();
        },
      });
      keys(this.board, {
        arrow: (right, up) => this.movePen(right, -up),
        Delete: () => this.clear(),
        " ": () => {
          this.down = !this.down;
          this.dab(this.pen);
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

    movePen(right, down) {
      const [x, y] = this.pen;
      this.pen = [clamp(x + right, 0, BOARD - 0.5), clamp(y + down, 0, BOARD - 0.5)];
      if (this.down) {
        this.dab(this.pen);
        this.drawOwn();
      } else this.draw();
    }

    /* Ink every dot under the round pen. */
    dab([x, y]) {
      const [left, right] = [Math.max(0, Math.ceil(x - PEN)), Math.min(BOARD, x + PEN)];
      const [top, bottom] = [Math.max(0, Math.ceil(y - PEN)), Math.min(BOARD, y + PEN)];
      for (let row = top; row < bottom; row += 1) {
        for (let column = left; column < right; column += 1) {
          const under = (row - y) ** 2 + (column - x) ** 2 <= PEN * PEN;
          if (under) this.ink[row * BOARD + column] = 1;
        }
      }
    }

    /* A fast pointer reports few places: ink what lies between them. */
    stroke([toX, toY]) {
      const [x, y] = this.pen;
      const steps = Math.max(1, Math.ceil(Math.hypot(toX - x, toY - y)));
      for (let i = 1; i <= steps; i += 1) {
        this.dab([x + ((toX - x) * i) / steps, y + ((toY - y) * i) / steps]);
      }
      this.pen = [toX, toY];
    }

    clear() {
      this.ink.fill(0);
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
      this.ink.forEach((dot, i) => {
        const row = Math.floor(i / BOARD / BLOCK) + this.offset[0];
        const column = Math.floor((i % BOARD) / BLOCK) + this.offset[1];
        pixels[row * columns + column] += dot / (BLOCK * BLOCK);
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
      paint(this.sheet, this.shape, greys(pixels, 0, 1));
      this.drawBoard();
      for (const map of this.maps) this.drawMaps(map, outputs[map.at]);
    }

    /* The ink, if the reader's own drawing is chosen, and the pen, if the keys move it. */
    drawBoard() {
      const own = this.pick.input.selectedIndex === 0;
      const keyed = this.shadowRoot.activeElement === this.board;
      const pen = Math.floor(this.pen[1]) * BOARD + Math.floor(this.pen[0]);
      const [blue, orange] = [this.color("--lab-blue"), this.color("--lab-orange")];
      paint(this.board, [BOARD, BOARD], (i) => {
        if (keyed && i === pen) return [...orange, 255];
        return [...blue, own && this.ink[i] ? 255 : 0];
      });
    }

    /* A layer's maps side by side, on one scale; a number counts as a map of one pixel. */
    drawMaps({ layer, list, caption }, { shape, values }) {
      const [rows, columns, channels] = shape.length === 3 ? shape : [1, 1, shape[0]];
      while (list.children.length < channels) {
        list.append(h("li", {}, h("canvas", { "aria-hidden": "true" })));
      }
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
