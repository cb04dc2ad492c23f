# ---
# labkit: {memory: 2 GB}
# ---
# %% [markdown]
# # Separable blocks at equal size
# What are separable convolutions worth when the number of parameters is kept the same? Plain blocks,
# MobileNet's and MobileNetV2's read digits at random places, for the chapter
# [MobileNets](../../keras/mobilenets.md).

# %%
from functools import partial

import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, trials

# %% [markdown]
# ## The blocks
# The [chapter's first tutorial](mobilenets.py) checks such blocks against Keras. Here they differ only
# in how they look at 3 × 3 places: by a full convolution, by a separable one, or by an inverted
# residual block. All have ReLU6.


# %% label="blocks"
OPTIONS = {"padding": "same", "use_bias": False}


def normalized(layer, x, relu=True):
    """Apply a layer, batch normalization and, unless told otherwise, ReLU6."""
    x = keras.layers.BatchNormalization(momentum=0.9)(layer(x))
    return keras.layers.ReLU(6)(x) if relu else x


def plain(x, width):
    """A full convolution."""
    return normalized(keras.layers.Conv2D(width, 3, **OPTIONS), x)


def separable(x, width):
    """MobileNet's block: places first, then channels."""
    x = normalized(keras.layers.DepthwiseConv2D(3, **OPTIONS), x)
    return normalized(keras.layers.Conv2D(width, 1, **OPTIONS), x)


def inverted(x, width, expansion=6):
    """MobileNetV2's block: widen, slide, narrow without a ReLU, and add the input."""
    h = normalized(keras.layers.Conv2D(expansion * x.shape[-1], 1, **OPTIONS), x)
    h = normalized(keras.layers.DepthwiseConv2D(3, **OPTIONS), h)
    h = normalized(keras.layers.Conv2D(width, 1, **OPTIONS), h, relu=False)
    return keras.layers.Add()([x, h]) if x.shape[-1] == width else h


# %% label="network"
def network(block, width):
    """Return a classifier: two blocks at 8 × 8, and two of twice the width at 4 × 4."""
    image = keras.Input((16, 16, 1))
    x = normalized(keras.layers.Conv2D(16, 3, 2, **OPTIONS), image)  # (batch, 8, 8, 16)
    x = keras.layers.MaxPooling2D()(block(block(x, width), width))
    x = block(block(x, 2 * width), 2 * width)  # (batch, 4, 4, 2 · width)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))


# %% [markdown]
# ## The race

# %% label="race" caption="The race: size (parameters) and cost (multiply-adds for a sheet) in thousands, time of training relative to plain, and mean and range (highest minus lowest) of the test accuracy of three seeds, in percent." values="race_train race_test race_epochs race_low race_high race_lowest race_lead race_spread_points plain_mean v1_mean v2_mean plain_width v1_width v1_products v1_time v2_time"
contestants = {"plain": plain, "V1": separable, "V2": inverted}
sized = {name: partial(network, block) for name, block in contestants.items()}
widths = {name: trials.closest_width(build, 19_500) for name, build in sized.items()}
builds = {name: partial(build, widths[name]) for name, build in sized.items()}
train, test = datasets.load_shifted_digits(copies=2)
race_train, race_test, race_epochs = len(train[0]), len(test[0]), 4
race = trials.compare(builds, train, test, epochs=race_epochs)

race_low, race_high = (f(trial.parameters for trial in race.values()) for f in (min, max))
race_lowest = min(trial.lowest for trial in race.values())
race_spread_points = 100 * max(trial.spread for trial in race.values())
plain_mean, v1_mean, v2_mean = means = [trial.mean for trial in race.values()]
race_lead = max(means) - min(means)
plain_width, v1_width = widths["plain"], widths["V1"]
v1_products = race["V1"].multiply_adds / race["plain"].multiply_adds
v1_time, v2_time = (
    float(np.median(race[name].seconds) / np.median(race["plain"].seconds)) for name in ("V1", "V2")
)
assert 18_500 <= race_low <= race_high <= 21_000, "All contestants have about 20,000 parameters."
assert race_lowest > 0.85, "Each block, with each seed, reads over 85% of the test sheets."
assert race_lead < 0.06, "On average of the seeds, the race's networks lie within six points."
assert max(v1_mean, v2_mean) < plain_mean + 0.01, (
    "At equal size, neither MobileNet's blocks nor V2's read a point more than plain ones do."
)
assert v1_width > 2.5 * plain_width, (
    "For as many parameters, MobileNet's blocks have more than twice the channels of plain ones."
)
assert v1_products < 1, "At equal parameters, separable blocks need fewer products than plain ones."
assert min(v1_time, v2_time) > 1.3, "At equal parameters, separable blocks take longer to train."
pd.DataFrame(trials.summarize(race, "plain"))
