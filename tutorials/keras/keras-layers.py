# %% [markdown]
# # Every layer of Keras
# This script makes an example of every layer, calls it, and notes what comes out: shapes, parameters,
# what differs in training, what becomes of a mask. The chapter
# [Keras layers](../../keras/keras-layers.md) shows the tables.
#
# The first half runs on `labkit`, the book's library. The second half makes the same examples, and
# those of all other layers, in Keras.

# %%
import inspect
import re
import warnings
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREY = (plot.COLORS[name] for name in ("blue", "orange", "grey"))
rng = np.random.default_rng(0)

# %% [markdown]
# ## Inputs
# A few arrays of different kinds, each a batch of four examples.


# %% label="inputs"
def normal(*shape):
    """Return a batch of random numbers."""
    return rng.normal(size=(4, *shape)).astype("float32")


INPUTS = {
    "row": normal(6),  # (batch, features)
    "steps": normal(6, 4),  # (batch, steps, features)
    "image": normal(6, 6, 3),  # (batch, height, width, channels)
    "volume": normal(4, 4, 4, 3),  # (batch, depth, height, width, channels)
    "rows in time": normal(3, 6, 4),  # (batch, steps, length, channels)
    "movie": normal(3, 6, 6, 3),  # (batch, steps, height, width, channels)
    "volumes": normal(3, 4, 4, 4, 3),
    "photo": rng.integers(0, 256, (4, 12, 12, 3)).astype("float32"),
    "wave": normal(512),
    "channel": normal(512, 1),
    "tokens": rng.integers(1, 9, (4, 6)),
    "texts": np.array(["to be or", "not to be", "that is", "the question"]),
}
INPUTS["two rows"] = [INPUTS["row"], INPUTS["row"][::-1].copy()]
INPUTS["two sequences"] = [INPUTS["steps"], INPUTS["steps"][::-1].copy()]
INPUTS["query, value"] = tuple(INPUTS["two sequences"])  # two arguments, where a list is one
INPUTS["two columns"] = [INPUTS["tokens"][:, 0], INPUTS["tokens"][:, 1]]

# %% [markdown]
# ## An example of every layer
# Each line says which input a layer gets and with which arguments it is made. Layers for one, two
# and three dimensions share a line. `None` stands for what cannot be called on its own: the classes
# from which layers are derived, the cells of recurrent layers, and the wrappers of other libraries.


# %% label="families"
class Example(NamedTuple):
    """How a layer is made, and what it is called on."""

    given: object  # the name of an input, or an array
    arguments: tuple
    options: dict


def on(given, *arguments, **options):
    """Return an example; an argument that is an `inner` layer is made first."""
    return Example(given, arguments, options)


def each(name, *arguments, given=("steps", "image", "volume"), **options):
    """Return examples of layers whose names differ in the number of dimensions."""
    return {name.format(n): on(k, *arguments, **options) for n, k in enumerate(given, 1)}


class Inner(NamedTuple):
    """A layer that is an argument of another."""

    name: str
    arguments: tuple


def inner(name, *arguments):
    """Return a layer that is made when the one around it is made."""
    return Inner(name, arguments)


FLAT = ("steps", "image")
FAMILIES = {
    "core": {
        "Dense": on("row", 3),
        "EinsumDense": on("steps", "bsd,du->bsu", (None, 3), bias_axes="u"),
        "Embedding": on("tokens", 9, 3),
        "ReversibleEmbedding": on("tokens", 9, 3),
        "Masking": on("steps"),
        "Lambda": on("row", abs),
        "Identity": on("row"),
        **dict.fromkeys(["InputLayer", "InputSpec", "Layer"]),
    },
    "convolutional": {
        **each("Conv{}D", 5, 3),
        **each("Conv{}DTranspose", 5, 3),
        **each("DepthwiseConv{}D", 3, given=FLAT),
        **each("SeparableConv{}D", 5, 3, given=FLAT),
    },
    "pooling": {
        **each("MaxPooling{}D", 2),
        **each("AveragePooling{}D", 2),
        **each("GlobalMaxPooling{}D"),
        **each("GlobalAveragePooling{}D"),
        **each("AdaptiveMaxPooling{}D", 2),
        **each("AdaptiveAveragePooling{}D", 2),
    },
    "normalization": {
        "BatchNormalization": on("row"),
        "LayerNormalization": on("row"),
        "RMSNormalization": on("row"),
        "GroupNormalization": on("steps", 2),
        "UnitNormalization": on("row"),
    },
    "recurrent": {
        "SimpleRNN": on("steps", 3),
        "LSTM": on("steps", 3),
        "GRU": on("steps", 3),
        "RNN": on("steps", inner("SimpleRNNCell", 3)),
        **each("ConvLSTM{}D", 5, 3, given=("rows in time", "movie", "volumes")),
        **dict.fromkeys(["SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"]),
    },
    "attention": {
        "MultiHeadAttention": on("query, value", 2, 3),
        "GroupQueryAttention": on("query, value", 3, 4, 2),
        "Attention": on("two sequences"),
        "AdditiveAttention": on("two sequences"),
    },
    "merging": {
        "Add": on("two rows"),
        "Subtract": on("two rows"),
        "Multiply": on("two rows"),
        "Average": on("two rows"),
        "Maximum": on("two rows"),
        "Minimum": on("two rows"),
        "Concatenate": on("two rows"),
        "Dot": on("two rows", 1),
    },
    "reshaping": {
        "Flatten": on("steps"),
        "Reshape": on("steps", (8, 3)),
        "Permute": on("steps", (2, 1)),
        "RepeatVector": on("row", 3),
        **each("ZeroPadding{}D", 1),
        **each("Cropping{}D", 1),
        **each("UpSampling{}D", 2),
    },
    "activation": {
        "Activation": on("row", "tanh"),
        "ReLU": on("row"),
        "LeakyReLU": on("row"),
        "PReLU": on("row"),
        "ELU": on("row"),
        "Softmax": on("row"),
    },
    "regularization": {
        "Dropout": on("row", 0.5),
        **each("SpatialDropout{}D", 0.5),
        "AlphaDropout": on("row", 0.5),
        "GaussianDropout": on("row", 0.5),
        "GaussianNoise": on("row", 0.5),
        "ActivityRegularization": on("row", l2=0.1),
    },
    "preprocessing": {
        "Normalization": on("row"),
        "Rescaling": on("row", 0.5),
        "Discretization": on("row", [-1.0, 0.0, 1.0]),
        "CategoryEncoding": on("tokens", 9),
        "IntegerLookup": on("tokens", vocabulary=[1, 2, 3]),
        "StringLookup": on("texts", vocabulary=["that is"]),
        "Hashing": on("tokens", 5),
        "HashedCrossing": on("two columns", 5),
        "TextVectorization": on("texts", vocabulary=["to", "be"], output_sequence_length=5),
        "STFTSpectrogram": on("channel", frame_length=64, frame_step=32, fft_length=64),
        "MelSpectrogram": on("wave", fft_length=64, sequence_stride=32, num_mel_bins=8),
        "Resizing": on("photo", 8, 8),
        "CenterCrop": on("photo", 8, 8),
        "Pipeline": on("photo", [inner("CenterCrop", 8, 8)]),
    },
    "augmentation": {
        "RandomFlip": on("photo"),
        "RandomCrop": on("photo", 8, 8),
        "RandomTranslation": on("photo", 0.3, 0.3),
        "RandomRotation": on("photo", 0.3),
        "RandomZoom": on("photo", 0.3),
        "RandomShear": on("photo", 0.3, 0.3),
        "RandomPerspective": on("photo"),
        "RandomElasticTransform": on("photo"),
        "RandomErasing": on("photo"),
        "RandomGaussianBlur": on("photo"),
        "RandomSharpness": on("photo", 0.3),
        "RandomBrightness": on("photo", 0.3),
        "RandomContrast": on("photo", 0.3),
        "RandomHue": on("photo", 0.3),
        "RandomSaturation": on("photo", 0.3),
        "RandomColorDegeneration": on("photo", 0.3),
        "RandomColorJitter": on("photo", brightness_factor=0.3),
        "RandomGrayscale": on("photo", 0.5),
        "RandomInvert": on("photo", 0.5),
        "RandomPosterization": on("photo", 3),
        "Solarization": on("photo", 0.3, 0.3),
        "AutoContrast": on("photo"),
        "Equalization": on("photo"),
        "ContrastLimitedAdaptiveHistogramEqualization": on("photo"),
        "RandAugment": on("photo"),
        "AugMix": on("photo"),
        "MixUp": on("photo"),
        "CutMix": on("photo"),
        "MaxNumBoundingBoxes": on("photo", 3),
    },
    "wrapper": {
        "Bidirectional": on("steps", inner("LSTM", 3)),
        "TimeDistributed": on("movie", inner("Conv2D", 5, 3)),
        "SpectralNormalization": on("row", inner("Dense", 3)),
        **dict.fromkeys(["Wrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"]),
    },
}
EXAMPLES = {name: e for family in FAMILIES.values() for name, e in family.items() if e}

