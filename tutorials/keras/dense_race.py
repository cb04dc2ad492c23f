# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # Dense blocks at equal size
# What are dense connections worth when the number of parameters is kept the same? A race of three
# blocks on digits at random places, for the chapter
# [DenseNet and NASNet](../../keras/densenet-nasnet.md).

# %%
from functools import partial

import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, trials

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
def network(block, width):
    """Return a classifier: a stem, a block at 8 × 8, and one at 4 × 4."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = block(keras.layers.ReLU()(normalized(x)), width, 1)  # (batch, 8, 8, channels)
    x = block(keras.layers.MaxPooling2D()(x), width, 2)  # (batch, 4, 4, channels)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


# %% label="contestants"
def plain(x, width, stage):
    """Two convolutions of 3 × 3; the second block is twice as wide."""
    for _ in range(2):
        x = keras.layers.Conv2D(width * stage, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(normalized(x))
    return x


def dense(x, growth, stage):
    """Three dense layers, with one growth rate in both blocks."""
    return keras.layers.ReLU()(normalized(dense_block(x, growth)))


def chain(x, width, stage):
    """The same layers without concatenation; the second block is wider by one channel."""
    return keras.layers.ReLU()(normalized(dense_block(x, width + stage - 1, connected=False)))


# %% label="race" caption="The race: size (parameters) and cost (multiply-adds for a sheet) in thousands, time of training relative to plain, and mean and range (highest minus lowest) of the test accuracy of three seeds, in percent." values="training tests race_epochs race_low race_high plain_mean dense_mean chain_mean dense_worst chain_best dense_seconds dense_width chain_width chain_last spread_points product_ratio"
contestants = {"plain": plain, "dense": dense, "chain": chain}
sized = {name: partial(network, block) for name, block in contestants.items()}
widths = {name: trials.closest_width(build, 19_500) for name, build in sized.items()}
builds = {name: partial(build, widths[name]) for name, build in sized.items()}
train, test = datasets.load_shifted_digits(copies=2)
training, tests, race_epochs = len(train[0]), len(test[0]), 4
race = trials.compare(builds, train, test, epochs=race_epochs)

race_low, race_high = (f(trial.parameters for trial in race.values()) for f in (min, max))
plain_mean, dense_mean, chain_mean = (trial.mean for trial in race.values())
dense_worst, chain_best = race["dense"].lowest, race["chain"].highest
spread_points = 100 * max(race[name].spread for name in ("plain", "dense"))
dense_seconds = float(np.median(race["dense"].seconds) / np.median(race["plain"].seconds))
product_ratio = race["dense"].multiply_adds / race["plain"].multiply_adds
dense_width, chain_width, chain_last = widths["dense"], widths["chain"], widths["chain"] + 1
assert 18_500 <= race_low <= race_high <= 21_000, "All contestants have about 20,000 parameters."
assert min(plain_mean, dense_mean) > 0.9, (
    "On average, plain and dense blocks read over nine of ten test sheets."
)
assert dense_worst - chain_best > 0.02, (
    "With concatenation, each seed reads more digits than all seeds without it."
)
assert abs(dense_mean - plain_mean) < (dense_mean - chain_mean) / 2, (
    "Dense and plain blocks differ less than half as much as dense blocks and the chain."
)
assert dense_seconds > 1.5, "Dense blocks take far more time to train than plain ones of that size."
pd.DataFrame(trials.summarize(race, "plain"))
