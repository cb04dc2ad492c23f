# %% [markdown]
# # Convolutional networks
#
# A small window slides over an image and gives the same weights to every place. Here by hand, from
# a dense layer, on a photograph, in one, two and three dimensions; then in a network that reads
# digits anywhere. Does it really not matter where they lie?
#
# The chapter [Convolutional networks](../../architectures/cnn.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import signal, stats
from sklearn.model_selection import train_test_split

import labkit as keras
from labkit import datasets, plot

plot.set_theme()

# %% [markdown]
# ## A window slides over an image
#
# The window is a small table of weights, the **kernel**. At each place: multiply the weights with
# the pixels under them, and add up.


# %% label="correlate"
def correlate(x, kernel):
    """Slide the kernel along all axes of x; sum the products at each place."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape)
    return np.tensordot(windows, kernel, axes=kernel.ndim)


# %%
image = np.zeros((6, 6))
image[:, 3:] = 9
kernel = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
response = correlate(image, kernel)  # (4, 4)

assert response.tolist() == [[0, 27, 27, 0]] * 4

# %% label="window" alt="Input, kernel and output as tables of numbers; the framed 3 by 3 window of the input gives the framed cell of the output, 27." caption="The kernel at one place: three times 9 minus three times 0 is 27. It answers where the image grows brighter from left to right, and nowhere else." tags=["remove-input"]
fig, axes = plt.subplots(1, 3, figsize=(5, 2.4), width_ratios=(6, 3, 4))
plot.matrix(axes[0], image, fmt=".0f", cmap="gray", vmin=-6, vmax=12)
plot.matrix(axes[1], kernel, fmt=".0f")
plot.matrix(axes[2], response, fmt=".0f")
for ax, title in zip(axes, ("input", "kernel", "output"), strict=True):
    ax.set(title=title, aspect="equal", anchor="N", xticks=[], yticks=[])
frame = {"fill": False, "edgecolor": plot.COLORS["orange"], "linewidth": 3}
axes[0].add_patch(plt.Rectangle((0.5, 0.5), 3, 3, **frame))
axes[2].add_patch(plt.Rectangle((0.5, 0.5), 1, 1, **frame))

# %% [markdown]
# ## A dense layer with most of its weights gone
#
# Sliding is linear, so there is a matrix that does the same: a dense layer without a bias. What a
# linear function does to a single bright pixel, for each pixel, is all there is to know about it.


# %% label="as-matrix"
def as_matrix(kernel, shape):
    """Return the dense weights that slide the kernel, (inputs, outputs)."""
    pixels = np.eye(np.prod(shape)).reshape(-1, *shape)  # each has one bright pixel
    return np.stack([correlate(pixel, kernel).ravel() for pixel in pixels])


matrix = as_matrix(kernel, image.shape)  # (36, 16)
assert np.array_equal(image.ravel() @ matrix, response.ravel())

# %% values="line_dense line_local line_shared"
weights = np.array([1.0, 3.0, 2.0])
shared = as_matrix(weights, (8,))  # (8, 6)
anything = np.random.default_rng(0).uniform(0.5, 3.5, shared.shape)
line_dense, line_local, line_shared = anything.size, np.count_nonzero(shared), weights.size
panels = {
    f"dense\n{line_dense} weights": anything,
    f"local\n{line_local} weights": np.where(shared > 0, anything, 0),
    f"local and shared\n{line_shared} weights": shared,
}
assert line_local == 3 * 6

# A matrix that treats all places alike has equal weights wherever output and input are as far apart.
assert all(len({*np.diag(shared, -i)}) == 1 for i in range(8 - 6 + 1))

# %% label="from-dense" alt="Three matrices of 8 rows and 6 columns: full, a band of three diagonals, and the same band with one shade along each diagonal." caption="The weights from eight inputs (rows) to six outputs (columns). Near inputs alone leave a band; the same weights at every place leave three numbers." tags=["remove-input"]
fig, axes = plt.subplots(1, 3, figsize=(5, 2.7))
for ax, (title, table) in zip(axes, panels.items(), strict=True):
    ax.imshow(np.where(table > 0, table, np.nan), cmap="Blues", vmin=-0.5, vmax=4)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    ax.grid(False)
axes[0].set(xlabel="outputs", ylabel="inputs")

# %% [markdown]
# ## Many channels, many kernels
#
# A `Conv2D` layer has many kernels, and each extends over all channels of its input and adds them
# up. Its arrays have the shapes (images, height, width, channels) and (kernel height, kernel width,
# channels in, channels out). Here it slides over a photograph in color.


# %% label="channels"
def convolve(x, kernel, bias):
    """Slide each kernel over x, (height, width, channels), and add up channels."""
    size = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(0, 1))
    return np.einsum("ijcab,abcf->ijf", windows, kernel) + bias


# %% values="window_weights pixel_weights"
photograph = datasets.load_photographs()["china"][:426] / 255
color = photograph.reshape(213, 2, 320, 2, 3).mean(axis=(1, 3))  # half the size
grey = color.mean(axis=-1)  # (213, 320)


def run(layer, x, *weights):
    """Return what a layer with these weights makes of one input with channels."""
    layer.build((None, *x.shape))
    layer.set_weights(weights)
    return np.asarray(layer(x[None].astype("float32")))[0]


rng = np.random.default_rng(0)
kernels, bias = rng.normal(size=(3, 3, 3, 8)), rng.normal(size=8)
layer = keras.layers.Conv2D(8, 3)
np.testing.assert_allclose(
    run(layer, color, kernels, bias), convolve(color, kernels, bias), atol=1e-4
)
window_weights = layer.count_params()
assert window_weights == 3 * 3 * 3 * 8 + 8

# A window of 1 × 1 is a dense layer from channels to channels, the same at each pixel.
red_minus_blue = np.array([1.0, 0.0, -1.0]).reshape(1, 1, 3, 1)
layer = keras.layers.Conv2D(1, 1)
warmth = run(layer, color, red_minus_blue, np.zeros(1))[..., 0]  # (213, 320)
dense = keras.layers.Dense(1)
by_dense = run(dense, color, red_minus_blue[0, 0], np.zeros(1))[..., 0]
pixel_weights = layer.count_params()
np.testing.assert_allclose(warmth, by_dense, atol=1e-6)
np.testing.assert_allclose(warmth, color[..., 0] - color[..., 2], atol=1e-6)

# %% label="warmth" alt="A Chinese temple in color, and its map of red minus blue: columns and roof are bright, the sky is dark." caption="A kernel of 1 × 1 with the weights 1, 0 and −1 for red, green and blue. Photograph: [China](https://www.flickr.com/photos/danielbuechele/6061409035/) by danielbuechele, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2))
axes[0].imshow(color)
axes[1].imshow(warmth, vmin=0, vmax=np.quantile(warmth, 0.995))
for ax, title in zip(axes, ("photograph", "red minus blue"), strict=True):
    ax.set_title(title)
    ax.set_axis_off()

# %% [markdown]
# The same few weights serve every place. A dense layer from the same input to as many outputs needs
# a weight for each pair.

# %% label="sharing" values="conv_weights dense_weights"
convolution = keras.layers.Conv2D(8, 3, padding="same")
convolution.build((None, 16, 16, 1))  # to (16, 16, 8)
dense = keras.layers.Dense(16 * 16 * 8)
dense.build((None, 16 * 16))
conv_weights, dense_weights = convolution.count_params(), dense.count_params()
print(f"Convolution: {conv_weights} parameters. Dense: {dense_weights:,}.")

assert conv_weights == 3 * 3 * 1 * 8 + 8, (
    "A convolution's parameters do not depend on the size of the image."
)
assert dense_weights == 256 * 2048 + 2048

# %% [markdown]
# ## Three kernels on a photograph
#
# One averages its window, one subtracts left from right, one subtracts top from bottom. The last two
# give the middle row or column more weight; they are known as Sobel kernels.

# %%
blur = np.full((7, 7), 1 / 49)
sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
views = {
    "photograph": grey,
    "blur": correlate(grey, blur),
    "vertical edges": np.abs(correlate(grey, sobel)),
    "horizontal edges": np.abs(correlate(grey, sobel.T)),
}

wall = np.zeros((8, 8))
wall[:, 4:] = 1  # a vertical edge
assert np.abs(correlate(wall, sobel)).max() == 4
assert np.abs(correlate(wall, sobel.T)).max() == 0

# %% label="edges" alt="A photograph of a Chinese temple: as it is, blurred, with its vertical edges bright, with its horizontal edges bright." caption="One photograph, three kernels; the strength of the response. Photograph: [China](https://www.flickr.com/photos/danielbuechele/6061409035/) by danielbuechele, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 3.7))
for ax, (title, view) in zip(axes.flat, views.items(), strict=True):
    ax.imshow(view, vmin=0, vmax=np.quantile(view, 0.995))
    ax.set_title(title)
    ax.set_axis_off()

# %% [markdown]
# ## One, two, three dimensions
#
# `correlate` never asked how many axes there are. A time series has one, a film has three. (Color
# is no axis to slide along: a kernel for color images has weights for all channels at once.)

# %% values="response_right response_left"
years, months = datasets.load_elnino()
sea = months.ravel()  # °C, one number per month
year = np.full(12, 1 / 12)
smooth = correlate(sea, year)
time = years[0] + np.arange(sea.size) / 12
middle = time[5:-6]  # of each window of twelve months

moves_right = np.zeros((8, 5, 12))  # (frames, height, width)
moves_right[np.arange(8), 2, np.arange(2, 10)] = 1  # one bright dot
moves_left = moves_right[:, :, ::-1]
motion = np.zeros((3, 3, 3))
motion[[0, 1, 2], 1, [0, 1, 2]] = 1  # one pixel to the right per frame
seen_right = correlate(moves_right, motion).max(axis=(1, 2))  # (frames,)
seen_left = correlate(moves_left, motion).max(axis=(1, 2))
response_right, response_left = seen_right.max(), seen_left.max()

assert response_right == 3
assert response_left == 1
top = np.sort(middle[np.argsort(-smooth)[:12]])
assert all(1982 < month < 1984 or 1997 < month < 1999 for month in top)

# %% label="dimensions" alt="Sea temperatures swing every year around a smooth line; a kernel for motion answers 3 to a dot moving right and 1 to one moving left." caption="One dimension: the sea off Peru by month, and the mean of twelve months (data: NOAA). Three: a kernel for motion, on two short films." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8), width_ratios=(3, 2))
axes[0].plot(time, sea, "-", color=plot.COLORS["grey"], lw=0.7)
axes[0].plot(middle, smooth, color=plot.COLORS["orange"], lw=2.5)
axes[0].set(title="1-D", ylabel="°C", xlim=(1975, 2011))
axes[1].plot(seen_right, "o-", label="dot moves right")
axes[1].plot(seen_left, "s--", label="dot moves left")
axes[1].set(title="3-D", xlabel="frame", ylim=(0, 4.5))
axes[1].set_ylabel("strongest response")
axes[1].legend()

# %% [markdown]
# ## Sizes
#
# With $\ell$ pixels along an axis, $m$ weights in the kernel, $a$ pixels of zero padding on both sides
# together and steps of $s$ pixels (the stride), the output has $\lfloor (\ell + a - m) / s \rfloor + 1$
# places along that axis. With `padding="same"`, $a$ is what it takes for $\ell / s$ places, rounded up.

# %% label="sizes"
cases = [(28, 3, 1, "valid", 0), (28, 3, 1, "same", 2), (28, 5, 2, "valid", 0)]
cases += [(28, 5, 2, "same", 3), (27, 4, 3, "same", 1)]
table = pd.DataFrame(cases, columns=["ℓ", "m", "s", "padding", "a"])
table["formula"] = (table["ℓ"] + table["a"] - table["m"]) // table["s"] + 1
table["layer"] = [
    keras.layers.Conv2D(1, m, s, padding).compute_output_shape((None, pixels, pixels, 1))[1]
    for pixels, m, s, padding, _ in cases
]

assert table.formula.equals(table.layer)
table.style.hide()

# %% [markdown]
# ## The task: digits anywhere
#
# Sheets of 16 × 16 pixels, each with one digit at a random place: four of each training image, one
# of each other.


# %% label="sheets" values="n_train n_test"
def scatter(images, rng):
    """Put each 8 × 8 image at a random place on a sheet of its own."""
    sheets = np.zeros((len(images), 16, 16, 1), "float32")
    places = rng.integers(0, 9, (len(images), 2))
    for i, (row, column) in enumerate(places):
        sheets[i, row : row + 8, column : column + 8, 0] = images[i]
    return sheets


def split(parts, classes, share):
    """Split at random, with the same mix of classes on both sides."""
    return train_test_split(parts, test_size=share, stratify=classes, random_state=0)


digits = datasets.load_digits()
images = (digits.images / 16).astype("float32")  # (samples, 8, 8)
labels = digits.target
rest, test = split(np.arange(len(labels)), labels, 0.2)
train, validation = split(rest, labels[rest], 0.25)

rng = np.random.default_rng(0)
x_train = scatter(np.repeat(images[train], 4, axis=0), rng)
y_train = np.repeat(labels[train], 4)
validation_data = scatter(images[validation], rng), labels[validation]
x_test, y_test = scatter(images[test], rng), labels[test]
n_train, n_test = len(x_train), len(x_test)

# %% [markdown]
# ## A convolutional network and two dense ones


# %% label="build"
def build_cnn():
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


# %% [markdown]
# Beside it, a dense network with about as many parameters (27 hidden units), and one with many more
# (128).


# %% label="rivals"
def build_dense(units):
    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


def compile(model):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.003),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def multiplications(model):
    """Count the products for one sheet: each kernel's weights, once at each place."""
    total, shape = 0, (None, 16, 16, 1)
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
        if layer.get_weights():
            total += layer.get_weights()[0].size * np.prod(shape[1:-1], dtype=int)
    return int(total)


