# %% [markdown]
# # A network that reads digits
#
# From scanned digits to a network that reads them. It is trained, tested, and asked about an image
# it has never seen. Then a harder task, and what each layer of a deeper network contributes.
#
# The chapter [What deep learning is](../../foundations/deep-learning.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier

import labkit as keras
from labkit import datasets, plot

plot.set_theme()

# %% [markdown]
# ## What the computer gets
#
# An image is a table of numbers. Each of these counts the inked dots in one small block of a
# scan, from 0 (blank paper) to 16 (all ink).

# %% values="samples pixels"
digits = datasets.load_digits()
images = (digits.images / 16).astype("float32")  # (samples, 8, 8), 0 to 1
labels = digits.target  # (samples,)
samples, pixels = len(images), images[0].size

assert images.shape == (1797, 8, 8)

# %% label="numbers" alt="A handwritten zero as 8 by 8 ink counts, large along the stroke and 0 elsewhere; beside it, forty digits by different hands." caption="One image as the computer gets it, and the first forty of the collection." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8), width_ratios=(1, 1.5))
counts = digits.images[0]  # (8, 8)
plot.matrix(axes[0], counts, fmt=".0f", cmap="gray_r", vmin=0, vmax=16)
axes[0].set(aspect="equal", xticks=[], yticks=[])
plot.images(axes[1], images[:40])

# %% [markdown]
# ## Three parts
#
# To judge a rule honestly, some images must be held back. Three parts, each with the same mix of
# digits: one to **train** on, one to **validate** choices with, and one to **test** the result.


# %% label="split" values="n_train n_validation n_test"
def split(parts, classes, share):
    """Split at random, with the same mix of classes on both sides."""
    return train_test_split(parts, test_size=share, stratify=classes, random_state=0)


rest, test = split(np.arange(samples), labels, 0.2)
train, validation = split(rest, labels[rest], 0.25)
n_train, n_validation, n_test = len(train), len(validation), len(test)

x = images.reshape(samples, pixels)  # each image as one row of 64 numbers
x_train, y_train = x[train], labels[train]
x_validation, y_validation = x[validation], labels[validation]
x_test, y_test = x[test], labels[test]

assert len({*train, *validation, *test}) == samples  # no image is in two
print(f"{n_train} images to train on, {n_validation} to validate, {n_test} to test")

# %% [markdown]
# ## The simplest rule that learns
#
# Average the training images of each digit. Call a new image by the average nearest to it.

# %% values="average_accuracy"
averages = np.array([x_train[y_train == k].mean(axis=0) for k in range(10)])
distances = np.linalg.norm(x_test[:, None] - averages, axis=-1)  # (images, 10)
average_accuracy = np.mean(distances.argmin(axis=1) == y_test)
print(f"Nearest average: {average_accuracy:.1%} of the test images right")

assert 0.85 < average_accuracy < 0.94, (
    "The nearest of ten average digits names some nine of ten images."
)

# %% label="average" alt="Ten blurred grey images: the average zero to the average nine of the training set, each still recognisable." caption="The average training image of each digit." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 0.7))
plot.images(ax, averages.reshape(10, 8, 8), columns=10)

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
    how = {"epochs": 20, "batch_size": 32, "verbose": 0}
    check = x_validation, y_validation
    history = model.fit(x_train, y_train, validation_data=check, **how).history
    models[units], histories[units] = model, history
    scores[units] = history["val_accuracy"][-1]
    print(f"{units:2d} hidden units: {scores[units]:.1%} of the validation set")

units = max(scores, key=scores.get)
model, history = models[units], histories[units]
parameters = model.count_params()

assert scores[2] + 0.1 < scores[8] < scores[64]
assert parameters == (pixels * units + units) + (units * 10 + 10)

# %% values="epochs batch_size train_accuracy validation_accuracy"
batch_size, epochs = how["batch_size"], len(history["loss"])
train_accuracy = history["accuracy"][-1]
validation_accuracy = history["val_accuracy"][-1]

