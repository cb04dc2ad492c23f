# ---
# labkit: {memory: 4 GB}
# ---

# %% [markdown]
# # Keras Applications: ten networks side by side
# Keras comes with networks that won contests or fit into phones. This script builds ten of them, counts what they
# consist of. The chapter [Keras Applications](../../keras/applications.md) tells the story,
# [a second script](applications_times.py) times them, and [a third](applications_tuning.py) puts one of them to use.
#
# All weights are random (`weights=None`), so nothing is downloaded: counts do not depend on them.

# %%
import gc
import math
from collections import Counter

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from labkit import cost, plot

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = plot.COLORS.values()

# %% [markdown]
# ## What others have measured
# The one thing that random weights cannot tell is how well a network reads images. These are the shares of right
# answers, in percent, that [keras.io](https://keras.io/api/applications/) states for the published weights on
# the validation images of ImageNet.

# %% label="published" values="images standard_error"
published = {
    "Xception": 79.0,
    "VGG16": 71.3,
    "VGG19": 71.3,
    "ResNet50": 74.9,
    "InceptionV3": 77.9,
    "InceptionResNetV2": 80.3,
    "MobileNet": 70.4,
    "DenseNet121": 75.0,
    "NASNetMobile": 74.4,
    "MobileNetV2": 71.3,
}
images = 50_000  # in the validation set
standard_error = 100 * math.sqrt(0.75 * 0.25 / images)  # of a share of about three quarters
print(f"standard error of such a share: {standard_error:.2f} points")

# %% [markdown]
# ## What is counted
# Parameters, layers, the longest path of layers with weights, and multiply-adds follow from a model's layers. So does
# the memory of its intermediate results. If each is freed as soon as its last reader has run, the
# most that is alive at one moment counts; if all are kept until the end, it is their sum.