# %% [markdown]
# Each of them learns from three random starts.

# %% values="cnn_parameters same_parameters cnn_accuracy cnn_least cnn_most same_least same_most large_least large_most cnn_train large_train work_ratio work_large"
contestants = {
    "convolutional": build_cnn,
    "dense, same size": lambda: build_dense(27),
    "dense, large": lambda: build_dense(128),
}
models, curves, seen, unseen, first_kernels = {}, {}, {}, {}, []
for name, build in contestants.items():
    seen[name], unseen[name] = [], []
    for seed in (1, 2, 0):  # the first start comes last, and is kept
        keras.utils.set_random_seed(seed)
        models[name] = model = compile(build())
        how = {"epochs": 15, "batch_size": 64, "verbose": 0}
        history = model.fit(x_train, y_train, validation_data=validation_data, **how)
        seen[name].append(model.evaluate(x_train, y_train, verbose=0)[1])
        unseen[name].append(model.evaluate(x_test, y_test, verbose=0)[1])
        if build is build_cnn:
            first_kernels.extend(model.get_weights()[0][:, :, 0].transpose(2, 0, 1))
    curves[name] = history.history["val_accuracy"]

cnn, same, large = models.values()
cnn_accuracy = unseen["convolutional"][-1]
cnn_least, same_least, large_least = map(min, unseen.values())
cnn_most, same_most, large_most = map(max, unseen.values())
cnn_train, _, large_train = map(np.mean, seen.values())
cnn_parameters, same_parameters = cnn.count_params(), same.count_params()
work_ratio, work_large = (multiplications(cnn) / multiplications(m) for m in (same, large))

