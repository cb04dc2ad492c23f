# %% [markdown]
# # A network that reads digits
#
# This script goes the whole way once: from scanned digits to a network that has been trained,
# tested and asked about an image it has never seen. Then it makes the task harder, and looks
# inside a deeper network to see what each of its layers contributes.
#
# The chapter [What deep learning is](../foundations/deep-learning.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

import labkit as keras
from labkit import datasets, plot

plot.set_theme()

# %% [markdown]
# ## What the computer gets
#
# An image is a table of numbers. Each of these counts the inked dots in one small block of a
# scan, from 0 (blank paper) to 16 (all ink).

# %% label="numbers" alt="Left: a handwritten zero as a grid of 8 by 8 cells with the ink count printed in each cell; the counts are large along the stroke and 0 elsewhere. Right: forty small images of digits by different hands." caption="One image as the computer gets it, and the first forty of the collection." values="samples pixels"
digits = datasets.load_digits()
images = (digits.images / 16).astype("float32")  # (samples, 8, 8), now from 0 to 1
labels = digits.target  # (samples,)
samples, pixels = len(images), images[0].size

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8), width_ratios=(1, 1.5))
plot.matrix(left, digits.images[0], fmt=".0f", cmap="gray_r", limits=(0, 16))
left.set(aspect="equal", xticks=[], yticks=[])
plot.images(right, images[:40], columns=8)

assert images.shape == (1797, 8, 8)

# %% [markdown]
# ## A rule made by hand
#
# Before any learning by a network: average the training images of each digit, and call a new
# image by the average that it is nearest to. To try a rule honestly, some images must be held
# back. Three parts, each with the same mix of digits: one to **train** on, one to **validate**
# choices with, and one to **test** the final result, once.

# %% label="split" values="n_train n_validation n_test"
rest, test = train_test_split(
    np.arange(samples), test_size=0.2, stratify=labels, random_state=0
)
train, validation = train_test_split(
    rest, test_size=0.25, stratify=labels[rest], random_state=0
)
parts = {"train": train, "validation": validation, "test": test}
n_train, n_validation, n_test = map(len, parts.values())

x = images.reshape(samples, pixels)  # each image as one row of 64 numbers
x_train, y_train = x[train], labels[train]
x_validation, y_validation = x[validation], labels[validation]
x_test, y_test = x[test], labels[test]

assert len({*train, *validation, *test}) == samples  # no image is in two parts
pd.DataFrame({name: np.bincount(labels[part]) for name, part in parts.items()}).T

# %% label="average" alt="Ten blurred grey images: the average zero to the average nine of the training set, each still recognisable." caption="The average training image of each digit." values="average_accuracy"
averages = np.array([x_train[y_train == digit].mean(axis=0) for digit in range(10)])
distances = np.linalg.norm(x_test[:, None] - averages, axis=-1)  # (images, 10)
average_accuracy = np.mean(distances.argmin(axis=1) == y_test)
print(f"Nearest average image: {average_accuracy:.1%} of the test images are right.")

fig, ax = plt.subplots(figsize=(7.2, 0.8))
plot.images(ax, averages.reshape(10, 8, 8), columns=10)

assert 0.85 < average_accuracy < 0.94

# %% [markdown]
# ## The network
#
# Two layers. The first turns 64 pixels into a few new numbers, the second turns those into ten
# probabilities, one per digit.


# %% label="build"
def build(units):
    return keras.Sequential(
        [
            keras.Input((64,)),
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


# %% [markdown]
# How many units should the hidden layer have? That is a choice, so the validation set makes it.

# %% label="choose" values="units parameters"
scores, models, histories = {}, {}, {}
for units in (2, 8, 64):
    keras.utils.set_random_seed(0)
    model = compile(build(units))
    history = model.fit(
        x_train,
        y_train,
        epochs=20,
        batch_size=32,
        validation_data=(x_validation, y_validation),
        verbose=0,
    )
    scores[units] = history.history["val_accuracy"][-1]
    models[units], histories[units] = model, history.history
    print(f"{units:2d} hidden units: {scores[units]:.1%} right on the validation set")

units = max(scores, key=scores.get)
model, history = models[units], histories[units]
parameters = model.count_params()

assert scores[2] + 0.1 < scores[8] < scores[64]
assert parameters == (64 * units + units) + (units * 10 + 10) == 4810

# %% label="training" alt="Two panels against the epoch. Left: the loss falls steeply and then flattens, the training loss ending below the validation loss. Right: the accuracy rises to nearly 1 on the training set and a little less on the validation set." caption="Training, epoch by epoch. An epoch is one pass over the training images." values="epochs train_accuracy validation_accuracy"
epochs = len(history["loss"])
train_accuracy, validation_accuracy = history["accuracy"][-1], history["val_accuracy"][-1]

fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.8))
for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
    plot.curves(ax, history, [name])

