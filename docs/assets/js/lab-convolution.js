/* <lab-convolution data="cnn#images" image="digit 3" kernel="-1 0 1 -1 0 1 -1 0 1">: a window slides.
 *
 * y[i, j] = sum over (u, v) of x[i s + u - top, j s + v - left] k[u, v], as Keras's Conv2D computes
 * it: cross-correlation, the kernel is not flipped; "same" pads with zeros, more at the end.
 */
(() => {
  "use strict";
  const { Element, array, data, define, h, s, format } = window.Lab;

  const KERNELS = {
    "vertical edges": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
    "horizontal edges": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
    outline: [0, -1, 0, -1, 4, -1, 0, -1, 0],
    blur: Array(9).fill(1 / 9),
    sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
    shift: [0, 0, 0, 1, 0, 0, 0, 0, 0],
    identity: [0, 0, 0, 0, 1, 0, 0, 0, 0],
  };
  const OWN = "your own";

  const convolve = (x, [rows, columns], kernel, stride, padding) => {
    const length = (n) => (padding === "same" ? Math.ceil(n / stride) : Math.max(0, Math.floor((n - 3) / stride) + 1));
    const before = (n) => (padding === "same" ? Math.floor(Math.max(0, (length(n) - 1) * stride + 3 - n) / 2) : 0);
    const shape = [length(rows), length(columns)], start = [before(rows), before(columns)];
    const window = (i, j) => kernel.map((weight, at) => { // the nine products under the window
      const row = i * stride + Math.floor(at / 3) - start[0], column = j * stride + (at % 3) - start[1];
      const inside = row >= 0 && row < rows && column >= 0 && column < columns;
      return [inside ? x[row * columns + column] : 0, weight];
    });
    const y = new Float64Array(shape[0] * shape[1]);
    y.forEach((_, at) => {
      y[at] = window(Math.floor(at / shape[1]), at % shape[1]).reduce((sum, [value, weight]) => sum + value * weight, 0);
    });
    return { y, shape, start, window };
  };

  class LabConvolution extends Element {
    static css = `
      .map { position: relative; } .map canvas { image-rendering: pixelated; border: 1px solid var(--md-default-fg-color--lighter); }
      .map svg { position: absolute; inset: 1px; height: calc(100% - 2px); width: calc(100% - 2px); overflow: visible; cursor: crosshair; }
      .window { fill: none; stroke: var(--lab-orange); stroke-width: 2.5; vector-effect: non-scaling-stroke; }
      .under { stroke: var(--md-default-bg-color); stroke-width: 5; }
      .kernel { display: grid; grid-template-columns: repeat(3, 3.2rem); gap: .2rem; border: 0; margin: 0; padding: 0; }
      .kernel legend { font-size: .7rem; padding: 0; } .kernel input { width: 100%; text-align: right; }
      .sum { min-height: 6.2em; overflow-wrap: anywhere; margin: .2rem 0 .6rem; font-size: .7rem; }
      .map:focus-visible { outline-offset: 4px; }`;

    build(root) {
      this.images = data[this.getAttribute("data")] || {};
      const names = Object.keys(this.images), kernels = [...Object.keys(KERNELS), OWN];
      const given = this.numbers("kernel", null), named = this.getAttribute("kernel");
      this.kernel = [...(given && given.length === 9 ? given : KERNELS[named] || KERNELS["vertical edges"])];
      const start = kernels.find((name) => name !== OWN && KERNELS[name].every((value, i) => value === this.kernel[i])) || OWN;
      const change = () => { this.at = null; this.draw(); };
      const wanted = this.getAttribute("image");
      this.image = this.choice("Image", names, names.includes(wanted) ? wanted : names[0], change);
      this.preset = this.choice("Kernel", kernels, start, (name) => {
        if (name !== OWN) this.kernel = [...KERNELS[name]];
        this.cells.forEach((cell, i) => { cell.value = Number(this.kernel[i].toFixed(3)); });
        this.draw();
      });
      this.stride = this.choice("Stride", ["1", "2", "3"], this.getAttribute("stride") || "1", change);
      this.padding = this.choice("Padding", ["valid", "same"], this.getAttribute("padding") || "valid", change);
      this.cells = this.kernel.map((value, i) => h("input", {
        type: "number", step: "any", value: Number(value.toFixed(3)), "aria-label": `Kernel row ${Math.floor(i / 3) + 1}, column ${(i % 3) + 1}`,
        oninput: (event) => {
          const typed = event.target.valueAsNumber;
          if (!Number.isFinite(typed)) return; // half-typed: keep the last number
          this.kernel[i] = typed;
          this.preset.input.value = OWN;
          this.draw();
        },
      }));
      this.views = ["Input", "Output"].map((name) => this.view(name));
      this.sum = h("p", { class: "sum number" });
      root.append(h("div", { class: "panel" },
        h("div", { class: "views" }, this.views.map((view) => view.figure)), this.sum,
        h("div", { class: "row" }, h("fieldset", { class: "kernel" }, h("legend", {}, "Kernel weights"), this.cells),
          this.preset.label, this.image.label, this.stride.label, this.padding.label)));
    }

    view(name) {
      const canvas = h("canvas", { "aria-hidden": "true" }), marks = ["window under", "window"].map((kind) => s("rect", { class: kind }));
      const over = s("svg", { preserveAspectRatio: "none", "aria-hidden": "true" }, ...marks);
      const output = name === "Output", caption = h("figcaption");
      const map = h("div", output ? { class: "map", tabindex: 0, role: "slider", "aria-label": "Window position", "aria-valuemin": 1 } : { class: "map" }, canvas, over);
      const go = (event) => {
        if (event.type === "pointermove" && event.pointerType === "touch" && !over.hasPointerCapture(event.pointerId)) return;
        const box = over.getBoundingClientRect(), { result, size: [rows, columns] } = this;
        const spot = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
        const step = Number(this.stride.input.value);
        this.go(...spot.map((share, axis) => (output ? Math.floor(share * result.shape[axis])
          : Math.round((share * [rows, columns][axis] - 1.5 + result.start[axis]) / step))));
      };
      over.addEventListener("pointermove", go);
      over.addEventListener("pointerdown", (event) => { over.setPointerCapture(event.pointerId); go(event); });
      if (output) {
        map.addEventListener("keydown", (event) => {
          const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [-Infinity, -Infinity] }[event.key];
          if (!by) return;
          event.preventDefault();
          this.go(this.at[0] + by[0], this.at[1] + by[1]);
        });
      }
      return { canvas, marks, over, caption, map, figure: h("figure", {}, map, caption) };
    }

    go(row, column) {
      this.at = [row, column].map((value, axis) => Math.max(0, Math.min(this.result.shape[axis] - 1, value)));
      this.mark();
    }

    draw() {
      const stored = this.images[this.image && this.image.input.value];
      if (!stored) return;
      const x = array(stored), stride = Number(this.stride.input.value), padding = this.padding.input.value;
      this.size = x.shape;
      this.result = convolve(x, x.shape, this.kernel, stride, padding);
      const { y, shape } = this.result, [input, output] = this.views;
      const low = Math.min(...y), high = Math.max(...y);
      this.paint(input, x, x.shape, 0, 1);
      this.paint(output, y, shape, low, high);
      input.caption.textContent = `Input: ${x.shape.join(" × ")}. Black is 0, white is 1.`;
      output.caption.textContent = `Output: ${shape.join(" × ")}. Black is ${format(low, 2)}, white is ${format(high, 2)}. Arrow keys move the window.`;
      this.at = (this.at || shape.map((length) => length >> 1)).map((value, axis) => Math.min(value, shape[axis] - 1));
      this.mark();
    }

    paint({ canvas, over }, values, [rows, columns], low, high) {
      Object.assign(canvas, { width: columns, height: rows });
      over.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
      const context = canvas.getContext("2d"), picture = context.createImageData(columns, rows);
      values.forEach((value, i) => {
        const shade = high > low ? (255 * (value - low)) / (high - low) : 127;
        picture.data.set([shade, shade, shade, 255], 4 * i);
      });
      context.putImageData(picture, 0, 0);
    }

    mark() {
      const [i, j] = this.at, { y, shape, start, window } = this.result, stride = Number(this.stride.input.value);
      const terms = window(i, j), value = y[i * shape[1] + j];
      this.state = { image: this.image.input.value, kernel: [...this.kernel], stride, padding: this.padding.input.value, at: [i, j], shape, output: [...y], value };
      const frame = (view, row, column, size) => view.marks.forEach((mark) => {
        Object.entries({ x: column, y: row, width: size, height: size }).forEach(([name, number]) => mark.setAttribute(name, number));
      });
      frame(this.views[0], i * stride - start[0], j * stride - start[1], 3);
      frame(this.views[1], i, j, 1);
      const signed = (number) => (number < 0 ? `(${format(number, 2)})` : format(number, 2));
      this.sum.replaceChildren(`Row ${i + 1}, column ${j + 1}: `, terms.map(([pixel, weight]) => `${format(pixel, 2)} × ${signed(weight)}`).join(" + "), " = ", h("strong", {}, format(value)));
      const map = this.views[1].map;
      map.setAttribute("aria-valuemax", shape[0] * shape[1]);
      map.setAttribute("aria-valuenow", i * shape[1] + j + 1);
      map.setAttribute("aria-valuetext", `row ${i + 1}, column ${j + 1}, output ${format(value, 2)}`);
      this.say(`Output ${format(value, 2)}`);
    }
  }

  define("lab-convolution", LabConvolution);
})();