assert abs(same_parameters / cnn_parameters - 1) < 0.01
assert cnn_least > 0.85
assert cnn_least > same_most + 0.2, (
    "With as many parameters, the CNN's worst start beats the dense network's best."
)
assert cnn_least > large_most + 0.05, (
    "The CNN's worst start also beats a dense network with many more parameters."
)
ends = [curve[-1] for curve in curves.values()]
assert ends[0] > ends[2] > ends[1]
assert min(seen["dense, large"]) > 0.95

# %% label="race" alt="Validation accuracy by epoch: the convolutional network ends highest, then the large dense one, then the small one." caption="Three networks learn to read digits anywhere on the sheet." tags=["remove-input"]
fig, ax = plt.subplots()
for (name, curve), marker in zip(curves.items(), plot.MARKERS, strict=False):
    ax.plot(range(1, 16), curve, marker=marker, label=name)
ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
ax.legend(loc="lower right")


# %% label="table"
def from_to(shares):
    """Write the range of some shares."""
    return f"{100 * min(shares):.1f} to {100 * max(shares):.1f}%"


rows = {
    name: (
        f"{model.count_params():,}",
        f"{multiplications(model):,}",
        from_to(seen[name]),
        from_to(unseen[name]),
    )
    for name, model in models.items()
}
heads = ["parameters", "products a sheet", "right, training", "right, test"]
pd.DataFrame(rows, index=heads).T