assert train_accuracy > validation_accuracy > 0.94

# %% [markdown]
# ## Test, once
#
# The test images have played no part so far. With $n$ of them and a share $p$ right, the standard
# error of that share is $\sqrt{p(1-p)/n}$: differences much smaller than that are noise.

# %% label="test" values="accuracy standard_error wrong"
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
standard_error = (accuracy * (1 - accuracy) / n_test) ** 0.5
wrong = round((1 - accuracy) * n_test)
print(
    f"Test accuracy {accuracy:.1%} ± {standard_error:.1%}; {wrong} of {n_test} images wrong."
)

assert 0.94 < accuracy < 0.99

# %% label="predict" values="new_label new_guess new_probability"
new = x_test[:1]  # (1, 64): a batch of one image
probabilities = model.predict(new, verbose=0)[0]  # (10,)
new_label, new_guess = y_test[0], probabilities.argmax()
new_probability = probabilities.max()
print(
    f"This image shows a {new_label}. The network says {new_guess}, with {new_probability:.1%}."
)

assert abs(probabilities.sum() - 1) < 1e-5

# %% [markdown]
# ## Layer by layer
#
# What the network makes of an image: 64 pixels, then 64 hidden activations, then 10
# probabilities. The layers are ordinary functions of arrays, so they can be called one by one.

# %% label="layers" alt="Three rows, one for a 0, a 4 and a 7. In each: the image, the hidden layer's 64 outputs as a bar per unit, about half of them zero, and the ten output probabilities with one tall bar at the right digit." caption="Three test images on their way through the network." values="active_share"
hidden_layer, output_layer = model.layers
hidden = np.asarray(hidden_layer(x_test))  # (images, 64)
output = np.asarray(output_layer(hidden))  # (images, 10)
active_share = np.mean(hidden > 0)

fig, axes = plt.subplots(3, 3, figsize=(7.2, 4.2), width_ratios=(1, 3, 2))
for (image, middle, last), digit in zip(axes, (0, 4, 7), strict=True):
    index = np.flatnonzero(y_test == digit)[0]
    plot.images(image, x_test[[index]].reshape(1, 8, 8))
    middle.bar(range(units), hidden[index], color=plot.COLORS["blue"])
    last.bar(range(10), output[index], color=plot.COLORS["orange"])
    last.set(xticks=range(10), ylim=(0, 1))
axes[0, 0].set_title("input")
axes[0, 1].set_title("hidden layer")
axes[0, 2].set_title("output")
axes[2, 1].set_xlabel("unit")
axes[2, 2].set_xlabel("digit")

np.testing.assert_allclose(output, model.predict(x_test, verbose=0), atol=1e-5)
assert 0.3 < active_share < 0.9

# %% label="mistakes" alt="Eight test images that the network gets wrong, most of them hard to read, each with what it is, what the network said and with which probability." caption="The mistakes that the network is most sure of." values="sure_mistakes"
guess = output.argmax(axis=1)
mistakes = np.flatnonzero(guess != y_test)
mistakes = mistakes[np.argsort(-output[mistakes].max(axis=1))]
sure_mistakes = np.sum(output[mistakes].max(axis=1) > 0.9)

fig, ax = plt.subplots(figsize=(7.2, 1.4))
shown = mistakes[:8]
titles = [f"{y_test[index]}, not {guess[index]}" for index in shown]
plot.images(ax, x_test[shown].reshape(-1, 8, 8), titles, columns=8)

assert len(mistakes) == wrong

# %% [markdown]
# ## Is the hidden layer worth it?
#
# Leave it out, and what remains is ten weighted sums of pixels: a *shallow* model.

# %% label="shallow" values="shallow_accuracy shallow_parameters neighbour_accuracy"
keras.utils.set_random_seed(0)
shallow = compile(
    keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
)
shallow.fit(x_train, y_train, epochs=100, batch_size=32, verbose=0)
shallow_accuracy = shallow.evaluate(x_test, y_test, verbose=0)[1]
shallow_parameters = shallow.count_params()
neighbour = KNeighborsClassifier(n_neighbors=1).fit(x_train, y_train)
neighbour_accuracy = neighbour.score(x_test, y_test)

