# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # Dense blocks at equal size
# What are dense connections worth when the number of parameters is kept the same? A race of three
# blocks on digits at random places, for the chapter
# [DenseNet and NASNet](../../keras/densenet-nasnet.md).

# %%
import time
from functools import partial

import numpy as np
import pandas as pd

import labkit as keras
from labkit import cost, datasets

# %% [markdown]
# ## A dense block
# The block is that of the [chapter's first tutorial](densenet-nasnet.py): each layer normalizes,
# activates and convolves twice, 1 × 1 to four times the growth rate, then 3 × 3 to the growth rate. A
# dense block appends what comes out to what went in.


# %% label="dense-block"
def normalized(x, momentum=0.9):
    """Normalize each channel by the batch."""
    return keras.layers.BatchNormalization(momentum=momentum)(x)


def dense_layer(x, growth):
    """Return `growth` new channels: a bottleneck of 1 × 1, then 3 × 3."""
    for filters, size in ((4 * growth, 1), (growth, 3)):
        x = keras.layers.ReLU()(normalized(x))
        x = keras.layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    return x


def dense_block(x, growth, count=3, connected=True):
    """Stack layers; connected, each one sees the input and all layers before it."""
    for _ in range(count):
        new = dense_layer(x, growth)
        x = keras.layers.Concatenate()([x, new]) if connected else new
    return x


# %% [markdown]
# ## A race
# Three blocks compete in one small network that reads digits at random places: two plain
# convolutions; three dense layers; and the same three layers without concatenation, each of which
# sees the last one's output alone. Widths are such that all have about 20,000 parameters.


# %% label="network"
def network(block):
    """Return a classifier: a stem, a block at 8 × 8, and one at 4 × 4."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = block(keras.layers.ReLU()(normalized(x)), 1)  # (batch, 8, 8, channels)
    x = block(keras.layers.MaxPooling2D()(x), 2)  # (batch, 4, 4, channels)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


def fit(build, seed, x, y, epochs=2):
    """Train what `build` returns, and return it with the seconds that it took."""
    keras.utils.set_random_seed(seed)
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(0.005, epochs * -(-len(x) // 64))
    optimizer = keras.optimizers.Adam(schedule)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    return model, time.perf_counter() - began


def accuracy(model, x, y):
    """Return the share of sheets that a model reads right."""
    return float(model.evaluate(x, y, verbose=0)[1])


def closest(block, budget=20_000):
    """Return the width with which the network has about as many parameters as it may."""
    counts = {}
    for width in range(4, 60):
        counts[width] = network(partial(block, width)).count_params()
        if counts[width] > budget:
            break
    return min(counts, key=lambda width: abs(counts[width] - budget))


# %% label="contestants"
def plain(width, x, stage):
    """Two convolutions of 3 × 3; the second block is twice as wide."""
    for _ in range(2):
        x = keras.layers.Conv2D(width * stage, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(normalized(x))
    return x


def dense(growth, x, stage):
    """Three dense layers, with one growth rate in both blocks."""
    return keras.layers.ReLU()(normalized(dense_block(x, growth)))


def chain(width, x, stage):
    """The same layers without concatenation; the second block is wider by one channel."""
    return keras.layers.ReLU()(normalized(dense_block(x, width + stage - 1, connected=False)))


# %% label="race" caption="The race: parameters, thousands of multiply-adds for a sheet, time of training relative to plain, and test accuracy (mean and range of three seeds)." values="training tests race_low race_high plain_mean dense_mean chain_mean dense_seconds dense_width chain_width plain_products dense_products race_spread product_ratio"
(x_train, y_train), (x_test, y_test) = datasets.load_shifted_digits(copies=2)
training, tests = len(x_train), len(x_test)
contestants = {"plain": plain, "dense": dense, "chain": chain}
widths = {name: closest(block) for name, block in contestants.items()}
found, seconds, models = {}, {}, {}
for name, block in contestants.items():
    build = partial(network, partial(block, widths[name]))
    runs = [fit(build, seed, x_train, y_train) for seed in range(3)]
    models[name] = runs[0][0]
    found[name] = [accuracy(model, x_test, y_test) for model, _ in runs]
    seconds[name] = float(np.median([taken for _, taken in runs]))

counts = {name: model.count_params() for name, model in models.items()}
products = {name: cost.multiply_adds(model) for name, model in models.items()}
race_low, race_high = min(counts.values()), max(counts.values())
plain_mean, dense_mean, chain_mean = (float(np.mean(scores)) for scores in found.values())
race_spread = max(max(scores) - min(scores) for scores in found.values())
dense_seconds = seconds["dense"] / seconds["plain"]
product_ratio = products["dense"] / products["plain"]
dense_width, chain_width = widths["dense"], widths["chain"]
plain_products, dense_products = products["plain"], products["dense"]
pd.DataFrame(
    {
        "params": [f"{count:,d}" for count in counts.values()],
        "mult.": [f"{count / 1000:.0f}" for count in products.values()],
        "time": [f"{taken / seconds['plain']:.1f}" for taken in seconds.values()],
        "mean": [f"{np.mean(scores):.2f}" for scores in found.values()],
        "range": [f"{min(scores):.2f}–{max(scores):.2f}" for scores in found.values()],
    },
    index=list(contestants),
)

# %%
print(f"means: plain {plain_mean:.3f}, dense {dense_mean:.3f}, chain {chain_mean:.3f}", end="; ")
print(f"dense took {dense_seconds:.1f} times as long as plain")
assert 18_500 <= race_low <= race_high <= 21_000, "All contestants have about 20,000 parameters."
assert min(plain_mean, dense_mean) > 0.7, "Plain and dense blocks learn to read shifted digits."
assert dense_mean - chain_mean > 0.2, (
    "Without concatenation, the same layers read far fewer digits at equal parameters."
)
assert abs(dense_mean - plain_mean) < (dense_mean - chain_mean) / 2, (
    "Dense and plain blocks differ less than half as much as dense blocks and the chain."
)
assert dense_seconds > 1.5, "Dense blocks take far more time to train than plain ones of that size."