# %% [markdown]
# ## What the filters have become
#
# Nobody told the network to look for edges. An edge detector's weights rise evenly in some direction,
# like a slope. How much of what varies within a kernel does the best slope explain? For random
# weights it is more than half in one case of eight.


# %% values="edge_kernels edge_random first_count edge_chance"
def slope_share(kernels):
    """Return the share of each kernel's variance that the best slope explains."""
    varied = kernels.reshape(-1, 9) - kernels.mean(axis=(1, 2))[:, None]  # (kernels, 9)
    down, right = np.mgrid[-1:2, -1:2].reshape(2, 9) / np.sqrt(6)
    return ((varied @ down) ** 2 + (varied @ right) ** 2) / (varied**2).sum(axis=1)


first_kernels = np.array(first_kernels)  # (24, 3, 3), of three starts
first_count = len(first_kernels)
edge_kernels = int(np.sum(slope_share(first_kernels) > 0.5))
edge_random = np.mean(slope_share(rng.normal(size=(100_000, 3, 3))) > 0.5)
edge_chance = stats.binomtest(edge_kernels, first_count, edge_random, "greater").pvalue
print(
    f"{edge_kernels} of {first_count} kernels are mostly slopes; by chance: p = {edge_chance:.0e}"
)

assert abs(edge_random - 1 / 8) < 0.01
assert edge_chance < 0.01, "More first kernels look for edges than chance would make."

# %% label="filters" alt="Eight grids of 3 by 3 weights. Several are positive on one side and negative on the other, in different directions." caption="The eight kernels of the first layer: blue is positive, red negative." tags=["remove-input"]
kernels = cnn.layers[0].get_weights()[0][:, :, 0].transpose(2, 0, 1)  # (8, 3, 3)
most = np.abs(kernels).max()
fig, ax = plt.subplots(figsize=(5, 0.75))
plot.images(ax, kernels, cmap="RdBu", vmin=-most, vmax=most)

# %% [markdown]
# ## How far a number sees
#
# A number of the first feature map sees 3 × 3 pixels. Each further window widens the field by its
# size less one, counted in the steps that its input lies apart; each stride lengthens the steps.


# %% values="field_2 field_3 seen_3"
def fields(windows):
    """Follow step and field through layers, each given by its kind, window and stride."""
    rows, field, step = [], 1, 1
    for kind, window, stride in windows:
        field += (window - 1) * step
        step *= stride
        rows.append((kind, window, stride, step, field))
    return pd.DataFrame(rows, columns=["layer", "window", "stride", "step", "field"])


def outputs(model, x):
    """Return what leaves each layer."""
    values = []
    for layer in model.layers:
        x = np.asarray(layer(x))
        values.append(x)
    return values


reach = fields([("convolution", 3, 1), ("pooling", 2, 2)] * 3)
field_1, field_2, field_3 = reach["field"][[0, 2, 4]]

