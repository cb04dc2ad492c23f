# ---
# labkit: {memory: 4 GB}
# ---

# %% [markdown]
# # InceptionResNetV2, rebuilt
#
# An Inception module that adds a small correction to its input, a network of 40 such blocks, and what
# the factors before the sums do: in it before training, and in a small network while it learns.
#
# The chapter [Inception and Xception](../../keras/inception-xception.md) explains each step, and
# [its tutorial](inception-xception.py) draws the block and checks it in NumPy.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np

import labkit as keras
from labkit import cost, datasets, plot, trials

plot.set_theme()
BLUE, ORANGE = (plot.COLORS[c] for c in ("blue", "orange"))

# %% [markdown]
# ## The blocks


# %% label="blocks"
def convolution(x, filters, size, strides=1, padding="same"):
    x = keras.layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
    x = keras.layers.BatchNormalization(scale=False)(x)
    return keras.layers.ReLU()(x)


def chain(x, *steps, strides=1, padding="same"):
    """Apply convolutions (filters, size), the last one with these strides."""
    for filters, size in steps[:-1]:
        x = convolution(x, filters, size)
    return convolution(x, *steps[-1], strides, padding)


def side_by_side(x, *chains, pooled=None):
    """Join the outputs of several chains and of a local average."""
    branches = [chain(x, *steps) for steps in chains]
    if pooled:
        average = keras.layers.AveragePooling2D(3, 1, "same")(x)
        branches.append(convolution(average, pooled, 1))
    return keras.layers.Concatenate()(branches)


def shrink(x, *chains):
    """Halve the grid: strided chains of convolutions, and a maximum beside them."""
    branches = [chain(x, *steps, strides=2, padding="valid") for steps in chains]
    return keras.layers.Concatenate()([*branches, keras.layers.MaxPooling2D(3, 2)(x)])


def residual(x, *chains, scale, last=False):
    y = side_by_side(x, *chains)
    y = keras.layers.Conv2D(x.shape[-1], 1)(y)
    y = keras.layers.Rescaling(scale)(y)
    x = keras.layers.Add()([x, y])
    return x if last else keras.layers.ReLU()(x)


# %% [markdown]
# The factor can move into the weights of the last layer: here on labkit, with 32 random channels.

# %% label="moved" values="moved_gap"
keras.utils.set_random_seed(0)
entrance = keras.Input((9, 9, 32))
outside, inside = (
    keras.Model(entrance, residual(entrance, [(8, 1)], [(8, 1), (8, 3)], scale=scale))
    for scale in (0.17, 1)
)
*first, kernel, bias = outside.get_weights()
rng = np.random.default_rng(0)
x = rng.normal(size=(4, 9, 9, 32)).astype("float32")
inside.set_weights([*first, 0.17 * kernel, 0.17 * bias])
moved_gap = float(np.abs(np.asarray(outside(x)) - np.asarray(inside(x))).max())
print(f"with the factor in the weights, the outputs differ by {moved_gap:.0e}")
assert moved_gap < 1e-5, "A factor before the sum can move into the weights of the last layer."

# %% [markdown]
# ## What a small factor does in training
#
# Two small networks differ in nothing but the factor, and read digits at random places.


# %% label="small"
def small_network(scale):
    """Return a classifier with a residual block at 8 × 8 and one at 4 × 4."""
    image = keras.Input((16, 16, 1))
    x = convolution(image, 16, 3, strides=2)
    for filters in (32, 64):
        part = filters // 4
        chains = [(part, 1)], [(part, 1), (part, 3)], [(part, 1), (part, 3), (part, 3)]
        x = x if filters == 32 else keras.layers.MaxPooling2D()(x)
        x = convolution(x, filters, 1)
        x = residual(x, *chains, scale=scale)  # (batch, 8, 8, 32), then (batch, 4, 4, 64)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # with few steps, 0.99 leaves the moving averages behind
    return model


# %% values="factor_epochs factor_one factor_small"
factor_epochs = 3
builds = {str(scale): partial(small_network, scale) for scale in (1, 0.17)}
found = trials.compare(builds, *datasets.load_shifted_digits(copies=2), epochs=factor_epochs)
factor_one, factor_small = (trial.mean for trial in found.values())
for name, trial in found.items():
    print(f"factor {name}:", *(f"{accuracy:.3f}" for accuracy in trial.accuracies))
assert factor_one - factor_small > 0.02, (
    "In a small network and few epochs, a factor of 0.17 before the sum costs over two points."
)
del found, trial  # room for the large networks

# %% [markdown]
# ## The whole network
#
# From here on, `keras` is Keras itself: the network is large. From 299 × 299 pixels to 1,000 logits.

# %%
import keras


# %% label="stem"
def stem(image):
    x = convolution(image, 32, 3, 2, "valid")
    x = convolution(x, 32, 3, padding="valid")
    x = convolution(x, 64, 3)
    x = keras.layers.MaxPooling2D(3, 2)(x)
    x = convolution(x, 80, 1)
    x = convolution(x, 192, 3, padding="valid")
    return keras.layers.MaxPooling2D(3, 2)(x)  # (35, 35, 192)


def logits(x):
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dense(1000)(x)


