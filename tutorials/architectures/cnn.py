# %% [markdown]
# # Convolutional networks
#
# A small window slides over an image and asks the same question everywhere. Here by hand, on a
# photograph, in one, two and three dimensions; then in a network that reads digits anywhere. Does it
# really not matter where they lie?
#
# The chapter [Convolutional networks](../../architectures/cnn.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import signal
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
# A `Conv2D` layer does the same, with many kernels at once. Its arrays have the shapes (images,
# height, width, channels) and (kernel height, kernel width, channels in, channels out).

# %% label="layer"
layer = keras.layers.Conv2D(1, 3, use_bias=False)
layer.build((None, 6, 6, 1))
layer.set_weights([kernel[:, :, None, None]])
batch = image[None, :, :, None].astype("float32")  # (1, 6, 6, 1)
from_layer = np.asarray(layer(batch))  # (1, 4, 4, 1)

np.testing.assert_allclose(from_layer[0, :, :, 0], response, atol=1e-5)

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

assert conv_weights == 3 * 3 * 1 * 8 + 8
assert dense_weights == 256 * 2048 + 2048

# %% [markdown]
# ## Three kernels on a photograph
#
# One averages its window, one subtracts left from right, one subtracts top from bottom. The last two
# give the middle row or column more weight; they are known as Sobel kernels.

# %%
photograph = datasets.load_photographs()["china"] / 255
grey = photograph[:426].mean(axis=-1)  # (426, 640)
grey = grey.reshape(213, 2, 320, 2).mean(axis=(1, 3))  # half the size

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
# With $n$ pixels along an axis, $k$ weights in the kernel, $p$ pixels of zero padding on both sides
# together and steps of $s$ pixels (the stride), the output has $\lfloor (n + p - k) / s \rfloor + 1$
# places along that axis. With `padding="same"`, $p$ is what it takes for $n / s$ places, rounded up.