assert history["val_loss"][0] < history["loss"][0]
assert history["val_accuracy"][0] > history["accuracy"][0]
assert history["val_loss"][-1] > history["loss"][-1]
assert train_accuracy > validation_accuracy > 0.94, (
    "In the end the network does better on images it has seen."
)

# %% label="training" alt="The training loss falls, then flattens, ending below the validation loss; the training accuracy ends near 1, a little above validation." caption="Training, epoch by epoch. Names that begin with `val_` belong to the validation set." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8))
plot.curves(axes[0], history, ["loss"])
plot.curves(axes[1], history, ["accuracy"])

# %% [markdown]
# ## Test, once
#
# The test images have played no part in these choices. Differences below the standard error may
# well be chance.

# %% label="test" values="accuracy standard_error wrong"
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
standard_error = (accuracy * (1 - accuracy) / n_test) ** 0.5
wrong = round((1 - accuracy) * n_test)
print(f"Test accuracy {accuracy:.1%} ± {standard_error:.1%}")
print(f"{wrong} of {n_test} images wrong")

assert 0.94 < accuracy < 0.99, "One hidden layer reads 94 to 99 percent of unseen neat digits."

# %% label="predict" values="new_guess new_probability"
new = x_test[:1]  # (1, 64): a batch of one image
probabilities = model.predict(new, verbose=0)[0]  # (10,)
new_guess, new_probability = probabilities.argmax(), probabilities.max()
print(f"The label says {y_test[0]}.")
print(f"The network says {new_guess}, with probability {new_probability:.3f}.")

# %% [markdown]
# ## Layer by layer
#
# 64 pixels, then 64 hidden numbers, then 10 probabilities. Layers are functions of arrays, and can
# be called one by one.

# %% values="active_share"
hidden_layer, output_layer = model.layers
hidden = np.asarray(hidden_layer(x_test))  # (images, 64)
output = np.asarray(output_layer(hidden))  # (images, 10)
active_share = np.mean(hidden > 0)

predicted = model.predict(x_test, verbose=0)
np.testing.assert_allclose(output, predicted, atol=1e-5)
assert 0.3 < active_share < 0.9

# %% label="layers" alt="For a 0, a 4 and a 7: the image, the hidden outputs as bars, many of them zero, and ten probabilities with one tall bar." caption="Three test images on their way through the network." tags=["remove-input"]
fig, axes = plt.subplots(3, 3, figsize=(5, 4.2), width_ratios=(1, 2.4, 2.4))
for row, digit in zip(axes, (0, 4, 7), strict=True):
    index = np.flatnonzero(y_test == digit)[0]
    assert output[index].argmax() == digit
    plot.images(row[0], images[test[[index]]]).set_anchor("N")
    row[1].bar(range(units), hidden[index], color=plot.COLORS["blue"])
    row[2].bar(range(10), output[index], color=plot.COLORS["orange"])
    row[2].set(xticks=range(10), ylim=(0, 1))
for ax, title in zip(axes[0], ("input", "hidden layer", "output"), strict=True):
    ax.set_title(title)
axes[2, 1].set_xlabel("unit")
axes[2, 2].set_xlabel("digit")

# %% values="sure_mistakes"
guess, sureness = output.argmax(axis=1), output.max(axis=1)
mistakes = np.flatnonzero(guess != y_test)
mistakes = mistakes[np.argsort(-sureness[mistakes])]
sure_mistakes = np.sum(sureness[mistakes] > 0.9)

assert len(mistakes) == wrong
assert sure_mistakes > 0

# %% label="mistakes" alt="Images that the network gets wrong, some hard to read, each with the digit that it is and the digit that was said." caption="The mistakes that the network is most sure of: what it is, and what the network said." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
titles = [f"{y_test[i]}, not {guess[i]}" for i in mistakes[:8]]
plot.images(ax, images[test[mistakes[:8]]], titles, columns=4)

# %% [markdown]
# The network has no way to say *this is no digit*. Give it images of pure noise.