# Tried: which of 256 bright pixels change a number in the middle of a map? All weights are 1, so
# that no ReLU can hide an influence.
probe = build_cnn()
probe.set_weights([np.ones_like(weights) for weights in probe.get_weights()])
tried = []
for maps in outputs(probe, np.eye(256, dtype="float32").reshape(256, 16, 16, 1))[:5:2]:
    middle = maps.shape[1] // 2
    influence = maps[:, middle, middle, 0]  # one number per bright pixel
    tried.append(int(np.sum(influence > influence.min())))
seen_3 = tried[2]

assert tried[:2] == [field_1**2, field_2**2]
assert field_2**2 < seen_3 < 256 < field_3**2  # the sheet's rim cuts the third field

# %% label="fields"
reach.style.hide()

# %% [markdown]
# What excites some filters of the first and the second layer most?

# %%
maps = outputs(cnn, x_test)  # per layer: (sheets, height, width, filters)


# %% label="patches" alt="Image patches, a row per filter. First layer: 3 by 3 pixels of ink and edges. Second layer: 8 by 8 pixels, most of a digit." caption="For four filters of each layer: the patches, from eight sheets, that excite the filter most." tags=["remove-input"]
def favorites(maps, before, size, stride):
    """Cut out what excites a filter most, in the eight sheets that do so most."""
    patches = []
    for index in np.argsort(-maps.max(axis=(1, 2)))[:8]:
        row, column = np.unravel_index(maps[index].argmax(), maps.shape[1:])
        top, left = stride * row - before, stride * column - before
        sheet = np.pad(x_test[index, :, :, 0], size)
        patch = sheet[top + size : top + 2 * size, left + size : left + 2 * size]
        patches.append(patch)
    return patches


first = {"before": 1, "size": 3, "stride": 1}
second = {"before": 3, "size": 8, "stride": 2}

fig, axes = plt.subplots(2, figsize=(3.7, 4.2))
for ax, number, view in ((axes[0], 0, first), (axes[1], 2, second)):
    active = maps[number].mean(axis=(0, 1, 2))
    strongest = np.argsort(-active)[:4]
    rows = [favorites(maps[number][..., i], **view) for i in strongest]
    plot.images(ax, np.concatenate(rows), vmin=-0.1, vmax=1)
axes[0].set_title("first layer, 3 × 3 pixels")
axes[1].set_title("second layer, 8 × 8 pixels")

# %% label="maps" alt="A sheet with one digit, and three rows of feature maps: strokes at 16 by 16, blobs at 8 by 8, a few bright squares at 4 by 4." caption="One sheet on its way through the network: eight feature maps after each convolution." tags=["remove-input"]
fig, axes = plt.subplots(4, figsize=(5, 3.6), height_ratios=(1.3, 1, 1, 1))
plot.images(axes[0], x_test[:1], vmin=-0.1, vmax=1)
for ax, number in zip(axes[1:], (0, 2, 4), strict=True):
    channels = maps[number][0].transpose(2, 0, 1)  # (filters, height, width)
    busiest = np.argsort(-channels.max(axis=(1, 2)))[:8]
    plot.images(ax, channels[busiest], cmap="viridis")

# %% [markdown]
# ## Does it matter where the digit lies?
#
# For a convolution: it does, in an orderly way. Move the image, and the response moves with it. This
# is called **equivariance**.

# %% label="equivariance" values="moved_difference"
sheet = np.zeros((1, 16, 16, 1), "float32")
sheet[0, 3:11, 2:10, 0] = images[0]
moved = np.roll(sheet, (2, 3), axis=(1, 2))  # 2 down, 3 to the right
before = np.asarray(cnn.layers[0](sheet))
after = np.asarray(cnn.layers[0](moved))
gap = np.abs(np.roll(before, (2, 3), axis=(1, 2)) - after)
moved_difference = gap[:, 3:-3, 3:-3].max()  # away from the rim
print(f"Feature map moved with the image, difference {moved_difference:.1g}")

assert np.abs(before - after).max() > 0.1
assert moved_difference < 1e-6, "A convolution moves its answer along with its input."

# %% [markdown]
# Pooling cuts its map into blocks on a fixed grid. Moved by the width of a block, the pooled map moves
# by one place. Moved by one pixel, it becomes another map.

# %% label="grid" values="pooled_gap"
pooled, by_one, by_two = (
    np.asarray(cnn.layers[1](cnn.layers[0](np.roll(sheet, shift, axis=2)))) for shift in range(3)
)
inner = (slice(None), slice(1, -1), slice(2, -1))
gap_two = np.abs(np.roll(pooled, 1, axis=2) - by_two)[inner].max()
pooled_gap = min(np.abs(np.roll(pooled, i, axis=2) - by_one)[inner].max() for i in (0, 1))
print(f"Pooled map, image moved by 2 pixels: moved by one place, difference {gap_two:.1g}")
print(f"Image moved by 1 pixel: differs from both by {pooled_gap:.2f} or more")

assert gap_two < 1e-6
assert pooled_gap > 0.1, "Behind pooling, a move by one pixel gives another map."

