# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # Feeding and tuning a network of Keras Applications
# How images are prepared for each of the ten networks, what the arguments of their functions do, and how one of
# them is trained further on a new task. The chapter
# [Keras Applications](../../keras/applications.md) tells the story, and
# [a first script](applications.py) compares what the ten cost.
#
# Nothing is downloaded. Instead of the published weights the network that is tuned here gets its first ones from a
# task of our own.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import applications
from keras.applications.imagenet_utils import decode_predictions, preprocess_input

from labkit import cost, datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN = (plot.COLORS[name] for name in ("blue", "orange", "green"))

# %% [markdown]
# ## Three ways to prepare an image
# Each network comes with a function `preprocess_input` of its module. It is one of three, which Keras calls modes.
# Applied to a photograph, it shows which.

# %% label="modes" values="in_caffe in_torch tf_count ratio_caffe"
photograph = datasets.load_photographs()["flower"].astype("float32")  # (427, 640, 3), 0 to 255
prepared = {
    mode: preprocess_input(photograph.copy(), mode=mode) for mode in ("tf", "torch", "caffe")
}
modules = {
    "Xception": applications.xception,
    "VGG16": applications.vgg16,
    "VGG19": applications.vgg19,
    "ResNet50": applications.resnet50,
    "InceptionV3": applications.inception_v3,
    "InceptionResNetV2": applications.inception_resnet_v2,
    "MobileNet": applications.mobilenet,
    "DenseNet121": applications.densenet,
    "NASNetMobile": applications.nasnet,
    "MobileNetV2": applications.mobilenet_v2,
}
modes = {}
for name, module in modules.items():
    found = module.preprocess_input(photograph.copy())
    (modes[name],) = (mode for mode, x in prepared.items() if np.array_equal(x, found))
names = {mode: [name for name, found in modes.items() if found == mode] for mode in prepared}
in_caffe, in_torch = (" and ".join(names[mode]) for mode in ("caffe", "torch"))
in_caffe = in_caffe.replace(" and ", ", ", 1)
tf_count = len(names["tf"])
ratio_caffe = float(prepared["caffe"].std() / prepared["tf"].std())
for mode, x in prepared.items():
    print(f"{mode}: {x.min():.1f} to {x.max():.1f} for {', '.join(names[mode])}")
assert tf_count == 6, "Six of the ten networks expect numbers from −1 to 1."
assert ratio_caffe > 100, (
    "Prepared for VGG, a photograph's numbers spread a hundred times as far as for MobileNet."
)

# %% label="looks" alt="A photograph of a flower, and what the three modes make of it, scaled to visible colors. Modes tf and torch leave its colors nearly as they were; mode caffe exchanges red and blue." caption="One photograph and what the three modes make of it, each scaled to visible colors from its least number to its greatest. Mode caffe puts blue first. (“Flower” by vultilion, CC BY 2.0, [source](https://www.flickr.com/photos/vultilion/6056698931/).)" tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 3.8))
pictures = [photograph / 255, *((x - x.min()) / np.ptp(x) for x in prepared.values())]
ranges = [f"{x.min():.1f} to {x.max():.1f}".replace("-", "−") for x in prepared.values()]
titles = ["0 to 255", *(f"{m}: {r}" for m, r in zip(prepared, ranges, strict=True))]
for ax, picture, title in zip(axes.flat, pictures, titles, strict=True):
    ax.imshow(picture[::2, ::2])
    ax.set_title(title)
    ax.set_axis_off()

# %% [markdown]
# Two traps. The function overwrites a NumPy array of floats; and who calls it twice, because a
# pipeline or a model does so too, hands over a nearly constant image.

# %% label="traps" values="overwritten twice_spread twice_ratio"
given = photograph.copy()
once = preprocess_input(given, mode="tf")
overwritten = bool(np.shares_memory(given, once) and given.min() < 0)
twice = preprocess_input(once.copy(), mode="tf")
twice_spread = float(np.ptp(twice))
twice_ratio = float(np.ptp(once)) / twice_spread
print(
    f"overwritten: {overwritten}; range after a second call: {twice.min():.3f}, {twice.max():.3f}"
)
assert overwritten, "preprocess_input overwrites the NumPy array of floats that it is given."
assert twice_spread < 0.02, "Prepared twice, all numbers of the photograph lie within 0.02."

# %% [markdown]
# ## Arguments