# %% label="live"
def activations(model):
    """Return how many numbers must be kept at one moment, and how many there are in all."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    readers = Counter(id(x) for layer in layers for x in keras.tree.flatten(layer.input))
    size = {id(x): math.prod(x.shape[1:]) for x in model.inputs}  # for one image
    now = most = written = sum(size.values())
    for layer in layers:  # in the order in which they run
        size[id(layer.output)] = math.prod(layer.output.shape[1:])
        now += size[id(layer.output)]
        written += size[id(layer.output)]
        most = max(most, now)
        for x in keras.tree.flatten(layer.input):
            readers[id(x)] -= 1
            if not readers[id(x)]:
                now -= size[id(x)]  # nobody reads it any more
    return most, written


# %% [markdown]
# The head of a network is what follows its last feature maps: the layers after `Flatten` or global pooling.


# %% label="head"
def head(model):
    """Return the parameters and the multiply-adds behind the last feature maps."""
    kinds = [type(layer).__name__ for layer in model.layers]
    last = max(i for i, kind in enumerate(kinds) if kind.startswith(("Flatten", "Global")))
    layers = model.layers[last:]
    kernels = [layer.kernel for layer in layers if hasattr(layer, "kernel")]
    products = sum(math.prod(kernel.shape) for kernel in kernels)  # each is applied once
    return sum(layer.count_params() for layer in layers), products


# %% [markdown]
# ## Counting
# One network at a time is in memory.

# %% label="measure"
rows = {}
for name in published:
    model = getattr(keras.applications, name)(weights=None)
    most, written = activations(model)
    head_parameters, head_products = head(model)
    rows[name] = {
        "side": model.input_shape[1],
        "parameters": model.count_params(),
        "layers": len(model.layers),
        "path": cost.longest_path(model),
        "products": cost.multiply_adds(model),
        "most": most,
        "written": written,
        "head parameters": head_parameters,
        "head products": head_products,
        "top-1": published[name],
    }
    del model
    gc.collect()
ten = pd.DataFrame(rows).T
ranks = ten.corr("spearman")

# %% [markdown]
# ## The ten in tables

# %% label="sizes" caption="The ten networks: millions of parameters, layers as Keras counts them, and the longest path of layers with weights." values="parameters_ratio deepest_path vgg_layers large_inputs large_side small_side"
known = "22910480 138357544 143667240 25636712 23851784 55873736 4253864 8062504 5326716 3538984"
parameters_ratio = float(ten.parameters.max() / ten.parameters.min())
small_side, large_side = sorted({*ten.side.astype(int).tolist()})
large_inputs = [*ten.index[ten.side == large_side]]
large_inputs = f"{', '.join(large_inputs[:-1])}, and {large_inputs[-1]}"
deepest_path, vgg_layers = int(ten.path.max()), int(ten.layers["VGG16"])
assert [*ten.parameters.astype(int)] == [int(n) for n in known.split()]
assert parameters_ratio > 40, (
    "The largest of the ten has forty times the parameters of the smallest."
)
assert ten.path["InceptionResNetV2"] == deepest_path > 170, (
    "In InceptionResNetV2, a path leads through more than 170 layers with weights."
)

pd.DataFrame(
    {
        "millions": [f"{n / 1e6:.1f}" for n in ten.parameters],
        "layers": [f"{n:.0f}" for n in ten.layers],
        "path": [f"{n:.0f}" for n in ten.path],
    },
    index=ten.index,
)

# %% label="costs" caption="What one answer takes: millions of multiply-adds, and megabytes of intermediate results for one image, the most that must be alive at one moment and all together." values="vgg_mb v2_mb nas_mb v2_times vgg_products v2_products products_ratio live_low live_high kept_high kept_times kept_name"
MB = 4 / 1e6  # a number of 32 bits, in megabytes
vgg_mb, nas_mb, v2_mb = (
    float(MB * ten.parameters[name]) for name in ("VGG16", "NASNetMobile", "MobileNetV2")
)
v2_times = vgg_mb / v2_mb
vgg_products, v2_products = (float(ten.products[name] / 1e6) for name in ("VGG16", "MobileNetV2"))
products_ratio = float(ten.products.max() / ten.products.min())
live_low, live_high = float(MB * ten.most.min()), float(MB * ten.most.max())
kept_high = float(MB * ten.written.max())
kept_times = float((ten.written / ten.most).max())
kept_name = str((ten.written / ten.most).idxmax())
assert kept_times > 10, (
    "In one of the ten, all intermediate results take ten times what must be alive at one moment."
)
assert live_high < float(MB * ten.parameters.max()) / 10, (
    "For one image, no network has a tenth of VGG19's weights alive in intermediate results."
)

pd.DataFrame(
    {
        "millions": [f"{n / 1e6:,.0f}" for n in ten.products],
        "alive": [f"{MB * n:.1f}" for n in ten.most],
        "all": [f"{MB * n:.0f}" for n in ten.written],
    },
    index=ten.index,
)

# %% [markdown]
# ## Where the parameters are

# %% label="where" alt="For each network, the share of parameters and of multiply-adds that belong to the head. In the VGG networks the head holds about nine tenths of the parameters and under one percent of the multiply-adds." caption="The share of each network's parameters, and of its multiply-adds, that lies behind the last feature maps. The VGG networks flatten these maps, the others average them first." values="vgg_head vgg_head_products fc1_share other_head_high"
shares = 100 * ten["head parameters"] / ten.parameters
product_shares = 100 * ten["head products"] / ten.products
vgg_head, vgg_head_products = float(shares["VGG16"]), float(product_shares["VGG16"])
fc1_share = float(100 * (7 * 7 * 512 * 4096 + 4096) / ten.parameters["VGG16"])
other_head_high = float(shares.drop(["VGG16", "VGG19"]).max())
assert vgg_head > 85, "More than 85% of VGG16's parameters lie in its three dense layers."
assert vgg_head_products < 1, "The dense layers of VGG16 do less than 1% of its multiply-adds."
assert other_head_high < 40, "In no other of the ten does the head hold 40% of the parameters."

fig, ax = plt.subplots(figsize=(5, 3.8))
places = np.arange(len(ten))[::-1]
ax.hlines(places, product_shares, shares, color=plot.GRID, linewidth=2)
ax.plot(shares, places, "s", color=BLUE, label="parameters")
ax.plot(product_shares, places, "o", color=ORANGE, label="multiply-adds")
ax.set(yticks=places, yticklabels=ten.index, xlabel="in the head, %", xlim=(-3, 100))
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## Cost against accuracy
# A network is on the *Pareto front* if no other is at least as good in both respects and better in one.


# %% label="front"
def front(costs, accuracies):
    """Return the names of those that no other beats in cost and accuracy, the cheapest first."""
    kept, best = [], -math.inf
    for name in sorted(costs.index, key=lambda name: (costs[name], -accuracies[name])):
        if accuracies[name] > best:
            kept.append(name)
            best = accuracies[name]
    return kept


# %% label="fronts" values="on_all on_none accuracy_parameters accuracy_written"
kinds = {"bytes": "parameters", "products": "products", "memory": "most"}
fronts = {kind: front(ten[column], ten["top-1"]) for kind, column in kinds.items()}
on_all = [n for n in ten.index if all(n in found for found in fronts.values())]
out = [n for n in ten.index if not any(n in found for found in fronts.values())]
on_all, on_none = (f"{', '.join(names[:-1])} and {names[-1]}" for names in (on_all, out))
accuracy_parameters, accuracy_written = (
    float(ranks["top-1"][key]) for key in ("parameters", "written")
)
for kind, names in fronts.items():
    print(f"{kind}: {', '.join(names)}")
assert "InceptionResNetV2" in on_all, (
    "InceptionResNetV2, the most accurate of the ten, is on every front."
)
assert {"VGG16", "VGG19"} <= {*on_none.replace(" and ", ", ").split(", ")}, (
    "Neither VGG network is on any front."
)
assert accuracy_parameters < 0.5, "Over the ten, parameters hardly order the published accuracy."
assert accuracy_written > 0.7, (
    "Networks with more intermediate results have the higher published accuracy."
)

# %% label="accuracy" alt="Three panels of published top-1 accuracy against parameters, multiply-adds and live results, on logarithmic axes. The fronts rise to InceptionResNetV2. VGG16 and VGG19 lie far to the lower right of each." caption="Published accuracy against three costs. A dotted line joins the networks on the front; what lies below and to the right of it is beaten by another. VGG19 is drawn hollow, since in the last panel it lies on VGG16." tags=["remove-input"]
colors = (BLUE, GREY, GREY, PURPLE, ORANGE, ORANGE, GREEN, PURPLE, RED, GREEN)
styles = dict(zip(published, zip(colors, plot.MARKERS, strict=True), strict=True))


def points(ax, x, y):
    """Draw each network with its own marker; one that may lie on another is hollow and larger."""
    hollow = {"markerfacecolor": "none", "markersize": 11, "markeredgewidth": 1.5}
    handles = []
    for name in y.index:
        color, marker = styles[name]
        style = hollow if name in ("VGG19", "NASNetMobile") else {"markersize": 7}
        handles += ax.plot(x[name], y[name], marker, color=color, label=name, **style)
    return handles


fig, axes = plt.subplots(3, 1, figsize=(5, 8.2))
panels = (
    (ten.parameters / 1e6, "parameters, millions", [3, 10, 30, 100]),
    (ten.products / 1e6, "multiply-adds, millions", [300, 1000, 3000, 10000]),
    (MB * ten.most, "live results of one image, MB", [5, 10, 20]),
)
for ax, (costs, label, ticks) in zip(axes, panels, strict=True):
    best = front(costs, ten["top-1"])
    ax.plot(costs[best], ten["top-1"][best], ":", color=plot.INK, linewidth=1)
    handles = points(ax, costs, ten["top-1"])
    ax.set(xscale="log", xlabel=label, ylabel="top-1, %", ylim=(69, 82))
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.xaxis.set_minor_formatter("")
fig.legend(handles=handles, loc="outside upper left", ncols=2)

# %% [markdown]
# ## Choosing
# With a limit on each cost, the choice is a filter and a maximum.


# %% label="choose" caption="The most accurate of the ten within a limit." values="choice_20mb choice_billion"
def choose(column, limit):
    """Return the most accurate network whose cost is within a limit."""
    return str(ten["top-1"][ten[column] <= limit].idxmax())


choice_free = choose("parameters", math.inf)
choice_20mb = choose("parameters", 20e6 / 4)
choice_100mb = choose("parameters", 100e6 / 4)
choice_billion = choose("products", 1e9)
choice_memory = choose("most", 8e6 / 4)
assert choice_20mb == "MobileNetV2", "Within 20 MB of weights, MobileNetV2 is the most accurate."
assert choice_billion == "NASNetMobile", (
    "Within a billion multiply-adds, NASNetMobile is the most accurate."
)

limits = {
    "no limit": choice_free,
    "100 MB weights": choice_100mb,
    "20 MB weights": choice_20mb,
    "10⁹ products": choice_billion,
    "8 MB alive": choice_memory,
}
pd.DataFrame(
    {"choice": limits.values(), "top-1": [f"{published[n]:.1f}" for n in limits.values()]},
    index=list(limits),
)

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** VGG16's first dense layer, and what averaging would leave of it.

# %% label="exercise-1" tags=["solution"] values="fc1 fc1_averaged"
fc1 = 7 * 7 * 512 * 4096 + 4096
fc1_averaged = 512 * 4096 + 4096
print(f"{fc1:,d} parameters, {fc1 / ten.parameters['VGG16']:.0%} of all;", end=" ")
print(f"after global average pooling {fc1_averaged:,d}")
assert fc1 / ten.parameters["VGG16"] > 0.7

# %% [markdown]
# **3.** From which batch on do the live results need more memory than the weights?

# %% label="exercise-3" tags=["solution"] values="batch_least batch_most"
batches = np.ceil(ten.parameters / ten.most)
batch_least, batch_most = int(batches.min()), int(batches.max())
print(batches.astype(int).to_string())
assert batch_most > 10

# %%
plt.show()
