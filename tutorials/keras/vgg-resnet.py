# ---
# labkit: {memory: 5 GB}
# ---
# %% [markdown]
# # VGG and ResNet
# Two families of networks that bet on depth. VGG stacks small windows; ResNet adds to each block a
# way around it. This script counts what small windows save, rebuilds VGG16, VGG19 and ResNet50 from
# their papers, and shows that they are Keras's. The chapter
# [VGG and ResNet](../../keras/vgg-resnet.md) tells the story, and [another script](vgg_race.py)
# builds the blocks and trains them in small networks.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import cost, datasets, plot

plot.set_theme()
BLUE, ORANGE = plot.COLORS["blue"], plot.COLORS["orange"]

# %% [markdown]
# ## Small windows
# Stacks of 3 × 3 windows, and one large window that sees as much.


# %% label="stack"
def stack(sizes, channels=64, places=32):
    """Return a model of convolutions with these window sizes, one after the other."""
    inputs = x = keras.Input((places, places, channels))
    for size in sizes:
        x = keras.layers.Conv2D(channels, size, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(x)
    return keras.Model(inputs, x)


# %% label="windows" caption="Stacks of small windows and single large ones, on 64 channels and 32 × 32 places: what an output sees, weights, millions of products, and ReLUs." values="two_share three_share two_field one_field"
rows, weights = [], {}
for sizes in ((3, 3), (5,), (3, 3, 3), (7,)):
    model = stack(sizes)
    weights[sizes] = model.count_params()
    field = cost.receptive_field(model)[0]
    products = cost.multiply_adds(model) / 1e6
    name = ", ".join(str(size) for size in sizes)
    rows.append((name, f"{field} × {field}", f"{weights[sizes]:,d}", f"{products:.0f}", len(sizes)))
two_share = weights[3, 3] / weights[5,]
three_share = weights[3, 3, 3] / weights[7,]
two_field, one_field = rows[0][1], rows[1][1]
assert two_field == one_field == "5 × 5", "Two windows of 3 × 3 see as far as one of 5 × 5."
assert rows[2][1] == rows[3][1] == "7 × 7"
assert two_share == 18 / 25, "Two windows of 3 × 3 have 18/25 of the weights of one of 5 × 5."
assert three_share == 27 / 49, "Three windows of 3 × 3 have 27/49 of the weights of one of 7 × 7."
columns = ["windows", "sees", "weights", "prod.", "ReLUs"]
pd.DataFrame(rows, columns=columns).style.hide()

# %% label="small-windows" alt="Rows of squares, seen from the side. Left, one place of the second layer rests on three of the first, and these rest on five of the input. Right, one place of a single layer rests on five of the input." caption="What one place at the top sees, from the side: two windows of 3 (left), and one window of 5 (right). Both reach the same five places of the input." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.5))
for ax, sizes in zip(axes, ((3, 3), (5,)), strict=True):
    heights = np.linspace(0, 2, len(sizes) + 1)
    for row, height in enumerate(heights):
        reach = 1 + sum(size - 1 for size in sizes[row:])  # places that lead to the one at the top
        for place in range(-3, 4):
            seen = abs(place) <= reach // 2
            style = {"facecolor": BLUE if seen else "none", "edgecolor": plot.INK}
            ax.add_patch(plt.Rectangle((place - 0.4, height - 0.2), 0.8, 0.4, **style))
            for side in (-1, 1) if seen and row else ():  # the edges of its window
                ends = place + 0.4 * side, place + (sizes[row - 1] / 2 - 0.1) * side
                below = heights[row - 1] + 0.2
                ax.plot(ends, [height - 0.2, below], "-", color=ORANGE, linewidth=1)
    names = ["input", "first layer", "second layer"] if len(sizes) == 2 else ["input", "layer"]
    ax.set(yticks=heights, yticklabels=names, xlim=(-3.6, 3.6), ylim=(-0.4, 2.4), xticks=[])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False)

# %% [markdown]
# The large networks are built in Keras: from here on, `keras` is Keras itself.