# %% [markdown]
# For the answer of the whole network it should not matter at all: **invariance**. Many texts say
# that convolutional networks have it. Test that: train on digits in the center only, then show them
# elsewhere.
#
# Two things could tie the answer to a place, the dense layer at the end and pooling. So we take away
# each of them alone, and both. In place of the dense layer on all places stands one maximum over all
# places (*global max pooling*), with enough padding that every window that touches the digit fits in.


# %% label="variants"
def build_without_pooling():
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for filters in (8, 16, 32):
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


def build_maximum(pooling):
    model = keras.Sequential([keras.Input((16, 16, 1))])
    model.add(keras.layers.ZeroPadding2D(17 if pooling else 6))
    for filters in (8, 16, 32):
        model.add(keras.layers.Conv2D(filters, 3, activation="relu"))
        if pooling and filters < 32:
            model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.MaxPooling2D(9 if pooling else 22))  # the maximum over all places
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


# %% values="centered_accuracy one_off_accuracy elsewhere_accuracy unpooled_elsewhere pooled_one_off pooled_elsewhere everywhere_accuracy everywhere_low everywhere_high invariant_parameters n_centered work_invariant largest_error"


def place(images, row, column):
    """Put all images at the same place on sheets of 16 × 16 pixels."""
    rim = ((0, 0), (row, 8 - row), (column, 8 - column))
    return np.pad(images, rim)[..., None]


variants = {
    ("yes", "dense"): build_cnn,
    ("no", "dense"): build_without_pooling,
    ("yes", "one maximum"): lambda: build_maximum(pooling=True),
    ("no", "one maximum"): lambda: build_maximum(pooling=False),
}
x_center, neighbors = place(images[train], 4, 4), ((3, 4), (5, 4), (4, 3), (4, 5))
n_centered = len(x_center)
center_rows = {}
for kind, build in variants.items():
    keras.utils.set_random_seed(0)
    models[kind] = model = compile(build())
    model.fit(x_center, labels[train], epochs=12, batch_size=32, verbose=0)
    at_center = model.evaluate(place(images[test], 4, 4), y_test, verbose=0)[1]
    one_off = [model.evaluate(place(images[test], *at), y_test, verbose=0)[1] for at in neighbors]
    at_random = model.evaluate(x_test, y_test, verbose=0)[1]
    center_rows[kind] = at_center, float(np.mean(one_off)), at_random
center, _, pooled_maximum, invariant = (models[kind] for kind in variants)
(
    (centered_accuracy, one_off_accuracy, elsewhere_accuracy),
    (_, _, unpooled_elsewhere),
    (_, pooled_one_off, pooled_elsewhere),
    (_, _, everywhere_accuracy),
) = center_rows.values()
largest_error = 100 * np.sqrt(0.25 / n_test)  # standard error of a share, percentage points
right = stats.binomtest(round(everywhere_accuracy * n_test), n_test)
everywhere_low, everywhere_high = right.proportion_ci(method="wilson")
invariant_parameters = invariant.count_params()
work_invariant = multiplications(invariant) / multiplications(cnn)

assert centered_accuracy > 0.9, "Trained on centered digits, the CNN reads centered digits."
assert elsewhere_accuracy < 0.4, "Trained on centered digits, the CNN fails on digits elsewhere."
assert unpooled_elsewhere < 0.4, (
    "Without pooling, the CNN fails elsewhere as well: pooling is not the reason."
)
assert pooled_one_off < 0.85
assert pooled_elsewhere < 0.7, "With pooling, a maximum over all places helps only in part."
assert everywhere_accuracy > 0.93, (
    "A CNN without pooling, but with a global maximum, reads digits wherever they lie."
)
assert everywhere_high > cnn_least
assert invariant_parameters < cnn_parameters, (
    "The network that reads digits wherever they lie has fewer parameters than the CNN."
)
assert 4 * n_centered == n_train

# %% label="ablation"
rows = [(*kind, *shares) for kind, shares in center_rows.items()]
heads = ["pooling", "end", "in the center", "one pixel off", "anywhere"]
pd.DataFrame(rows, columns=heads).style.hide().format(dict.fromkeys(heads[2:], "{:.1%}"))

# %% [markdown]
# With one maximum, pooling alone is to blame. Two poolings make blocks of four pixels: moved by four,
# a digit gives the same probabilities.


# %% values="grid_gap"
def accuracy_by_place(model):
    """Return the accuracy with 120 test digits at each place, (9, 9)."""
    table = np.zeros((9, 9))
    for row, column in np.ndindex(9, 9):
        answers = model.predict(place(images[test[:120]], row, column), verbose=0)
        table[row, column] = np.mean(answers.argmax(axis=1) == y_test[:120])
    return table


anywhere, middle, blocks, maximum = map(accuracy_by_place, (cnn, center, pooled_maximum, invariant))
on_grid = [
    pooled_maximum.predict(place(images[test], row, column), verbose=0)
    for row, column in ((4, 4), (0, 4), (8, 8))
]
grid_gap = np.ptp(on_grid, axis=0).max()