assert 0.94 < shallow_accuracy < 0.99
assert neighbour_accuracy > 0.97
pd.DataFrame(
    {
        "model": [
            "nearest average",
            "no hidden layer",
            f"{units} hidden units",
            "nearest image",
        ],
        "numbers kept": [averages.size, shallow_parameters, parameters, x_train.size],
        "right on the test set": [
            f"{share:.1%}"
            for share in (average_accuracy, shallow_accuracy, accuracy, neighbour_accuracy)
        ],
    }
).set_index("model")

# %% [markdown]
# On these neat images a shallow model does as well. So make the task a little less neat: move
# every test image one pixel to the right.

# %% label="nudge" values="nudged_accuracy nudged_neighbour ink_lost"
nudged = np.pad(images[test], ((0, 0), (0, 0), (1, 0)))[:, :, :8]  # (images, 8, 8)
ink_lost = 1 - nudged.sum() / images[test].sum()
nudged_accuracy = model.evaluate(nudged.reshape(-1, 64), y_test, verbose=0)[1]
nudged_neighbour = neighbour.score(nudged.reshape(-1, 64), y_test)
print(
    f"Moved by one pixel: {nudged_accuracy:.1%} right, nearest image {nudged_neighbour:.1%}."
)

assert ink_lost < 0.03
assert nudged_accuracy < 0.65

# %% [markdown]
# ## A harder task: digits anywhere
#
# From now on each digit lies at a random place on a sheet of 16 × 16 pixels. Four sheets are made
# of each training image; a validation or test image appears once.


# %% label="sheets" alt="Twelve sheets of 16 by 16 pixels, each with one small digit at a different place." caption="The harder task: the same digits, anywhere on a larger sheet." values="n_sheets"
def scatter(images, rng, size=16):
    """Put each 8 × 8 image at a random place on a sheet of its own."""
    sheets = np.zeros((len(images), size, size, 1), "float32")
    places = rng.integers(0, size - 8, (len(images), 2), endpoint=True)
    for sheet, image, (row, column) in zip(sheets, images, places, strict=True):
        sheet[row : row + 8, column : column + 8, 0] = image
    return sheets


rng = np.random.default_rng(0)
s_train, t_train = scatter(np.repeat(images[train], 4, axis=0), rng), np.repeat(y_train, 4)
s_validation, s_test = scatter(images[validation], rng), scatter(images[test], rng)
n_sheets = len(s_train)

fig, ax = plt.subplots(figsize=(7.2, 1))
plot.images(ax, s_test[:8], columns=8, limits=(-0.1, 1))  # paper a little grey

# %% [markdown]
# Three ways to read them. First, as before, a shallow model on the raw pixels. Second, a feature
# made by hand: find the ink, cut it out, then use the shallow model. Third, a deeper network that
# gets the raw pixels and must find its own features.


# %% label="hand" values="raw_accuracy cut_accuracy"
def cut(sheets):
    """Find the ink's first row and column and cut out the 8 × 8 pixels from there."""
    images = np.zeros((len(sheets), 8, 8), "float32")
    for image, sheet in zip(images, sheets[..., 0], strict=True):
        row, column = (np.flatnonzero((sheet > 0).any(axis=axis))[0] for axis in (1, 0))
        patch = sheet[row : row + 8, column : column + 8]
        image[: patch.shape[0], : patch.shape[1]] = patch
    return images.reshape(-1, 64)


def linear_accuracy(train_features, test_features):
    """Train logistic regression on some features, and test it on others."""
    flat = [
        features.reshape(len(features), -1) for features in (train_features, test_features)
    ]
    model = LogisticRegression(max_iter=2000).fit(flat[0], t_train)
    return model.score(flat[1], y_test)


raw_accuracy = linear_accuracy(s_train, s_test)
cut_accuracy = linear_accuracy(cut(s_train), cut(s_test))
print(
    f"Shallow model: {raw_accuracy:.1%} on raw pixels, {cut_accuracy:.1%} on cut-out digits."
)

assert raw_accuracy < 0.35
assert cut_accuracy > 0.9

# %% [markdown]
# The deeper network repeats one pattern three times: a layer of small filters that slide over the
# image (`Conv2D`), and a layer that keeps the strongest response of each 2 × 2 block
# (`MaxPooling2D`). The chapter on [convolutional networks](../architectures/cnn.md) takes them
# apart.