# %% label="inception-resnet"
def inception_resnet_v2():
    image = keras.Input((299, 299, 3))
    x = stem(image)
    twice = [(64, 1), (96, 3), (96, 3)]
    x = side_by_side(x, [(96, 1)], [(48, 1), (64, 5)], twice, pooled=64)
    point, once = [(32, 1)], [(32, 1), (32, 3)]
    twice = [(32, 1), (48, 3), (64, 3)]
    for _ in range(10):
        x = residual(x, point, once, twice, scale=0.17)
    x = shrink(x, [(384, 3)], [(256, 1), (256, 3), (384, 3)])  # (17, 17, 1088)
    seven = [(128, 1), (160, (1, 7)), (192, (7, 1))]
    for _ in range(20):
        x = residual(x, [(192, 1)], seven, scale=0.1)
    twice = [(256, 1), (288, 3), (320, 3)]
    x = shrink(x, [(256, 1), (384, 3)], [(256, 1), (288, 3)], twice)  # (8, 8, 2080)
    three = [(192, 1), (224, (1, 3)), (256, (3, 1))]
    for _ in range(9):
        x = residual(x, [(192, 1)], three, scale=0.2)
    x = residual(x, [(192, 1)], three, scale=1, last=True)
    x = convolution(x, 1536, 1)
    return keras.Model(image, logits(x))


# %% [markdown]
# ## What the small factors do before training
#
# The spread of the sums in the fresh network with its factors and, for the same weights, with 1
# instead, for two photographs: not normalized, and normalized by the statistics of the two.

# %% label="spread" values="grown_one grown_small bare_one"
photographs = [photo[:299, :299] for photo in datasets.load_photographs().values()]
images = np.stack(photographs).astype("float32") / 127.5 - 1  # (2, 299, 299, 3)
keras.utils.set_random_seed(0)
ours = inception_resnet_v2()
sums = [layer.output for layer in ours.layers if isinstance(layer, keras.layers.Add)]
probe = keras.Model(ours.inputs[0], sums[:-1])  # the last block has the factor 1 anyway
factors = [layer for layer in ours.layers if isinstance(layer, keras.layers.Rescaling)]
small = [layer.scale for layer in factors]
norms = [layer for layer in ours.layers if isinstance(layer, keras.layers.BatchNormalization)]
for layer in norms:
    layer.momentum = 0.0  # a call in training leaves the statistics of its images
spreads = {}
for training in (False, True):
    for name, scales in (("one", [1] * len(small)), ("small", small)):
        for layer, scale in zip(factors, scales, strict=True):
            layer.scale = scale
        found = probe(images, training=training)
        spreads[name, training] = [float(np.std(np.asarray(out))) for out in found]
stages = (slice(0, 10), slice(10, 30), slice(30, 39))
growth = {
    key: [found[stage][-1] / found[stage][0] for stage in stages] for key, found in spreads.items()
}
print({key: np.round(found, 2).tolist() for key, found in growth.items()})
# Over the twenty blocks of the middle grid.
grown_one, grown_small = (float(growth[name, True][1]) for name in ("one", "small"))
bare_one = float(growth["one", False][1])
assert grown_one > grown_small, (
    "With factors of 1, the sums of a fresh InceptionResNetV2 grow faster from block to block."
)
assert 0.8 < grown_small < 1.2, "With small factors, the sums of a fresh network keep their spread."
assert grown_one < 2 < bare_one, (
    "Batch normalization in the branches slows the growth of the sums in a fresh network."
)

# %% label="spread-drawn" alt="Spread of the sums against the block, in two panels. With the factor 1 the spread rises within each grid; with the small factors it stays level." caption="The spread (standard deviation) of the sums in a fresh InceptionResNetV2, block by block, for two photographs. Gaps part the three grids." tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(5, 4.8), sharex=True)
kinds = {"one": ("factor 1", ORANGE, "--"), "small": ("0.17, 0.1, 0.2", BLUE, "-")}
titles = {True: "normalized by the batch", False: "not normalized"}
for ax, (training, title) in zip(axes, titles.items(), strict=True):
    for name, (label, color, style) in kinds.items():
        for stage in stages:
            blocks_of = np.arange(39)[stage] + 1
            found = spreads[name, training][stage]
            ax.plot(blocks_of, found, style, color=color, label=label if stage.start == 0 else None)
    ax.set(title=title, ylabel="spread")
axes[0].legend()
axes[1].set_xlabel("block")

# %% [markdown]
# ## The same logits as Keras's
#
# In a fresh network, batch normalization hardly does anything. So its statistics, here those of the
# photographs, are varied at random, and its shifts, too, before the weights are compared.


# %% label="rebuilt-resnet" values="resnet_gap resnet_parameters resnet_millions resnet_products resnet_depth"
def vary(seed):
    """Change the statistics of batch normalization, and its shifts, at random."""
    rng = np.random.default_rng(seed)
    for layer in norms:
        *others, mean, variance = layer.get_weights()
        others = [w + rng.normal(0, 0.1, w.shape) for w in others]
        mean = mean + np.sqrt(variance) * rng.normal(0, 0.1, mean.shape)
        layer.set_weights([*others, mean, variance * rng.uniform(0.5, 1.5, mean.shape)])


resnet_products, resnet_depth = cost.multiply_adds(ours) / 1e6, cost.longest_path(ours)
theirs = keras.applications.InceptionResNetV2(weights=None, classifier_activation=None)
resnet_parameters, resnet_theirs = ours.count_params(), theirs.count_params()
resnet_millions = resnet_parameters / 1e6
vary(seed=0)
theirs.set_weights(ours.get_weights())
expected, found = (np.asarray(model(images)) for model in (theirs, ours))  # (2, 1000)
vary(seed=1)
other = np.asarray(ours(images[:1]))
resnet_gap, resnet_between, resnet_other = (
    float(np.abs(difference).max() / expected.std())
    for difference in (found - expected, expected[0] - expected[1], other - expected[:1])
)
print(f"apart by {resnet_gap:.0e}; two images {resnet_between:.2f}, others {resnet_other:.2f}")
assert resnet_gap < 1e-5, "The rebuilt InceptionResNetV2 gives Keras's logits."
assert min(resnet_between, resnet_other) > 1e-2
assert resnet_parameters == resnet_theirs

# %%
plt.show()
