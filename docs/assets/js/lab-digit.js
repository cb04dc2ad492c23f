/* <lab-digit data="cnn#network">: draw a digit; the network that the tutorial trained reads it.
 *
 * The board is a bitmap of 32 × 32. As in the data set, the number of inked dots in each 4 × 4
 * block, divided by 16, is a pixel of the 8 × 8 digit (Alpaydin and Kaynak, 1998,
 * doi:10.24432/C50P49). The digit is laid on the sheet that the network takes, where the reader wants it.
 */
(() => {
  "use strict";
  const { Element, array, data, define, h, format } = window.Lab;
  const BOARD = 32, BLOCK = 4, DIGIT = 8, PEN = 1.9;

  /* Arrays are (rows, columns, channels), flattened in that order; kernels are (rows, columns, in, out). */
  const LAYERS = {
    Conv2D({ values, shape: [rows, columns, inputs] }, { kernel, bias, padding }) {
      const [kr, kc, , units] = kernel.shape, same = padding === "same";
      const out = same ? [rows, columns] : [rows - kr + 1, columns - kc + 1];
      const top = same ? (kr - 1) >> 1 : 0, left = same ? (kc - 1) >> 1 : 0;
      const result = new Float64Array(out[0] * out[1] * units);
      for (let i = 0; i < out[0]; i += 1) for (let j = 0; j < out[1]; j += 1) {
        const to = (i * out[1] + j) * units;
        for (let o = 0; o < units; o += 1) result[to + o] = bias[o];
        for (let u = 0; u < kr; u += 1) for (let v = 0; v < kc; v += 1) {
          const row = i + u - top, column = j + v - left;
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          for (let c = 0; c < inputs; c += 1) {
            const x = values[(row * columns + column) * inputs + c], from = ((u * kc + v) * inputs + c) * units;
            if (x) for (let o = 0; o < units; o += 1) result[to + o] += x * kernel[from + o];
          }
        }
      }
      return { values: result, shape: [...out, units] };
    },
    MaxPooling2D({ values, shape: [rows, columns, channels] }, { pool_size: k }) {
      const out = [Math.floor(rows / k), Math.floor(columns / k), channels];
      const result = new Float64Array(out[0] * out[1] * channels).fill(-Infinity);
      for (let i = 0; i < out[0] * k; i += 1) for (let j = 0; j < out[1] * k; j += 1) for (let c = 0; c < channels; c += 1) {
        const to = (Math.floor(i / k) * out[1] + Math.floor(j / k)) * channels + c;
        result[to] = Math.max(result[to], values[(i * columns + j) * channels + c]);
      }
      return { values: result, shape: out };
    },
    GlobalAveragePooling2D({ values, shape: [rows, columns, channels] }) {
      const result = new Float64Array(channels);
      values.forEach((value, i) => { result[i % channels] += value / (rows * columns); });
      return { values: result, shape: [channels] };
    },
    Flatten: ({ values }) => ({ values, shape: [values.length] }),
    Dense({ values }, { kernel, bias }) {
      const units = kernel.shape[1], result = Float64Array.from(bias);
      values.forEach((x, i) => { for (let j = 0; j < units; j += 1) result[j] += x * kernel[i * units + j]; });
      return { values: result, shape: [units] };
    },
  };
  const ACTIVATIONS = {
    linear: (z) => z,
    relu: (z) => z.map((value) => Math.max(0, value)),
    softmax: (z) => { const top = Math.max(...z), e = z.map((value) => Math.exp(value - top)), sum = e.reduce((a, b) => a + b); return e.map((value) => value / sum); },
  };

  class LabDigit extends Element {
    static css = `
      .board { cursor: crosshair; border: 1px solid var(--md-default-fg-color--light); background: var(--md-default-bg-color); }
      canvas { image-rendering: pixelated; } .views { grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); }
      .scores { list-style: none; margin: 0; padding: 0; } .scores li { display: grid; grid-template-columns: 1rem 1fr 2.6rem; gap: .4rem; align-items: center; }
      .scores .best { font-weight: bold; } .bar { height: .55rem; border: 1px solid var(--md-default-fg-color--lighter); }
      .bar i { display: block; height: 100%; background: var(--lab-blue); } .best .bar i { background: var(--lab-orange); }
      .maps { margin: .5rem 0; } .maps ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem; min-height: 2rem; } .maps canvas { width: 2rem; background: #000; }
      .sliders { display: grid; gap: .3rem 1rem; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); margin: .6rem 0; } .news { min-height: 1.5em; margin: 0 0 .5rem; }`;

    build(root) {
      const stored = data[this.getAttribute("data")];
      if (!stored) return;
      this.layers = stored.layers.map((layer) => ({ ...layer, ...(layer.kernel ? { kernel: array(layer.kernel), bias: array(layer.bias) } : {}) }));
      this.shape = stored.input;
      this.samples = { pixels: array(stored.samples.pixels), labels: array(stored.samples.labels), predictions: array(stored.samples.predictions) };
      this.ink = new Uint8Array(BOARD * BOARD);
      this.offset = [0, 1].map((axis) => (this.shape[axis] - DIGIT) >> 1);
      this.pen = [BOARD / 2, BOARD / 2];
      this.board = h("canvas", { class: "board", width: BOARD, height: BOARD, tabindex: 0, role: "application", "aria-label": "Drawing board. Arrow keys move the pen, space draws, Delete erases all." });
      this.sheet = h("canvas", { width: this.shape[1], height: this.shape[0], role: "img", "aria-label": "The sheet that the network reads" });
      this.listen();
      const names = ["your drawing", ...Array.from(this.samples.labels, (label, i) => {
        const read = this.samples.predictions[i];
        return `test sheet ${i + 1}: a ${label}${read === label ? "" : `, read as ${read}`}`;
      })];
      this.pick = this.choice("Input", names, names[1], () => this.draw());
      this.moves = ["rows down", "columns right"].map((name, axis) => this.slider(name, { min: 0, max: this.shape[axis] - DIGIT, step: 1, value: this.offset[axis], digits: 0 },
        (value) => { this.offset[axis] = value; this.own(); }));
      this.news = h("p", { class: "news" });
      this.bars = Array.from({ length: 10 }, (_, digit) => {
        const fill = h("i"), number = h("span", { class: "number" });
        return { fill, number, row: h("li", {}, h("span", {}, String(digit)), h("span", { class: "bar", "aria-hidden": "true" }, fill), number) };
      });
      this.maps = this.layers.filter((layer) => !["Flatten"].includes(layer.type)).slice(0, -1).map((layer) => ({ layer, caption: h("figcaption"), list: h("ol", {}) }));
      root.append(h("div", { class: "panel" }, this.news,
        h("div", { class: "views" },
          h("figure", {}, this.board, h("figcaption", {}, "Draw here: mouse, finger, or arrow keys and space.")),
          h("figure", {}, this.sheet, h("figcaption", {}, `What the network reads: ${this.shape[0]} × ${this.shape[1]} pixels.`)),
          h("figure", {}, h("ol", { class: "scores" }, this.bars.map((bar) => bar.row)), h("figcaption", {}, "The ten class scores."))),
        h("div", { class: "row" }, this.pick.label, this.button("Clear", () => this.clear())),
        h("div", { class: "sliders" }, this.moves.map((move) => move.label)),
        this.maps.map(({ caption, list }) => h("figure", { class: "maps" }, list, caption))));
    }

    listen() {
      const { board } = this;
      const spot = (event) => { const box = board.getBoundingClientRect(); return [((event.clientX - box.left) / box.width) * BOARD, ((event.clientY - box.top) / box.height) * BOARD]; };
      board.addEventListener("pointerdown", (event) => { board.setPointerCapture(event.pointerId); this.pen = spot(event); this.mark(this.pen); event.preventDefault(); });
      board.addEventListener("pointermove", (event) => {
        if (!board.hasPointerCapture(event.pointerId)) return;
        const [x, y] = this.pen, [toX, toY] = spot(event), steps = Math.max(1, Math.ceil(Math.hypot(toX - x, toY - y)));
        for (let i = 1; i <= steps; i += 1) this.mark([x + ((toX - x) * i) / steps, y + ((toY - y) * i) / steps], i === steps);
        this.pen = [toX, toY];
      });
      board.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (event.key === "Delete") this.clear();
        else if (event.key === " ") { this.down = !this.down; this.mark(this.pen); this.say(this.down ? "Pen down" : "Pen up"); }
        else if (by) {
          this.pen = this.pen.map((value, axis) => Math.max(0, Math.min(BOARD - 0.5, value + by[axis])));
          if (this.down) this.mark(this.pen); else this.draw();
        } else return;
        event.preventDefault();
      });
      ["focus", "blur"].forEach((name) => board.addEventListener(name, () => { this.down = false; this.draw(); }));
    }

    mark([x, y], show = true) { // ink every dot under the round pen
      for (let row = Math.max(0, Math.ceil(y - PEN)); row < Math.min(BOARD, y + PEN); row += 1) {
        for (let column = Math.max(0, Math.ceil(x - PEN)); column < Math.min(BOARD, x + PEN); column += 1) {
          if ((row - y) ** 2 + (column - x) ** 2 <= PEN * PEN) this.ink[row * BOARD + column] = 1;
        }
      }
      if (show) this.own();
    }

    clear() {
      this.ink.fill(0);
      this.own();
    }

    own() {
      this.pick.input.selectedIndex = 0;
      this.draw();
    }

    input() {
      const [rows, columns] = this.shape, at = this.pick.input.selectedIndex - 1, size = rows * columns;
      if (at >= 0) return Float64Array.from(this.samples.pixels.subarray(at * size, (at + 1) * size));
      const pixels = new Float64Array(size);
      this.ink.forEach((dot, i) => {
        const row = Math.floor(i / BOARD / BLOCK) + this.offset[0], column = Math.floor((i % BOARD) / BLOCK) + this.offset[1];
        pixels[row * columns + column] += dot / (BLOCK * BLOCK);
      });
      return pixels;
    }

    draw() {
      if (!this.maps) return;
      const pixels = this.input(), outputs = [];
      let flow = { values: pixels, shape: this.shape };
      for (const layer of this.layers) {
        flow = LAYERS[layer.type](flow, layer);
        flow = { ...flow, values: ACTIVATIONS[layer.activation || "linear"](flow.values) };
        outputs.push({ name: layer.name, shape: flow.shape, values: [...flow.values] });
      }
      const scores = [...flow.values], read = scores.indexOf(Math.max(...scores)), blank = pixels.every((value) => value === 0);
      this.state = { input: [...pixels], layers: outputs, scores, read };
      this.bars.forEach(({ fill, number, row }, digit) => {
        fill.style.width = `${100 * scores[digit]}%`;
        number.textContent = format(scores[digit], 3);
        row.className = digit === read && !blank ? "best" : "";
      });
      this.news.textContent = blank ? "The sheet is empty. Draw a digit." : `The network reads a ${read}, with score ${format(scores[read], 3)}.`;
      this.say(this.news.textContent);
      this.paint(this.sheet, this.shape, pixels, 0, 1);
      this.paintBoard();
      for (const { layer, caption, list } of this.maps) this.show(outputs[this.layers.indexOf(layer)], layer, caption, list);
    }

    show({ shape, values }, layer, caption, list) {
      const [rows, columns, channels] = shape.length === 3 ? shape : [1, 1, shape[0]];
      while (list.children.length < channels) list.append(h("li", {}, h("canvas", { width: columns, height: rows, "aria-hidden": "true" })));
      const top = Math.max(...values, 1e-9);
      [...list.children].forEach((item, c) => this.paint(item.firstChild, [rows, columns], values.filter((_, i) => i % channels === c), 0, top));
      caption.textContent = `${layer.name} (${layer.type}): ${shape.join(" × ")}. White is ${format(top, 2)}.`;
    }

    paint(canvas, [rows, columns], values, low, high) {
      const context = canvas.getContext("2d"), picture = context.createImageData(columns, rows);
      values.forEach((value, i) => { const shade = (255 * (value - low)) / (high - low); picture.data.set([shade, shade, shade, 255], 4 * i); });
      context.putImageData(picture, 0, 0);
    }

    paintBoard() {
      const context = this.board.getContext("2d");
      context.clearRect(0, 0, BOARD, BOARD);
      context.fillStyle = this.color("--lab-blue");
      if (this.pick.input.selectedIndex === 0) this.ink.forEach((dot, i) => { if (dot) context.fillRect(i % BOARD, Math.floor(i / BOARD), 1, 1); });
      if (this.shadowRoot.activeElement === this.board) {
        context.fillStyle = this.color("--lab-orange");
        context.fillRect(Math.floor(this.pen[0]), Math.floor(this.pen[1]), 1, 1);
      }
    }
  }

  define("lab-digit", LabDigit);
})();