# %% label="noise" values="noise_sure"
noise = np.random.default_rng(0).random((1000, 64)).astype("float32")
answers = model.predict(noise, verbose=0)
noise_sure = np.mean(answers.max(axis=1) > 0.9)
print(f"More than 90% sure of a digit: {noise_sure:.0%} of the noise images")

assert noise_sure > 0.1, "On pure noise the network is often as sure as on digits."

# %% [markdown]
# ## Is the hidden layer worth it?
#
# Leave it out, and what remains is ten weighted sums of pixels: a *shallow* model, known as logistic
# regression. To compare them on more than 360 images, test each of the 1,797 once: five times,
# four fifths of the images train and the other fifth is tested, and all this with five different
# splits. (No choice depends on it.)


# %% label="shallow" values="splits network_least network_most shallow_least shallow_most neighbor_least neighbor_most p_shallow_least p_shallow_most p_neighbor gain"
def answers(known, new, seed):
    """Train each model on the known images; return its answers for the new ones."""
    keras.utils.set_random_seed(seed)
    network = compile(build(units))
    network.fit(x[known], labels[known], epochs=20, batch_size=32, verbose=0)
    means = np.array([x[known][labels[known] == k].mean(axis=0) for k in range(10)])
    return {
        "nearest average": np.linalg.norm(x[new][:, None] - means, axis=-1).argmin(axis=1),
        "no hidden layer": LogisticRegression(max_iter=2000)
        .fit(x[known], labels[known])
        .predict(x[new]),
        f"{units} hidden units": network.predict(x[new], verbose=0).argmax(axis=1),
        "nearest image": KNeighborsClassifier(1).fit(x[known], labels[known]).predict(x[new]),
    }


def test_each_once(seed):
    """Return which of the images each model gets right, trained without it."""
    right = pd.DataFrame(index=range(samples))
    parts = StratifiedKFold(5, shuffle=True, random_state=seed)
    for known, new in parts.split(x, labels):
        for name, said in answers(known, new, seed).items():
            right.loc[new, name] = said == labels[new]
    return right.astype(bool)


def exact_test(one, other):
    """McNemar's exact test: does one err alone as often as the other does?"""
    alone = [np.sum(one & ~other), np.sum(other & ~one)]
    return float(binomtest(alone[0], sum(alone)).pvalue)


splits = 5
rounds = [test_each_once(seed) for seed in range(splits)]
errors = pd.DataFrame([(~right).sum() for right in rounds])  # (splits, models)
ours = f"{units} hidden units"
(_, shallow_least, network_least, neighbor_least) = errors.min()
(_, shallow_most, network_most, neighbor_most) = errors.max()
p_shallow = [exact_test(right[ours], right["no hidden layer"]) for right in rounds]
p_shallow_least, p_shallow_most = min(p_shallow), max(p_shallow)
p_neighbor = max(exact_test(right[ours], right["nearest image"]) for right in rounds)
gain = float(100 * (errors["no hidden layer"] - errors[ours]).mean() / samples)
print("network against no hidden layer: p =", ", ".join(f"{p:.4f}" for p in p_shallow))
print(f"network against nearest image: p = {p_neighbor:.0e} at most")

