/* <lab-convolution data="cnn#images" image="digit 3" kernel="-1 0 1 -1 0 1 -1 0 1">: a window slides.
 *
 * y[i, j] = sum over (u, v) of x[i s + u - top, j s + v - left] k[u, v], as Keras's Conv2D computes
 * it: cross-correlation, the kernel is not flipped; "same" pads with zeros, more at the end.
 *
 * A picture whose name begins with "digit" is ink on paper: its ones are black, in the output, too.
 */
(() => {
  "use strict";
  const { Element, define, h, s, set, box, figure, layers } = window.Lab;
  const { clamp, format, term, array, follow, keys, paint, greys, inRange, refuse } = window.Lab;

  const SIDE = 3; // of the kernel
  const KERNELS = {
    "vertical edges": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
    "horizontal edges": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
    outline: [0, -1, 0, -1, 4, -1, 0, -1, 0],
    blur: Array(9).fill(1 / 9),
    sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
    shift: [0, 0, 0, 1, 0, 0, 0, 0, 0],
    identity: [0, 0, 0, 0, 1, 0, 0, 0, 0],
  };
  const OWN = "your own"; // the name of a kernel that was typed in
  const rounded = (weight) => Number(weight.toFixed(3));

  /* The name of a kernel, or its nine weights: as they stand in a link. */
  const readKernel = (text) => {
    if (KERNELS[text]) return [...KERNELS[text]];
    const weights = text.split(" ");
    if (weights.length !== SIDE * SIDE) refuse("nine weights or a kernel's name", text);
    return weights.map((weight) => inRange(weight, -1000, 1000));
  };
  const nameOf = (kernel) =>
    Object.keys(KERNELS).find((name) => KERNELS[name].every((weight, i) => weight === kernel[i]));

  /* Along one axis: how many places the window has, and how many zeros come before the first pixel. */
  const places = (length, stride, padding) => {
    if (padding === "valid") {
      return { count: Math.max(0, Math.floor((length - SIDE) / stride) + 1), before: 0 };
    }
    const count = Math.ceil(length / stride);
    return { count, before: Math.max(0, (count - 1) * stride + SIDE - length) >> 1 };
  };

  /* The output, its shape, the zeros before the image, and the nine pairs of pixel and weight that
   * each output sums up. */
  const convolve = (image, kernel, stride, padding) => {
    const axes = image.shape.map((length) => places(length, stride, padding));
    const shape = axes.map(({ count }) => count);
    const before = axes.map((axis) => axis.before);
    const [rows, columns] = image.shape;
    const pairs = (i, j) =>
      kernel.map((weight, at) => {
        const row = i * stride + Math.floor(at / SIDE) - before[0];
        const column = j * stride + (at % SIDE) - before[1];
        const inside = row >= 0 && row < rows && column >= 0 && column < columns;
        return [inside ? image[row * columns + column] : 0, weight];
      });
    const output = Float64Array.from({ length: shape[0] * shape[1] }, (_, at) =>
      pairs(Math.floor(at / shape[1]), at % shape[1]).reduce(
        (sum, [pixel, weight]) => sum + pixel * weight,
        0,
      ),
    );
    return { output, shape, before, pairs };
  };

  class LabConvolution extends Element {
    static needsData = true;
    static css = `
      .map { overflow: visible; }
      .map canvas {
        aspect-ratio: auto; image-rendering: pixelated;
        border: 1px solid var(--md-default-fg-color--lighter);
      }
      .map svg {
        inset: 1px; width: calc(100% - 2px); height: calc(100% - 2px);
        overflow: visible; cursor: crosshair;
      }
      .map:focus-visible { outline-offset: 1px; }
      .window {
        fill: none; vector-effect: non-scaling-stroke;
        stroke: var(--lab-orange); stroke-width: 2.5;
      }
      .under { stroke: var(--md-default-bg-color); stroke-width: 5; }
      .kernel {
        display: grid; grid-template-columns: repeat(3, 3.2rem); gap: .2rem;
        margin: 0; padding: 0; border: 0;
      }
      .kernel legend { padding: 0; font-size: .7rem; }
      .kernel input { width: 100%; text-align: right; }
      .sum { min-height: 6.2em; margin: .2rem 0 .6rem; overflow-wrap: anywhere; font-size: .7rem; }`;

    build(root) {
      const names = Object.keys(this.given);
      const again = () => {
        this.at = null; // the middle of the new output
        this.draw();
      };
      const image = this.oneOf("image", names, names[0]);
      this.image = this.choice("Image", names, image, again, "image");
      this.stride = this.choice(
        "Stride",
        ["1", "2", "3"],
        this.oneOf("stride", ["1", "2", "3"], "1"),
        again,
        "stride",
      );
      const paddings = ["valid", "same"];
      this.padding = this.choice(
        "Padding",
        paddings,
        this.oneOf("padding", paddings, "valid"),
        again,
        "padding",
      );
      this.buildKernel();
      this.input = this.buildView();
      this.output = this.buildView();
      this.listen();
      this.sum = h("p", { class: "sum number" });
      root.append(
        box(
          "panel",
          box("views", this.input.figure, this.output.figure),
          this.sum,
          this.row(
            h("fieldset", { class: "kernel" }, h("legend", {}, "Kernel weights"), this.cells),
            this.preset.label,
            this.image.label,
            this.stride.label,
            this.padding.label,
          ),
        ),
      );
      this.keep("at", {
        read: () => (this.at ? this.at.map((place) => place + 1).join(" ") : ""),
        check: (text) => {
          const places = text.split(" ").filter(Boolean);
          if (places.length % 2) refuse("a row and a column, such as 3 4", text);
          return places.map((place) => Math.round(inRange(place, 1, 1000)) - 1);
        },
        put: (at) => {
          this.at = at.length ? at : null;
          this.draw();
        },
      });
    }

    /* The attribute `kernel` is nine weights, or the name of a kernel. */
    buildKernel() {
      const names = Object.keys(KERNELS);
      const typed = this.numbers("kernel", []);
      const named = KERNELS[this.oneOf("kernel", names, names[0])];
      this.kernel = [...(typed.length === SIDE * SIDE ? typed : named)];
      this.preset = this.choice("Kernel", [...names, OWN], nameOf(this.kernel) ?? OWN, (name) =>
        this.use(KERNELS[name] ?? this.kernel),
      );
      this.keep("kernel", {
        read: () => nameOf(this.kernel) ?? this.kernel.map(rounded).join(" "),
        check: readKernel,
        put: (kernel) => this.use(kernel),
      });
      this.cells = this.kernel.map((weight, i) =>
        h("input", {
          type: "number",
          step: "any",
          value: rounded(weight),
          "aria-label": `Kernel row ${Math.floor(i / SIDE) + 1}, column ${(i % SIDE) + 1}`,
          oninput: (event) => this.type(i, event.target.valueAsNumber),
        }),
      );
    }

    use(kernel) {
      this.kernel = [...kernel];
      this.preset.input.value = nameOf(kernel) ?? OWN;
      this.cells.forEach((cell, i) => {
        cell.value = rounded(kernel[i]);
      });
      this.draw();
    }

    type(i, weight) {
      if (!Number.isFinite(weight)) return; // half-typed: keep the last number
      this.kernel[i] = weight;
      this.preset.input.value = OWN;
      this.draw();
    }

    /* A map, and the frame of the window on it: a broad one in the page's color below, so that it
     * is seen on black and on white. */
    buildView() {
      const canvas = h("canvas", { "aria-hidden": "true" });
      const frames = ["window under", "window"].map((kind) => s("rect", { class: kind }));
      const over = s("svg", { preserveAspectRatio: "none", "aria-hidden": "true" }, frames);
      const map = layers(canvas, over);
      const view = { canvas, frames, over, map, figure: figure(map, "") };
      view.caption = view.figure.lastChild;
      return view;
    }

    /* On the input a pointer has the window's middle, on the output the pixel below it. */
    listen() {
      set(this.output.map, { tabindex: 0, role: "slider", "aria-label": "Window position" });
      set(this.output.map, { "aria-valuemin": 1 });
      const onOutput = (x, y) => {
        const [rows, columns] = this.result.shape;
        this.go(Math.floor(y * rows), Math.floor(x * columns));
      };
      const onInput = (x, y) => {
        const place = [y, x].map((share, axis) => {
          const first = share * this.size[axis] - SIDE / 2 + this.result.before[axis];
          return Math.round(first / Number(this.stride.input.value));
        });
        this.go(...place);
      };
      for (const [view, move] of [
        [this.input, onInput],
        [this.output, onOutput],
      ]) {
        const press = (x, y) => {
          this.output.map.focus({ preventScroll: true }); // for the arrow keys
          move(x, y);
        };
        follow(view.over, view.over, { press, move, hover: true });
      }
      keys(this.output.map, {
        arrow: (right, up) => this.go(this.at[0] - up, this.at[1] + right),
        Home: () => this.go(0, 0),
      });
    }

    go(row, column) {
      this.at = [row, column].map((place, axis) => clamp(place, 0, this.result.shape[axis] - 1));
      this.mark();
    }

    draw() {
      const image = array(this.given[this.image.input.value]);
      const stride = Number(this.stride.input.value);
      this.size = image.shape;
      this.result = convolve(image, this.kernel, stride, this.padding.input.value);
      const { output, shape } = this.result;
      const low = Math.min(...output);
      const high = Math.max(...output);
      const inked = this.image.input.value.startsWith("digit");
      const shades = (values, ...ends) => greys(values, ...(inked ? ends.reverse() : ends));
      const [least, most] = inked ? ["White", "black"] : ["Black", "white"];
      this.paint(this.input, image.shape, shades(image, 0, 1));
      this.paint(this.output, shape, shades(output, low, high));
      this.input.caption.textContent = `Input: ${image.shape.join(" × ")}. ${least} is 0, ${most} is 1.`;
      this.output.caption.textContent =
        `Output: ${shape.join(" × ")}. ${least} is ${format(low, 2)}, ` +
        `${most} is ${format(high, 2)}. ` +
        "Arrow keys move the window.";
      this.go(...(this.at ?? shape.map((length) => length >> 1)));
    }

    paint({ canvas, over }, [rows, columns], color) {
      paint(canvas, [rows, columns], color);
      set(over, { viewBox: `0 0 ${columns} ${rows}` });
    }

    /* Show the window where it is, and the sum under it. */
    mark() {
      const [i, j] = this.at;
      const { output, shape, before, pairs } = this.result;
      const stride = Number(this.stride.input.value);
      const value = output[i * shape[1] + j];
      this.state = { kernel: [...this.kernel], at: [i, j], shape, output: [...output], value };
      const frame = ({ frames }, y, x, side) => {
        for (const one of frames) set(one, { x, y, width: side, height: side });
      };
      frame(this.input, i * stride - before[0], j * stride - before[1], SIDE);
      frame(this.output, i, j, 1);
      const products = pairs(i, j).map(
        ([pixel, weight]) => `${format(pixel, 2)} × ${term(weight)}`,
      );
      this.sum.replaceChildren(
        `Row ${i + 1}, column ${j + 1}: ${products.join(" + ")} = `,
        h("strong", {}, format(value)),
      );
      set(this.output.map, {
        "aria-valuemax": shape[0] * shape[1],
        "aria-valuenow": i * shape[1] + j + 1,
        "aria-valuetext": `row ${i + 1}, column ${j + 1}, output ${format(value, 2)}`,
      });
      this.say(`Output ${format(value, 2)}`);
    }
  }

  define("lab-convolution", LabConvolution);
})();