assert anywhere.min() > 0.7
assert middle.argmax() == 4 * 9 + 4  # best in the center
assert middle[[0, -1]].max() < 0.5  # digits at the upper or lower rim
assert one_off_accuracy < middle[4, 4] - 0.1
assert grid_gap < 1e-5
assert np.ptp(blocks[::4, ::4]) == 0
assert blocks[::4, ::4].min() > np.delete(blocks, [0, 4, 8], axis=0).max()
assert np.ptp(maximum) < 0.01

# %% label="places" alt="Accuracy at 9 by 9 places. Trained anywhere: high; in the center: high only there; pooling and one maximum: each fourth place; without: all." caption="Accuracy by the place of the digit on the sheet, for four networks. The first was trained on digits anywhere, the others on digits in the center." tags=["remove-input"]
tables = {
    "trained anywhere": anywhere,
    "trained in the center": middle,
    "pooling, one maximum": blocks,
    "no pooling, one maximum": maximum,
}
fig, axes = plt.subplots(2, 2, figsize=(4.4, 5))
for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
    picture = ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
fig.colorbar(picture, ax=axes, label="accuracy", location="bottom", shrink=0.6)

# %% [markdown]
# Sliding takes care of shifts, and of nothing else. Turn each test sheet by a quarter.

# %% label="turned" values="turned_accuracy"
turned = np.rot90(x_test, axes=(1, 2)).copy()
turned_accuracy = cnn.evaluate(turned, y_test, verbose=0)[1]
print(f"Turned by 90°: {turned_accuracy:.1%} right")

assert turned_accuracy < 0.5, "A CNN is not invariant to rotation."

# %% label="play" values="pictures network" tags=["remove-input"]
# For the chapter's interactive figures: pictures to slide a window over, and this network, for
# which readers draw digits.
small = grey[:, :318].reshape(71, 3, 106, 3).mean(axis=(1, 3))
pictures = {"digit 3": images[3], "digit 7": images[7], "photograph": small}

parts = []
for i, layer in enumerate(cnn.layers, start=1):
    part = {"name": f"layer {i}", "type": type(layer).__name__}
    if layer.get_weights():
        kernel, bias = layer.get_weights()
        part |= {"kernel": kernel, "bias": bias, "padding": "same"}
        part |= {"activation": "softmax" if layer is cnn.layers[-1] else "relu"}
    if part["type"] == "MaxPooling2D":
        part |= {"pool_size": 2}
    parts.append(part)

guess = maps[-1].argmax(axis=1)
misread = np.flatnonzero(guess != y_test)[:8]
shown = np.concatenate([np.arange(8), misread])
samples = {
    "pixels": x_test[shown, :, :, 0],
    "labels": y_test[shown].astype("int32"),
    "predictions": guess[shown].astype("int32"),
}
network = {"layers": parts, "input": [16, 16, 1], "samples": samples}

assert labels[[3, 7]].tolist() == [3, 7]

# %% [markdown]
# ## The same in Keras
#
# Everything above ran on labkit. From here on, `keras` is Keras itself. `build_cnn` now builds a
# Keras model; it gets the weights trained above, and every layer must give the same feature maps.

# %% label="keras" values="map_difference"
import keras

theirs = compile(build_cnn())
theirs.set_weights(cnn.get_weights())
their_maps = outputs(theirs, x_test)
pairs = zip(maps, their_maps, strict=True)
map_difference = max(np.abs(ours - other).max() for ours, other in pairs)
print(f"Largest difference in any feature map: {map_difference:.0e}")

assert map_difference < 1e-4, "labkit's and Keras's CNN agree map by map."

# %% [markdown]
# Keras has a convolution layer for each number of dimensions. With the kernels from above they give
# what the two lines of `correlate` gave.

# %% label="keras-dimensions" values="dimension_difference"
cases = (
    (keras.layers.Conv1D, sea, year),
    (keras.layers.Conv2D, grey, sobel),
    (keras.layers.Conv3D, moves_right, motion),
)
differences = []
for kind, x, kernel in cases:
    layer = kind(1, kernel.shape, use_bias=False)
    layer.build((None, *x.shape, 1))  # one channel
    layer.set_weights([kernel[..., None, None]])
    result = np.asarray(layer(x[None, ..., None].astype("float32")))
    differences.append(np.abs(result[0, ..., 0] - correlate(x, kernel)).max())
dimension_difference = max(differences)
print(f"Conv1D, Conv2D, Conv3D: largest difference {dimension_difference:.0e}")

assert dimension_difference < 1e-4, (
    "labkit's and Keras's convolutions in one dimension agree as well."
)

# %% [markdown]
# Two relatives. *Dilation* spreads the weights apart and leaves zeros between them: more is seen with
# as many weights. A *transposed convolution* goes the other way, from small to large: each number of
# its input paints the kernel into the output, and where the paintings overlap, they add up. Written
# as a matrix, it is the transpose of the matrix of the convolution.