# %% label="arguments" caption="What some arguments of MobileNetV2 (alpha=0.35, weights=None) give: the shape of the output without the batch, and the parameters." values="no_top head_saved small_side"
calls = {
    "default": {},
    "classes=5": {"classes": 5},
    "include_top=False": {"include_top": False},
    "… pooling='avg'": {"include_top": False, "pooling": "avg"},
    "… 96 × 96": {"include_top": False, "input_shape": (96, 96, 3)},
}
built = {
    label: applications.MobileNetV2(alpha=0.35, weights=None, **arguments)
    for label, arguments in calls.items()
}
no_top = built["include_top=False"].count_params()
head_saved = built["default"].count_params() - no_top
small_side = built["… 96 × 96"].output_shape[1]
assert built["… 96 × 96"].count_params() == no_top, (
    "Without its head, a network has the same parameters for every size of the input."
)
assert head_saved > no_top, "In the narrowest MobileNetV2, the head holds over half the parameters."

pd.DataFrame(
    {
        "output": [
            " × ".join("?" if n is None else str(n) for n in model.output_shape[1:])
            for model in built.values()
        ],
        "parameters": [f"{model.count_params():,d}" for model in built.values()],
    },
    index=list(built),
)

# %% label="limits" values="refused"
refused = 0
for wrong in (
    lambda: applications.Xception(weights=None, include_top=False, input_shape=(70, 70, 3)),
    lambda: decode_predictions(np.zeros((1, 5))),
):
    try:
        wrong()
    except ValueError as error:
        refused += 1
        print(str(error).split(". ")[0])
assert refused == 2, "Xception refuses images below 71 pixels; decode_predictions, other classes."

# %% [markdown]
# ## A base, and a task of its own
# The published weights are not at hand, so the base learns from digits first: it tells 0 to 4 apart, on sheets of
# 32 × 32 pixels. Then it is tuned on few sheets with the digits 5 to 9. On images so small the later layers
# of MobileNet would see a single place, so the base ends after its fifth block.


# %% label="base"
def new_base():
    """Return the first five blocks of a narrow MobileNet, with random weights."""
    whole = applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None
    )
    maps = whole.get_layer("conv_pw_5_relu").output  # (batch, 4, 4, 64)
    base = keras.Model(whole.input, keras.layers.GlobalAveragePooling2D()(maps))
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # we train for few steps; averages over 100 would lag behind
    return base


def sheets(x):
    """Return sheets as a network for photographs wants them: larger, in three channels, from −1 to 1."""
    pixels = 255 * x.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)  # (sheets, 32, 32, 3)
    return applications.mobilenet.preprocess_input(pixels)


# %% label="models" values="base_parameters head_parameters source_count"
(x, y), (x_test, y_test) = datasets.load_shifted_digits(copies=2)
x, x_test = sheets(x), sheets(x_test)
source, source_test = y < 5, y_test < 5
source_count = int(source.sum())

keras.utils.set_random_seed(0)
base, head = new_base(), keras.layers.Dense(5)
norms = [layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)]
sheet, features = keras.Input((32, 32, 3)), keras.Input((64,))
moving = keras.Model(sheet, head(base(sheet)))
still = keras.Model(sheet, head(base(sheet)))
top = keras.Model(features, head(features))  # the head alone, for features that are computed once
for model in (moving, still, top):
    for layer in norms:
        layer.trainable = model is moving  # elsewhere batch normalization is frozen
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss)
    model.optimizer.build(model.trainable_variables)
base_parameters, head_parameters = base.count_params(), head.count_params()
print(f"base {base_parameters:,d} parameters, head {head_parameters}")

# %% [markdown]
# All three models share the base and the head, so what one of them learns, the others know.