# %% [markdown]
# Three helpers make a layer, call it, and compare two results. A result may be of any dtype.


# %% label="helpers"
def settled(argument, package):
    """Return an argument with the inner layers made."""
    if isinstance(argument, list):
        return [settled(part, package) for part in argument]
    if isinstance(argument, Inner):
        return getattr(package.layers, argument.name)(*argument.arguments)
    return argument


def made(name, example=None, package=None):
    """Return a layer of labkit or of Keras, whichever `keras` is at the moment."""
    example, package = example or EXAMPLES[name], package or keras
    arguments = [settled(argument, package) for argument in example.arguments]
    return getattr(package.layers, name)(*arguments, **example.options)


def called(layer, x, **mode):
    """Return what a layer makes of an input, as an array."""
    return np.asarray(layer(*x, **mode) if isinstance(x, tuple) else layer(x, **mode))


def given(name):
    """Return the input of a layer's example."""
    return INPUTS[EXAMPLES[name].given]


def same(first, second):
    """Say whether two results agree, up to the rounding of float32."""
    if first.shape != second.shape or first.dtype.kind in "iUO":
        return np.array_equal(first, second)
    return np.allclose(first, second, rtol=1e-4, atol=1e-5)


def shape(x):
    """Return the shape of one example as text; of several inputs, that of each."""
    if isinstance(x, list | tuple):
        return f"{len(x)} × ({shape(x[0])})"
    return ", ".join(map(str, x.shape[1:])) or ("text" if x.dtype.kind == "U" else "number")


# %% [markdown]
# ## What a layer does to a shape
# The pictures are drawn from the shapes that the layers return.


# %% label="draw"
def draw(ax, size, middle, top):
    """Draw the numbers of one example as cells: features to the right, channels behind."""
    rows, columns, sheets = {1: (1, *size, 1), 2: (*size, 1), 3: size}[len(size)]
    gap = 0.7
    left = middle - (columns + gap * (sheets - 1)) / 2
    for sheet in reversed(range(sheets)):
        x, y = left + gap * sheet, top + gap * (sheets - 1 - sheet)
        order = 3 + 3 * (sheets - sheet)  # the first sheet lies in front
        for color, alpha, above in ((plot.PAPER, 1, 0), (BLUE, 0.25, 1)):
            style = {"facecolor": color, "alpha": alpha, "linewidth": 0, "zorder": order + above}
            ax.add_patch(plt.Rectangle((x, y), columns, rows, **style))
        style = {"color": BLUE, "linewidth": 0.6, "zorder": order + 2}
        ax.vlines(x + np.arange(columns + 1), y, y + rows, **style)
        ax.hlines(y + np.arange(rows + 1), x, x + columns, **style)
    return rows + gap * (sheets - 1)


def height(size):
    """Return how many cells high the drawing of a shape is."""
    return {1: 1, 2: size[0], 3: size[0] + 0.7 * (size[-1] - 1)}[len(size)]


def draw_layers(names):
    """Draw what layers make of the shape of their example's input, one below the other."""
    pairs = []
    for name in names:
        x = given(name)
        y = called(made(name), x)
        parts = x if isinstance(x, list | tuple) else [x]
        pairs.append((name, [part.shape[1:] for part in parts], y.shape[1:]))
    tall = [
        max(sum(map(height, before)) + len(before) - 1, height(after)) + 4.6
        for _, before, after in pairs
    ]
    fig, ax = plt.subplots(figsize=(5, 0.1 * sum(tall)))
    ax.set(xlim=(0, 50), ylim=(sum(tall), 0), aspect="equal")
    ax.axis("off")
    fig.get_layout_engine().set(w_pad=0, h_pad=0)
    for (name, before, after), start, room in zip(pairs, np.cumsum([0, *tall]), tall, strict=False):
        ax.text(25, start + 0.4, name, ha="center", va="top", weight="bold")
        center = start + 2.2 + (room - 4.6) / 2
        top = center - (sum(map(height, before)) + len(before) - 1) / 2
        for part in before:
            top += draw(ax, part, 10, top) + 1
        bottom = draw(ax, after, 39, center - height(after) / 2) + center - height(after) / 2
        arrow = {"arrowstyle": "->", "color": plot.INK}
        ax.annotate("", (29, center), (21, center), arrowprops=arrow)
        times = f"{len(before)} × " if len(before) > 1 else ""
        ax.text(10, top - 0.7, f"{times}{before[0]}", ha="center", va="top")
        ax.text(39, bottom + 0.3, str(after), ha="center", va="top")