# %%
import gc

import keras

# %% [markdown]
# ## VGG from its paper
# Five stages of convolutions, each followed by pooling, then three dense layers.


# %% label="vgg"
def vgg(convolutions):
    """Return VGG with this number of convolutions in each of its five stages."""
    inputs = x = keras.Input((224, 224, 3))
    for filters, count in zip((64, 128, 256, 512, 512), convolutions, strict=True):
        for _ in range(count):
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)  # half the height and width
    x = keras.layers.Flatten()(x)  # (batch, 7 · 7 · 512)
    x = keras.layers.Dense(4096, activation="relu")(x)
    x = keras.layers.Dense(4096, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


# %% [markdown]
# ## ResNet50 from its paper
# The first version, with what Keras has that the paper has not: biases and its own epsilon.


# %% label="resnet"
def resnet50(later=False):
    """Return ResNet50, with strides in the 1 × 1 or, later, the 3 × 3 windows."""

    def conv(x, filters, size, strides=1):
        x = keras.layers.Conv2D(filters, size, strides=strides, padding="same")(x)
        return keras.layers.BatchNormalization(epsilon=1.001e-5)(x)

    def block(x, filters, strides, project):
        around = conv(x, 4 * filters, 1, strides) if project else x
        y = keras.layers.ReLU()(conv(x, filters, 1, 1 if later else strides))
        y = keras.layers.ReLU()(conv(y, filters, 3, strides if later else 1))
        y = conv(y, 4 * filters, 1)
        return keras.layers.ReLU()(keras.layers.Add()([around, y]))

    inputs = keras.Input((224, 224, 3))
    x = keras.layers.ZeroPadding2D(3)(inputs)
    x = keras.layers.Conv2D(64, 7, strides=2)(x)  # (batch, 112, 112, 64)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(epsilon=1.001e-5)(x))
    x = keras.layers.MaxPooling2D(3, strides=2)(keras.layers.ZeroPadding2D(1)(x))
    for stage, (filters, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for i in range(count):
            first = i == 0
            x = block(x, filters, strides=2 if first and stage else 1, project=first)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, 2048)
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


# %% [markdown]
# ## The proof, and a trap
# Two photographs go through both. Before that, every bias, scale, shift and statistic is drawn at
# random, because in a fresh network they are all zeros or ones, and a wrong place would not show.

# %% label="proof"
photographs = datasets.load_photographs().values()
crops = np.stack([photograph[100:324, 200:424] for photograph in photographs])
pictures = (crops - crops.mean(axis=(0, 1, 2))).astype("float32")  # (2, 224, 224, 3)


def draw_vectors(model):
    """Draw scales and variances near 1, biases, shifts and means near 0."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 1:
            positive = weight.name in ("gamma", "moving_variance")
            low, high = (0.5, 1.5) if positive else (-0.2, 0.2)
            weight.assign(rng.uniform(low, high, weight.shape))


def copy_weights(ours, theirs):
    """Copy weights in their order, one at a time to save memory."""
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        mine.assign(other)


def logits(model):
    """Return a model's logits for the two pictures."""
    return np.asarray(model(pictures, training=False))  # (2, 1000)


def probabilities(z):
    """Return the softmax of logits."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def largest(difference):
    """Return the largest absolute value."""
    return float(np.abs(difference).max())


def proof(ours, theirs):
    """Compare two networks, first as strangers, then with the same weights."""
    assert ours.count_params() == theirs.count_params()
    strangers, fresh = logits(ours), logits(theirs)
    draw_vectors(theirs)
    copy_weights(ours, theirs)
    mine, drawn = logits(ours), logits(theirs)
    spread = float(drawn.std(axis=1).mean())
    return {
        "fresh": float(fresh.std(axis=1).mean()),
        "strangers": largest(probabilities(strangers) - probabilities(fresh)),
        "vectors": largest(drawn - fresh) / spread,
        "images": largest(drawn[0] - drawn[1]) / spread,
        "difference": largest(mine - drawn) / spread,
    }


# %% label="proof-resnet" values="resnet_parameters resnet_products resnet_depth resnet_difference"
applications = keras.applications
keras.utils.set_random_seed(0)
theirs = applications.ResNet50(weights=None, classifier_activation=None)
ours = resnet50()
proofs = {"ResNet50": proof(ours, theirs)}
resnet_difference = proofs["ResNet50"]["difference"]
resnet_parameters, resnet_depth = ours.count_params(), cost.longest_path(ours)
resnet_products = cost.multiply_adds(ours)


# %% label="variants" values="later_ratio stride_gap epsilon_gap"
def by_stage(model):
    """Return parameters and multiply-adds by height of the layer's output (1 for dense layers)."""
    found = {}
    for layer in model.layers:
        places = [*layer.output.shape[1:-1]] if layer.weights else []
        if layer.weights:
            row = found.setdefault(places[0] if places else 1, np.zeros(2))
            row[0] += layer.count_params()
            if hasattr(layer, "kernel"):
                row[1] += np.prod(places) * np.prod(layer.kernel.shape)
    table = np.array([found[key] for key in sorted(found, reverse=True)])  # (6, 2)
    assert tuple(table.sum(axis=0)) == (model.count_params(), cost.multiply_adds(model))
    return table


stages = {"ResNet50": by_stage(ours)}
reference = logits(theirs)
spread = float(reference.std(axis=1).mean())
later = resnet50(later=True)
copy_weights(later, theirs)  # no complaint: all shapes agree
later_ratio = cost.multiply_adds(later) / resnet_products
stride_gap = largest(logits(later) - reference) / spread
for layer in ours.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.epsilon = 0.001  # the layer's default
epsilon_gap = largest(logits(ours) - reference) / spread
assert later.count_params() == resnet_parameters
assert resnet_parameters == 25_636_712
assert resnet_depth == 50, "The longest path through ResNet50 has 50 layers with weights."
assert resnet_difference < 1e-5, "The rebuilt ResNet50 gives the logits of Keras's."
assert stride_gap > 0.03, (
    "With the stride in the other place, all weights fit, but the logits differ visibly."
)
assert epsilon_gap > 0.003, "Keras's default epsilon in place of ResNet's moves the logits."
assert 1.03 < later_ratio < 1.1, "ResNet v1.5 computes 3 to 10% more products than v1."

# %% label="shortcuts" values="free_shortcuts projected_shortcuts all_projected"
makers = {id(layer.output): layer for layer in ours.layers}
sums = [layer for layer in ours.layers if isinstance(layer, keras.layers.Add)]
around = [makers[id(layer.input[0])] for layer in sums]
projected = [layer for layer in around if isinstance(layer, keras.layers.BatchNormalization)]
free = [layer for layer in around if isinstance(layer, keras.layers.ReLU)]
projected_shortcuts, free_shortcuts = len(projected), len(free)
projection_share = sum(makers[id(p.input)].count_params() for p in projected) / resnet_parameters
all_projected = sum(layer.output.shape[-1] ** 2 for layer in free)  # 1 × 1 kernels
print(f"{free_shortcuts} free shortcuts, {projected_shortcuts} projections")
print(f"the projections hold {projection_share:.1%} of all parameters")
print(f"projections for all would add {all_projected:,d} weights")
assert (free_shortcuts, projected_shortcuts) == (12, 4), (
    "Of ResNet50's 16 blocks, 12 have a shortcut without weights."
)
assert all_projected / resnet_parameters > 0.5, (
    "Projections in all of its blocks would make ResNet50 larger by more than half."
)

# %% [markdown]
# The two VGGs, one after the other; each pair takes a gigabyte.

# %% label="proof-vgg" values="vgg_parameters vgg19_parameters vgg_products vgg19_products vgg_depth first_dense first_dense_share conv_products_share vgg_difference"
resnet = ours
del ours, theirs, later
counts = {}
for name, convolutions in {"VGG16": (2, 2, 3, 3, 3), "VGG19": (2, 2, 4, 4, 4)}.items():
    keras.backend.clear_session()
    gc.collect()  # the networks before
    theirs = getattr(applications, name)(weights=None, classifier_activation=None)
    ours = vgg(convolutions)
    proofs[name] = proof(ours, theirs)
    counts[name] = ours.count_params(), cost.multiply_adds(ours), cost.longest_path(ours)
    if name == "VGG16":
        stages[name] = by_stage(ours)
        dense = next(layer for layer in ours.layers if isinstance(layer, keras.layers.Dense))
        first_dense = dense.count_params()
        last_pool = next(layer for layer in ours.layers if isinstance(layer, keras.layers.Flatten))
        body_field = cost.receptive_field(keras.Model(ours.inputs, last_pool.input))[0]
        body_parameters = keras.Model(ours.inputs, last_pool.input).count_params()
        del dense, last_pool
    del ours, theirs
    gc.collect()
vgg_parameters, vgg_products, vgg_depth = counts["VGG16"]
vgg19_parameters, vgg19_products, vgg19_depth = counts["VGG19"]
first_dense_share = first_dense / vgg_parameters
dense_share, dense_products_share = stages["VGG16"][-1] / stages["VGG16"].sum(axis=0)
conv_products_share = float(1 - dense_products_share)
assert (vgg_parameters, vgg19_parameters) == (138_357_544, 143_667_240), (
    "The rebuilt VGG16 and VGG19 have as many parameters as Keras's."
)
vgg_difference = max(proofs[name]["difference"] for name in counts)
assert vgg_difference < 1e-5, "The rebuilt VGG16 and VGG19 give the logits of Keras's."
assert (vgg_depth, vgg19_depth) == (16, 19)
assert first_dense_share > 0.7, "VGG16's first dense layer holds over 70% of its parameters."
assert conv_products_share > 0.99, "VGG16's convolutions compute over 99% of its products."

# %% values="size_ratio products_ratio"
size_ratio, products_ratio = vgg_parameters / resnet_parameters, vgg_products / resnet_products
assert size_ratio > 5, "VGG16 has over five times the parameters of ResNet50."
assert products_ratio > 4, "VGG16 computes over four times the products of ResNet50."

# %% label="stages" alt="Two bar charts by stage, for VGG16 and ResNet50. Left, parameters: nearly all of VGG16's bar lies in the dense layers. Right, multiply-adds: they lie in the stages before, and the dense layers have hardly any." caption="Where parameters and products lie. VGG16's dense layers hold nine tenths of its parameters and next to none of its products. ResNet50 has one small dense layer. A stage is all layers whose maps have one size." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 3.5), sharey=True)
for ax, which, unit in zip(axes, (0, 1), (1e6, 1e9), strict=True):
    for shift, (name, color, hatch) in zip(
        (-0.2, 0.2), (("VGG16", ORANGE, ""), ("ResNet50", BLUE, "///")), strict=True
    ):
        values = stages[name][:, which] / unit
        bars = ax.barh(np.arange(6) + shift, values, 0.36, color=color, hatch=hatch, label=name)
        ax.bar_label(bars, [f"{v:.1f}" for v in values], padding=2, fontsize=9.5)
    ax.set(xlim=(0, 1.28 * max(table[:, which].max() for table in stages.values()) / unit))
    ax.grid(axis="y")
axes[0].set(yticks=range(6), yticklabels=[*(f"stage {i}" for i in range(1, 6)), "dense"])
axes[0].invert_yaxis()
axes[0].set(xticks=(0, 50, 100), xlabel="parameters, millions")
axes[1].set_xlabel("multiply-adds, billions")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

# %% [markdown]
# MobileNet, which another chapter rebuilds, shows the trap at its clearest.

# %% label="trap" caption="Standard deviation of fresh logits; largest difference of probabilities between two strangers; change by random vectors, and ours against Keras’s, in standard deviations of the logits." values="mobilenet_strangers mobilenet_spread vgg_strangers vgg19_strangers resnet_strangers resnet_spread worst_difference least_vectors least_images mobilenet_images"
keras.backend.clear_session()
pair = [applications.MobileNet(weights=None, classifier_activation=None) for _ in range(2)]
proofs["MobileNet"] = proof(*pair)
del pair
rows = []
for name in ("VGG16", "VGG19", "ResNet50", "MobileNet"):
    found = proofs[name]
    rows.append(
        (
            name,
            f"{found['fresh']:.1g}",
            f"{found['strangers']:.1g}",
            f"{found['vectors']:.1f}",
            f"{found['difference']:.0e}" if found["difference"] else "0",
        )
    )
mobilenet_strangers, vgg_strangers, vgg19_strangers, resnet_strangers = (
    proofs[name]["strangers"] for name in ("MobileNet", "VGG16", "VGG19", "ResNet50")
)
mobilenet_spread, resnet_spread = (proofs[name]["fresh"] for name in ("MobileNet", "ResNet50"))
worst_difference = max(found["difference"] for found in proofs.values())
least_vectors = min(found["vectors"] for found in proofs.values())
mobilenet_images = proofs["MobileNet"]["images"]
least_images = min(found["images"] for name, found in proofs.items() if name != "MobileNet")
assert mobilenet_strangers < 1e-6, (
    "The probabilities of two fresh MobileNets with different weights agree to 1e-6."
)
assert max(vgg_strangers, vgg19_strangers) < 0.01, (
    "The probabilities of two fresh VGGs with different weights differ by less than 0.01."
)
assert resnet_strangers > 0.05, "Fresh ResNets with different weights give different probabilities."
assert least_vectors > 0.5, "Drawing the constants at random visibly changes the logits."
assert least_images > 0.05, "In the rebuilt networks, two pictures give visibly different logits."
assert mobilenet_images < 1e-5, (
    "In MobileNet, random vectors are not enough: two photographs hardly change the logits."
)
columns = ["network", "logits", "strangers", "vectors", "ours"]
pd.DataFrame(rows, columns=columns).style.hide()

# %% [markdown]
# ## Exercises
# **1.** Two windows of 3 × 3 without a ReLU between them are one of 5 × 5.

# %% label="exercise-1" tags=["solution"] values="joint_gap"
rng = np.random.default_rng(0)
image, first, second = rng.normal(size=(12, 12)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))