# %% label="relatives" values="dilated_field relatives_gap"
spread = np.zeros((5, 5))
spread[::2, ::2] = sobel  # the weights two pixels apart
layer = keras.layers.Conv2D(1, 3, dilation_rate=2, use_bias=False)
dilated = run(layer, grey[..., None], sobel[:, :, None, None])[..., 0]
dilated_gap = np.abs(dilated - correlate(grey, spread)).max()

asking = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])  # the first kernel of this page
upward = keras.layers.Conv2DTranspose(1, 3, use_bias=False)
painted = run(upward, response[..., None], asking[:, :, None, None])[..., 0]  # (6, 6)
by_matrix = response.ravel() @ as_matrix(asking, (6, 6)).T
transposed_gap = np.abs(painted.ravel() - by_matrix).max()
relatives_gap = max(dilated_gap, transposed_gap)

dilated_field = spread.shape[0]
assert painted.shape == image.shape
assert relatives_gap < 1e-4

# %% [markdown]
# ## Solutions to the exercises
#
# **1.** Sixteen kernels of 5 × 5 with stride 2 on a color image of 32 × 32.

# %% label="exercise-1" tags=["solution"]
layer = keras.layers.Conv2D(16, 5, strides=2)
layer.build((None, 32, 32, 3))
side = (32 - 5) // 2 + 1
count = 5 * 5 * 3 * 16 + 16
print(f"Output {side} × {side} × 16, {count:,} parameters")

assert layer.compute_output_shape((None, 32, 32, 3)) == (None, side, side, 16)
assert layer.count_params() == count

# %% [markdown]
# **2.** SciPy's convolution.

# %% label="exercise-2" tags=["solution"]
true_convolution = signal.convolve2d(grey, sobel, mode="valid")
as_it_is = np.allclose(true_convolution, correlate(grey, sobel))
flipped = np.allclose(true_convolution, correlate(grey, sobel[::-1, ::-1]))
print(f"Equal with the kernel as it is: {as_it_is}; flipped: {flipped}")

assert flipped
assert not as_it_is
scipy_correlation = signal.correlate2d(grey, sobel, mode="valid")
assert np.allclose(scipy_correlation, correlate(grey, sobel))

# %% [markdown]
# **3.** A convolutional network on shuffled pixels.

# %% label="exercise-3" tags=["solution"] values="shuffled_accuracy"
order = np.random.default_rng(1).permutation(256)


def shuffle(sheets):
    return sheets.reshape(-1, 256)[:, order].reshape(-1, 16, 16, 1)


keras.utils.set_random_seed(0)
blind = compile(build_cnn())
blind.fit(shuffle(x_train), y_train, epochs=15, batch_size=64, verbose=0)
shuffled_accuracy = blind.evaluate(shuffle(x_test), y_test, verbose=0)[1]
print(f"In order: {cnn_least:.1%} or more, shuffled: {shuffled_accuracy:.1%}")

assert shuffled_accuracy < cnn_least - 0.2, "With shuffled pixels, the CNN loses its advantage."
assert shuffled_accuracy < same_least

# %% [markdown]
# **4.** Seeing 16 pixels without pooling: more layers, or dilated ones.

# %% label="exercise-4" tags=["solution"] values="plain_layers"
plain_layers = next(count for count in range(1, 99) if 1 + 2 * count >= 16)
print(f"{plain_layers} layers of 3 × 3 see {1 + 2 * plain_layers} pixels")


def seen_pixels(rates):
    """Count the pixels along one axis that change the middle of the last map."""
    probe = keras.Sequential([keras.Input((41, 1))])
    for rate in rates:
        probe.add(keras.layers.Conv1D(1, 3, padding="same", dilation_rate=rate))
    probe.set_weights([np.ones_like(weights) for weights in probe.get_weights()])
    maps = np.asarray(probe(np.eye(41, dtype="float32")[:, :, None]))  # (41, 41, 1)
    return int(np.sum(maps[:, 20, 0] > maps[:, 20, 0].min()))


print(f"dilated by 1, 2, 4 and 8: four layers see {seen_pixels((1, 2, 4, 8))}")

assert seen_pixels([1] * plain_layers) == 1 + 2 * plain_layers
assert seen_pixels((1, 2, 4, 8)) == 1 + 2 * (1 + 2 + 4 + 8)

# %% [markdown]
# **5.** A kernel learned from pictures and what it made of them.

# %% label="exercise-5" tags=["solution"] values="learned_error"
noise = np.random.default_rng(0).normal(size=(8, 20, 20))
answers = np.stack([correlate(picture, sobel) for picture in noise])  # (8, 18, 18)
keras.utils.set_random_seed(0)
pupil = keras.Sequential([keras.Input((20, 20, 1)), keras.layers.Conv2D(1, 3, use_bias=False)])
pupil.compile(keras.optimizers.SGD(0.2), "mean_squared_error")
pupil.fit(noise[..., None], answers[..., None], batch_size=8, epochs=60, verbose=0)
learned = pupil.get_weights()[0][:, :, 0, 0]
learned_error = np.abs(learned - sobel).max()
print(np.round(learned, 3) + 0.0)

assert learned_error < 1e-3, "Training finds Sobel's kernel from pictures and its answers."

# %%
plt.show()
