# ---
# labkit: {memory: 4 GB}
# ---

# %% [markdown]
# # Keras Applications: how long an answer takes
# The ten networks that [the first script](applications.py) counts, called on one image: eagerly, and as a
# graph. The chapter [Keras Applications](../../keras/applications.md) says what follows.
#
# All weights are random (`weights=None`), so nothing is downloaded: times do not depend on them.

# %%
import gc
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

from labkit import cost, plot

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = plot.COLORS.values()

# %% [markdown]
# ## Timing
# A network can be called *eagerly*, one operation after the other from Python, or as a *graph*, which TensorFlow
# records at the first call and then runs without Python. Each call takes turns with MobileNet's graph and is
# measured in units of its time. So rows that were measured minutes apart can be compared, whatever
# else the machine did meanwhile. One network at a time is in memory, next to MobileNet.


# %% label="measure"
def as_graph(model):
    """Return a function that calls a model as a graph."""
    return tf.function(lambda x: model(x, training=False), autograph=False)


def seconds(function, *inputs):
    """Return how long one call takes."""
    began = time.perf_counter()
    function(*inputs)
    return time.perf_counter() - began


keras.utils.set_random_seed(0)
small = keras.applications.MobileNet(weights=None)
small_graph, small_image = as_graph(small), tf.random.uniform((1, 224, 224, 3))
small_graph(small_image)
units = []  # seconds of a call of MobileNet's graph


def in_units(function, image):
    """Return the time of a call as a multiple of that of MobileNet's graph."""
    turns = [(seconds(function, image), seconds(small_graph, small_image)) for _ in range(5)]
    own, small_seconds = np.min(turns, axis=0)  # the shortest: other programs only add time
    units.append(small_seconds)
    return own / small_seconds


names = [
    "Xception",
    "VGG16",
    "VGG19",
    "ResNet50",
    "InceptionV3",
    "InceptionResNetV2",
    "MobileNet",
    "DenseNet121",
    "NASNetMobile",
    "MobileNetV2",
]
rows = {}
for name in names:
    model = small if name == "MobileNet" else getattr(keras.applications, name)(weights=None)
    image = tf.random.uniform((1, *model.input_shape[1:]))
    graph = as_graph(model)
    trace = seconds(graph, image)  # the first call records the graph
    rows[name] = {
        "parameters": model.count_params(),
        "layers": len(model.layers),
        "products": cost.multiply_adds(model),
        "eager": in_units(model, image),
        "graph": in_units(graph, image),
        "trace": trace,
    }
    del model, graph
    gc.collect()
ten = pd.DataFrame(rows).T
ten["ratio"] = ten.graph
ten[["eager", "graph"]] *= min(units)  # seconds

# %% label="times" caption="Milliseconds for one image on the machine that built this page, eagerly and as a graph (the fastest of five, each in turn with MobileNet’s graph), and the seconds that tracing the graph took." values="eager_high vgg_eager trace_low trace_high vgg_speed v2_speed v2_ratio v2_share nas_vgg nas_eager nas_parameters nas_ratio nas_share xception_resnet graph_products graph_parameters"
eager_high = float((ten.eager / ten.graph).max())
vgg_eager = float(ten.eager["VGG16"] / ten.graph["VGG16"])
trace_low, trace_high = float(ten.trace.min()), float(ten.trace.max())
speed = ten.products / 1e9 / ten.graph  # billions of multiply-adds in a second
vgg_speed, v2_speed = float(speed["VGG16"]), float(speed["MobileNetV2"])
v2_share, nas_share = (
    float(ten.products[name] / ten.products["MobileNet"])
    for name in ("MobileNetV2", "NASNetMobile")
)
v2_ratio, nas_ratio = float(ten.ratio["MobileNetV2"]), float(ten.ratio["NASNetMobile"])
nas_vgg = float(ten.eager["NASNetMobile"] / ten.eager["VGG16"])
nas_eager = float(ten.eager["NASNetMobile"] / ten.eager["MobileNet"])
nas_parameters = float(ten.parameters["VGG16"] / ten.parameters["NASNetMobile"])
xception_resnet = float(ten.graph["Xception"] / ten.graph["ResNet50"])
ranks = ten.corr("spearman").graph
graph_products, graph_parameters = float(ranks["products"]), float(ranks["parameters"])
assert vgg_speed > 1.5 * v2_speed, (
    "VGG16 does over 1.5 times as many multiply-adds in a second as MobileNetV2."
)
assert v2_ratio > 1.2 * v2_share, (
    "MobileNetV2 has about half the multiply-adds of MobileNet, but takes more than half its time."
)
assert nas_ratio > 1.3 * nas_share, (
    "NASNetMobile takes longer than MobileNet by more than its multiply-adds say."
)
assert xception_resnet > 1.3, "Xception takes longer than ResNet50, though it has fewer parameters."
assert eager_high > 4, "Without a graph, one of the ten takes at least four times as long."
assert nas_eager > 1.5 * nas_share, (
    "Eagerly, NASNetMobile takes longer than MobileNet by far more than its multiply-adds say."
)
assert vgg_eager < eager_high / 2, "VGG16 gains at most half as much from a graph as another one."
assert graph_products > 0.85, (
    "As graphs, the ten take time nearly in the order of their multiply-adds."
)