def slide(image, kernel):
    """Return the weighted sums of all windows."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel)


joint = slide(np.pad(first, 2), second[::-1, ::-1])  # (5, 5): each weight, wherever both reach
joint_gap = np.abs(slide(slide(image, first), second) - slide(image, joint)).max()
bent = slide(np.maximum(slide(image, first), 0), second)
print(f"without ReLU the largest difference is {joint_gap:.0e},", end=" ")
print(f"with it {np.abs(bent - slide(image, joint)).max():.1f}")
assert joint_gap < 1e-12, (
    "Two windows of 3 × 3 without a ReLU between them are one window of 5 × 5."
)

# %% [markdown]
# **2.** VGG16 with global average pooling in place of its first two dense layers.

# %% label="exercise-2" tags=["solution"] values="averaged_parameters"
averaged_parameters = body_parameters + 512 * 1000 + 1000
print(
    f"{averaged_parameters:,d} parameters, {vgg_parameters / averaged_parameters:.1f} times fewer"
)
assert vgg_parameters / averaged_parameters > 8

# %% [markdown]
# **3.** How far the last places of both networks see.

# %% label="exercise-3" tags=["solution"] values="body_field resnet_field"
last = next(x for x in resnet.layers if isinstance(x, keras.layers.GlobalAveragePooling2D))
resnet_field = cost.receptive_field(keras.Model(resnet.inputs, last.input))[0]
print(f"VGG16: {body_field} pixels, ResNet50: {resnet_field}, of 224")
assert body_field < 224 < resnet_field

# %%
plt.show()