# %% label="sizes"
cases = [(28, 3, 1, "valid", 0), (28, 3, 1, "same", 2), (28, 5, 2, "valid", 0)]
cases += [(28, 5, 2, "same", 3), (27, 4, 3, "same", 1)]
table = pd.DataFrame(cases, columns=["n", "k", "s", "padding", "p"])
table["formula"] = (table.n + table.p - table.k) // table.s + 1
table["layer"] = [
    keras.layers.Conv2D(1, k, s, padding).compute_output_shape((None, n, n, 1))[1]
    for n, k, s, padding, _ in cases
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


# %% values="cnn_parameters same_parameters large_parameters cnn_accuracy same_accuracy large_accuracy large_train_accuracy"
contestants = {
    "convolutional": build_cnn,
    "dense, same size": lambda: build_dense(27),
    "dense, large": lambda: build_dense(128),
}
models, rows, curves = {}, {}, {}
for name, build in contestants.items():
    keras.utils.set_random_seed(0)
    models[name] = model = compile(build())
    how = {"epochs": 15, "batch_size": 64, "verbose": 0}
    history = model.fit(x_train, y_train, validation_data=validation_data, **how)
    curves[name] = history.history["val_accuracy"]
    train_accuracy = model.evaluate(x_train, y_train, verbose=0)[1]
    test_accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    rows[name] = model.count_params(), train_accuracy, test_accuracy

cnn = models["convolutional"]
cnn_parameters, _, cnn_accuracy = rows["convolutional"]
same_parameters, _, same_accuracy = rows["dense, same size"]
large_parameters, large_train_accuracy, large_accuracy = rows["dense, large"]
print(f"Test accuracy: convolutional {cnn_accuracy:.1%},")
print(f"dense, same size {same_accuracy:.1%}, large {large_accuracy:.1%}")

assert abs(same_parameters / cnn_parameters - 1) < 0.01
assert cnn_accuracy > 0.85
assert cnn_accuracy > same_accuracy + 0.2
assert cnn_accuracy > large_accuracy + 0.05
ends = [curve[-1] for curve in curves.values()]
assert ends[0] > ends[2] > ends[1]
assert large_train_accuracy > 0.95

# %% label="race" alt="Validation accuracy by epoch: the convolutional network ends highest, then the large dense one, then the small one." caption="Three networks learn to read digits anywhere on the sheet." tags=["remove-input"]
fig, ax = plt.subplots()
for (name, curve), marker in zip(curves.items(), plot.MARKERS, strict=False):
    ax.plot(range(1, 16), curve, marker=marker, label=name)
ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
ax.legend(loc="lower right")

# %% label="table"
names = ["parameters", "right, training", "right, test"]
formats = dict(zip(names, ("{:,.0f}", "{:.1%}", "{:.1%}"), strict=True))
pd.DataFrame(rows, index=names).T.style.format(formats)

# %% [markdown]
# ## What the filters have become
#
# Nobody told the network to look for edges. These are the kernels of its first layer.

# %% label="filters" alt="Eight grids of 3 by 3 weights. Several are positive on one side and negative on the other, in different directions." caption="The eight kernels of the first layer: blue is positive, red negative." tags=["remove-input"]
weights = cnn.layers[0].get_weights()[0]  # (3, 3, 1, 8)
most = np.abs(weights).max()

fig, ax = plt.subplots(figsize=(5, 0.75))
kernels = weights[:, :, 0].transpose(2, 0, 1)  # (8, 3, 3)
plot.images(ax, kernels, cmap="RdBu", vmin=-most, vmax=most)

# %% [markdown]
# And what excites some filters of the first and the second layer most. A number of the first layer
# sees 3 × 3 pixels. One of the second sees 8 × 8: its window lies on pooled maps.


# %%
def outputs(model, x):
    """Return what leaves each layer."""
    values = []
    for layer in model.layers:
        x = np.asarray(layer(x))
        values.append(x)
    return values


maps = outputs(cnn, x_test)  # per layer: (sheets, height, width, filters)


# %% label="patches" alt="Image patches, a row per filter. First layer: solid ink, strokes, edges. Second layer: larger, with bends, loops and crossings." caption="For four filters of each layer: the patches, from eight sheets, that excite the filter most." tags=["remove-input"]
def favourites(maps, before, size, stride):
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
    rows = [favourites(maps[number][..., i], **view) for i in strongest]
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
assert moved_difference < 1e-6

# %% [markdown]
# For the answer of the whole network it should not matter at all: **invariance**. Many texts say
# that convolutional networks have it. Test that: train on digits in the centre only, then show them
# elsewhere. Beside it, a network built for it: padding all around, no pooling on the way, and one
# maximum over all places at the end.


# %% label="invariant" values="centred_accuracy elsewhere_accuracy everywhere_accuracy invariant_parameters n_centred"
def build_invariant():
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.ZeroPadding2D(6),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),  # (22, 22, 32)
            keras.layers.MaxPooling2D(22),  # the maximum over all places
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def place(images, row, column):
    """Put all images at the same place on sheets of 16 × 16 pixels."""
    rim = ((0, 0), (row, 8 - row), (column, 8 - column))
    return np.pad(images, rim)[..., None]


for name, build in (("centre", build_cnn), ("invariant", build_invariant)):
    keras.utils.set_random_seed(0)
    models[name] = model = compile(build())
    x_centre = place(images[train], 4, 4)
    model.fit(x_centre, labels[train], epochs=12, batch_size=32, verbose=0)
n_centred = len(x_centre)
centre, invariant = models["centre"], models["invariant"]
invariant_parameters = invariant.count_params()