# %% label="train"
def train(model, x, y, steps, rate, seed):
    """Train for some steps on batches of 32, with a fresh state of the optimizer."""
    for layer in norms:
        layer.trainable = model is moving
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.learning_rate = rate
    rng, size = np.random.default_rng(seed), 32
    rounds = -(-steps * size // len(x))
    order = np.concatenate([rng.permutation(len(x)) for _ in range(rounds)])[: steps * size]
    model.fit(x[order], y[order], batch_size=size, shuffle=False, verbose=0)


def accuracy(x, y):
    """Return the share of sheets that base and head read right, by the moving averages."""
    return float(np.mean(np.argmax(still.predict_on_batch(x), axis=1) == y))


def few(x, y, each):
    """Return the first sheets of each class, no digit twice."""
    chosen = np.concatenate([np.flatnonzero(y == c)[: 2 * each : 2] for c in range(5)])
    return x[chosen], y[chosen]


# %% [markdown]
# ## The experiment
# Three times, with other first weights. Frozen: the head alone learns, on features that the base gives once and for
# all. Tuned: base and head go on from there with a small rate, normalizing by the base's averages (still) or by
# each batch (moving). Scratch: the same network from random weights, with more steps and a larger rate.

# %% label="experiment"
target, target_test = (x[~source], y[~source] - 5), (x_test[~source_test], y_test[~source_test] - 5)
inputs = {
    "0 to 1": lambda x: (x + 1) / 2,
    "0 to 255": lambda x: 127.5 * (x + 1),
    "prepared twice": lambda x: x / 127.5 - 1,
}
old_images, old_labels = x_test[source_test], y_test[source_test]
new_images, new_labels = few(*target, 20)  # of each class
source_accuracy, fed, drift, tuned = [], {}, {}, {}


for seed in range(3):
    keras.utils.set_random_seed(seed)
    fresh = new_base().get_weights()
    blank = [np.zeros((64, 5), "float32"), np.zeros(5, "float32")]
    base.set_weights(fresh)
    head.set_weights(blank)
    train(moving, x[source], y[source], 200, 0.005, seed)
    learned, old_head = base.get_weights(), head.get_weights()
    source_accuracy.append(accuracy(old_images, old_labels))
    fed.setdefault("as in training", []).append(source_accuracy[-1])
    for label, change in inputs.items():
        fed.setdefault(label, []).append(accuracy(change(old_images), old_labels))

    for way, model, images in (
        ("still", still, -new_images),
        ("digits", moving, new_images),
        ("negatives", moving, -new_images),
    ):
        base.set_weights(learned)
        head.set_weights(old_head)
        train(model, images, new_labels, 30, 0.0, seed)  # no weight is trained
        drift.setdefault(way, []).append(accuracy(old_images, old_labels))

    base.set_weights(learned)
    head.set_weights(blank)
    features_of_new = base.predict(new_images, verbose=0)
    train(top, features_of_new, new_labels, 200, 0.01, seed)
    tuned.setdefault("frozen", []).append(accuracy(*target_test))
    frozen_head = head.get_weights()
    for way, model in (("still", still), ("moving", moving)):
        base.set_weights(learned)
        head.set_weights(frozen_head)
        train(model, new_images, new_labels, 60, 0.001, seed)
        tuned.setdefault(way, []).append(accuracy(*target_test))
    base.set_weights(fresh)
    head.set_weights(blank)
    train(moving, new_images, new_labels, 200, 0.005, seed)  # as many as the base had
    tuned.setdefault("scratch", []).append(accuracy(*target_test))
print(source_accuracy, fed, drift, tuned, sep="\n")

# %% [markdown]
# ## Fed with something else

# %% label="fed" caption="The share of digits 0 to 4 that a network reads right which was trained on numbers from −1 to 1, when its test images are prepared in other ways (mean, lowest and highest of three runs)." values="fed_right fed_unit fed_raw fed_twice"
fed_right, fed_unit, fed_raw, fed_twice = (float(np.mean(found)) for found in fed.values())
assert fed_right > 0.75, "The base learns to tell five digits apart on sheets that it has not seen."
assert fed_right - max(fed_raw, fed_twice) > 0.2, (
    "Unprepared or prepared twice, images cost the network more than 20 points of accuracy."
)


def summary(found):
    """Return mean, lowest and highest of some shares as text."""
    return [f"{share:.1%}" for share in (np.mean(found), min(found), max(found))]


pd.DataFrame(
    [summary(found) for found in fed.values()], index=list(fed), columns=["mean", "low", "high"]
)

# %% [markdown]
# ## What drifts

# %% label="drift" alt="The share of digits 0 to 4 read right in three runs, before and after 30 steps at a learning rate of zero. With batch normalization frozen it stays as it was. On new digits it moves by a few points up or down, on negatives it falls far." caption="The old task before and after 30 steps on new images with a learning rate of zero: nothing but the averages of batch normalization can change. On negatives (light and dark exchanged) they move far away; frozen, they stay." values="drift_digits drift_negatives drift_still drift_images drift_steps drift_low drift_high"
drift_images, drift_steps = len(new_images), 30
drift_digits, drift_negatives, drift_still = (
    float(np.mean(drift[way])) for way in ("digits", "negatives", "still")
)
changes = 100 * np.subtract(drift["digits"], source_accuracy)
drift_low, drift_high = float(changes.min()), float(changes.max())
assert drift["still"] == source_accuracy  # not a single answer
assert drift_still == fed_right, "Frozen, batch normalization keeps the old task as it was."
assert fed_right - drift_negatives > 0.1, (
    "At a rate of zero, batch normalization alone costs ten points after steps on negatives."
)

fig, ax = plt.subplots(figsize=(5, 3.2))
for way, label, color, style in (
    ("still", "negatives, frozen", GREEN, "-s"),
    ("digits", "new digits", BLUE, "-.^"),
    ("negatives", "negatives", ORANGE, "--o"),
):
    pairs = 100 * np.array([source_accuracy, drift[way]])  # (2, runs)
    lines = ax.plot([0, 1], pairs, style, color=color)
    lines[0].set_label(label)
ax.set(xticks=[0, 1], xticklabels=["before", "after"], xlim=(-0.2, 1.2))
ax.set(ylabel="old task read right, %", ylim=(0, 105))
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# A frozen layer of batch normalization keeps its averages even when it is called as in training. To call an
# open base with `training=False` is not enough in a functional model: `fit` calls that with `training=True`, which in
# this version of Keras replaces what was recorded for the base. Where the call is written out in a class, it holds.


# %% label="frozen" values="frozen_moves open_moves class_moves version"
class Written(keras.Model):
    """Base and head, where the base always works as in use."""

    def __init__(self):
        super().__init__()
        self.base, self.head = base, head

    def call(self, x):
        """Return a score for each of five digits."""
        return self.head(self.base(x, training=False))


def moved(model, trainable):
    """Return how many arrays of the base change in a fit at a rate of zero."""
    base.trainable = trainable
    before = base.get_weights()
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    model.fit(new_images, np.zeros((len(new_images), 5)), verbose=0)
    after = base.get_weights()
    return sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


recorded = keras.Model(sheet, head(base(sheet, training=False)))
frozen_moves, open_moves = moved(recorded, trainable=False), moved(recorded, trainable=True)
class_moves = moved(Written(), trainable=True)
version = keras.__version__
print(f"arrays moved: frozen {frozen_moves}, open {open_moves}, in a class {class_moves}")
assert frozen_moves == 0, "Frozen batch normalization keeps its averages while the model is fit."
assert open_moves == 2 * len(norms), (
    "In a functional model, fit moves the averages of an open base called with training=False."
)
assert class_moves == 0, "In a class of one's own, a base called with training=False keeps them."

# %% [markdown]
# ## Does it help?

# %% label="tuned" caption="Digits 5 to 9 read right after training on 20 images of each: a frozen base with a new head; tuned on, normalizing by the averages or by each batch; and the same network from random weights (mean, lowest and highest of three runs)." values="scratch_20 frozen_20 still_20 moving_20 gain_20 frozen_gain_20"
scratch_20, frozen_20, still_20, moving_20 = (
    float(np.mean(tuned[way])) for way in ("scratch", "frozen", "still", "moving")
)
gains = 100 * np.subtract(tuned["still"], tuned["scratch"])
gain_20 = float(gains.mean())
frozen_gain_20 = 100 * (still_20 - frozen_20)
assert gain_20 >= gains.min() > 0, (
    "Tuned on few images, the base beats the same network from random weights in each run."
)
assert frozen_gain_20 > 0, "With 20 images of each class, tuning the base beats a new head alone."
assert abs(still_20 - moving_20) < 0.12, (
    "On digits much like the old ones, it matters little whether batch normalization is frozen."
)

ways = {
    "frozen": "frozen",
    "still": "tuned, norms frozen",
    "moving": "tuned, all open",
    "scratch": "from scratch",
}
pd.DataFrame(
    [summary(tuned[way]) for way in ways], index=ways.values(), columns=["mean", "low", "high"]
)

# %% [markdown]
# ## Solution to an exercise

# %% [markdown]
# **4.** The products of a base grow with the area of the image.

# %% label="exercise-4" tags=["solution"]
for side in (96, 192):
    model = applications.MobileNetV2((side, side, 3), 0.35, include_top=False, weights=None)
    products = cost.multiply_adds(model)
    print(f"{side}: {products / 1e6:.1f} million multiply-adds,", end=" ")
    print(f"{products / side**2:,.0f} for a pixel")

# %%
plt.show()