assert -0.3 < gain < 1.5, (
    "On neat digits, a hidden layer gains less than 1.5 percentage points over none."
)
assert p_neighbor < 0.02, "On neat digits, the nearest training image beats the network."
assert (errors["nearest image"] < errors[ours]).all()
shallow_parameters = 64 * 10 + 10
kept = [averages.size, shallow_parameters, parameters, samples * 4 // 5 * pixels]
table = pd.DataFrame({"numbers kept": kept, "wrong": errors.mean()}, index=errors.columns)
table["right"] = 1 - table["wrong"] / samples
table.style.format({"numbers kept": "{:,.0f}", "wrong": "{:.0f}", "right": "{:.1%}"})

# %% [markdown]
# On these neat images a shallow model does nearly as well. So make the task a little less neat:
# move every test image one pixel to the right.

# %% label="nudge" values="nudged_accuracy nudged_neighbor ink_lost"
nudged = np.pad(images[test], ((0, 0), (0, 0), (1, 0)))[:, :, :8]
ink_lost = 1 - nudged.sum() / images[test].sum()
nudged = nudged.reshape(-1, 64)
nudged_accuracy = model.evaluate(nudged, y_test, verbose=0)[1]
neighbor = KNeighborsClassifier(1).fit(x_train, y_train)
nudged_neighbor = neighbor.score(nudged, y_test)
print("Test images moved by one pixel")
print(f"{units} hidden units: {nudged_accuracy:.1%} right")
print(f"nearest training image: {nudged_neighbor:.1%} right")

assert ink_lost < 0.01
assert nudged_accuracy < 0.65, (
    "Moved by one pixel, more than a third of the test images are misread by the network."
)
assert nudged_neighbor < 0.75, (
    "Moved by one pixel, more than a quarter are misread by the nearest image."
)

# %% [markdown]
# ## A harder task: digits anywhere
#
# From now on each digit lies at a random place on a sheet of 16 × 16 pixels. Four sheets are made
# of each training image, one of each test image.


# %% values="n_sheets"
def scatter(images, rng):
    """Put each 8 × 8 image at a random place on a sheet of its own."""
    sheets = np.zeros((len(images), 16, 16, 1), "float32")
    places = rng.integers(0, 9, (len(images), 2))
    for i, (row, column) in enumerate(places):
        sheets[i, row : row + 8, column : column + 8, 0] = images[i]
    return sheets


rng = np.random.default_rng(0)
s_train = scatter(np.repeat(images[train], 4, axis=0), rng)
t_train = np.repeat(y_train, 4)
s_test = scatter(images[test], rng)
n_sheets = len(s_train)

# %% label="sheets" alt="Eight grey sheets of 16 by 16 pixels, each with one small digit at a different place." caption="The harder task: the same digits, anywhere on a larger sheet." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 0.7))
plot.images(ax, s_test[:8], vmin=-0.1, vmax=1)  # paper a little grey

# %% [markdown]
# Three ways to read them: a shallow model on the raw pixels; a feature made by hand (find the ink,
# cut it out) below the same model; and a deeper network that must find its own features.


# %% label="hand" values="raw_accuracy cut_accuracy"
def cut(sheets, faint=0.0):
    """Find the first row and column with more than faint ink; cut out 8 × 8 pixels from there."""
    patches = np.zeros((len(sheets), 8, 8), "float32")
    for patch, sheet in zip(patches, sheets[..., 0], strict=True):
        row = (sheet.sum(axis=1) > faint).argmax()
        column = (sheet.sum(axis=0) > faint).argmax()
        piece = sheet[row : row + 8, column : column + 8]
        patch[: piece.shape[0], : piece.shape[1]] = piece
    return patches


def shallow_score(train_features, test_features):
    """Train logistic regression on some features, test it on others."""
    model = LogisticRegression(max_iter=2000)
    model.fit(train_features.reshape(len(train_features), -1), t_train)
    return model.score(test_features.reshape(len(test_features), -1), y_test)


raw_accuracy = shallow_score(s_train, s_test)
cut_accuracy = shallow_score(cut(s_train), cut(s_test))
print(f"Shallow model on raw pixels: {raw_accuracy:.1%} right")
print(f"Shallow model on cut-out digits: {cut_accuracy:.1%} right")

assert raw_accuracy < 0.35, "On digits anywhere on a sheet, a shallow model of raw pixels fails."
assert cut_accuracy > 0.9, "Once a rule has cut the digit out, the shallow model reads nine of ten."

# %% [markdown]
# The deeper network repeats one pattern three times: small filters that slide over the image
# (`Conv2D`), and the strongest response of each 2 × 2 block (`MaxPooling2D`). The chapter on
# [convolutional networks](../../architectures/cnn.md) takes them apart.


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
deep.fit(s_train, t_train, epochs=15, batch_size=64, verbose=0)
deep_accuracy = deep.evaluate(s_test, y_test, verbose=0)[1]
deep_parameters = deep.count_params()
print(f"Deep network on raw pixels: {deep_accuracy:.1%} right")

assert 0.85 < deep_accuracy < 0.98, "A deep network reads about nine of ten from raw pixels."
assert abs(deep_accuracy - cut_accuracy) < 0.04

# %% [markdown]
# The hand-made feature is about as good, as long as its assumption holds. Put one grey speck on
# each test sheet, or a scratch of three grey pixels, and train nothing again. A better rule ignores
# rows and columns with less ink than a speck has.


# %% label="dirt" values="speck_cut speck_careful speck_deep scratch_cut scratch_careful scratch_deep"
def scratch(sheets, length, rng):
    """Draw a grey line across or down, of some length in pixels, on each sheet."""
    scratched = sheets.copy()
    for sheet in scratched[..., 0]:
        view = sheet if rng.random() < 0.5 else sheet.T
        row, column = rng.integers(0, 16), rng.integers(0, 17 - length)
        view[row, column : column + length] = 0.5
    return scratched


trials = {"clean": s_test} | {
    name: scratch(s_test, length, np.random.default_rng(1))
    for name, length in (("speck", 1), ("scratch", 3))
}
rules = {"cut-out": cut, "careful cut-out": lambda sheets: cut(sheets, faint=0.75)}
table = pd.DataFrame(
    {
        rule: [shallow_score(find(s_train), find(sheets)) for sheets in trials.values()]
        for rule, find in rules.items()
    }
    | {"network": [deep.evaluate(t, y_test, verbose=0)[1] for t in trials.values()]},
    index=list(trials),
)
speck_cut, speck_careful, speck_deep = table.loc["speck"]
scratch_cut, scratch_careful, scratch_deep = table.loc["scratch"]

assert speck_cut < 0.7, "One faint speck on the sheet defeats the simple rule for cutting out."
assert speck_careful > 0.9, "A rule with a threshold withstands the speck."
assert speck_deep > deep_accuracy - 0.05, "The deep network withstands the speck."
assert scratch_careful < 0.8, "A scratch defeats the careful rule, too."
assert scratch_deep > scratch_careful + 0.05, (
    "Under a scratch the deep network does better than the careful rule."
)
table.style.format("{:.1%}")

# %% [markdown]
# ## What each layer contributes
#
# Stop the trained network after each stage, and ask how well a *linear* model, a probe, can read
# the digit from what has arrived there.


# %% label="stages" values="probe_pixels probe_1 probe_2 probe_3 random_1 random_2 random_3 starts"
def stages(model, sheets):
    """Return the sheets and what leaves each of the three pooling layers."""
    values = [sheets]
    for layer in model.layers[:6]:
        sheets = np.asarray(layer(sheets))
        values.append(sheets)
    return values[::2]


def probes(model):
    """Return the score of a shallow model after each stage."""
    pairs = zip(stages(model, s_train), stages(model, s_test), strict=True)
    return [shallow_score(*pair) for pair in pairs]


starts, untrained = 2, []
for seed in range(starts):  # the first is the start from which `deep` was trained
    keras.utils.set_random_seed(seed)
    untrained.append(probes(build_deep()))
_, random_1, random_2, random_3 = np.mean(untrained, axis=0)
trained = probes(deep)
probe_pixels, probe_1, probe_2, probe_3 = trained

assert probe_pixels + 0.2 < probe_1, (
    "A linear model reads far more from the first stage than from pixels."
)
assert probe_1 + 0.1 < probe_2, "A linear model reads still more from the second stage."
assert probe_3 > probe_2 - 0.02, "The third stage keeps what the second has reached."
assert random_1 > (probe_pixels + probe_1) / 2, (
    "More than half of what the first stage gains, a random one gains, too."
)
assert random_3 < probe_3 - 0.3, "Behind random stages, a linear model reads far less."
for start in untrained:  # what learning adds grows from stage to stage
    gains = np.subtract(trained, start)  # (4,)
    assert max(start[2:]) < start[1] + 0.1  # and random filters add little behind it
    assert 0.05 < gains[1] < gains[2] - 0.1
    assert gains[3] > 0.3
names = ["pixels", "stage 1", "stage 2", "stage 3"]
counts = [stage[0].size for stage in stages(deep, s_test[:1])]
columns = {"numbers": counts, "untrained": np.mean(untrained, axis=0), "trained": trained}
table = pd.DataFrame(columns, index=names)
table.style.format({"untrained": "{:.1%}", "trained": "{:.1%}"})

# %% label="probes" alt="The trained network's line rises through its three stages; the lines of untrained networks rise at first, too, and then stay far below it." caption="How well a linear model reads the digit from each stage of the network, trained and untrained (two random starts)." tags=["remove-input"]
fig, ax = plt.subplots()
ax.plot(names, trained, "o-", label="trained network")
for start in untrained:
    style = {"label": "untrained"} if start is untrained[0] else {}
    ax.plot(names, start, "s--", color=plot.COLORS["orange"], **style)
ax.set(ylabel="probe's test accuracy", ylim=(0, 1))
ax.legend(loc="lower right")

# %% [markdown]
# The same in a picture: each sheet as one point, in the two directions that separate the training
# digits best (linear discriminant analysis).

# %%
points, alike = {}, {}
for stage in (0, 3):
    known = stages(deep, s_train)[stage].reshape(n_sheets, -1)
    new = stages(deep, s_test)[stage].reshape(n_test, -1)
    lens = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    points[stage] = p = lens.fit(known, t_train).transform(new)[:, :2]  # (sheets, 2)
    apart = np.linalg.norm(p[:, None] - p, axis=-1) + 1e9 * np.eye(n_test)
    alike[stage] = np.mean(y_test[apart.argmin(axis=1)] == y_test)  # the nearest point's digit

assert alike[0] < 0.25
assert alike[3] > 0.4

# %% label="spread" alt="Two clouds of numerals. From the pixels, the ten digits lie mixed; from the last stage, equal digits lie together." caption="Each test sheet as a point: by its pixels, and by what leaves stage 3." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 3))
colors = [*plot.COLORS.values()] * 2
for ax, (stage, found) in zip(axes, points.items(), strict=True):
    for digit in range(10):
        across, up = found[y_test == digit].T
        style = {"marker": f"${digit}$", "color": colors[digit], "lw": 0}
        ax.scatter(across, up, s=52, **style)
    ax.set(title=names[stage], xticks=[], yticks=[])

# %% [markdown]
# ## The same in Keras
#
# Everything above ran on labkit. From here on, `keras` is Keras itself. `build` now builds Keras
# models; they get the weights trained above, and must give the same answers.

# %% label="twin"
ours = compile(build(units))  # the last labkit model: not trained yet

# %% label="keras" values="difference deep_difference"
import keras

theirs = compile(build(units))
theirs.set_weights(model.get_weights())
difference = np.abs(theirs.predict(x_test, verbose=0) - predicted).max()

deep_theirs = compile(build_deep())
deep_theirs.set_weights(deep.get_weights())
answers = deep_theirs.predict(s_test, verbose=0)
deep_difference = np.abs(answers - deep.predict(s_test, verbose=0)).max()

print("Largest difference between two probabilities")
print(f"two layers: {difference:.0e}, deep network: {deep_difference:.0e}")

assert difference < 1e-5, "With the same weights, labkit and Keras give the same probabilities."
assert deep_difference < 1e-5

# %% [markdown]
# Training agrees too: from the same weights, with the batches in the same order, both take the same
# steps.

# %% label="keras-steps" values="steps weight_change weight_difference"
start = ours.get_weights()
theirs.set_weights(start)
settings = {"epochs": 3, "batch_size": 32, "shuffle": False, "verbose": 0}
ours.fit(x_train, y_train, **settings)
theirs.fit(x_train, y_train, **settings)

steps = 3 * -(-n_train // 32)
kernel, their_kernel = ours.get_weights()[0], theirs.get_weights()[0]
weight_change = np.mean(np.abs(kernel - start[0]))
weight_difference = np.mean(np.abs(kernel - their_kernel))
print(f"In {steps} steps a weight moves by {weight_change:.3f} on average.")
print(f"Then the two libraries differ by {weight_difference:.0e}.")

assert weight_change > 0.03
assert weight_difference < 1e-4, (
    "After the same training steps, the weights in labkit and Keras agree as well."
)

# %% [markdown]
# From its own random start, Keras ends at the same accuracy, give or take a few images.

# %% label="keras-training" values="keras_accuracy"
keras.utils.set_random_seed(0)
theirs = compile(build(units))
theirs.fit(x_train, y_train, epochs=20, batch_size=32, verbose=0)
keras_accuracy = theirs.evaluate(x_test, y_test, verbose=0)[1]
print(f"From scratch: Keras {keras_accuracy:.1%}, labkit {accuracy:.1%}")

assert abs(keras_accuracy - accuracy) < 3 * standard_error

# %% [markdown]
# ## Solutions to the exercises
#
# **1.** The parameters of a network with 64 inputs, hidden layers of 32 and 16 units, and 10 outputs.

# %% label="exercise-1" tags=["solution"] values="deeper_parameters"
layers = [keras.layers.Dense(count) for count in (32, 16, 10)]
deeper = keras.Sequential([keras.Input((64,)), *layers])
deeper_parameters = (64 * 32 + 32) + (32 * 16 + 16) + (16 * 10 + 10)
print(f"{deeper_parameters:,} parameters")

assert deeper.count_params() == deeper_parameters

# %% [markdown]
# **2.** The same images with their pixels shuffled.

# %% label="exercise-2" tags=["solution"] values="shuffled_difference"
order = np.random.default_rng(0).permutation(64)
kernel, *others = model.get_weights()
shuffled = build(units)
shuffled.set_weights([kernel[order], *others])  # kernel: a row per pixel
answers = shuffled.predict(x_test[:, order], verbose=0)
shuffled_difference = np.abs(answers - predicted).max()
print(f"Probabilities change by at most {shuffled_difference:.0e}")

assert shuffled_difference < 1e-5

# %% [markdown]
# **3.** Fewer labeled examples.

# %% label="exercise-3" tags=["solution"] values="few_accuracy some_accuracy"
learned = {}
for count in (50, 200, 800):
    keras.utils.set_random_seed(0)
    student = compile(build(units))
    few = x_train[:count], y_train[:count]
    student.fit(*few, epochs=20, batch_size=32, verbose=0)
    learned[count] = student.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{count} images: {learned[count]:.1%} of the test set right")
few_accuracy, some_accuracy, _ = learned.values()

assert learned[50] + 0.05 < learned[200] < learned[800]
assert learned[800] - learned[200] < learned[200] - learned[50]

# %% [markdown]
# **4.** Test images that are neighbors in the file.

# %% label="exercise-4" tags=["solution"] values="mixed_accuracy block_accuracy"
model = LogisticRegression(max_iter=2000)
mixed = KFold(5, shuffle=True, random_state=0)
blocks = KFold(5)  # five runs of neighbors
mixed_accuracy = cross_val_score(model, x, labels, cv=mixed).mean()
block_accuracy = cross_val_score(model, x, labels, cv=blocks).mean()
print(f"Test images from everywhere: {mixed_accuracy:.1%} right")
print(f"Test images side by side in the file: {block_accuracy:.1%} right")

assert mixed_accuracy - block_accuracy > 0.02, (
    "Test images whose neighbors in the file were trained on are easier to read."
)

# %% [markdown]
# **5.** Answer only when sure.

# %% label="exercise-5" tags=["solution"] values="accepted accepted_accuracy"
sure = sureness > 0.95
accepted = sure.mean()
accepted_accuracy = np.mean(guess[sure] == y_test[sure])
print(f"Answered: {accepted:.0%}. Of these, right: {accepted_accuracy:.1%}")

assert accepted > 0.7
assert accuracy < accepted_accuracy < 1, "A network that answers only when it is sure errs less."

# %%
plt.show()
