# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # Inception and Xception: width and separation
#
# A kernel is a table with four axes: rows, columns, channels in, channels out. Three networks cut it
# into smaller tables, each along other axes. Here each cut is counted, the blocks run in NumPy and in
# Keras, and InceptionV3 and Xception are rebuilt, to the last digit.
#
# The chapter [Inception and Xception](../../keras/inception-xception.md) explains each step. Two more
# scripts belong to it: [InceptionResNetV2](inception_resnet.py) and [a small race](inception_race.py).

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import cost, datasets, plot
from labkit.testing import assert_matches_keras

plot.set_theme()
BLUE = plot.COLORS["blue"]

# %% [markdown]
# ## Windows side by side
#
# Each convolution is followed by batch normalization, here without a learned scale, and ReLU. A chain
# of them is a branch, and a module joins the channels of its branches.


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


# %% [markdown]
# The first module of InceptionV3, from 192 channels at 35 × 35 places to 256.

# %% label="module"
image = keras.Input((35, 35, 192))
chains = [(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]
module = keras.Model(image, side_by_side(image, *chains, pooled=32))


# %% tags=["remove-input"]
def caption(layer):
    """Say in two lines what a layer does: its window, and its channels in and out."""
    kind, channels = type(layer).__name__, layer.output.shape[-1]
    if kind in ("Conv2D", "SeparableConv2D"):
        window = " × ".join(map(str, layer.kernel_size))
        name = "separable " if kind == "SeparableConv2D" else ""
        return f"{name}{window}\n{layer.input.shape[-1]} → {channels}"
    if kind == "AveragePooling2D":
        return f"average\n{layer.pool_size[0]} × {layer.pool_size[1]}"
    names = {"Concatenate": "join", "Add": "add", "MaxPooling2D": "maximum"}
    if kind == "Rescaling":
        return f"times\n{float(layer.scale):g}"
    return f"{names[kind]}\n{channels} channels"


def draw(ax, model, columns, home=0.0):
    """Draw the layers of a block, top down; normalization and ReLU belong to what is before."""
    branch, boxes = iter(columns), {}
    place = {id(model.inputs[0]): (home, 0)}
    ax.text(home, 0, f"input\n{model.inputs[0].shape[-1]} channels", ha="center", va="center")
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        sources = layer.input if isinstance(layer.input, list) else [layer.input]
        before = [place[id(source)] for source in sources]
        if kind in ("BatchNormalization", "ReLU"):
            place[id(layer.output)] = before[0]
            continue
        depth = 1 + max(row for _, row in before)
        if kind == "Concatenate":
            column = float(np.mean(columns))
        elif kind == "Add":
            column = home
        else:
            column = next(branch) if before[0][1] == 0 else before[0][0]
        place[id(layer.output)] = column, depth
        boxes[column, depth] = caption(layer)
        for x, y in before:  # from the lower edge of a box to the upper edge of the next
            style = {"arrowstyle": "-|>", "color": plot.COLORS["grey"], "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (column, 0.27 - depth), (x, -0.27 - y), arrowprops=style)
    for (x, y), text in boxes.items():
        box = {"boxstyle": "round,pad=0.25", "facecolor": "none", "edgecolor": BLUE}
        ax.text(x, -y, text, ha="center", va="center", fontsize=9.5, bbox=box)
    deepest = max(y for _, y in boxes)
    ends = (*columns, home)
    ax.set(xlim=(min(ends) - 0.5, max(ends) + 0.5), ylim=(-deepest - 0.4, 0.4))
    ax.axis("off")


# %% label="module-drawn" alt="Four branches from one input: a 1 by 1; a 1 by 1 and a 5 by 5; a 1 by 1 and two 3 by 3; an average and a 1 by 1. They meet in a box that joins 256 channels." caption="The first module of InceptionV3, drawn from the layers of the real block. Each box of windows includes batch normalization and ReLU; the numbers are channels in and out." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 4.4))
draw(ax, module, (-1.5, -0.5, 0.5, 1.5))

# %% [markdown]
# ## Bottlenecks: what windows of one pixel save
#
# The same module without its narrow 1 × 1 convolutions.

# %% label="bottleneck" caption="Millions of multiply-adds of the module's branches, with the 1 × 1 convolutions before the windows and without. Without them, the average keeps all its channels." values="module_saved five_saved five_millions five_wide_millions input_channels module_channels wide_channels"
wide_chains = [(64, 1)], [(64, 5)], [(96, 3), (96, 3)]
branch_costs = [
    [cost.multiply_adds(keras.Model(image, chain(image, *steps))) for steps in group]
    for group in (chains, wide_chains)
]
average = keras.layers.AveragePooling2D(3, 1, "same")(image)
pooled_cost = cost.multiply_adds(keras.Model(image, convolution(average, 32, 1)))
module_cost = cost.multiply_adds(module)
wide_cost = sum(branch_costs[1])
five_cost, five_wide = branch_costs[0][1], branch_costs[1][1]
five_millions, five_wide_millions = five_cost / 1e6, five_wide / 1e6
module_saved, five_saved = wide_cost / module_cost, five_wide / five_cost
input_channels = image.shape[-1]
module_channels = module.outputs[0].shape[-1]
wide_channels = 64 + 64 + 96 + image.shape[-1]

assert module_cost == sum(branch_costs[0]) + pooled_cost
assert five_saved > 3, "A 1 × 1 convolution makes the 5 × 5 branch three times cheaper."
assert module_saved > 2, "Without its bottlenecks the module costs over twice as much."
assert wide_channels > 1.5 * module_channels

pd.DataFrame(
    {
        "branch": ["1 × 1", "5 × 5", "3 × 3 twice", "average", "all"],
        "with": [f"{n / 1e6:.0f}" for n in (*branch_costs[0], pooled_cost, module_cost)],
        "without": [f"{n / 1e6:.0f}" for n in (*branch_costs[1], 0, wide_cost)],
    }
).style.hide()

# %% [markdown]
# ## Two convolutions that are one
#
# A chain of two convolutions without anything between them computes one kernel. Written as a matrix,
# its rank is at most the number of channels in the middle.

# %% label="composed" values="composed_gap point_rank row_rank"
rng = np.random.default_rng(0)
x = rng.normal(size=(2, 12, 12, 6)).astype("float32")


def convolve(x, *kernels):
    """Apply convolutions with these kernels, one after the other."""
    for kernel in kernels:
        layer = keras.layers.Conv2D(kernel.shape[-1], kernel.shape[:2], use_bias=False)
        layer.build(x.shape)
        layer.set_weights([kernel.astype("float32")])
        x = np.asarray(layer(x))
    return x


point, window = rng.normal(size=(1, 1, 6, 3)), rng.normal(size=(5, 5, 3, 8)) / 10
row, column = rng.normal(size=(1, 7, 6, 4)) / 5, rng.normal(size=(7, 1, 4, 8)) / 5
by_point = np.einsum("cm,ijmf->ijcf", point[0, 0], window)
by_row = np.einsum("jcm,imf->ijcf", row[0], column[:, 0])
gaps = [
    np.abs(convolve(x, point, window) - convolve(x, by_point)).max(),
    np.abs(convolve(x, row, column) - convolve(x, by_row)).max(),
]
composed_gap = float(max(gaps))
print(f"two convolutions and the one that they compose differ by {composed_gap:.0e}")
assert composed_gap < 1e-4, "Two convolutions without ReLU between them are one."
point_rank = int(np.linalg.matrix_rank(by_point.transpose(2, 0, 1, 3).reshape(6, -1)))
row_rank = int(np.linalg.matrix_rank(by_row.transpose(1, 2, 0, 3).reshape(7 * 6, 7 * 8)))
assert (point_rank, row_rank) == (3, 4), (
    "The channels in the middle set the rank of the one kernel."
)

# %% [markdown]
# One kernel first, with one channel in and one out: which share is a column times a row?


# %% label="single" values="random_seven smooth_kept sobel_kept diagonal_kept"
def best_pair(kernel):
    """Return the column times a row that is nearest to a kernel, and its share of the squares."""
    left, sizes, right = np.linalg.svd(kernel)
    return sizes[0] * np.outer(left[:, 0], right[0]), float(sizes[0] ** 2 / np.sum(sizes**2))


offsets = np.arange(-3, 4)
smooth = np.exp(-np.add.outer(offsets**2, offsets**2) / 4)
sobel = np.outer([1, 2, 1], [-1, 0, 1])
diagonal = np.eye(7)
smooth_kept, sobel_kept, diagonal_kept = (best_pair(k)[1] for k in (smooth, sobel, diagonal))
random_seven = float(np.mean([best_pair(rng.normal(size=(7, 7)))[1] for _ in range(500)]))
print(f"random: {random_seven:.0%}; a diagonal: {diagonal_kept:.0%}")
assert min(smooth_kept, sobel_kept) > 1 - 1e-9, (
    "A bell-shaped blur and Sobel's edge detector are a column times a row."
)
assert 0.3 < random_seven < 0.5, "A column times a row keeps a third to a half of random 7 × 7."
assert abs(diagonal_kept - 1 / 7) < 1e-9, "Of a diagonal line of 7, a column times a row keeps 1/7."

# %% label="rank-one" alt="A smooth bump, a random table and a diagonal line of 7 by 7 above what a column times a row keeps of each: all, a faint cross-hatched part, and one square." caption="Three windows of 7 × 7 (top), and the column times a row that is nearest to each (bottom)." tags=["remove-input"]
names = {"smooth": smooth, "random": rng.normal(size=(7, 7)), "diagonal": diagonal}
fig, axes = plt.subplots(2, 3, figsize=(5, 3.5))
for (name, kernel), (above, below) in zip(names.items(), axes.T, strict=True):
    closest, share = best_pair(kernel)
    most = np.abs(kernel).max()
    for ax, table in ((above, kernel), (below, closest)):
        ax.imshow(table, cmap="RdBu", vmin=-most, vmax=most, interpolation="none")
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(True)
    above.set_title(name)
    below.set_title(f"keeps {share:.0%}")

# %% [markdown]
# Two windows after each other, counted: 49 weights against 14 for each pair of channels, if all three
# layers have as many channels.

# %% label="pairs" values="full_seven pair_seven saved_seven pair_rank most_rank"
grid = keras.Input((17, 17, 128))
full_seven, pair_seven, one_five, two_three = (
    sum(w.size for w in keras.Model(grid, build(grid)).get_weights()[::4])
    for build in (
        lambda x: chain(x, (128, 7)),
        lambda x: chain(x, (128, (1, 7)), (128, (7, 1))),
        lambda x: chain(x, (128, 5)),
        lambda x: chain(x, (128, 3), (128, 3)),
    )
)
saved_seven = full_seven / pair_seven
pair_rank, most_rank = 128, 7 * 128
print(f"7 × 7: {full_seven:,}, 1 × 7 and 7 × 1: {pair_seven:,}")
print(f"5 × 5: {one_five:,}, two 3 × 3: {two_three:,}")
assert saved_seven == 3.5, "A row and a column of 7 have 3.5 times fewer weights than a square."
assert two_three / one_five == 18 / 25

# %% [markdown]
# ## Halving the grid
#
# From 320 channels at 35 × 35 places to 640 at 17 × 17: three ways.


# %% label="reduction" caption="From 35 × 35 × 320 to 17 × 17 × 640: millions of multiply-adds, and thousands of numbers where each way is narrowest on the way." values="order_ratio beside_ratio"
def shrink(x, *chains):
    """Halve the grid: strided chains of convolutions, and a maximum beside them."""
    branches = [chain(x, *steps, strides=2, padding="valid") for steps in chains]
    return keras.layers.Concatenate()([*branches, keras.layers.MaxPooling2D(3, 2)(x)])


large = keras.Input((35, 35, 320))
ways = {
    "pool, convolve": convolution(keras.layers.MaxPooling2D(3, 2)(large), 640, 3),
    "convolve, pool": keras.layers.MaxPooling2D(3, 2)(convolution(large, 640, 3)),
    "side by side": shrink(large, [(320, 3)]),
}
ways = {name: keras.Model(large, x) for name, x in ways.items()}
narrow = {
    name: min(np.prod(layer.output.shape[1:]) for layer in model.layers)
    for name, model in ways.items()
}
pool_first_cost, pool_last_cost, beside_cost = (cost.multiply_adds(m) for m in ways.values())
final_numbers = 17 * 17 * 640
# A strided branch is narrow, but the maximum beside it is not: together they are the output.
narrow["side by side"] = final_numbers
order_ratio, beside_ratio = pool_last_cost / pool_first_cost, beside_cost / pool_first_cost
assert all(model.outputs[0].shape[1:] == (17, 17, 640) for model in ways.values())
assert 2 * narrow["pool, convolve"] == final_numbers
assert order_ratio > 4, "Convolving before pooling costs over four times more."
assert beside_ratio == 0.5, "Side by side costs half of pooling first."

pd.DataFrame(
    {
        "order": list(ways),
        "multiply-adds": [f"{cost.multiply_adds(model) / 1e6:.0f}" for model in ways.values()],
        "narrowest": [f"{n / 1000:.0f}" for n in narrow.values()],
    }
).style.hide()

# %% [markdown]
# ## Adding a small correction
#
# Inception-ResNet joins its branches, brings them back to the width of the input by a 1 × 1
# convolution without normalization, and adds a share of the result to the input.


# %% label="residual"
def residual(x, *chains, scale, last=False):
    y = side_by_side(x, *chains)
    y = keras.layers.Conv2D(x.shape[-1], 1)(y)
    y = keras.layers.Rescaling(scale)(y)
    x = keras.layers.Add()([x, y])
    return x if last else keras.layers.ReLU()(x)


# %% tags=["remove-input"]
image = keras.Input((35, 35, 320))
chains = [(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]
residual_block = keras.Model(image, residual(image, *chains, scale=0.17))

# %% label="residual-drawn" alt="From the input, three branches of 1 by 1 and 3 by 3 windows are joined to 128 channels, brought to 320, multiplied by 0.17 and added to the input." caption="The first residual block of InceptionResNetV2. The arrow from the input to the sum passes all branches." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 6))
draw(ax, residual_block, (-1.5, -0.5, 0.5), home=1.5)

# %% [markdown]
# ## The extreme: one branch for each channel
#
# Branches of a 1 × 1 and a 3 × 3 convolution, all alike, are one 1 × 1 convolution followed by a
# 3 × 3 convolution whose kernel is zero between the channels of different branches.


# %% label="extreme" values="branches_gap depthwise_gap stack_gap swap_gap"
def joined(x, points, windows):
    """Return what branches of a 1 × 1 convolution, ReLU and a window make of x."""
    branches = [
        convolve(np.maximum(convolve(x, point), 0), window)
        for point, window in zip(points, windows, strict=True)
    ]
    return np.concatenate(branches, axis=-1)


def blocks(windows):
    """Put kernels of branches into one kernel that is zero between the branches."""
    m, n, width, _ = windows[0].shape
    whole = np.zeros((m, n, width * len(windows), width * len(windows)))
    for i, window in enumerate(windows):
        part = slice(i * width, (i + 1) * width)
        whole[:, :, part, part] = window
    return whole


def depthwise(x, kernel):
    layer = keras.layers.DepthwiseConv2D(kernel.shape[:2], use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel.astype("float32")])
    return np.asarray(layer(x))


def separable_layer(x, kernel, point):
    layer = keras.layers.SeparableConv2D(point.shape[-1], kernel.shape[:2], use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel.astype("float32"), point.astype("float32")])
    return np.asarray(layer(x))


branches_gap = 0.0
for width in (4, 2, 1):  # three branches of four channels, six of two, twelve of one
    points = rng.normal(size=(12 // width, 1, 1, 6, width))
    windows = rng.normal(size=(12 // width, 3, 3, width, width)) / 3
    one_point = np.concatenate(list(points), axis=-1)
    together = convolve(np.maximum(convolve(x, one_point), 0), blocks(windows))
    gap = np.abs(joined(x, points, windows) - together).max()
    branches_gap = max(branches_gap, float(gap))

# With one channel for each branch, the 3 × 3 convolution is a depthwise one.
kernel = windows[:, :, :, 0].transpose(1, 2, 0, 3)  # (3, 3, channels, 1)
by_depth = depthwise(np.maximum(convolve(x, one_point), 0), kernel)
depthwise_gap = float(np.abs(by_depth - together).max())

# In a stack without ReLU in between, only where a pair begins differs.
second = rng.normal(size=(3, 3, 12, 1)) / 3
middle, end = rng.normal(size=(2, 1, 1, 12, 12)) / 4
first = convolve(x, one_point)
extreme = convolve(depthwise(convolve(depthwise(first, kernel), middle), second), end)
stacked = separable_layer(separable_layer(first, kernel, middle), second, end)
stack_gap = float(np.abs(extreme - stacked).max())
pair = separable_layer(first, kernel, middle)
swapped = depthwise(convolve(first, middle), kernel)
swap_gap = float(np.abs(swapped - pair).max() / np.abs(pair).max())
print(f"branches and one kernel of blocks: {branches_gap:.0e}; depthwise: {depthwise_gap:.0e}")
print(f"stack of separable layers: {stack_gap:.0e}; order exchanged in one pair: {swap_gap:.1f}")
assert branches_gap < 1e-4, "Equal branches are one convolution whose kernel is made of blocks."
assert depthwise_gap < 1e-4, "An Inception module with one branch a channel ends depthwise."
assert stack_gap < 1e-4, "A stack of extreme modules is a stack of separable convolutions."
assert swap_gap > 0.1, "In a single pair, depthwise and pointwise do not commute."

# %% [markdown]
# What separation saves, in Xception's own size: 728 channels at 19 × 19 places, windows of 3 × 3.

# %% label="separation" values="separable_share formula_share quiz_share"
grid = keras.Input((19, 19, 728))
full, separate = (
    layer(728, 3, padding="same", use_bias=False)
    for layer in (keras.layers.Conv2D, keras.layers.SeparableConv2D)
)
full_cost, separable_cost = (
    cost.multiply_adds(keras.Model(grid, layer(grid))) for layer in (full, separate)
)
separable_share, formula_share = separable_cost / full_cost, 1 / 728 + 1 / 9
quiz_share = 1 / 64 + 1 / 25
print(f"{separable_cost / 1e6:.0f} instead of {full_cost / 1e6:.0f} million multiply-adds")
assert abs(separable_share - formula_share) < 1e-12, "Separation leaves 1/F + 1/m² of the products."


# %% label="xception-block"
def separable(x, filters):
    x = keras.layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
    return keras.layers.BatchNormalization()(x)


def correct(x, filters):
    """Add three separable convolutions, each with ReLU before it, to their input."""
    y = x
    for _ in range(3):
        y = separable(keras.layers.ReLU()(y), filters)
    return keras.layers.Add()([y, x])


# %% label="xception-drawn" alt="Three separable 3 by 3 convolutions in a row, of 728 channels each, are added to the block's input." caption="The block that Xception repeats eight times." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 4))
draw(ax, keras.Model(grid, correct(grid, 728)), (-0.5,), home=0.5)

# %% [markdown]
# ## The same blocks in Keras
#
# Everything above ran on labkit. From here on, `keras` is Keras itself, and the same functions build
# the same blocks. Outputs, moving averages and all gradients must agree.

# %%
chains = [(2, 1)], [(2, 1), (2, 3)], [(2, 1), (2, (1, 3)), (2, (3, 1))]
recipes = {
    "Inception": lambda x: side_by_side(x, *chains, pooled=2),
    "Inception-ResNet": lambda x: residual(x, *chains, scale=0.17),
    "Xception": lambda x: correct(x, 6),
    "halving": lambda x: shrink(x, [(4, 1), (6, 3)]),
}


def block_models():
    """Build each block between an input and an output, with the library at hand."""
    inputs = [keras.Input((9, 9, 6)) for _ in recipes]
    return [keras.Model(x, build(x)) for x, build in zip(inputs, recipes.values(), strict=True)]


keras.utils.set_random_seed(0)
our_blocks = block_models()

# %% label="keras" values="block_gap"
import keras

some = np.random.default_rng(1).normal(size=(4, 9, 9, 6))
block_gap = max(
    assert_matches_keras(ours, theirs, some, training=True, rtol=1e-3)
    for ours, theirs in zip(our_blocks, block_models(), strict=True)
)
print(f"largest difference between labkit and Keras, of all blocks: {block_gap:.0e}")
assert block_gap < 1e-3, "labkit's and Keras's blocks agree, forward and backward, in training."

# %% [markdown]
# ## InceptionV3, rebuilt
#
# From 299 × 299 pixels to 1,000 logits.


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


# %% label="inception-v3"
row, column = (1, 7), (7, 1)


def fork(x, *steps):
    """End a chain in a row and a column that stand side by side."""
    x = chain(x, *steps)
    ends = [convolution(x, 384, (1, 3)), convolution(x, 384, (3, 1))]
    return keras.layers.Concatenate()(ends)


def inception_v3():
    image = keras.Input((299, 299, 3))
    x = stem(image)
    for pooled in (32, 64, 64):
        once = [(48, 1), (64, 5)]
        twice = [(64, 1), (96, 3), (96, 3)]
        x = side_by_side(x, [(64, 1)], once, twice, pooled=pooled)
    x = shrink(x, [(384, 3)], twice)  # (17, 17, 768)
    for width in (128, 160, 160, 192):
        point = (width, 1)
        once = [point, (width, row), (192, column)]
        twice = [point, (width, column), (width, row), (width, column), (192, row)]
        x = side_by_side(x, [(192, 1)], once, twice, pooled=192)
    seven = [(192, 1), (192, row), (192, column), (192, 3)]
    x = shrink(x, [(192, 1), (320, 3)], seven)  # (8, 8, 1280)
    for _ in range(2):
        point = convolution(x, 320, 1)
        short = fork(x, (384, 1))
        long = fork(x, (448, 1), (384, 3))
        average = keras.layers.AveragePooling2D(3, 1, "same")(x)
        average = convolution(average, 192, 1)
        x = keras.layers.Concatenate()([point, short, long, average])
    return keras.Model(image, logits(x))  # from (8, 8, 2048)


# %% [markdown]
# In a fresh network, batch normalization hardly does anything, and little of the image reaches the
# logits. So its statistics are first measured on the images and then varied at random.


# %% label="compare"
def normalizations(model):
    return [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]


def measure(model, images):
    """Replace the statistics of batch normalization by those of these images."""
    for layer in normalizations(model):
        layer.momentum = 0.0  # keep nothing of the old averages
    model(images, training=True)


def vary(model, seed):
    """Change the statistics of batch normalization, and its shifts and scales, at random."""
    rng = np.random.default_rng(seed)
    for layer in normalizations(model):
        *others, mean, variance = layer.get_weights()
        others = [w + rng.normal(0, 0.1, w.shape) for w in others]
        mean = mean + np.sqrt(variance) * rng.normal(0, 0.1, mean.shape)
        layer.set_weights([*others, mean, variance * rng.uniform(0.5, 1.5, mean.shape)])


photographs = [photo[:299, :299] for photo in datasets.load_photographs().values()]
images = np.stack(photographs).astype("float32") / 127.5 - 1  # (2, 299, 299, 3)


def compare(build, published):
    """Return how far the logits of both are apart, how different they can be, and counts."""
    keras.backend.clear_session()
    theirs = published(weights=None, classifier_activation=None)
    ours = build()
    measure(theirs, images)
    vary(theirs, seed=0)
    ours.set_weights(theirs.get_weights())
    expected, found = (np.asarray(model(images)) for model in (theirs, ours))  # (2, 1000)
    vary(ours, seed=1)
    other = np.asarray(ours(images[:1]))
    differences = found - expected, expected[0] - expected[1], other - expected[:1]
    sizes = ours.count_params(), theirs.count_params()
    return (
        *(float(np.abs(d).max() / expected.std()) for d in differences),
        *sizes,
        cost.multiply_adds(ours) / 1e6,
        cost.longest_path(ours),
    )


# %% label="rebuilt-v3" values="v3_gap v3_between v3_other v3_parameters v3_millions v3_products v3_depth"
v3 = compare(inception_v3, keras.applications.InceptionV3)
v3_gap, v3_between, v3_other, v3_parameters, v3_theirs, v3_products, v3_depth = v3
v3_millions = v3_parameters / 1e6
print(f"apart by {v3_gap:.0e}; two images {v3_between:.2f}, other statistics {v3_other:.2f}")
assert v3_gap < 1e-5, "The rebuilt InceptionV3 gives Keras's logits."
assert min(v3_between, v3_other) > 1e-2
assert v3_parameters == v3_theirs, "The rebuilt InceptionV3 has as many parameters as Keras's."

# %% [markdown]
# ## Xception, rebuilt


# %% label="xception"
def normalized(x, filters, size, strides=1, padding="valid"):
    x = keras.layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
    return keras.layers.BatchNormalization()(x)


def halve(x, first, second, activate=True):
    """Halve the grid, and add the input through a 1 × 1 window."""
    shortcut = normalized(x, second, 1, 2, "same")
    x = keras.layers.ReLU()(x) if activate else x
    x = separable(x, first)
    x = separable(keras.layers.ReLU()(x), second)
    x = keras.layers.MaxPooling2D(3, 2, "same")(x)
    return keras.layers.Add()([x, shortcut])


def xception():
    image = keras.Input((299, 299, 3))
    x = keras.layers.ReLU()(normalized(image, 32, 3, 2))
    x = keras.layers.ReLU()(normalized(x, 64, 3))
    x = halve(x, 128, 128, activate=False)
    x = halve(x, 256, 256)
    x = halve(x, 728, 728)  # (19, 19, 728)
    for _ in range(8):
        x = correct(x, 728)
    x = halve(x, 728, 1024)  # (10, 10, 1024)
    x = keras.layers.ReLU()(separable(x, 1536))
    x = keras.layers.ReLU()(separable(x, 2048))
    return keras.Model(image, logits(x))


# %% label="rebuilt-xception" values="xception_gap xception_parameters xception_millions xception_products xception_depth products_ratio"
results = compare(xception, keras.applications.Xception)
(
    xception_gap,
    xception_between,
    xception_other,
    xception_parameters,
    xception_theirs,
    xception_products,
    xception_depth,
) = results
xception_millions = xception_parameters / 1e6
print(
    f"apart by {xception_gap:.0e}; two images {xception_between:.2f}, others {xception_other:.2f}"
)
assert xception_gap < 1e-5, "The rebuilt Xception gives Keras's logits."
assert min(xception_between, xception_other) > 1e-2
assert xception_parameters == xception_theirs
assert xception_parameters < v3_parameters, "Xception has fewer parameters than InceptionV3."
products_ratio = xception_products / v3_products
assert products_ratio > 1.2, "Xception needs more multiply-adds than InceptionV3."

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Two windows of 3 × 3 in place of the 5 × 5.

# %% label="exercise-1" tags=["solution"]
image = keras.Input((35, 35, 192))
twice_branch = keras.Model(image, chain(image, (48, 1), (64, 3), (64, 3)))
twice_cost = cost.multiply_adds(twice_branch)
print(f"{twice_cost / 1e6:.0f} instead of {five_cost / 1e6:.0f} million multiply-adds")
five_branch = keras.Model(image, chain(image, (48, 1), (64, 5)))
assert cost.receptive_field(twice_branch) == cost.receptive_field(five_branch) == (5, 5)
assert twice_cost < five_cost

# %% [markdown]
# **2.** Between a full and a separable convolution.

# %% label="exercise-2" tags=["solution"]
C = 728
for segments in (1, 2, 4, 8, 28, 91, 364, 728):
    weights = C * C + 9 * C * C // segments
    print(f"{segments:3d} segments: {weights:9,d} weights, {weights / (9 * C * C):.1%} of the full")
assert weights == C * C + 9 * C

# %% [markdown]
# **3.** The factor moved into the weights, and a step of gradient descent.

# %% label="exercise-3" tags=["solution"] values="step_ratio"
rng = np.random.default_rng(3)
h, target, W = rng.normal(size=(50, 8)), rng.normal(size=(50, 4)), rng.normal(size=(8, 4)) / 3
factor, rate = 0.1, 0.01


def moved(W, factor, step):
    """Return how far one step from W moves the branch's output."""
    slope = h.T @ (factor * (factor * h @ W - target)) / len(h)
    return np.linalg.norm(factor * h @ (W - rate * step(slope)) - factor * h @ W)


# The first step of gradient descent follows the slope, that of Adam its sign.
step_ratio, adam_ratio = (
    float(moved(W, factor, step) / moved(factor * W, 1, step)) for step in (np.positive, np.sign)
)
print(f"gradient descent: {step_ratio:.4f} times as far, Adam: {adam_ratio:.4f}")
assert np.allclose(factor * (h @ W), h @ (factor * W))
assert abs(adam_ratio - factor) < 1e-9
assert abs(step_ratio - factor**2) < 1e-9, (
    "A factor outside the weights shrinks steps by its square."
)

# %%
plt.show()
