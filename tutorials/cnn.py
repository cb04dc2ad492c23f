# %% [markdown]
# # Convolutional networks
#
# A small window slides over an image and asks the same question everywhere. This script does that
# by hand, then with a photograph, then in one, two and three dimensions. Then it trains a network
# of such windows on digits that may lie anywhere, and asks whether it really does not matter where.
#
# The chapter [Convolutional networks](../architectures/cnn.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
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
    """Slide the kernel along every axis of x; return the weighted sum at each place."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape)
    return np.tensordot(windows, kernel, axes=kernel.ndim)


# %% label="window" alt="Three tables of numbers. The input, 6 by 6, holds 0 in its left half and 9 in its right half; one window of 3 by 3 is framed. The kernel, 3 by 3, has the columns −1, 0 and 1. The output, 4 by 4, is 27 in its two middle columns and 0 outside; the cell that belongs to the framed window is framed too." caption="The kernel at one place: three times 9 minus three times 0 is 27. It answers where the image grows brighter from left to right, and nowhere else."
image = np.zeros((6, 6))
image[:, 3:] = 9
kernel = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
response = correlate(image, kernel)  # (4, 4)

fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), width_ratios=(6, 3, 4))
tables = {
    "input": (image, "Greys_r"),
    "kernel": (kernel, "RdBu"),
    "output": (response, "RdBu"),
}
for ax, (title, (values, cmap)) in zip(axes, tables.items(), strict=True):
    limits = (-6, 12) if title == "input" else None
    plot.matrix(ax, values, fmt=".0f", cmap=cmap, limits=limits)
    ax.set(title=title, aspect="equal", anchor="N", xticks=[], yticks=[])
frame = {"fill": False, "edgecolor": plot.COLORS["orange"], "linewidth": 3}
axes[0].add_patch(plt.Rectangle((0.5, 0.5), 3, 3, **frame))
axes[2].add_patch(plt.Rectangle((0.5, 0.5), 1, 1, **frame))

assert response.tolist() == [[0, 27, 27, 0]] * 4

# %% [markdown]
# A `Conv2D` layer does the same, with many kernels at once. Its arrays have the shapes (images,
# height, width, channels) and (kernel height, kernel width, channels in, channels out).

# %% label="layer"
layer = keras.layers.Conv2D(1, 3, use_bias=False)
layer.build((None, 6, 6, 1))
layer.set_weights([kernel[:, :, None, None]])
from_layer = np.asarray(layer(image[None, :, :, None].astype("float32")))  # (1, 4, 4, 1)

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
# One averages its window, one subtracts left from right, one subtracts top from bottom. Sums of two
# differences that lean on the centre are called Sobel kernels.

# %% label="edges" alt="Four versions of a photograph of a Chinese temple with a many-storeyed roof. As it is; blurred; with the upright edges of posts and walls bright; with the level edges of roofs and beams bright." caption="One photograph, three kernels: blurred; upright edges; level edges (strength of the response). Photograph: [China](https://www.flickr.com/photos/danielbuechele/6061409035/) by danielbuechele, [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)." values="photo_height photo_width"
pixels = datasets.load_photographs()["china"].pixels / 255  # (height, width, 3)
grey = pixels.mean(axis=-1)[:426].reshape(213, 2, 320, 2).mean(axis=(1, 3))  # half the size
photo_height, photo_width = grey.shape

sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
kernels = [np.full((7, 7), 1 / 49), sobel, sobel.T]
blurred, upright, level = (np.abs(correlate(grey, kernel)) for kernel in kernels)

fig, axes = plt.subplots(2, 2, figsize=(7.2, 4.9))
views = {
    "photograph": grey,
    "blur": blurred,
    "upright edges": upright,
    "level edges": level,
}
for ax, (title, view) in zip(axes.flat, views.items(), strict=True):
    ax.imshow(view, vmin=0, vmax=np.quantile(view, 0.995))
    ax.set_title(title)
    ax.set_axis_off()

wall = np.repeat([[0.0, 1.0]], 8, axis=0).repeat(4, axis=1)  # (8, 8): an upright edge
assert np.abs(correlate(wall, sobel)).max() == 4
assert np.abs(correlate(wall, sobel.T)).max() == 0

# %% [markdown]
# ## One, two, three dimensions
#
# `correlate` never asked how many axes there are. A time series has one, a film has three. (Colour
# is no axis to slide along: a kernel for colour images has weights for all channels at once.)

# %% label="dimensions" alt="Left: monthly sea temperatures swing up and down every year; a smooth line through them, the mean of twelve months, shows slow rises and falls, highest in 1983 and 1998. Right: the response to a dot that moves right is 3 in every frame, and to one that moves left 1." caption="One dimension: the sea off Peru by month, and a kernel of twelve equal weights (data: NOAA). Three dimensions: a kernel for motion to the right, on two short films of a moving dot." values="response_right response_left warmest_year"
years, months = datasets.load_elnino()
sea = months.ravel()  # one number per month, °C
smooth = correlate(sea, np.full(12, 1 / 12))
time = years[0] + np.arange(sea.size) / 12
warmest_year = int(time[5 + smooth.argmax()])

film_right = np.zeros((8, 5, 12))  # (frames, height, width)
film_right[np.arange(8), 2, np.arange(2, 10)] = 1  # a dot that moves right
film_left = film_right[:, :, ::-1]
motion = np.zeros((3, 3, 3))
motion[[0, 1, 2], 1, [0, 1, 2]] = 1  # each frame one pixel further to the right
seen_right, seen_left = (
    correlate(film, motion).max(axis=(1, 2)) for film in (film_right, film_left)
)
response_right, response_left = seen_right.max(), seen_left.max()

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8), width_ratios=(3, 2))
chosen = time >= 1975
left.plot(time[chosen], sea[chosen], "-", color=plot.COLORS["grey"], lw=0.7)
left.plot(
    time[5:-6][chosen[5:-6]], smooth[chosen[5:-6]], color=plot.COLORS["orange"], lw=2.5
)
left.set(title="1-D", ylabel="°C")
right.plot(seen_right, "o-", label="dot moves right")
right.plot(seen_left, "s--", label="dot moves left")
right.set(title="3-D", xlabel="frame", ylabel="strongest response", ylim=(0, 4.5))
right.legend()

assert response_right == 3
assert response_left == 1
assert warmest_year in (1982, 1983, 1997, 1998)

# %% [markdown]
# ## Sizes
#
# With $n$ pixels along an axis, $k$ weights in the kernel, $p$ pixels of zero padding on both sides
# together and steps of $s$ pixels (the stride), the output has $\lfloor (n + p - k) / s \rfloor + 1$
# places along that axis. The real layers agree.

# %% label="sizes"
rows = []
for n, k, s, padding in (
    (28, 3, 1, "valid"),
    (28, 3, 1, "same"),
    (28, 5, 2, "valid"),
    (28, 5, 2, "same"),
    (27, 4, 3, "same"),
):
    p = 0 if padding == "valid" else max((-(-n // s) - 1) * s + k - n, 0)
    layer = keras.layers.Conv2D(1, k, strides=s, padding=padding)
    size = layer.compute_output_shape((None, n, n, 1))[1]
    rows.append((n, k, s, padding, p, (n + p - k) // s + 1, size))
    assert rows[-1][-2] == size
names = ["n", "kernel k", "stride s", "padding", "p", "formula", "layer"]
pd.DataFrame(rows, columns=names).set_index("n")

# %% [markdown]
# ## The task: digits anywhere
#
# Sheets of 16 × 16 pixels, each with one digit at a random place. Four sheets are made of each
# training image; a validation or test image appears once.


# %% label="sheets" values="n_train n_test"
def scatter(images, rng, size=16):
    """Put each 8 × 8 image at a random place on a sheet of its own."""
    sheets = np.zeros((len(images), size, size, 1), "float32")
    places = rng.integers(0, size - 8, (len(images), 2), endpoint=True)
    for sheet, image, (row, column) in zip(sheets, images, places, strict=True):
        sheet[row : row + 8, column : column + 8, 0] = image
    return sheets


digits = datasets.load_digits()
images, labels = (digits.images / 16).astype("float32"), digits.target
rest, test = train_test_split(
    np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=0
)
train, validation = train_test_split(
    rest, test_size=0.25, stratify=labels[rest], random_state=0
)

rng = np.random.default_rng(0)
x_train, y_train = (
    scatter(np.repeat(images[train], 4, axis=0), rng),
    np.repeat(labels[train], 4),
)
x_validation, y_validation = scatter(images[validation], rng), labels[validation]
x_test, y_test = scatter(images[test], rng), labels[test]
n_train, n_test = len(x_train), len(x_test)

# %% [markdown]
# ## A convolutional network and two dense ones
#
# The first dense network has about as many parameters as the convolutional one; the second has many
# more.


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


def build_dense(units):
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def compile(model):
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.003),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


# %% label="race" alt="Validation accuracy against the epoch for three networks. The convolutional network climbs above 0.9; the large dense network levels off lower; the small dense network lower still." caption="Three networks learn to read digits anywhere on the sheet." values="cnn_parameters same_parameters large_parameters cnn_accuracy same_accuracy large_accuracy large_train_accuracy"
contestants = {
    "convolutional": build_cnn,
    "dense, same size": lambda: build_dense(27),
    "dense, large": lambda: build_dense(128),
}
models, rows = {}, {}
fig, ax = plt.subplots(figsize=(7.2, 3.2))
for (name, build), marker in zip(contestants.items(), plot.MARKERS, strict=False):
    keras.utils.set_random_seed(0)
    models[name] = model = compile(build())
    history = model.fit(
        x_train,
        y_train,
        epochs=15,
        batch_size=64,
        validation_data=(x_validation, y_validation),
        verbose=0,
    ).history
    rows[name] = (
        model.count_params(),
        model.evaluate(x_train, y_train, verbose=0)[1],
        model.evaluate(x_test, y_test, verbose=0)[1],
    )
    ax.plot(range(1, 16), history["val_accuracy"], marker=marker, label=name)
ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
ax.legend(loc="lower right")

cnn = models["convolutional"]
cnn_parameters, _, cnn_accuracy = rows["convolutional"]
same_parameters, _, same_accuracy = rows["dense, same size"]
large_parameters, large_train_accuracy, large_accuracy = rows["dense, large"]

assert abs(same_parameters / cnn_parameters - 1) < 0.01
assert cnn_accuracy > 0.85
assert cnn_accuracy > same_accuracy + 0.2
assert cnn_accuracy > large_accuracy + 0.05

# %% label="table"
table = pd.DataFrame(rows, index=["parameters", "right, training", "right, test"]).T
print(
    f"Test accuracy: convolutional {cnn_accuracy:.1%}, dense of the same size {same_accuracy:.1%}."
)
table.style.format(
    {"parameters": "{:,.0f}", "right, training": "{:.1%}", "right, test": "{:.1%}"}
)

# %% [markdown]
# ## What the filters have become
#
# Nobody told the network to look for edges. These are the kernels of its first layer, and for some
# filters of the first and the second layer the patches of test sheets that excite them most.

# %% label="filters" alt="Eight grids of 3 by 3 weights. Several are positive on one side and negative on the other, in different directions." caption="The eight kernels of the first layer: blue is positive, red negative."
weights = cnn.layers[0].get_weights()[0]  # (3, 3, 1, 8)

fig, ax = plt.subplots(figsize=(7.2, 1.1))
most = np.abs(weights).max()
plot.images(
    ax, weights[:, :, 0].transpose(2, 0, 1), columns=8, cmap="RdBu", limits=(-most, most)
)


# %% label="patches" alt="Two blocks of image patches, one row per filter. In the first layer's rows all patches are alike, a stroke's edge in one direction. In the second layer's rows the patches are larger, and show bends, ends and crossings of strokes." caption="For four filters of the first layer (left) and four of the second (right): the patches, from eight different sheets, that excite the filter most."
def outputs(model, x):
    """Return what leaves each layer."""
    values = []
    for layer in model.layers:
        x = np.asarray(layer(x))
        values.append(x)
    return values


def favourites(maps, channel, before, size, stride):
    """Cut out the part of a sheet that each of the eight highest responses comes from."""
    best = np.argsort(-maps[..., channel].max(axis=(1, 2)))[:8]  # one place per sheet
    patches = []
    for index in best:
        row, column = np.unravel_index(maps[index, ..., channel].argmax(), maps.shape[1:3])
        sheet = np.pad(x_test[index, :, :, 0], size)
        top, left = (size + stride * place - before for place in (row, column))
        patches.append(sheet[top : top + size, left : left + size])
    return patches


maps = outputs(cnn, x_test)
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.2))
for ax, stage, before, size, stride in ((axes[0], 0, 1, 3, 1), (axes[1], 2, 3, 8, 2)):
    strongest = np.argsort(-maps[stage].mean(axis=(0, 1, 2)))[:4]
    rows = [favourites(maps[stage], channel, before, size, stride) for channel in strongest]
    plot.images(ax, np.concatenate(rows), columns=8, limits=(-0.1, 1))
axes[0].set_title("first layer, 3 × 3 pixels")
axes[1].set_title("second layer, 8 × 8 pixels")

# %% label="maps" alt="A sheet with one digit, and below it three rows of feature maps. In the first row, 16 by 16, strokes of the digit are still visible; in the second, 8 by 8, only blobs; in the third, 4 by 4, a few bright squares." caption="One sheet on its way through the network: eight feature maps after each convolution."
fig, axes = plt.subplots(4, 1, figsize=(7.2, 4.4), height_ratios=(1.3, 1, 1, 1))
plot.images(axes[0], x_test[:1], columns=1, limits=(-0.1, 1))
for ax, stage in zip(axes[1:], (0, 2, 4), strict=True):
    busiest = np.argsort(-maps[stage][0].max(axis=(0, 1)))[:8]
    plot.images(
        ax, maps[stage][0][..., busiest].transpose(2, 0, 1), columns=8, cmap="viridis"
    )

# %% [markdown]
# ## Does it matter where the digit lies?
#
# For a convolution: it does, in an orderly way. Move the image, and the response moves with it. This
# is called **equivariance**.

# %% label="equivariance" values="moved_difference"
convolution = cnn.layers[0]
sheet = np.zeros((1, 16, 16, 1), "float32")
sheet[0, 3:11, 2:10, 0] = images[0]
moved = np.roll(sheet, (2, 3), axis=(1, 2))  # 2 down, 3 to the right
response, moved_response = np.asarray(convolution(sheet)), np.asarray(convolution(moved))
moved_difference = np.abs(np.roll(response, (2, 3), axis=(1, 2)) - moved_response)[
    :, 2:-2, 2:-2
].max()
print(f"Largest difference after moving back: {moved_difference:.0e}")

assert moved_difference < 1e-6

# %% [markdown]
# For the answer of the whole network it should not matter at all: **invariance**. Many texts say
# that convolutional networks have it. Test that: train on digits in the centre only, then show them
# elsewhere. Beside it, a network built for it: padding all around, no pooling on the way, and one
# maximum over all places at the end.


# %% label="invariant" values="centred_accuracy elsewhere_accuracy everywhere_accuracy invariant_parameters"
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


centre_train, centre_test = (
    np.pad(images[part], ((0, 0), (4, 4), (4, 4)))[..., None] for part in (train, test)
)
for name, build in (
    ("trained in the centre", build_cnn),
    ("one maximum at the end", build_invariant),
):
    keras.utils.set_random_seed(0)
    models[name] = model = compile(build())
    model.fit(centre_train, labels[train], epochs=20, batch_size=32, verbose=0)
centre, invariant = models["trained in the centre"], models["one maximum at the end"]
centred_accuracy = centre.evaluate(centre_test, y_test, verbose=0)[1]
elsewhere_accuracy = centre.evaluate(x_test, y_test, verbose=0)[1]
everywhere_accuracy = invariant.evaluate(x_test, y_test, verbose=0)[1]
invariant_parameters = invariant.count_params()
print(
    f"Trained in the centre: {centred_accuracy:.1%} right there, {elsewhere_accuracy:.1%} elsewhere."
)
print(
    f"With one maximum at the end, also trained in the centre: {everywhere_accuracy:.1%} elsewhere."
)

assert centred_accuracy > 0.9
assert elsewhere_accuracy < 0.4
assert everywhere_accuracy > 0.93

# %% label="places" alt="Three maps of 9 by 9 places on the sheet, shaded by accuracy. Trained on digits anywhere: shaded fully everywhere, a little less at the rim. Trained in the centre: a small dark spot in the middle, nearly nothing around it. With one maximum at the end: the same dark shade everywhere." caption="Accuracy by the place of the digit on the sheet, for three networks. The first was trained on digits anywhere, the other two on digits in the centre." values="one_off_accuracy"
shown = images[test][:120]


def accuracy_by_place(model):
    table = np.zeros((9, 9))
    for row, column in np.ndindex(9, 9):
        sheets = np.pad(shown, ((0, 0), (row, 8 - row), (column, 8 - column)))[..., None]
        guess = np.asarray(model.predict(sheets, verbose=0)).argmax(axis=1)
        table[row, column] = np.mean(guess == y_test[:120])
    return table


fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.6))
titles = ("trained anywhere", "trained in the centre", "one maximum at the end")
by_place = {
    title: accuracy_by_place(m)
    for title, m in zip(titles, (cnn, centre, invariant), strict=True)
}
for ax, (title, table) in zip(axes, by_place.items(), strict=True):
    picture = ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
    ax.set_title(f"{title}\nmean {table.mean():.0%}")
    ax.set(xticks=[], yticks=[])
fig.colorbar(picture, ax=axes, label="accuracy")
by_centre = by_place["trained in the centre"]
one_off_accuracy = np.mean(
    [by_centre[3, 4], by_centre[5, 4], by_centre[4, 3], by_centre[4, 5]]
)

assert by_place["trained anywhere"].min() > 0.7
assert one_off_accuracy < by_centre[4, 4] - 0.1
assert np.ptp(by_place["one maximum at the end"]) < 0.01

# %% [markdown]
# Sliding takes care of shifts, and of nothing else. Turn each test sheet by a quarter.

# %% label="turned" values="turned_accuracy"
turned = np.rot90(x_test, axes=(1, 2)).copy()
turned_accuracy = cnn.evaluate(turned, y_test, verbose=0)[1]
print(f"Turned by 90°: {turned_accuracy:.1%} right.")

assert turned_accuracy < 0.5

# %% [markdown]
# ## The same in Keras
#
# Everything above ran on labkit. From here on, `keras` is Keras itself. `build_cnn` now builds a
# Keras model; it gets the weights trained above, and every layer must give the same feature maps.

# %% label="keras" values="map_difference"
import keras

theirs = compile(build_cnn())
theirs.set_weights(cnn.get_weights())
map_difference = max(
    np.abs(mine - other).max()
    for mine, other in zip(maps, outputs(theirs, x_test), strict=True)
)
print(f"Largest difference in any feature map: {map_difference:.0e}")

assert map_difference < 1e-4

# %% [markdown]
# Keras has a convolution layer for each number of dimensions. With the kernels from above they give
# what the three lines of `correlate` gave.

# %% label="keras-dimensions" values="dimension_difference"
cases = (
    (keras.layers.Conv1D, sea, np.full(12, 1 / 12)),
    (keras.layers.Conv2D, grey, sobel),
    (keras.layers.Conv3D, film_right, motion),
)
differences = []
for kind, x, kernel in cases:
    layer = kind(1, kernel.shape, use_bias=False)
    layer.build((None, *x.shape, 1))  # one channel
    layer.set_weights([kernel[..., None, None]])
    result = np.asarray(layer(x[None, ..., None].astype("float32")))[0, ..., 0]
    differences.append(np.abs(result - correlate(x, kernel)).max())
dimension_difference = max(differences)
print(f"Largest difference: {dimension_difference:.0e}")

assert dimension_difference < 1e-4

# %% [markdown]
# From its own random start, Keras ends at a similar accuracy.

# %% label="keras-training" values="keras_accuracy"
keras.utils.set_random_seed(0)
theirs = compile(build_cnn())
theirs.fit(x_train, y_train, epochs=15, batch_size=64, verbose=0)
keras_accuracy = theirs.evaluate(x_test, y_test, verbose=0)[1]
print(f"Keras, trained from scratch: {keras_accuracy:.1%}; labkit: {cnn_accuracy:.1%}")

assert abs(keras_accuracy - cnn_accuracy) < 0.06

# %% [markdown]
# ## Solutions to the exercises

# %% label="exercise-1" tags=["solution"]
layer = keras.layers.Conv2D(16, 5, strides=2)
layer.build((None, 32, 32, 3))
side = (32 + 0 - 5) // 2 + 1
count = 5 * 5 * 3 * 16 + 16
print(f"Output {side} × {side} × 16, {count:,} parameters")

assert layer.compute_output_shape((None, 32, 32, 3)) == (None, side, side, 16)
assert layer.count_params() == count

# %% label="exercise-2" tags=["solution"]
from scipy import signal

true_convolution = signal.convolve2d(grey, sobel, mode="valid")
flipped = sobel[::-1, ::-1]
print(
    f"convolve2d flips the kernel: {np.allclose(true_convolution, correlate(grey, flipped))}"
)

assert np.allclose(true_convolution, correlate(grey, flipped))
assert not np.allclose(true_convolution, correlate(grey, sobel))
assert np.allclose(signal.correlate2d(grey, sobel, mode="valid"), correlate(grey, sobel))

# %% label="exercise-3" tags=["solution"] values="shuffled_accuracy"
order = np.random.default_rng(1).permutation(256)


def shuffle(sheets):
    return sheets.reshape(-1, 256)[:, order].reshape(-1, 16, 16, 1)


keras.utils.set_random_seed(0)
blind = compile(build_cnn())
blind.fit(shuffle(x_train), y_train, epochs=15, batch_size=64, verbose=0)
shuffled_accuracy = blind.evaluate(shuffle(x_test), y_test, verbose=0)[1]
print(f"Shuffled pixels: {shuffled_accuracy:.1%} (in order: {keras_accuracy:.1%})")

assert shuffled_accuracy < keras_accuracy - 0.2

# %% label="exercise-4" tags=["solution"] values="field_1 field_2 field_3"
probe = build_cnn()  # all weights 1: then no ReLU can hide an influence
probe.set_weights([np.ones_like(weights) for weights in probe.get_weights()])
pixels = np.eye(256, dtype="float32").reshape(
    256, 16, 16, 1
)  # each sheet: one bright pixel
fields = []
for stage in (0, 2, 4):
    maps = outputs(probe, pixels)[stage]
    middle = maps.shape[1] // 2
    influence = maps[:, middle, middle, 0]
    fields.append(int(np.sum(influence > influence.min())))
field_1, field_2, field_3 = fields
print(f"Pixels that one output can see: {field_1}, {field_2}, {field_3} (of 256)")

assert fields[:2] == [3 * 3, 8 * 8]

plt.show()