pd.DataFrame(
    {
        "eager": [f"{1000 * s:,.0f}" for s in ten.eager],
        "graph": [f"{1000 * s:,.0f}" for s in ten.graph],
        "tracing": [f"{s:.1f}" for s in ten.trace],
    },
    index=ten.index,
)

# %% label="order" alt="Two panels on logarithmic axes. Above, the graph times of the ten rise with multiply-adds. Below, the eager times rise with the number of layers, except for the two VGG networks at the far left." caption="What orders the time of one image. Above: as a graph, the multiply-adds. Below: eagerly, the number of layers, except for the VGG networks, whose few layers are huge." tags=["remove-input"]
colors = (BLUE, GREY, GREY, PURPLE, ORANGE, ORANGE, GREEN, PURPLE, RED, GREEN)
fig, (above, below) = plt.subplots(2, 1, figsize=(5, 6.6))
for name, color, marker in zip(names, colors, plot.MARKERS, strict=True):
    style = {"color": color, "marker": marker, "markersize": 7, "linestyle": "none"}
    if name in ("VGG19", "NASNetMobile"):  # may lie on another
        style |= {"markerfacecolor": "none", "markersize": 11, "markeredgewidth": 1.5}
    row = ten.loc[name]
    above.plot(row.products / 1e6, 1000 * row.graph, **style)
    below.plot(row.layers, 1000 * row.eager, **style, label=name)
above.set(xscale="log", yscale="log", xlabel="multiply-adds, millions", ylabel="graph, ms")
below.set(xscale="log", yscale="log", xlabel="layers", ylabel="eager, ms")
above.set_xticks([300, 1000, 3000, 10000])
below.set_xticks([20, 50, 100, 200, 500])
for ax in (above, below):  # whatever the machine's speed, two numbers at the least
    ax.yaxis.set_major_locator(plt.LogLocator(subs=(1, 2, 5)))
for axis in (above.xaxis, above.yaxis, below.xaxis, below.yaxis):
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## Solution to an exercise
# Two prices: milliseconds for a layer, and for a billion multiply-adds.

# %% label="exercise-2" tags=["solution"] values="layer_eager layer_graph billion_eager billion_graph"
x = np.column_stack([ten.layers, ten.products / 1e9])  # (networks, 2)
prices = {way: np.linalg.lstsq(x, 1000 * ten[way])[0].tolist() for way in ("eager", "graph")}
(layer_eager, billion_eager), (layer_graph, billion_graph) = prices.values()
print(f"eager: {layer_eager:.2f} ms a layer, {billion_eager:.0f} ms a billion multiply-adds")
print(f"graph: {layer_graph:.2f} ms a layer, {billion_graph:.0f} ms a billion multiply-adds")
assert layer_eager > 2 * layer_graph

# %%
plt.show()