# %% label="shape-core" alt="Blocks of cells before and after five layers: Dense makes 3 numbers of 6, Embedding a row of 3 numbers of each of 6 tokens, Reshape 8 rows of 3 of 6 rows of 4, Concatenate one row of 12 of two rows of 6, Dot a single number of two rows." caption="Core, reshaping and merging layers, each drawn from the shape that the layer returned. One cell is one number of one example; the batch axis is not drawn." tags=["remove-input"]
draw_layers(["Dense", "Embedding", "Reshape", "Concatenate", "Dot"])

# %% label="shape-convolution" alt="An image of 6 by 6 places and 3 channels before and after five layers: Conv2D gives 4 by 4 places and 5 channels, Conv2DTranspose 8 by 8 and 5, DepthwiseConv2D 4 by 4 and 3, MaxPooling2D 3 by 3 and 3, GlobalAveragePooling2D a row of 3." caption="Convolutional and pooling layers. Channels lie behind one another. A transposed convolution makes the image larger, a depthwise one and pooling keep the channels, and a global one keeps nothing else." tags=["remove-input"]
draw_layers(
    ["Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "MaxPooling2D", "GlobalAveragePooling2D"]
)

# %% label="shape-sequence" alt="Six steps of 4 features before and after three layers: LSTM gives a row of 3, Bidirectional a row of 6, MultiHeadAttention takes two such blocks and gives 6 steps of 4." caption="Recurrent layers, a wrapper and attention; each line of cells is a step. A recurrent layer returns its last output alone unless it is told to `return_sequences`. Attention returns as many steps as its query has." tags=["remove-input"]
draw_layers(["LSTM", "Bidirectional", "MultiHeadAttention"])

# %% [markdown]
# Along one axis, a convolution or pooling turns a length into another by a rule that depends on the
# window, the stride and the padding.


# %% label="lengths" values="lengths_checked"
def length_after(length, window, stride, padding, transposed):
    """Return how many places are left of a length."""
    if transposed:
        more = max(window - stride, 0) if padding == "valid" else 0
        return length * stride + more
    return -(-length // stride) if padding == "same" else (length - window) // stride + 1


lengths_checked = lengths_right = 0
for length in range(3, 8):
    image = np.zeros((1, length, length, 1), "float32")
    for window, stride in np.ndindex(3, 3):
        for padding in ("valid", "same"):
            settings = {"strides": stride + 1, "padding": padding}
            for layer in (
                keras.layers.Conv2D(1, window + 1, **settings),
                keras.layers.MaxPooling2D(window + 1, **settings),
                keras.layers.Conv2DTranspose(1, window + 1, **settings),
            ):
                transposed = "transpose" in type(layer).__name__.lower()
                expected = length_after(length, window + 1, stride + 1, padding, transposed)
                lengths_checked += 1
                lengths_right += called(layer, image).shape[1:3] == (expected, expected)
print(f"{lengths_checked} settings")
assert lengths_right == lengths_checked, "Two rules give every length after convolution or pooling."

# %% [markdown]
# ## Formulas of parameters
# For each layer with weights: how many parameters are trained, how many are not, and an example whose
# sizes are letters. The sizes are drawn at random, three times, and the formula must count the weights
# of the real layer each time.


# %% label="formulas"
class Formula(NamedTuple):
    """The number of parameters, as an expression, and a layer to count."""

    trained: str
    fixed: str
    example: object  # takes sizes, returns an Example


def formula(trained, example, fixed="0"):
    """Return a formula."""
    return Formula(trained, fixed, example)


def grid(s, n, *first):
    """Return an input of n axes of places and C channels, and axes before them."""
    return np.zeros((1, *first, *[s.m + 1] * n, s.C), "float32")


def row(*size):
    """Return an input of one example."""
    return np.zeros((1, *size), "float32")


CONVOLUTION, DEPTHWISE = "(m**n * C + 1) * F", "(m**n + 1) * C * D"
SEPARABLE = "m**n * C * D + (C * D + 1) * F"
HEADS = "H * (2*q + p) * (d + 1) + (H*p + 1) * d"
GROUPED = "(H + 2*G) * q * (d + 1) + (H*q + 1) * d"
tokens = np.zeros((1, 2), int)
FORMULAS = {
    "Dense": formula("(d + 1) * u", lambda s: on(row(s.d), s.u)),
    "EinsumDense": formula(
        "(d + 1) * u", lambda s: on(row(2, s.d), "bsd,du->bsu", (None, s.u), bias_axes="u")
    ),
    "Embedding": formula("V * u", lambda s: on(tokens, s.V, s.u)),
    "ReversibleEmbedding": formula("V * u", lambda s: on(tokens, s.V, s.u)),
    "PReLU": formula("d", lambda s: on(row(s.d))),
    "BatchNormalization": formula("2 * d", lambda s: on(row(s.d)), fixed="2 * d"),
    "LayerNormalization": formula("2 * d", lambda s: on(row(s.d))),
    "RMSNormalization": formula("d", lambda s: on(row(s.d))),
    "GroupNormalization": formula("2 * d", lambda s: on(row(s.d), 1)),
    "SimpleRNN": formula("u * (d + u + 1)", lambda s: on(row(2, s.d), s.u)),
    "LSTM": formula("4 * u * (d + u + 1)", lambda s: on(row(2, s.d), s.u)),
    "GRU": formula("3 * u * (d + u + 2)", lambda s: on(row(2, s.d), s.u)),
    "RNN": formula("u * (d + u + 1)", lambda s: on(row(2, s.d), inner("SimpleRNNCell", s.u))),
    "Bidirectional": formula(
        "2 * 4 * u * (d + u + 1)", lambda s: on(row(2, s.d), inner("LSTM", s.u))
    ),
    "TimeDistributed": formula(
        "(m**2 * C + 1) * F", lambda s: on(grid(s, 2, 2), inner("Conv2D", s.F, s.m))
    ),
    "SpectralNormalization": formula(
        "(d + 1) * u", lambda s: on(row(s.d), inner("Dense", s.u)), fixed="u"
    ),
    "MultiHeadAttention": formula(
        HEADS, lambda s: on((row(2, s.d), row(2, s.d)), s.H, s.q, value_dim=s.p)
    ),
    "GroupQueryAttention": formula(
        GROUPED, lambda s: on((row(2, s.d), row(2, s.d)), s.q, s.H, s.G)
    ),
    "AdditiveAttention": formula("d", lambda s: on([row(2, s.d), row(2, s.d)])),
    "STFTSpectrogram": formula(
        "2 * L * (L/2 + 1)",
        lambda s: on(row(4 * s.L, 1), frame_length=s.L, frame_step=s.L, fft_length=s.L),
    ),
    "Normalization": formula("0", lambda s: on(row(s.d)), fixed="2 * d + 1"),
}
for axes in (1, 2, 3):
    for name, text, least in (
        ("Conv{}D", CONVOLUTION, 3),
        ("Conv{}DTranspose", CONVOLUTION, 3),
        ("SeparableConv{}D", SEPARABLE, 2),
        ("DepthwiseConv{}D", DEPTHWISE, 2),
        ("ConvLSTM{}D", "4 * F * (m**n * (C + F) + 1)", 3),
    ):
        kind = name.format(axes)

        def example(s, kind=kind, n=axes):
            """Return an example of a layer with n axes of places."""
            multiplier = {"depth_multiplier": s.D} if "pthwise" in kind or "Sep" in kind else {}
            filters = () if "Depthwise" in kind else (s.F,)
            first = (2,) if "LSTM" in kind else ()
            return on(grid(s, n, *first), *filters, s.m, **multiplier)

        if axes <= least:
            FORMULAS[kind] = formula(text, example)

# %% label="check" values="formulas_checked formulas_right"
draws = pd.DataFrame({name: rng.integers(2, 6, 3) for name in "duCFmDVGqp"})
draws["L"] = 2 ** draws["m"]  # the length of a Fourier transform, a power of two
draws["H"] = draws["G"] * [1, 2, 3]  # heads are shared evenly among groups


def count(layer):
    """Return how many parameters of a layer are trained, and how many are not."""
    trained = sum(int(np.prod(w.shape)) for w in layer.trainable_weights)
    return trained, layer.count_params() - trained


def check(name, text):
    """Return the counts of a formula and those of the real layers, for all draws."""
    axes = int((re.findall(r"[123](?=D)", name) or [1])[0])
    sizes = draws.assign(n=axes)
    expected = [sizes.eval(part) + 0 * sizes["n"] for part in (text.trained, text.fixed)]
    found = []
    for s in sizes.itertuples():
        example = text.example(s)
        layer = made(name, example)
        called(layer, example.given)
        found.append(count(layer))
    return list(zip(*expected, strict=True)), found


known = [name for name in FORMULAS if hasattr(keras.layers, name)]
checks = {name: check(name, FORMULAS[name]) for name in known}
formulas_checked = len(checks)
formulas_right = sum(expected == found for expected, found in checks.values())
print(f"{formulas_right} of {formulas_checked} formulas hold")
assert formulas_checked > 10
assert formulas_right == formulas_checked

# %% [markdown]
# ## In training and in use
# Some layers do one thing in training and another in use. On a digit:

# %% label="modes" alt="A digit before and after four layers. In use all four return it unchanged. In training dropout blanks half of the pixels, noise covers it with grain, and the other two move and turn it, each time differently." caption="A digit, and what four layers make of it in use, in training, and in training once more. In use they do nothing." tags=["remove-input"]
keras.utils.set_random_seed(1)
digit = datasets.load_digits().images[3][None, :, :, None].astype("float32") / 16
kinds = {
    "Dropout": keras.layers.Dropout(0.5),
    "GaussianNoise": keras.layers.GaussianNoise(0.3),
    "RandomTranslation": keras.layers.RandomTranslation(0.3, 0.3, fill_mode="constant"),
    "RandomRotation": keras.layers.RandomRotation(0.15, fill_mode="constant"),
}
fig, axes = plt.subplots(4, 4, figsize=(5, 5.3))
for line, (name, layer) in zip(axes, kinds.items(), strict=True):
    panels = [digit, *(called(layer, digit, training=mode) for mode in (False, True, True))]
    for ax, panel in zip(line, panels, strict=True):
        ax.imshow(panel[0, ..., 0], cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_title(name, loc="left", weight="bold")
for ax, text in zip(axes[-1], ("input", "in use", "in training", "once more"), strict=True):
    ax.set_xlabel(text)

# %% values="kept_mean dropped_share dropout_rate"
dropout_rate = 0.3
ones = np.ones((1, 20000), "float32")
dropped = called(keras.layers.Dropout(dropout_rate), ones, training=True)
kept_mean, dropped_share = float(dropped.mean()), float((dropped == 0).mean())
print(f"dropout: {dropped_share:.3f} are zero, mean {kept_mean:.3f}")
assert abs(dropped_share - dropout_rate) < 0.02
assert abs(kept_mean - 1) < 0.03

# %% [markdown]
# ## Which numbers of a batch an output depends on
# Change one input number at a time, and see whether the first output changes.


# %% label="influence" values="batch_reach_training batch_reach_use layer_reach group_reach"
def influence(layer, x, **mode):
    """Return, for each number of an input, whether the first number of the output depends on it."""
    called(layer, x)  # builds it
    start = [np.array(w) for w in layer.get_weights()]

    def first(x):
        y = called(layer, x, **mode)
        layer.set_weights(start)  # a batch normalization has moved its averages
        return y.flat[0]

    found = np.zeros(x.shape, bool)
    for place in np.ndindex(x.shape):
        moved = x.copy()
        moved[place] += 0.5
        found[place] = abs(first(moved) - first(x)) > 1e-5
    return found


table = normal(6)  # 4 examples of 6 channels
reaches = {
    "BatchNormalization,\nin training": influence(
        keras.layers.BatchNormalization(), table, training=True
    ),
    "BatchNormalization,\nin use": influence(
        keras.layers.BatchNormalization(), table, training=False
    ),
    "LayerNormalization": influence(keras.layers.LayerNormalization(), table),
    "GroupNormalization,\n2 groups": influence(keras.layers.GroupNormalization(2), table),
}
batch_reach_training, batch_reach_use, layer_reach, group_reach = (
    int(reach.sum()) for reach in reaches.values()
)
examples, channels = table.shape
assert batch_reach_training == examples, (
    "In training, batch normalization makes an output depend on that channel of all examples."
)
assert batch_reach_use == 1
assert layer_reach == channels, "Layer normalization looks at all channels of one example."
assert group_reach == channels // 2

# %% label="reach" alt="Four grids of 4 examples by 6 channels. Marked cells are those on which the first output depends: a column for batch normalization in training, one cell in use, a row for layer normalization, half a row for group normalization." caption="Which numbers of a batch the output in the first cell depends on, found by changing one at a time. Only batch normalization, in training, looks across examples." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 4.4))
fig.get_layout_engine().set(hspace=0.1)
for ax, (name, reach) in zip(axes.flat, reaches.items(), strict=True):
    for y, x in np.argwhere(reach):
        ax.add_patch(plt.Rectangle((x - 0.5, y - 0.5), 1, 1, color=BLUE, alpha=0.25, linewidth=0))
        ax.text(x, y, "●", ha="center", va="center", color=ORANGE)
    ax.set(title=name, xlabel="channel", ylabel="example", xticks=[], yticks=[])
    ax.set(aspect="equal", xlim=(-0.5, channels - 0.5), ylim=(examples - 0.5, -0.5))
    ax.hlines(np.arange(examples + 1) - 0.5, -0.5, channels - 0.5, color=GREY, linewidth=0.6)
    ax.vlines(np.arange(channels + 1) - 0.5, -0.5, examples - 0.5, color=GREY, linewidth=0.6)
    ax.grid(visible=False)

# %% [markdown]
# ## One layer, used twice
# A layer owns its weights. Called twice, it uses the same ones, and they are counted once.


# %% label="twice"
def two_inputs(shared):
    """Return a model that sends two inputs through one layer, or through one each."""
    inputs = [keras.Input((4,)), keras.Input((4,))]
    encoder = keras.layers.Dense(3)
    encoders = [encoder, encoder if shared else keras.layers.Dense(3)]
    encoded = [layer(x) for layer, x in zip(encoders, inputs, strict=True)]
    return keras.Model(inputs, keras.layers.Subtract()(encoded))


# %% values="shared_parameters separate_parameters twin_gap"
shared_parameters, separate_parameters = (two_inputs(s).count_params() for s in (True, False))
twins = [np.ones((1, 4), "float32")] * 2
twin_gap = float(np.abs(np.asarray(two_inputs(True)(twins))).max())
other_gap = float(np.abs(np.asarray(two_inputs(False)(twins))).max())
print(f"{shared_parameters} parameters shared, {separate_parameters} separate")
assert 2 * shared_parameters == separate_parameters, "A layer used twice is counted once."
assert twin_gap == 0 < other_gap

# %% [markdown]
# ## The same in Keras
# From here on `keras` is Keras. First: is every class of `keras.layers` in exactly one family? Some have
# two names, such as `Conv2D` and `Convolution2D`. We count a class under its own name if that is exported,
# or else under the first by the alphabet.

# %% label="keras" values="exported_classes exported_names aliases callable_layers version family_count"
import keras

import labkit

version = keras.__version__
exported = {}
for name, member in sorted(vars(keras.layers).items()):
    if inspect.isclass(member) and not name.startswith("_"):
        exported.setdefault(member, []).append(name)
canonical = {
    names[0] if member.__name__ not in names else member.__name__: names
    for member, names in exported.items()
}
exported_classes, exported_names = len(canonical), sum(map(len, canonical.values()))
aliases = exported_names - exported_classes
callable_layers, family_count = len(EXAMPLES), len(FAMILIES)
in_families = [name for family in FAMILIES.values() for name in family]
print(f"{exported_classes} classes in {family_count} families, {aliases} second names")
assert sorted(in_families) == sorted(canonical)
assert len(in_families) == exported_classes, "Each class of keras.layers is in just one family."

# %% [markdown]
# Which of them does labkit have?

# %% label="places" values="labkit_layers keras_only labkit_alone"
in_labkit = {name for name in canonical if hasattr(labkit.layers, name)}
labkit_layers, keras_only = len(in_labkit), exported_classes - len(in_labkit)
labkit_alone = ", ".join(
    name for name in sorted(labkit.layers.__all__) if not hasattr(keras.layers, name)
)
print(f"labkit has {labkit_layers}, and has not {keras_only}; labkit alone: {labkit_alone}")
assert 40 < labkit_layers < keras_only

# %% label="overview" alt="A bar for each family, as long as its number of classes, in two parts: those that labkit has, too, and those in Keras alone. Augmentation, pooling and preprocessing have the most." caption="The classes of `keras.layers` by family. Each family has some that are also in labkit, the book's library." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.9))
names = list(FAMILIES)
both = np.array([sum(name in in_labkit for name in FAMILIES[family]) for family in names])
every = np.array([len(FAMILIES[family]) for family in names])
ax.barh(names, both, color=BLUE, label="in labkit, too")
ax.barh(names, every - both, left=both, color=GREY, alpha=0.4, hatch="//", label="in Keras alone")
for y, (here, total) in enumerate(zip(both, every, strict=True)):
    ax.text(total + 0.4, y, f"{here} of {total}", va="center")
ax.invert_yaxis()
ax.set(xlabel="classes", xlim=(0, 36))
ax.grid(visible=False, axis="y")
ax.legend(loc="upper right")

# %% [markdown]
# ## Every example, called
# Each layer is called with nothing said, in use and in training. To see whether the examples of a batch
# influence one another, all but the first are replaced by copies of the first. Where chance plays a
# part, both batches must meet the same random numbers, so each gets a new layer after the same seed.
# Two layers draw other layers, among them one that influences others; they are named, and not tried.


# %% label="trial"
def others_replaced(x):
    """Return a batch in which every example is the first."""
    if isinstance(x, list | tuple):
        return type(x)(others_replaced(part) for part in x)
    return np.repeat(x[:1], len(x), axis=0)


def mixes_in_training(name, x):
    """Say whether what becomes of the first example depends on the others, by three seeds."""
    for seed in range(3):
        results = []
        for batch in (x, others_replaced(x)):
            keras.utils.set_random_seed(seed)
            results.append(called(made(name), batch, training=True)[:1])
        if not same(*results):
            return True
    return False


class Trial(NamedTuple):
    """What was found out about a layer."""

    before: str
    after: str
    after_training: str
    batch: int
    trained: int
    fixed: int
    acts: bool  # changes its input in use
    in_training: str
    unsaid: bool  # does in a call that says nothing what it does in training
    moves: bool  # a call in training changes its weights
    mixes: bool
    mixes_in_use: bool


def trial(name):
    """Call a layer in all ways, and return what was found."""
    keras.utils.set_random_seed(1)
    layer, x = made(name), given(name)

    def depends(first, **mode):
        """Say whether the first example comes out differently among copies of itself."""
        return not same(first[:1], called(layer, others_replaced(x), **mode)[:1])

    more = name in FAMILIES["regularization"] | FAMILIES["augmentation"]  # chance may do nothing
    unsaid = [called(layer, x) for _ in range(2 if more else 1)]
    use = called(layer, x, training=False)
    mixes_in_use = depends(use, training=False)
    start = [w.copy() for w in layer.get_weights()]
    trained = [called(layer, x, training=True) for _ in range(4 if more else 2)]
    moved = [not np.array_equal(*pair) for pair in zip(start, layer.get_weights(), strict=True)]
    differs = any(not same(use, y) for y in trained)
    again = any(not same(trained[0], y) for y in trained)
    mode = "random" if again and not any(moved) else "different" if differs else "same"
    if mode == "same":
        mixes = depends(trained[0], training=True)
    else:
        mixes = name not in drawing and mixes_in_training(name, x)
    return Trial(
        shape(x),
        shape(use),
        shape(trained[0]),
        len(use),
        *count(layer),
        acts=isinstance(x, list | tuple) or not same(use, x),
        in_training=mode,
        unsaid=any(not same(use, y) for y in unsaid),
        moves=any(moved),
        mixes=mixes,
        mixes_in_use=mixes_in_use,
    )


drawing = [name for name in FAMILIES["augmentation"] if hasattr(made(name), "equalization")]
trials = {name: trial(name) for name in EXAMPLES}


def those(condition, names=EXAMPLES):
    """Return the names of the layers whose trial meets a condition."""
    return [name for name in names if condition(trials[name])]


# %% label="found" values="kept_batch mixing mixing_count draw_equalization mixing_in_use by_chance random_augmentation random_regularization unsaid unsaid_augmentation unsaid_others moving always_acting augmentation_count frozen_different"
kept_batch = len(those(lambda t: t.batch == 4))
mixing = ", ".join(those(lambda t: t.mixes))
mixing_count = len(those(lambda t: t.mixes))
draw_equalization = " and ".join(drawing)
mixing_in_use = len(those(lambda t: t.mixes_in_use))
random_augmentation = len(those(lambda t: t.in_training == "random", FAMILIES["augmentation"]))
random_regularization = len(those(lambda t: t.in_training == "random", FAMILIES["regularization"]))
unsaid = len(those(lambda t: t.unsaid))
unsaid_augmentation = len(those(lambda t: t.unsaid, FAMILIES["augmentation"]))
unsaid_others = unsaid - unsaid_augmentation
moving = " and ".join(those(lambda t: t.moves))
always = [
    name for name in those(lambda t: t.acts, FAMILIES["augmentation"]) if name != "RandomCrop"
]
always_acting = len(always)
augmentation_count = len(FAMILIES["augmentation"])
by_chance = ", ".join(those(lambda t: t.in_training == "random", FAMILIES["regularization"]))
frozen_different = ", ".join(those(lambda t: t.in_training == "different"))
print(f"different but not random: {frozen_different}; mix: {mixing}; move: {moving}")
print(f"augmentation that acts in use: {always}; said nothing, trains: {unsaid}")
assert kept_batch == callable_layers, "No layer changes the number of examples in a batch."
assert mixing_in_use == 0, "In use, no layer lets the examples of a batch influence one another."
assert mixing == "BatchNormalization, Equalization, MixUp, CutMix", (
    "In training, batch normalization, equalization and mixing make examples influence others."
)
assert draw_equalization == "RandAugment and AugMix"
assert random_regularization == len(FAMILIES["regularization"]) - 1
assert random_augmentation > 20
assert unsaid_augmentation >= random_augmentation, (
    "Called with nothing said, an augmentation layer does what it does in training."
)
assert unsaid_others == 0, "Any other layer that is called with nothing said is in use."
assert set(moving.split(" and ")) == {"BatchNormalization", "SpectralNormalization"}, (
    "A call in training changes the weights of batch and spectral normalization."
)
assert set(always) == {"AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"}
assert always_acting == 2
assert frozen_different == "BatchNormalization, Equalization, SpectralNormalization"

# %% [markdown]
# Which families have weights, and which never change a shape? The formulas are checked again, and those
# of the layers that only Keras has for the first time.

# %% label="weights" values="reshaped crop_use crop_training formulas_keras formulas_wrong weightless same_shape gru_before"
weightless_names = [
    f for f in FAMILIES if not those(lambda t: t.trained, EXAMPLES.keys() & FAMILIES[f])
]
weightless = ", ".join(weightless_names)
with_weights = those(lambda t: t.trained + t.fixed > 0)
same_shape = ", ".join(
    f
    for f in FAMILIES
    if not those(lambda t: t.before != t.after_training, EXAMPLES.keys() & FAMILIES[f])
)
reshaped = ", ".join(those(lambda t: t.after_training != t.after))
crop_use, crop_training = trials["RandomCrop"].after, trials["RandomCrop"].after_training
checks = {name: check(name, text) for name, text in FORMULAS.items()}
formulas_keras = len(checks)
wrong = [name for name, (expected, found) in checks.items() if expected != found]
formulas_wrong = len(wrong)
print(f"{formulas_keras} formulas, wrong: {wrong}; no weights: {weightless}; shape: {same_shape}")
assert formulas_wrong == 0, "The formulas count the parameters of all of Keras's layers."
assert set(with_weights) == set(FORMULAS)
assert len(with_weights) == formulas_keras
assert {"pooling", "merging", "reshaping", "regularization"} <= set(weightless.split(", "))
assert reshaped == "RandomCrop", "Only RandomCrop returns another shape in training than in use."
assert set(same_shape.split(", ")) == {"normalization", "activation", "regularization"}
before = Formula("3 * u * (d + u + 1)", "0", lambda s: on(row(2, s.d), s.u, reset_after=False))
expected, found = check("GRU", before)
gru_before = expected == found
assert gru_before

# %% [markdown]
# ## The tables


# %% label="tables"
def breakable(name):
    """Return a long name with places where a narrow screen may break it."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "<wbr>", name)
    return parts if len(name) > 12 else name


def pretty(text):
    """Return an expression as a reader writes it, with places to break it."""
    text = text.replace("**n", "ⁿ").replace("**2", "²").replace(" * ", "·").replace("*", "·")
    return re.sub(r"(?= \+ \(|·\()", "<wbr>", text)


def kinds_of(family):
    """Return the layers of a family, those that differ in the number of dimensions together."""
    groups = {}
    for name in FAMILIES[family]:
        groups.setdefault(re.sub(r"[123](?=D)", "", name), []).append(name)
    return list(groups.values())


def row_of(names, modes):
    """Return a line of a table: of 1D, 2D and 3D, the shapes of 2D."""
    name = names[min(1, len(names) - 1)]
    dimensions = [re.findall(r"[123]D", n)[0] for n in names] if len(names) > 1 else []
    others = [d for d, n in zip(dimensions, names, strict=True) if n != name] if dimensions else []
    title = breakable(name) + (f" <wbr>(also {', '.join(others)})" if others else "")
    have = [n for n in names if n in in_labkit]
    place = "yes" if have == names else ", <wbr>".join(re.findall(r"[123]D", " ".join(have))) or "–"
    if name not in trials:
        return title, "–", "–", place
    t = trials[name]
    if modes:
        words = {"same": "as in use", "random": "random", "different": "acts"}
        return title, words[t.in_training], "acts" if t.acts else "nothing", place
    text = FORMULAS.get(name)
    parameters = pretty(text.trained) if text else "0"
    if text and text.fixed != "0":
        parameters += f", <wbr>fixed {pretty(text.fixed)}"
    before = t.before.replace("×", "×<wbr>")
    return title, f"{before} <wbr>→ {t.after_training}", parameters, place


def family_table(family):
    """Return the table of a family."""
    modes = family in ("regularization", "augmentation")
    heads = ["layer", "in training", "in use"] if modes else ["layer", "example", "parameters"]
    table = pd.DataFrame([row_of(n, modes) for n in kinds_of(family)], columns=[*heads, "labkit"])
    if not modes and set(table["parameters"]) == {"0"}:
        table = table.drop(columns="parameters")
    return table.style.hide()


# %% label="core" caption="Core layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("core")

# %% label="convolutional" caption="Convolutional layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("convolutional")

# %% label="pooling" caption="Pooling layers: an example of a shape before and after, and whether labkit has them. None has parameters." tags=["remove-input"]
family_table("pooling")

# %% label="normalization" caption="Normalization layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("normalization")

# %% label="recurrent" caption="Recurrent layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("recurrent")

# %% label="attention" caption="Attention layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("attention")

# %% label="merging" caption="Merging layers: an example of a shape before and after, and whether labkit has them. None has parameters." tags=["remove-input"]
family_table("merging")

# %% label="reshaping" caption="Reshaping layers: an example of a shape before and after, and whether labkit has them. None has parameters." tags=["remove-input"]
family_table("reshaping")

# %% label="activation" caption="Activation layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("activation")

# %% label="regularization" caption="Regularization layers: what each does to its input in training and in use, and whether labkit has it." tags=["remove-input"]
family_table("regularization")

# %% label="preprocessing" caption="Preprocessing layers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("preprocessing")

# %% label="augmentation" caption="Augmentation layers: what each does to its input in training and in use, and whether labkit has it." tags=["remove-input"]
family_table("augmentation")

# %% label="wrapper" caption="Wrappers: an example of a shape before and after, the number of parameters, and whether labkit has them." tags=["remove-input"]
family_table("wrapper")

# %% [markdown]
# ## Masks
# A mask says which steps of a sequence count. Two inputs with equal numbers, one of them with a mask, show
# which layers use it; a layer after each shows whether it comes out again.


# %% label="masks"
class Probe(keras.layers.Layer):
    """Passes its input on, and remembers whether a mask came with it."""

    seen = False

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        self.seen = mask is not None
        return x


def comes_with_mask(x):
    """Say whether a mask comes with what a layer returned."""
    probe = Probe()
    probe(x)
    return probe.seen


sequence = INPUTS["steps"].copy()
sequence[:, 4:] = 0  # the last two of six steps


def mask_trial(name, training):
    """Say whether a layer uses a mask, passes it on and warns; None if it takes no sequence."""
    layer = made(name)
    several = isinstance(given(name), list | tuple)
    pack = type(given(name)) if several else None
    masking = keras.layers.Masking()  # anew for each input, for a layer may take the mask away
    plain, with_mask = (
        pack([one(sequence), one(sequence)]) if several else one(sequence)
        for one in (np.array, masking)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            first = called(layer, plain, training=training)
            y = layer(*with_mask) if pack is tuple else layer(with_mask, training=training)
        except (TypeError, ValueError):
            return None
    warned = any("mask" in str(warning.message) for warning in caught)
    return not same(first, np.asarray(y)), comes_with_mask(y), warned


SEQUENCES = ("row", "steps", "two rows", "two sequences", "query, value")
mask_trials = {}
for family, layers in FAMILIES.items():
    for name in layers:
        if name in EXAMPLES and EXAMPLES[name].given in SEQUENCES and name != "Masking":
            # Batch normalization looks at a mask where it computes means: in training.
            found = mask_trial(name, training=family == "normalization")
            if found:
                mask_trials[name] = found

# %% values="mask_makers mask_users mask_enders mask_losers mask_losers_count mask_silent mask_vain mask_keepers_count mask_tested"
padded = np.array([[3, 1, 0, 0]])
makers = [
    name
    for name in EXAMPLES
    if "mask_zero" in inspect.signature(getattr(keras.layers, name)).parameters
    and comes_with_mask(getattr(keras.layers, name)(9, 3, mask_zero=True)(padded))
]
mask_makers = ", ".join(["Masking", *makers])
users = [name for name, (uses, _, _) in mask_trials.items() if uses]
mask_users = ", ".join(users)
keepers = [name for name, (_, passes, _) in mask_trials.items() if passes]
enders = [name for name in users if name not in keepers]
lost = [name for name in mask_trials if name not in keepers + enders]
losers = [name for name in lost if mask_trials[name][2]]
mask_silent = ", ".join(name for name in lost if name not in losers)
mask_vain = " and ".join(name for name in keepers if mask_trials[name][2])
mask_losers, mask_losers_count = ", ".join(losers), len(losers)
mask_enders = ", ".join(enders)
mask_keepers_count, mask_tested = len(keepers), len(mask_trials)
print(f"make: {mask_makers}; use: {mask_users}")
print(f"lose with a warning: {mask_losers}; use and end: {mask_enders}; pass on: {keepers}")
assert {"Masking", "Embedding"} <= set(mask_makers.split(", "))
assert {"LSTM", "GRU", "GlobalAveragePooling1D", "MultiHeadAttention"} <= set(
    mask_users.split(", ")
), "Recurrent layers, attention and the average over steps leave masked steps out."
assert "Conv1D" in mask_losers.split(", ")
assert {"MaxPooling1D", "AveragePooling1D", "Flatten"} <= set(losers)
assert {"Dense", "Dropout", "LayerNormalization", "Activation", "Add"} <= set(keepers)
assert mask_keepers_count > 25
assert FAMILIES["normalization"].keys() & mask_losers.split(", ") == {"RMSNormalization"}, (
    "RMSNormalization loses the mask, with a warning; the other normalizations keep it."
)
assert FAMILIES["normalization"].keys() - {"RMSNormalization"} <= set(keepers)
assert "BatchNormalization" in mask_users
assert mask_silent == "Dot", "Of the layers tried, Dot alone loses the mask without a warning."
assert mask_vain == "GroupQueryAttention and SpectralNormalization"

# %% values="mask_before mask_after"
masked = keras.layers.Masking()(sequence)
mask_before = comes_with_mask(masked)
keras.layers.MultiHeadAttention(2, 3)(masked, masked)
mask_after = comes_with_mask(masked)
print(f"mask before attention: {mask_before}, after it: {mask_after}")
assert mask_before
assert not mask_after, "MultiHeadAttention takes the mask away from the tensors it was given."

# %% [markdown]
# ## State, precision, agreement
# Three last questions: what a stateful layer remembers, what `dtype` changes, and whether labkit's layers
# are Keras's.

# %% label="state" values="stateful_gap reset_gap"
memory = keras.layers.LSTM(3, stateful=True)
first, second = (called(memory, INPUTS["steps"]) for _ in range(2))
memory.reset_state()
third = called(memory, INPUTS["steps"])
stateful_gap, reset_gap = (float(np.abs(first - y).max()) for y in (second, third))
assert stateful_gap > 1e-3, "With stateful=True, an LSTM goes on where the last batch ended."
assert reset_gap < 1e-5

# %% label="precision" values="mixed_outputs mixed_weights mixed_exceptions policies_tried"
ONE_OF_EACH = ["Dense", "Conv2D", "MaxPooling2D", "BatchNormalization", "GRU"]
ONE_OF_EACH += ["MultiHeadAttention", "Concatenate", "Reshape", "LeakyReLU", "Dropout"]
ONE_OF_EACH += ["Rescaling", "Bidirectional"]
keras.config.set_dtype_policy("mixed_bfloat16")
outputs, weights = {}, set()
for name in ONE_OF_EACH:
    layer, x = made(name), given(name)
    outputs[name] = str(called(layer, x).dtype)
    weights |= {w.dtype for w in layer.weights}
keras.config.set_dtype_policy("float32")
policies_tried = len(outputs)
mixed_outputs = sum(dtype == "bfloat16" for dtype in outputs.values())
mixed_exceptions = ", ".join(name for name, dtype in outputs.items() if dtype != "bfloat16")
mixed_weights = ", ".join(sorted(weights))
print(f"{mixed_outputs} of {policies_tried} return bfloat16; others: {mixed_exceptions or 'none'}")
assert mixed_weights == "float32"
assert mixed_outputs >= policies_tried - 1

# %% label="agreement" values="agreement agreed forward_agreed"
from labkit.testing import assert_matches_keras

agreement = max(
    assert_matches_keras(made(n, package=labkit), made(n), given(n)) for n in ONE_OF_EACH
)
agreed = len(ONE_OF_EACH)
families_asked = {f for f, layers in FAMILIES.items() if not layers.keys().isdisjoint(ONE_OF_EACH)}
assert families_asked == FAMILIES.keys() - {"augmentation"}
forward = []
for name in EXAMPLES:
    if name in in_labkit:
        pair, x = (made(name, package=labkit), made(name)), given(name)
        mode = {"training": False} if name in FAMILIES["augmentation"] else {}
        for layer in pair:
            called(layer, x, **mode)  # builds it
        pair[1].set_weights(pair[0].get_weights())
        forward.append(same(*(called(layer, x, **mode) for layer in pair)))
forward_agreed = len(forward)
print(f"{agreed} layers agree to {agreement:.0e}, with gradients; {forward_agreed} forward")
assert agreement < 1e-4, "One layer of each family: labkit and Keras agree, with all gradients."
assert sum(forward) == forward_agreed, "All layers of labkit return in use what Keras's return."

# %% [markdown]
# A right shape is no proof: two layers that turn 6 steps of 4 numbers into 4 of 6.

# %% values="turned_gap"
turned = [
    called(layer, INPUTS["steps"])  # (batch, 4, 6)
    for layer in (keras.layers.Reshape((4, 6)), keras.layers.Permute((2, 1)))
]
assert turned[0].shape == turned[1].shape == (4, 4, 6)
turned_gap = float(np.abs(turned[0] - turned[1]).max())
assert turned_gap > 0.1

# %% [markdown]
# ## Exercises
# Count the parameters of a small reader of texts by the formulas, and then by the model.

# %% label="exercise-1" tags=["solution"]
reader = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(1000, 16),
        keras.layers.Bidirectional(keras.layers.LSTM(32)),
        keras.layers.Dense(1),
    ]
)
by_formula = 1000 * 16 + 2 * 4 * 32 * (16 + 32 + 1) + (64 + 1) * 1
assert reader.count_params() == by_formula
print(f"{by_formula:,d} parameters")

# %% [markdown]
# A dense layer on a sequence is a convolution with a window of one step.

# %% label="exercise-2" tags=["solution"]
dense, convolution = keras.layers.Dense(3), keras.layers.Conv1D(3, 1)
dense(sequence), convolution(sequence)  # builds them
kernel, bias = dense.get_weights()  # (4, 3), (3)
convolution.set_weights([kernel[None], bias])  # (1, 4, 3), (3)
assert np.allclose(called(dense, sequence), called(convolution, sequence), atol=1e-5)
print(f"both have {dense.count_params()} parameters and return the same numbers")

# %% [markdown]
# Down with a stride of two and up again: an odd length does not come back.

# %% label="exercise-3" tags=["solution"]
image = np.zeros((1, 7, 7, 1), "float32")
down = called(keras.layers.Conv2D(1, 3, strides=2, padding="same"), image)
for output_padding in (None, 0):
    up = keras.layers.Conv2DTranspose(
        1, 3, strides=2, padding="same", output_padding=output_padding
    )
    print(f"{image.shape[1]} → {down.shape[1]} → {called(up, down).shape[1]}")
assert called(up, down).shape == image.shape

# %% [markdown]
# What the end of an image classifier costs: all places in a row, or the average over places.

# %% label="exercise-4" values="flat_end average_end"
ends = {}
for end in (keras.layers.Flatten(), keras.layers.GlobalAveragePooling2D()):
    for size in (8, 16):
        maps = keras.Input((size, size, 32))
        model = keras.Model(maps, keras.layers.Dense(10)(end(maps)))
        ends[type(end).__name__, size] = model.count_params()
        end = type(end)()  # a layer keeps the shape that it was built for
flat_end, average_end = ends["Flatten", 8], ends["GlobalAveragePooling2D", 8]
for (name, size), parameters in ends.items():
    print(f"{name} of {size} × {size} places: {parameters:,d}")
assert flat_end > 50 * average_end, "After Flatten, a dense layer has over 50 times the weights."
assert ends["GlobalAveragePooling2D", 16] == average_end

# %% [markdown]
# What the quizzes ask for.

# %% values="quiz_separable quiz_full quiz_lstm quiz_fixed"
maps = np.zeros((1, 8, 8, 32), "float32")
asked = {
    "full": (keras.layers.Conv2D(64, 3), maps),
    "separable": (keras.layers.SeparableConv2D(64, 3), maps),
    "lstm": (keras.layers.LSTM(32), maps[:, :5, 0, :16]),
    "batch": (keras.layers.BatchNormalization(), maps),
}
for layer, x in asked.values():
    called(layer, x)  # builds it
quiz_full, quiz_separable, quiz_lstm, _ = (count(layer)[0] for layer, _ in asked.values())
quiz_fixed = count(asked["batch"][0])[1]
assert 7 < quiz_full / quiz_separable < 9, (
    "With 32 channels in and 64 out, a separable convolution has an eighth or so of the weights."
)

# %%
plt.show()