# %% label="deep" values="deep_accuracy deep_parameters"
def build_deep():
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


keras.utils.set_random_seed(0)
deep = compile(build_deep())
deep.fit(
    s_train,
    t_train,
    epochs=15,
    batch_size=64,
    validation_data=(s_validation, y_validation),
    verbose=0,
)
deep_accuracy = deep.evaluate(s_test, y_test, verbose=0)[1]
deep_parameters = deep.count_params()
print(f"Deep network on raw pixels: {deep_accuracy:.1%} of {n_test} test sheets right.")

assert 0.85 < deep_accuracy < 0.98

# %% [markdown]
# The hand-made feature is as good, as long as its assumption holds. Put one grey speck somewhere
# on each test sheet.

# %% label="speck" values="speck_cut_accuracy speck_deep_accuracy"
specked = s_test.copy()
places = rng.integers(0, 16, (n_test, 2))
specked[np.arange(n_test), *places.T] = 0.5
speck_cut_accuracy = linear_accuracy(cut(s_train), cut(specked))
speck_deep_accuracy = deep.evaluate(specked, y_test, verbose=0)[1]
print(
    f"With a speck: cut-out digits {speck_cut_accuracy:.1%}, network {speck_deep_accuracy:.1%}."
)

assert speck_cut_accuracy < 0.7
assert speck_deep_accuracy > deep_accuracy - 0.08

# %% [markdown]
# ## What each layer contributes
#
# Stop the trained network after each stage, and ask how well a *linear* model can read the digit
# from what has arrived there. Such a model is called a probe. The network itself stays as it is.


# %% label="probes" alt="A line that rises from the pixels through the three convolution stages and then levels off, with the untrained network's line below it." caption="How well a linear model reads the digit from each stage of the network, trained and untrained." values="probe_pixels probe_1 probe_2 probe_3 random_3"
def stages(model, sheets):
    """Return the input and what leaves each of the three pooling layers."""
    values = [sheets]
    for layer in model.layers[:6]:
        sheets = np.asarray(layer(sheets))
        values.append(sheets)
    return values[::2]


def probe(model):
    return [
        linear_accuracy(*pair)
        for pair in zip(stages(model, s_train), stages(model, s_test), strict=True)
    ]


keras.utils.set_random_seed(1)
untrained = probe(build_deep())
probe_pixels, probe_1, probe_2, probe_3 = trained = probe(deep)
random_3 = untrained[-1]

fig, ax = plt.subplots(figsize=(7.2, 3.2))
names = ["pixels", "after\nstage 1", "after\nstage 2", "after\nstage 3"]
ax.plot(names, trained, "o-", label="trained network")
ax.plot(names, untrained, "s--", label="same network, untrained")
ax.set(ylabel="probe's test accuracy", ylim=(0, 1))
ax.legend(loc="lower right")

assert probe_pixels + 0.2 < probe_1
assert probe_1 + 0.1 < probe_2
assert probe_2 < probe_3 + 0.02
assert random_3 < probe_3 - 0.2

# %% [markdown]
# The same in a picture. Each sheet is many numbers; draw it as one point, in the two directions
# that separate the digits best (found on the training sheets by linear discriminant analysis).

# %% label="spread" alt="Two clouds of small numerals, one numeral per test sheet. Left, from the pixels: all ten digits lie mixed together. Right, from the last stage of the network: equal digits lie together, and most groups are apart." caption="The 360 test sheets as points: by their pixels, and by what leaves stage 3."
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.6))
pairs = list(zip(stages(deep, s_train), stages(deep, s_test), strict=True))
for ax, pair, title in zip(axes, (pairs[0], pairs[-1]), ("pixels", "stage 3"), strict=True):
    known, unknown = (values.reshape(len(values), -1) for values in pair)
    lens = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(known, t_train)
    points = lens.transform(unknown)[:, :2]  # (images, 2)
    for digit, color in zip(range(10), [*plot.COLORS.values()] * 2, strict=False):
        across, up = points[y_test == digit].T
        ax.scatter(across, up, s=28, marker=f"${digit}$", color=color, lw=0)
    ax.set(title=title, xticks=[], yticks=[])

# %% [markdown]
# ## The same in Keras
#
# Everything above ran on labkit, a small library in NumPy with Keras's names. From here on, `keras`
# is Keras itself. `build` now builds Keras models; they get the weights trained above, and must
# give the same answers.

# %% label="twin"
ours = compile(build(units))  # the last labkit model: not trained yet