x_middle = place(images[test], 4, 4)
centred_accuracy = centre.evaluate(x_middle, y_test, verbose=0)[1]
elsewhere_accuracy = centre.evaluate(x_test, y_test, verbose=0)[1]
everywhere_accuracy = invariant.evaluate(x_test, y_test, verbose=0)[1]
print("Trained on digits in the centre; test accuracy")
print(f"same network, in the centre: {centred_accuracy:.1%}")
print(f"same network, anywhere: {elsewhere_accuracy:.1%}")
print(f"one maximum at the end, anywhere: {everywhere_accuracy:.1%}")

assert centred_accuracy > 0.9
assert elsewhere_accuracy < 0.4
assert everywhere_accuracy > 0.93
assert everywhere_accuracy > cnn_accuracy - 0.02
assert invariant_parameters < cnn_parameters
assert 4 * n_centred == n_train


# %% values="one_off_accuracy"
def accuracy_by_place(model):
    """Return the accuracy with 120 test digits at each place, (9, 9)."""
    table = np.zeros((9, 9))
    for row, column in np.ndindex(9, 9):
        answers = model.predict(place(images[test[:120]], row, column), verbose=0)
        table[row, column] = np.mean(answers.argmax(axis=1) == y_test[:120])
    return table


anywhere, middle, maximum = map(accuracy_by_place, (cnn, centre, invariant))
one_off_accuracy = middle[[3, 5, 4, 4], [4, 4, 3, 5]].mean()


assert anywhere.min() > 0.7
assert middle.argmax() == 4 * 9 + 4  # best in the centre
assert middle[[0, -1]].max() < 0.5  # digits at the upper or lower rim
assert one_off_accuracy < middle[4, 4] - 0.1
assert np.ptp(maximum) < 0.01

# %% label="places" alt="Accuracy at 9 by 9 places. Trained anywhere: high everywhere; in the centre: high only there; one maximum: equal everywhere." caption="Accuracy by the place of the digit on the sheet, for three networks. The first was trained on digits anywhere, the other two on digits in the centre." tags=["remove-input"]
tables = {
    "trained\nanywhere": anywhere,
    "trained in\nthe centre": middle,
    "one maximum\nat the end": maximum,
}
fig, axes = plt.subplots(1, 3, figsize=(5, 2.9))
for ax, (title, table) in zip(axes, tables.items(), strict=True):
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

assert turned_accuracy < 0.5

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

assert map_difference < 1e-4

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

assert dimension_difference < 1e-4

# %% [markdown]
# From its own random start, Keras ends at a similar accuracy.

# %% label="keras-training" values="keras_accuracy"
keras.utils.set_random_seed(0)
theirs = compile(build_cnn())
theirs.fit(x_train, y_train, epochs=15, batch_size=64, verbose=0)
keras_accuracy = theirs.evaluate(x_test, y_test, verbose=0)[1]
print(f"From scratch: Keras {keras_accuracy:.1%}, labkit {cnn_accuracy:.1%}")

assert abs(keras_accuracy - cnn_accuracy) < 0.08

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
print(f"In order: {keras_accuracy:.1%}, shuffled: {shuffled_accuracy:.1%}")

assert shuffled_accuracy < keras_accuracy - 0.2
assert shuffled_accuracy < same_accuracy

# %% [markdown]
# **4.** What one number of a feature map can see.

# %% label="exercise-4" tags=["solution"] values="field_1 field_2 field_3"
probe = build_cnn()
ones = [np.ones_like(weights) for weights in probe.get_weights()]
probe.set_weights(ones)  # then no ReLU can hide an influence
sheets = np.eye(256).reshape(256, 16, 16, 1)  # one bright pixel each
fields = []
for maps in outputs(probe, sheets.astype("float32"))[:5:2]:
    middle = maps.shape[1] // 2
    influence = maps[:, middle, middle, 0]  # one number per bright pixel
    fields.append(int(np.sum(influence > influence.min())))
field_1, field_2, field_3 = fields
print(f"Pixels seen: {field_1}, {field_2}, {field_3} of 256")

assert field_1 == 3 * 3
assert field_2 == 8 * 8
assert field_2 < field_3 < 256

plt.show()