# %% label="keras" values="difference deep_difference"
import keras

theirs = compile(build(units))
theirs.set_weights(model.get_weights())
difference = np.abs(theirs.predict(x_test, verbose=0) - output).max()

deep_theirs = compile(build_deep())
deep_theirs.set_weights(deep.get_weights())
deep_difference = np.abs(
    deep_theirs.predict(s_test, verbose=0) - deep.predict(s_test, verbose=0)
).max()
print(
    f"Largest difference between two probabilities: {max(difference, deep_difference):.0e}"
)

assert difference < 1e-5
assert deep_difference < 1e-5

# %% [markdown]
# Training agrees too: from the same weights, with the batches in the same order, both take the same
# steps.

# %% label="keras-steps" values="steps weight_change weight_difference"
start = ours.get_weights()
theirs.set_weights(start)
for either in (ours, theirs):
    either.fit(x_train, y_train, epochs=3, batch_size=32, shuffle=False, verbose=0)
steps = 3 * -(-n_train // 32)
weight_change = np.mean(np.abs(ours.get_weights()[0] - start[0]))
weight_difference = np.mean(np.abs(ours.get_weights()[0] - theirs.get_weights()[0]))
print(
    f"After {steps} steps a weight has moved by {weight_change:.3f} on average; "
    f"the two libraries differ by {weight_difference:.0e}."
)

assert weight_change > 0.03
assert weight_difference < 1e-4

# %% [markdown]
# And from its own random start, with its own random order of the images, Keras ends at the same
# accuracy, give or take a few images.

# %% label="keras-training" values="keras_accuracy"
keras.utils.set_random_seed(0)
theirs = compile(build(units))
theirs.fit(x_train, y_train, epochs=20, batch_size=32, verbose=0)
keras_accuracy = theirs.evaluate(x_test, y_test, verbose=0)[1]
print(f"Keras, trained from scratch: {keras_accuracy:.1%}; labkit: {accuracy:.1%}")

assert abs(keras_accuracy - accuracy) < 3 * standard_error

# %% [markdown]
# ## Solutions to the exercises

# %% label="exercise-1" tags=["solution"] values="deeper_parameters"
deeper = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
deeper_parameters = (64 * 32 + 32) + (32 * 16 + 16) + (16 * 10 + 10)
print(deeper_parameters)

assert deeper.count_params() == deeper_parameters

# %% label="exercise-2" tags=["solution"] values="shuffled_difference"
order = np.random.default_rng(0).permutation(64)
shuffled = build(units)
kernel, *others = model.get_weights()
shuffled.set_weights([kernel[order], *others])  # row i of the kernel belongs to pixel i
shuffled_difference = np.abs(shuffled.predict(x_test[:, order], verbose=0) - output).max()
print(f"Largest difference between two probabilities: {shuffled_difference:.0e}")

assert shuffled_difference < 1e-5

# %% label="exercise-3" tags=["solution"] values="few_accuracy some_accuracy"
learned = {}
for count in (50, 200, 800):
    keras.utils.set_random_seed(0)
    student = compile(build(units))
    student.fit(x_train[:count], y_train[:count], epochs=20, batch_size=32, verbose=0)
    learned[count] = student.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{count} images: {learned[count]:.1%} right on the test set")
few_accuracy, some_accuracy, _ = learned.values()

assert learned[50] + 0.05 < learned[200] < learned[800]

# %% label="exercise-4" tags=["solution"] values="mixed_accuracy block_accuracy"
from sklearn.model_selection import KFold, cross_val_score

classifier = LogisticRegression(max_iter=2000)
mixed = KFold(5, shuffle=True, random_state=0)
blocks = KFold(5)  # five runs of neighbours in the file
mixed_accuracy = cross_val_score(classifier, x, labels, cv=mixed).mean()
block_accuracy = cross_val_score(classifier, x, labels, cv=blocks).mean()
print(f"Test images drawn from everywhere: {mixed_accuracy:.1%}")
print(f"Test images next to each other in the file: {block_accuracy:.1%}")

assert mixed_accuracy - block_accuracy > 0.02

# %% label="exercise-5" tags=["solution"] values="accepted accepted_accuracy"
sure = output.max(axis=1) > 0.95
accepted = sure.mean()
accepted_accuracy = np.mean(guess[sure] == y_test[sure])
print(f"Answered: {accepted:.0%}. Of these, right: {accepted_accuracy:.1%}")

assert accepted > 0.7
assert accepted_accuracy > accuracy

plt.show()
