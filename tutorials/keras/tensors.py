# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # TensorFlow: tensors, gradients and graphs
# Below Keras works a library that computes with blocks of numbers, finds slopes, and turns Python
# functions into graphs. This script asks it what it does, where it is fast, and where it surprises.
# The chapter [TensorFlow](../../keras/tensors.md) tells the story.
#
# The first cells run on NumPy and `labkit`, the book's library. All others need TensorFlow, since
# they are about it.

# %%
import logging
import tempfile
import time
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
keras.config.set_floatx("float64")  # so that slopes can be compared to 15 digits
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## Slopes without TensorFlow
# A small network, and what one step of gradient descent with the rate 1 subtracts from its weights:
# the gradient.

# %%
digits = datasets.load_digits()
some_x, some_y = digits.data[:32] / 16, np.eye(10)[digits.target[:32]]  # (32, 64), (32, 10)
rng = np.random.default_rng(0)
first_weights = [
    rng.normal(0, 0.2, (64, 32)),
    np.zeros(32),
    rng.normal(0, 0.2, (32, 10)),
    np.zeros(10),
]


def step_taken():
    """Return what one step of gradient descent with the rate 1 subtracts from the weights."""
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(10)]
    )
    model.set_weights(first_weights)
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), cross_entropy)
    model.train_on_batch(some_x, some_y)
    return [w - after for w, after in zip(first_weights, model.get_weights(), strict=True)]


labkit_slopes = step_taken()

# %% [markdown]
# ## TensorFlow, and Keras on top of it
# From here on, `keras` is Keras itself. Before TensorFlow computes anything, we ask it to treat the
# one processor as two devices; later it would refuse.

# %% label="start" values="devices backend variable_inside"
import keras
import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
tf.config.set_logical_device_configuration(processor, two)
devices = len(tf.config.list_logical_devices("CPU"))

keras.config.set_floatx("float64")
keras_slopes = step_taken()
keras.config.set_floatx("float32")  # the default
backend = keras.config.backend()
layer = keras.layers.Dense(3)
answer = layer(tf.ones((1, 2)))
variable_inside = isinstance(layer.kernel.value, tf.Variable)
print(f"Keras {keras.__version__} on {backend} {tf.__version__}: {type(answer).__name__}")
assert backend == "tensorflow"
assert tf.is_tensor(answer)
assert variable_inside

# %% label="stack" alt="Boxes on top of each other: Keras; below it TensorFlow beside JAX and PyTorch; below TensorFlow three ways to run, eager, graph and compiled graph; below these kernels; at the bottom CPU, GPU and TPU." caption="Where TensorFlow stands. Keras hands its work to one of several backends. TensorFlow runs it operation by operation, as a graph, or as a graph compiled by XLA; in the end, small programs written for a device, also called kernels, do the arithmetic." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.1))
boxes = [  # left, bottom, width, text, color
    (0, 4, 12, "Keras: layers, models, training", BLUE),
    (0, 3, 6.6, "TensorFlow", ORANGE),
    (6.8, 3, 2.2, "JAX", GREY),
    (9.2, 3, 2.8, "PyTorch", GREY),
    (0, 2, 2.1, "eager", GREEN),
    (2.25, 2, 2.1, "graph", GREEN),
    (4.5, 2, 2.1, "XLA", GREEN),
    (0, 1, 6.6, "kernels (C++, CUDA)", PURPLE),
    (0, 0, 6.6, "CPU, GPU, TPU", GREY),
]
for left, bottom, width, text, color in boxes:
    ax.add_patch(plt.Rectangle((left, bottom), width, 0.8, facecolor=color, alpha=0.18))
    ax.add_patch(plt.Rectangle((left, bottom), width, 0.8, fill=False, edgecolor=color, lw=1.5))
    ax.text(left + width / 2, bottom + 0.4, text, ha="center", va="center", fontsize=10)
for bottom, text in ((3.4, ""), (2.4, "how it runs"), (1.4, "what computes"), (0.4, "on what")):
    ax.text(6.9, bottom, text, va="center", fontsize=10)
ax.set(xlim=(-0.1, 12.1), ylim=(-0.1, 4.95))
ax.set_axis_off()

# %% [markdown]
# ## Tensors
# What becomes of some expressions in NumPy, TensorFlow and `keras.ops`? Each is tried.


# %% label="types" caption="The type of the result, or an error, of the same expression in NumPy, TensorFlow (TF) and Keras. In the last three rows only the first operand is a tensor; the array is one of NumPy's, of float64." values="int_plus_float mixed_floats truncated wrapped immutable"
def attempt(function):
    """Return the type of what a function gives, or "error"."""
    try:
        return np.asarray(function()).dtype.name
    except (tf.errors.InvalidArgumentError, TypeError, ValueError):
        return "error"


def expressions(make, add, divide):
    """Return the results of the same expressions with one library's arrays."""
    whole, single = make(1, "int32"), make(1.5, "float32")
    return {
        "int32 + float32": attempt(lambda: add(whole, single)),
        "float32 + float64": attempt(lambda: add(single, make(1.5, "float64"))),
        "int32 / int32": attempt(lambda: divide(whole, make(2, "int32"))),
        "int32 + 1.5": attempt(lambda: add(whole, 1.5)),
        "float32 + array": attempt(lambda: add(single, np.array([1.5]))),
        "int32 + array": attempt(lambda: add(whole, np.array([1.5]))),
    }


tried = {
    "NumPy": expressions(np.asarray, np.add, np.divide),
    "TF": expressions(tf.constant, lambda a, b: a + b, lambda a, b: a / b),
    "Keras": expressions(keras.ops.convert_to_tensor, keras.ops.add, keras.ops.divide),
}
int_plus_float, mixed_floats = tried["TF"]["int32 + float32"], tried["TF"]["float32 + float64"]
truncated = int((tf.constant(1) + np.array([1.5]))[0])
wrapped = int(tf.constant(2**31 - 1) + 1)


def write(x):
    """Try to change a number in place."""
    x[0] = 9
    return x


immutable = attempt(lambda: write(tf.constant([1.0, 2.0])))
print(f"the tensor 1 + the array 1.5 = {truncated}")
assert int_plus_float == mixed_floats == "error", (
    "TensorFlow refuses to add tensors of two types, even two kinds of float."
)
assert (tried["NumPy"]["int32 + float32"], tried["Keras"]["int32 + float32"]) == (
    "float64",
    "float32",
)
assert truncated == 2, "Added to a whole tensor, NumPy's array of 1.5 silently becomes 1."
assert attempt(lambda: tf.add(tf.constant([1]), [1.5])) == "error"
assert tried["TF"]["int32 / int32"] == "float64"
assert wrapped == -(2**31)
assert immutable == "error"

pd.DataFrame(tried)

# %% [markdown]
# A tensor has a shape, a type and a device. It broadcasts as a NumPy array does, and gives NumPy
# its numbers.

# %% label="tensor"
x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # (2, 3)
print(x.shape, x.dtype.name, x.device.rsplit("/", 1)[1])
print((x + tf.constant([10.0, 20.0, 30.0])).numpy())

shapes = [((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((), (2, 2))]
for left, right in shapes:
    a, b = rng.normal(size=left), rng.normal(size=right)
    assert np.array_equal((tf.constant(a) * tf.constant(b)).numpy(), a * b)
refused = attempt(lambda: tf.ones((2, 3)) + tf.ones((2,)))
view, copy = np.asarray(x), x.numpy()
assert x.dtype == "float32"  # what Python's floats become
assert np.asarray([1.0]).dtype == "float64"
assert refused == "error"
assert np.shares_memory(view, np.asarray(x))
assert not np.shares_memory(view, copy)
assert (view.flags.writeable, copy.flags.writeable) == (False, True)

# %% [markdown]
# ## Variables
# A variable is a place whose numbers may change. Its shape and type may not.

# %% label="variable" values="same_place after_assign"
w = tf.Variable([1.0, 2.0])
place = id(w)
w.assign_sub([0.5, 0.5])  # a step of gradient descent: w becomes w - step
after_assign = w.numpy().tolist()
same_place = id(w) == place and not isinstance(w - 0.5, tf.Variable)
wrong_shape = attempt(lambda: w.assign([1.0, 2.0, 3.0]))
print(after_assign, type(w - 0.5).__name__, wrong_shape)
assert (same_place, after_assign) == (True, [0.5, 1.5])
assert wrong_shape == "error"

# %% [markdown]
# ## Gradients
# The forward pass is ordinary code. The tape writes down what happens to variables.

# %% label="tape"
variables = [tf.Variable(w) for w in first_weights]


def forward(x, y):
    """Return the mean cross-entropy of a tanh layer and ten logits."""
    W1, b1, W2, b2 = variables
    h = tf.tanh(x @ W1 + b1)  # (batch, 32)
    z = h @ W2 + b2  # (batch, 10)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, z))


with tf.GradientTape() as tape:
    loss = forward(some_x, some_y)
slopes = tape.gradient(loss, variables)

# %% values="tape_gap keras_gap"
largest = max(np.abs(s).max() for s in labkit_slopes)


def gap(ours, theirs):
    """Return the largest difference of two gradients, as a share of the largest slope."""
    return float(max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / largest)


tape_gap, keras_gap = gap(slopes, labkit_slopes), gap(keras_slopes, labkit_slopes)
try:
    tape.gradient(loss, variables)
    readings = 2
except RuntimeError:
    readings = 1
print(f"the tape against labkit: {tape_gap:.0e}; Keras against labkit: {keras_gap:.0e}")
assert max(tape_gap, keras_gap) < 1e-12, (
    "The tape, and a step of Keras, give the slopes of labkit's own backward pass."
)
assert readings == 1

# %% [markdown]
# Why a slope is missing: each line is a function of $x$ with a break in its path.

# %% label="none" caption="What the tape says of the slope along x at 1. None means that no path leads back to x." values="nones zeros"
x = tf.Variable(1.0)


def slope(function, source):
    """Return the slope of a function along a variable or a tensor, or None."""
    with tf.GradientTape() as tape:
        y = function(source)
    return tape.gradient(y, source)


broken = {
    "3 * x": lambda x: 3 * x,
    "stop_gradient(x)": lambda x: 3 * tf.stop_gradient(x),
    "through NumPy": lambda x: tf.constant(3 * x.numpy()),
    "through an integer": lambda x: tf.cast(tf.cast(x, "int32"), "float32"),
    "argmax": lambda x: tf.cast(tf.argmax([x, 2 * x]), "float32"),
    "round(x)": lambda x: tf.round(x),
    "relu(-x)": lambda x: tf.nn.relu(-x),
}
found = {name: slope(function, x) for name, function in broken.items()}
nones = sum(s is None for s in found.values())
zeros = sum(s is not None and float(s) == 0 for s in found.values())
constant_slope = slope(lambda x: 3 * x, tf.constant(1.0))
with tf.GradientTape() as tape:
    tape.watch(c := tf.constant(1.0))
    y = 3 * c
watched_slope = float(tape.gradient(y, c))
assert (nones, zeros) == (5, 1), (
    "Paths through NumPy, an integer, a rounding or an argmax give None; a ReLU that is off gives 0."
)
assert (constant_slope, watched_slope) == (None, 3)
pd.DataFrame(
    {"slope": ["None" if s is None else f"{float(s) + 0:g}" for s in found.values()]},  # no -0
    index=list(found),
)

# %% [markdown]
# A tape inside a tape gives the slope of a slope.

# %% label="higher" values="second_gap third_gap jacobian_gap"
t = tf.constant(np.linspace(-3, 3, 121))
with tf.GradientTape() as outer:
    outer.watch(t)
    with tf.GradientTape() as middle:
        middle.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            y = tf.tanh(t)
        first = inner.gradient(y, t)
    second = middle.gradient(first, t)
third = outer.gradient(second, t)

h = np.tanh(t)
second_gap = float(np.abs(second - -2 * h * (1 - h**2)).max())
third_gap = float(np.abs(third - (1 - h**2) * (6 * h**2 - 2)).max())

z = tf.constant([1.0, 2.0, 0.5], "float64")
with tf.GradientTape() as tape:
    tape.watch(z)
    p = tf.nn.softmax(z)
jacobian = tape.jacobian(p, z)  # (outputs, inputs)
jacobian_gap = float(np.abs(jacobian - (np.diag(p) - np.outer(p, p))).max())
print(f"second: {second_gap:.0e}, third: {third_gap:.0e}, Jacobian: {jacobian_gap:.0e}")
assert max(second_gap, third_gap, jacobian_gap) < 1e-12, (
    "Tapes give the second and third derivative of tanh and the Jacobian of softmax."
)

# %% label="derivatives" alt="Tanh from minus three to three, its bell-shaped slope, the slope of that, and the slope of that again, which has two valleys and a deep one in the middle." caption="The hyperbolic tangent and its first three derivatives, from three nested tapes. A marker is the value by formula." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.1))
shown = [
    (y, h, "tanh", BLUE, "-", "o"),
    (first, 1 - h**2, "first", ORANGE, "--", "s"),
    (second, -2 * h * (1 - h**2), "second", GREEN, "-.", "^"),
    (third, (1 - h**2) * (6 * h**2 - 2), "third", PURPLE, ":", "D"),
]
for line, formula, name, color, style, marker in shown:
    ax.plot(t, line, style, color=color)
    ax.plot(t[::10], formula[::10], marker, color=color, markersize=4)
    ax.plot([], [], style, color=color, marker=marker, markersize=4, label=name)
ax.set(xlabel="t", ylabel="value")
fig.legend(loc="outside upper left", ncols=4)

# %% [markdown]
# Both branches of `tf.where` are computed, and both get a slope. Infinity times zero is not a number.


# %% label="where"
def log_or_zero(x):
    """Return ln x where x is positive, and 0 elsewhere."""
    return tf.where(x > 0, tf.math.log(x), 0.0)


def guarded(x):
    """Return the same, but never ask for the logarithm of 0."""
    return tf.where(x > 0, tf.math.log(tf.where(x > 0, x, 1.0)), 0.0)


# %% values="where_value where_slope guarded_slope"
def watched(function, x):
    """Return the slope of a function along a tensor."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return float(tape.gradient(y, x))


zero = tf.constant(0.0)
where_value, where_slope = float(log_or_zero(zero)), str(watched(log_or_zero, zero))
guarded_slope = watched(guarded, zero)
print(f"value {where_value}, slope {where_slope}, guarded {guarded_slope}")
assert where_value == 0
assert where_slope == "nan", (
    "The branch that tf.where does not take can still turn the slope into nan."
)
assert (guarded_slope, watched(guarded, tf.constant(2.0))) == (0, 0.5)


# %% [markdown]
# ## Graphs
# `tf.function` runs a Python function once with stand-ins for its tensors, and keeps the operations
# that it saw.


# %% label="dense"
@tf.function
def dense(x, W, b):
    """Return the outputs of a dense layer of ReLU units."""
    return tf.nn.relu(x @ W + b)


# %% label="operations"
concrete = dense.get_concrete_function(
    x=tf.TensorSpec([None, 64]), W=tf.TensorSpec([64, 32]), b=tf.TensorSpec([32])
)
nodes = concrete.graph.get_operations()
operations = len(nodes)
for node in nodes:
    print(f"{node.name:9s} {node.type:12s} {node.outputs[0].shape}")

x32 = tf.constant(some_x, "float32")
W32, b32 = tf.constant(first_weights[0], "float32"), tf.ones(32)
by_hand = np.maximum(x32.numpy() @ W32.numpy() + 1, 0)
graph_gap = float(np.abs(dense(x32, W32, b32) - by_hand).max())
assert graph_gap < 1e-5
assert [node.type for node in nodes][3:6] == ["MatMul", "AddV2", "Relu"]

# %% label="graph" alt="A graph from top to bottom: the input x and, from the side, W lead to MatMul; its result and b lead to AddV2; then come Relu and Identity, the result. Each box shows a shape." caption="The graph of one dense layer, drawn from the traced function. A question mark is an axis whose size is left open: one graph serves batches of any size." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.4))
depth, places = {}, {}
for node in nodes:
    depth[node.name] = max((depth[i.op.name] + 1 for i in node.inputs), default=0)
for node in nodes:
    given = node.type == "Placeholder"
    beside = given and node.name != "x"  # W and b stand beside the operation that takes them
    row = depth[node.outputs[0].consumers()[0].name] if beside else depth[node.name]
    places[node.name] = (1.1 if beside else -1.1), -row
    shape = ", ".join("?" if size is None else str(size) for size in node.outputs[0].shape)
    ax.text(
        *places[node.name],
        f"{node.name if given else node.type}  ({shape})",
        ha="center",
        va="center",
        fontsize=10,
        bbox={
            "boxstyle": "round,pad=0.45",
            "facecolor": plot.PAPER,
            "edgecolor": GREY if given else BLUE,
            "lw": 1.5,
        },
    )
for node in nodes:
    for source in node.inputs:
        (right, bottom), (left, top) = places[source.op.name], places[node.name]
        sideways = bottom == top
        ax.annotate(
            "",
            xy=(left + 0.62, top) if sideways else (left, top + 0.3),
            xytext=(right - 0.5, bottom) if sideways else (right, bottom - 0.3),
            arrowprops={"arrowstyle": "->", "shrinkA": 0, "shrinkB": 0, "color": plot.INK},
        )
ax.set(xlim=(-2.2, 2.2), ylim=(-max(depth.values()) - 0.4, 0.4))
ax.set_axis_off()


# %% [markdown]
# An `if` on a tensor cannot be decided while tracing. AutoGraph rewrites it.


# %% label="branch"
def halve_or_triple(n):
    """Return n / 2 if n is even, and 3 n + 1 otherwise."""
    return n // 2 if n % 2 == 0 else 3 * n + 1


@tf.function
def steps_to_one(n):
    """Count the steps that lead from n to 1."""
    steps = 0
    while n > 1:
        n = halve_or_triple(n)
        steps += 1
    return steps


# %% label="autograph"
print(tf.autograph.to_code(halve_or_triple))

# %% label="loop" values="steps27 steps97 loop_traces loop_type"
steps27 = int(steps_to_one(tf.constant(27)))
steps97 = int(steps_to_one(tf.constant(97)))
loop_traces = steps_to_one.experimental_get_tracing_count()
kinds = [
    node.type for node in steps_to_one.get_concrete_function(tf.constant(27)).graph.get_operations()
]
loop_type = next(kind for kind in kinds if "While" in kind)
print(f"{steps27} steps from 27 to 1; {loop_traces} trace; the loop is one {loop_type}")
assert steps27 == steps_to_one.python_function(27)  # without TensorFlow
assert steps97 == steps_to_one.python_function(97)
assert "While" in loop_type
assert loop_traces == 1, (
    "A while loop over tensors becomes one operation, whatever the number of its turns."
)

# %% [markdown]
# What nothing depends on is left out when a graph runs, even an operation that would fail.


# %% label="dead" values="eager_fails graph_runs"
def with_waste(W):
    """Return 2 W, after computing an inverse that nobody asked for."""
    tf.linalg.inv(W)
    return 2 * W


singular = tf.zeros((2, 2))
eager_fails = attempt(lambda: with_waste(singular))
graph_runs = attempt(lambda: tf.function(with_waste)(singular))
print(f"eager: {eager_fails}; graph: {graph_runs}")
assert (eager_fails, graph_runs) == ("error", "float32"), (
    "In a graph, an inverse that nobody asked for is never computed, so it cannot fail."
)

# %% [markdown]
# ## Eager, graph, compiled: the time
# The ways take turns, and the shortest time of each counts, since other programs can only add to it. All on
# one processor core.


# %% label="shortest"
def shortest(functions, repeats):
    """Return the least seconds of functions that take turns, so that the load is the same."""
    found = np.zeros((repeats, len(functions)))
    for row in found:
        for place, function in enumerate(functions):
            began = time.perf_counter()
            function()
            row[place] = time.perf_counter() - began
    return found.min(axis=0)


def ways(function):
    """Return a function as it is, as a graph, and as a graph that XLA compiles."""
    return function, tf.function(function), tf.function(function, jit_compile=True)


def first_call(function, *inputs):
    """Return the seconds of the first call, in which a graph is traced and compiled."""
    began = time.perf_counter()
    function(*inputs)
    return time.perf_counter() - began


# %% label="chain" values="chain_operations small_eager small_graph large_graph large_jit fusions per_operation break_even chain_gap"
def chain(x):
    """Return x after 50 small operations."""
    for _ in range(25):
        x = x * 0.99 + 0.01
    return x


chain_operations = 50
sizes = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
chain_times, firsts = [], []
for size in sizes:
    x = tf.constant(rng.uniform(size=size), "float32")
    functions = ways(chain)
    firsts.append([first_call(function, x) for function in functions])
    chain_times.append(shortest([partial(f, x) for f in functions], 9 if size == sizes[-1] else 15))
chain_times = np.array(chain_times)  # (sizes, ways)
eager_way, graph_way, jit_way = chain_times.T
small_eager, small_graph = (1000 * float(taken) for taken in chain_times[1, :2])
large_graph, large_jit = (float(eager_way[-1] / way[-1]) for way in (graph_way, jit_way))
per_operation = 1e6 * float(eager_way[0]) / chain_operations
break_even = float(firsts[1][1] / (eager_way[1] - graph_way[1]))
results = [function(x).numpy() for function in functions]
compiled = functions[2].experimental_get_compiler_ir(x)(stage="optimized_hlo")
fusions = compiled.count(" fusion(")
chain_gap = float(max(np.abs(result - results[0]).max() for result in results))
print(
    f"one small operation takes {per_operation:.0f} µs; a trace pays after {break_even:.0f} calls"
)
assert eager_way[3] < 3 * eager_way[0]  # 10,000 numbers hardly cost more than ten
assert small_eager > 2 * small_graph, "On small arrays, a graph takes less than half the time."
assert large_jit > 2, "A compiled chain of 50 operations is over twice as fast on large arrays."
assert fusions == 1
assert chain_gap < 1e-5

# %% label="chaintimes" alt="Milliseconds for 50 operations against the size of the array, both axes logarithmic. Eager is nearly flat until ten thousand numbers; graph and compiled graph lie well below; at a million numbers, the compiled graph is far the fastest." caption="Fifty small operations on arrays of six sizes (the shortest of several runs). On the left one pays for calls: each operation costs the same, however few numbers it has. On the right one pays for the numbers, and there the compiled graph wins, a single operation that reads and writes each number once." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.3))
for way, name, color, style, marker in zip(
    chain_times.T,
    ("eager", "graph", "compiled (XLA)"),
    (ORANGE, BLUE, GREEN),
    ("-", "--", "-."),
    "os^",
    strict=True,
):
    ax.plot(sizes, 1000 * way, style, color=color, marker=marker, label=name)
ax.set(xscale="log", yscale="log", xlabel="numbers in the array", ylabel="milliseconds")
ax.set_xticks([10, 1000, 100_000])
ax.xaxis.set_major_formatter("{x:,g}")
ax.yaxis.set_major_formatter("{x:,g}")
ax.xaxis.set_minor_formatter("")
ax.yaxis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=3)


# %% [markdown]
# A step of training, one large product, and a large network.

# %% label="step"
x32, y32 = tf.constant(some_x, "float32"), tf.constant(some_y, "float32")
parameters = [tf.Variable(w, dtype="float32") for w in first_weights]


def train_step():
    """Take one step of gradient descent, and return the loss before it."""
    W1, b1, W2, b2 = parameters
    with tf.GradientTape() as tape:
        z = tf.tanh(x32 @ W1 + b1) @ W2 + b2
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y32, z))
    for w, s in zip(parameters, tape.gradient(loss, parameters), strict=True):
        w.assign_sub(0.1 * s)
    return loss


# %% label="times" caption="Milliseconds of one call (the shortest of several, one core). The first three rows are many small operations: the chain of 50 on 100 numbers, a training step with 32 images, NASNetMobile with one image. The product of two 1024 × 1024 matrices is a single large operation. The last row is the chain on a million numbers, many large operations." values="step_graph product_graph net_graph net_operations net_layers net_trace net_break"
step_ways = ways(train_step)
for function in step_ways:
    function()
step_times = shortest(step_ways, 101)

square = tf.constant(rng.normal(size=(1024, 1024)), "float32")
product_ways = [partial(function, square, square) for function in ways(tf.matmul)[:2]]
for function in product_ways:
    function()
product_times = shortest(product_ways, 31)

keras.utils.set_random_seed(0)
net = keras.applications.NASNetMobile(weights=None, classifier_activation=None)
net_layers = len(net.layers)
image = tf.constant(rng.uniform(size=(1, 224, 224, 3)), "float32")
net_ways = [partial(net, training=False), tf.function(partial(net, training=False))]
net_trace = first_call(net_ways[1], image)
net_times = shortest([partial(function, image) for function in net_ways], 4)
net_operations = len(net_ways[1].get_concrete_function(image).graph.get_operations())
net_answers = [function(image).numpy() for function in net_ways]
net_gap = float(np.abs(net_answers[0] - net_answers[1]).max() / np.ptp(net_answers[0]))

step_graph = float(step_times[0] / step_times[1])
product_graph = float(product_times[0] / product_times[1])
net_graph = float(net_times[0] / net_times[1])
net_break = net_trace / float(net_times[0] - net_times[1])
print(f"eager / graph: step {step_graph:.1f}, product {product_graph:.2f}, net {net_graph:.1f}")
assert step_graph > 2, "A training step of a small network is over twice as fast in a graph."
assert 0.6 < product_graph < 1.6, "One large product takes about as long eagerly as in a graph."
assert net_graph > 2.5, "NASNetMobile answers over 2.5 times as fast in a graph."
assert net_gap < 1e-4
rows = {
    "chain, 100": chain_times[1],
    "training step": step_times,
    "NASNetMobile": [*net_times, np.nan],
    "large product": [*product_times, np.nan],
    "chain, 1,000,000": chain_times[-1],
}


def milliseconds(seconds):
    """Return a time with about three digits."""
    return "–" if np.isnan(seconds) else f"{1000 * seconds:,.{2 if seconds < 0.01 else 0}f}"


pd.DataFrame(
    [[milliseconds(taken) for taken in row] for row in rows.values()],
    index=list(rows),
    columns=["eager", "graph", "XLA"],
)

# %% [markdown]
# Keras traces by itself, unless it is told not to. It uses XLA where there is a GPU.

# %% label="fit" values="keras_eager keras_xla"
del net, net_ways
keras.utils.clear_session()
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
model.compile("sgd", "mse")
keras_eager, keras_xla = model.run_eagerly, model.jit_compile
assert not keras_eager
assert not keras_xla

# %% [markdown]
# ## Retracing
# TensorFlow warns when a function is traced again and again. We collect its warnings.

# %% label="retracing" caption="Twenty calls of x², each with another argument: how often the function was traced, and what all calls took together." values="int_traces tensor_traces shape_traces relaxed_traces signature_traces retrace_factor"
warnings = []
logger = tf.get_logger()
logger.handlers, logger.propagate = [], False
collector = logging.Handler()
collector.emit = lambda record: warnings.append(record.getMessage())
logger.addHandler(collector)


def squared(x):
    """Return the square."""
    return tf.square(x)


signature = [tf.TensorSpec([None])]
cases = {
    "20 Python integers": (tf.function(squared), range(20)),
    "20 tensors": (tf.function(squared), [tf.constant(n) for n in range(20)]),
    "20 shapes": (tf.function(squared), [tf.ones(n) for n in range(20)]),
    "… reduce_retracing": (
        tf.function(squared, reduce_retracing=True),
        [tf.ones(n) for n in range(20)],
    ),
    "… input_signature": (
        tf.function(squared, input_signature=signature),
        [tf.ones(n) for n in range(20)],
    ),
}
taken, traces = {}, {}
for name, (function, arguments) in cases.items():
    began = time.perf_counter()
    for argument in arguments:
        function(argument)
    taken[name] = time.perf_counter() - began
    traces[name] = function.experimental_get_tracing_count()
int_traces, tensor_traces, shape_traces, relaxed_traces, signature_traces = traces.values()
retrace_factor = taken["20 Python integers"] / taken["20 tensors"]
warned = any("retracing" in message for message in warnings)
assert (int_traces, tensor_traces) == (20, 1), "20 Python integers need 20 traces, 20 tensors one."
assert (shape_traces, relaxed_traces, signature_traces) == (20, 2, 1), (
    "Twenty shapes need 20 traces, 2 with reduce_retracing, and 1 with an open signature."
)
assert retrace_factor > 2
assert warned
pd.DataFrame(
    {"traces": traces.values(), "milliseconds": [f"{1000 * t:.0f}" for t in taken.values()]},
    index=list(traces),
)

# %% label="literals" values="literal_traces literal_type quiz_traces"
whole = tf.function(lambda n: tf.constant(n))
for n in (1, 1.0, True):
    literal_type = whole(n).dtype.name
literal_traces = whole.experimental_get_tracing_count()
print(f"1, 1.0 and True: {literal_traces} trace; True came back as {literal_type}")
assert (literal_traces, literal_type) == (1, "int32"), (
    "For a traced function 1, 1.0 and True are the same argument: the first trace serves all."
)

quiz = tf.function(squared)
for argument in (2, 3, 2, tf.constant(2), tf.constant(3), tf.constant(2.0), tf.constant([2, 3])):
    quiz(argument)
quiz_traces = quiz.experimental_get_tracing_count()
assert quiz_traces == 5

# %% [markdown]
# ## What runs only once
# Five calls of functions with side effects, eager and traced.


# %% label="effects" caption="What five calls leave behind: entries in a Python list, the number of different random numbers, the scale that the last call used after a Python variable went from 1 to 5, and a counter in a tf.Variable." values="effect_eager effect_graph frozen_graph fresh_graph scale_graph counter_graph new_variable leaked"
def five_calls(wrap):
    """Return the side effects of five calls of a function, wrapped or not."""
    entries, scale, counter = [], [1.0], tf.Variable(0)
    generator = np.random.default_rng(0)

    @wrap
    def function(x):
        entries.append("called")
        counter.assign_add(1)
        return x * scale[0], generator.uniform(), tf.random.uniform(())

    tf.random.set_seed(0)
    found = []
    for number in range(1, 6):
        scale[0] = float(number)
        found.append([float(value) for value in function(tf.constant(1.0))])
    scaled, numpy_numbers, tf_numbers = zip(*found, strict=True)
    return {
        "list.append": len(entries),
        "NumPy random": len(set(numpy_numbers)),
        "TF random": len(set(tf_numbers)),
        "Python variable": int(scaled[-1]),
        "tf.Variable": int(counter),
    }


effects = {"eager": five_calls(lambda function: function), "graph": five_calls(tf.function)}
effect_eager, effect_graph = (effects[way]["list.append"] for way in ("eager", "graph"))
frozen_graph, fresh_graph = effects["graph"]["NumPy random"], effects["graph"]["TF random"]
scale_graph, counter_graph = effects["graph"]["Python variable"], effects["graph"]["tf.Variable"]
new_variable = attempt(lambda: tf.function(lambda: tf.Variable(1.0) + 0)())
outside = []
tf.function(outside.append)(tf.constant(1.0))
leaked = attempt(lambda: outside[0] + 1)
assert (effect_eager, effect_graph) == (5, 1)
assert (frozen_graph, fresh_graph) == (1, 5), (
    "NumPy's random number is frozen into the graph; TensorFlow's is fresh in each call."
)
assert (scale_graph, counter_graph) == (1, 5), (
    "A graph does not notice a changed Python variable; a tf.Variable is updated in every call."
)
assert new_variable == leaked == "error"
pd.DataFrame(effects)

# %% [markdown]
# ## Devices
# The one processor is two devices now. Each tensor lives on one of them.

# %% label="devices" values="placed moved"
with tf.device("CPU:1"):
    a = tf.ones((2, 2))
b = tf.ones((2, 2))
placed = [tensor.device.rsplit("/", 1)[1].removeprefix("device:") for tensor in (b, a)]
with tf.device("CPU:1"):
    total = a @ b  # b is copied without a word
moved = total.device.rsplit("/", 1)[1].removeprefix("device:")


@tf.function
def two_places(x):
    """Multiply on one device and add on the other."""
    with tf.device("CPU:0"):
        y = x @ x
    with tf.device("CPU:1"):
        return y + 1


graph_nodes = two_places.get_concrete_function(a).graph.get_operations()
node_places = {
    node.type: node.device.rsplit("device:", 1)[-1]
    for node in graph_nodes
    if node.type in ("MatMul", "AddV2")
}
print(f"tensors on {placed}, the product on {moved}; in a graph: {node_places}")
assert (*placed, moved) == ("CPU:0", "CPU:1", "CPU:1")
assert node_places == {"MatMul": "CPU:0", "AddV2": "CPU:1"}

# %% [markdown]
# ## Numbers and their limits
# Four formats, and one (TF32) that only some GPUs compute with; we imitate its rounding of the
# inputs to ten bits after the point.


# %% label="formats" caption="Formats of floating-point numbers: the step from 1 to the next number, the largest number, and the error of a product of 256 × 256 matrices, as a share of its largest entry. TF32, which uses 19 bits, is imitated by rounding the inputs." values="tf32_error half_error brain_error half_largest"
def to_tf32(x):
    """Round float32 numbers to 10 bits after the point."""
    bits = tf.bitcast(x, tf.uint32) + tf.constant(1 << 12, tf.uint32)
    kept = tf.bitwise.bitwise_and(bits, tf.constant(0xFFFFE000, tf.uint32))
    return tf.bitcast(kept, tf.float32)


A, B = rng.normal(size=(2, 256, 256))
exact = A @ B


def product_error(convert):
    """Return the error of a product of converted matrices."""
    product = tf.cast(convert(A) @ convert(B), "float64")
    return float(np.abs(product - exact).max() / np.abs(exact).max())


names = ("float64", "float32", "float16", "bfloat16")
errors = {name: product_error(partial(tf.cast, dtype=name)) for name in names}
errors["TF32"] = product_error(lambda x: to_tf32(tf.cast(x, "float32")))
limits = {name: np.finfo(name) for name in names[:3]}
steps = {name: float(info.eps) for name, info in limits.items()}
steps |= {"bfloat16": 2.0**-7, "TF32": 2.0**-10}
for name in ("float32", "float16", "bfloat16"):  # the next number after 1, found by trying
    one, half_step = tf.constant(1, name), tf.constant(steps[name] / 2, name)
    assert float(one + half_step) == 1 < float(one + 2 * half_step)
largest_numbers = {name: tf.as_dtype(name).max for name in names}
largest_numbers["TF32"] = largest_numbers["float32"]
half_error, brain_error, tf32_error = (errors[name] for name in ("float16", "bfloat16", "TF32"))
half_largest = float(largest_numbers["float16"])
assert errors["float32"] < 1e-5
assert 1e-5 < tf32_error < 2e-3
assert brain_error > 3 * half_error


def short(number):
    """Return a number with two digits and a power of ten."""
    mantissa, exponent = f"{number:.1e}".split("e")
    marks = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{marks}"


order = ("float64", "float32", "TF32", "float16", "bfloat16")
pd.DataFrame(
    {
        "step at 1": [short(steps[name]) for name in order],
        "largest": [short(float(largest_numbers[name])) for name in order],
        "error": [short(errors[name]) for name in order],
    },
    index=list(order),
)


# %% [markdown]
# Adding up ones, one after the other, stops where the next whole number cannot be written any more.


# %% label="sums" values="brain_stop half_stop brain_reduced half_mean lost_one"
@tf.function
def running_sum(one, count):
    """Return the sums after each of so many ones, added one after the other."""
    sums = tf.TensorArray(one.dtype, count)
    total = tf.zeros_like(one)
    for place in tf.range(count):
        total += one
        sums = sums.write(place, total)
    return sums.stack()  # (count,)


count = 5000
running = {
    name: np.asarray(tf.cast(running_sum(tf.constant(1, name), count), "float64"))
    for name in ("float32", "float16", "bfloat16")
}
brain_stop, half_stop = int(running["bfloat16"][-1]), int(running["float16"][-1])
single_stop = 2**24
assert float(tf.constant(float(single_stop)) + 1) == single_stop
brain_reduced = float(tf.reduce_sum(tf.ones(count, "bfloat16")))
half_mean = str(float(tf.reduce_mean(tf.ones(100_000, "float16"))))
lost_one = float(tf.constant(1e8) + 1 - tf.constant(1e8))
print(f"ones add up to {brain_stop} in bfloat16, {half_stop} in float16; mean {half_mean}")
assert (brain_stop, half_stop) == (256, 2048), "Ones add up to 256 in bfloat16, 2,048 in float16."
assert abs(brain_reduced / count - 1) < 0.01
assert half_mean == "nan"
assert np.isinf(tf.reduce_sum(tf.ones(100_000, "float16")))
assert np.isinf(tf.cast(100_000, "float16"))  # the count, too
assert lost_one == 0

# %% label="plateaus" alt="Running sums against the number of ones on logarithmic axes. Float32 follows the diagonal to 5,000; float16 leaves it at 2,048 and bfloat16 at 256, and both stay level from there." caption="Ones added one after the other. At 256, bfloat16 has no number between 256 and 258, so another 1 is rounded away; float16 stops at 2,048, and float32 would at 16,777,216." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.1))
terms = np.unique(np.geomspace(1, count, 60).astype(int))
for (name, sums), color, style, marker in zip(
    running.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-."), "os^", strict=True
):
    ax.plot(terms, sums[terms - 1], style, color=color, marker=marker, markevery=(7, 9), label=name)
ax.set(xscale="log", yscale="log", xlabel="ones added", ylabel="sum")
for axis in (ax.xaxis, ax.yaxis):
    axis.set_ticks([1, 10, 100, 1000])
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=3)


# %% [markdown]
# The exponential function is the first to overflow.


# %% label="softmax" caption="The first of two probabilities for the logits (z, 0), from the formula as it stands and from tf.nn.softmax." values="half_limit single_limit naive_log stable_log"
def naive_softmax(z):
    """Return the exponentials divided by their sum."""
    powers = tf.exp(z)
    return powers / tf.reduce_sum(powers)


tested = (10, 12, 90)
table = {}
for name in ("float16", "float32"):
    logits = [tf.constant([z, 0], name) for z in tested]
    table[f"formula, {name}"] = [float(naive_softmax(z)[0]) for z in logits]
    table[f"softmax, {name}"] = [float(tf.nn.softmax(z)[0]) for z in logits]
half_limit = next(z for z in range(1, 200) if np.isinf(tf.exp(tf.constant(z, "float16"))))
single_limit = next(z for z in range(1, 200) if np.isinf(tf.exp(tf.constant(z, "float32"))))
far = tf.constant([0.0, 200.0])
naive_log = str(float(tf.math.log(tf.nn.softmax(far))[0]))
stable_log = float(tf.nn.log_softmax(far)[0])
assert (half_limit, single_limit) == (12, 89), (
    "The first whole number whose exponential overflows is 12 in float16, and 89 in float32."
)
assert all(np.isnan(table["formula, float32"]) == [False, False, True])
assert np.isfinite(table["softmax, float16"] + table["softmax, float32"]).all()
assert stable_log == -200
assert naive_log == "-inf"
pd.DataFrame(
    {
        name: [f"{p:.4f}" if np.isfinite(p) else "nan" for p in column]
        for name, column in table.items()
    },
    index=[f"z = {z}" for z in tested],
).T

# %% [markdown]
# ## Mixed precision
# A policy says in which format a layer computes, and in which it keeps its weights.

# %% label="mixed" values="compute_type variable_type scaled_optimizer plain_optimizer tiny_slope scaled_slope kept_weight moved_weight"
keras.mixed_precision.set_global_policy("mixed_float16")
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
compute_type, variable_type = model.layers[0].compute_dtype, model.layers[0].variable_dtype
model.compile("sgd", "mse")
scaled_optimizer = type(model.optimizer).__name__
keras.mixed_precision.set_global_policy("mixed_bfloat16")
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
model.compile("sgd", "mse")
plain_optimizer = type(model.optimizer).__name__
keras.mixed_precision.set_global_policy("float32")
print(f"computes in {compute_type}, keeps {variable_type}; {scaled_optimizer}, {plain_optimizer}")


def slope_through(name, scale):
    """Return the slope of 1e-8 x along x, computed in a format with a scaled loss."""
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        loss = scale * (1e-8 * tf.cast(tf.cast(x, name), "float32"))
    return float(tape.gradient(loss, x)) / scale


tiny_slope, scaled_slope = slope_through("float16", 1), slope_through("float16", 2**15)
brain_slope = slope_through("bfloat16", 1)
weights = {name: tf.Variable(1, dtype=name) for name in ("bfloat16", "float32")}
for weight in weights.values():
    for _ in range(1000):
        weight.assign_sub(tf.constant(1e-4, weight.dtype))
kept_weight, moved_weight = (float(weight) for weight in weights.values())
assert (compute_type, variable_type) == ("float16", "float32")
assert (scaled_optimizer, plain_optimizer) == ("LossScaleOptimizer", "SGD")
assert (tiny_slope, abs(scaled_slope / 1e-8 - 1) < 0.01) == (0, True), (
    "A slope of 1e-8 is lost in float16, and survives if the loss is scaled."
)
assert abs(brain_slope / 1e-8 - 1) < 0.01
assert (kept_weight, abs(moved_weight - 0.9) < 0.001) == (1, True), (
    "A thousand small steps do not move a bfloat16 weight at all, and move a float32 weight."
)
assert tf.config.experimental.tensor_float_32_execution_enabled()

# %% [markdown]
# ## Do the numbers agree with NumPy?
# Errors of float32 results in steps of the format, relative to NumPy's float64.

# %% label="agreement" caption="The largest error of 10,000 float32 results, in steps of the format at the result's size, and the share of results in which both libraries agree to the last bit." values="worst_tf worst_numpy"
inputs = rng.uniform(0.1, 8, 10_000).astype("float32")
pairs = {
    "exp": (tf.exp, np.exp),
    "log": (tf.math.log, np.log),
    "tanh": (tf.tanh, np.tanh),
    "sin": (tf.sin, np.sin),
    "sqrt": (tf.sqrt, np.sqrt),
}
rows, worst = {}, []
for name, (theirs, numpys) in pairs.items():
    exact = numpys(inputs.astype("float64"))
    step = np.spacing(np.abs(exact).astype("float32"))
    found = theirs(tf.constant(inputs)).numpy(), numpys(inputs)
    worst.append([float(np.max(np.abs(result - exact) / step)) for result in found])
    rows[name] = [*(f"{steps_off:.1f}" for steps_off in worst[-1])]
    rows[name].append(f"{np.mean(found[0] == found[1]):.0%}")
worst_tf, worst_numpy = (float(column) for column in np.max(worst, axis=0))
least_same = min(float(row[2].rstrip("%")) / 100 for row in rows.values())
assert max(worst_tf, worst_numpy) < 10
assert least_same < 1
pd.DataFrame(rows, index=["TensorFlow", "NumPy", "same bits"]).T

# %% [markdown]
# ## The same numbers again
# Three sources of random numbers, and what a seed fixes.


# %% label="random" values="seeded_again generator_again stateless_again sequence_moves order_gap unseeded"
def two_draws(draw):
    """Return two draws after the same preparation, twice."""
    return [draw().numpy().tolist() for _ in range(2)]


found = []
for _ in range(2):
    keras.utils.set_random_seed(1)
    found.append(two_draws(lambda: tf.random.normal((3,))))
seeded_again, sequence_moves = found[0] == found[1], found[0][0] != found[0][1]
generators = [tf.random.Generator.from_seed(1) for _ in range(2)]
generator_again = two_draws(lambda: generators[0].normal((3,))) == two_draws(
    lambda: generators[1].normal((3,))
)
draws = two_draws(lambda: tf.random.stateless_normal((3,), seed=(1, 2)))
stateless_again = draws[0] == draws[1]

terms = tf.constant(rng.normal(size=100_000), "float32")
sums = [float(tf.reduce_sum(order)) for order in (terms, terms[::-1], tf.sort(terms))]
order_gap = max(sums) - min(sums)

tf.config.experimental.enable_op_determinism()  # cannot be switched off again
tf.random.set_global_generator(tf.random.Generator.from_seed(1))
tf.compat.v1.set_random_seed(None)
try:
    tf.random.normal((3,))
    unseeded = "allowed"
except RuntimeError:
    unseeded = "error"
tf.random.set_seed(1)
print(f"the order of 100,000 numbers changes their sum by {order_gap:.0e}")
assert (seeded_again, sequence_moves) == (True, True)
assert (generator_again, stateless_again) == (True, True)
assert 0 < order_gap < 0.1
assert unseeded == "error"


# %% [markdown]
# ## A graph in a folder
# What was traced can be saved, and runs again without the Python code that made it.


# %% label="export"
class Classifier(tf.Module):
    """A tanh layer and ten logits, with one graph for batches of any size."""

    def __init__(self, weights):
        super().__init__()
        self.W1, self.b1, self.W2, self.b2 = (tf.Variable(w, dtype="float32") for w in weights)

    @tf.function(input_signature=[tf.TensorSpec([None, 64])])
    def logits(self, x):
        """Return ten logits for each image."""
        return tf.tanh(x @ self.W1 + self.b1) @ self.W2 + self.b2


# %% label="saved" values="saved_gap numpy_gap has_class"
classifier = Classifier(first_weights)
x32 = tf.constant(some_x, "float32")
before = classifier.logits(x32)
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(10)]
)
model.set_weights(first_weights)
with tempfile.TemporaryDirectory() as folder:
    tf.saved_model.save(classifier, folder)
    saved_files = sorted(path.name for path in Path(folder).rglob("*") if path.is_file())
    del classifier
    loaded = tf.saved_model.load(folder)
    model.export(Path(folder) / "keras", verbose=False)
    exported = tf.saved_model.load(str(Path(folder) / "keras"))
    served = exported.serve(x32)
after = loaded.logits(x32)
has_class = isinstance(loaded, Classifier)
W1, b1, W2, b2 = (w.astype("float32") for w in first_weights)
by_numpy = np.tanh(x32.numpy() @ W1 + b1) @ W2 + b2
saved_gap = float(np.abs(after - before).max())
numpy_gap = float(np.abs(after - by_numpy).max())
exported_gap = float(np.abs(served - before).max())
wrong_input = attempt(lambda: loaded.logits(tf.ones((2, 63))))
print(", ".join(saved_files))
assert (saved_gap, has_class) == (0, False), (
    "A saved graph gives the same numbers to the last bit, without the class that made it."
)
assert max(numpy_gap, exported_gap) < 1e-5
assert wrong_input == "error"

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** A product of the Hessian and a vector, without the Hessian.


# %% label="exercise-1" tags=["solution"] values="hessian_gap"
def f(w):
    """Return a function of four numbers."""
    return tf.reduce_sum(tf.sin(w) * tf.roll(w, 1, 0) ** 2)


w, v = tf.constant(rng.normal(size=4)), tf.constant(rng.normal(size=4))
with tf.GradientTape() as outer:
    outer.watch(w)
    with tf.GradientTape() as inner:
        inner.watch(w)
        y = f(w)
    along = tf.reduce_sum(inner.gradient(y, w) * v)  # one number: the slope along v
product = outer.gradient(along, w)

with tf.GradientTape() as outer:
    outer.watch(w)
    with tf.GradientTape() as inner:
        inner.watch(w)
        y = f(w)
    slopes = inner.gradient(y, w)
hessian = outer.jacobian(slopes, w)
hessian_gap = float(np.abs(product - tf.linalg.matvec(hessian, v)).max())
print(f"difference from the full Hessian: {hessian_gap:.0e}")
assert hessian_gap < 1e-12

# %% [markdown]
# **2.** One trace for all powers: hand over the exponent as a tensor.


# %% label="exercise-2" tags=["solution"]
@tf.function
def power(x, n):
    """Return x to the power n, by n - 1 products."""
    result = x
    for _ in tf.range(n - 1):
        result *= x
    return result


for n in range(1, 11):
    assert float(power(tf.constant(2.0), tf.constant(n))) == 2**n
print(f"{power.experimental_get_tracing_count()} trace for ten exponents")
assert power.experimental_get_tracing_count() == 1

# %% [markdown]
# **3.** Softplus with a slope at 100. For large $x$, $\ln(1 + e^x) = x + \ln(1 + e^{-x})$.


# %% label="exercise-3" tags=["solution"]
def softplus(x):
    """Return ln(1 + e^x) without overflow."""
    return tf.maximum(x, 0.0) + tf.math.log1p(tf.exp(-tf.abs(x)))


for x in (-100.0, 1.0, 100.0):
    naive = watched(lambda x: tf.math.log(1 + tf.exp(x)), tf.constant(x))
    ours = watched(softplus, tf.constant(x))
    theirs = watched(tf.nn.softplus, tf.constant(x))
    print(f"x = {x:g}: naive {naive:.3f}, ours {ours:.3f}, tf.nn.softplus {theirs:.3f}")
    assert abs(ours - theirs) < 1e-6

# %% [markdown]
# **4.** Kahan's sum carries along what rounding took away.


# %% label="exercise-4" tags=["solution"]
@tf.function
def kahan_sum(x):
    """Return the sum, with a correction for what each addition lost."""
    total, lost = tf.zeros((), x.dtype), tf.zeros((), x.dtype)
    for term in x:
        term -= lost
        new = total + term
        lost = (new - total) - term
        total = new
    return total


ones = tf.ones(5000, "float16")
print(f"float16: {float(running['float16'][-1]):.0f} one after the other, ", end="")
print(f"{float(kahan_sum(ones)):.0f} with Kahan's correction")
assert abs(float(kahan_sum(ones)) - 5000) < 5

# %% [markdown]
# **5.** A hundred steps of training, in a hundred calls or in one.


# %% label="exercise-5" tags=["solution"]
@tf.function
def hundred_steps():
    """Take a hundred steps in a single call."""
    loss = tf.constant(0.0)
    for _ in tf.range(100):
        loss = train_step()
    return loss


graph_step = tf.function(train_step)
losses = []
for run in (lambda: [graph_step() for _ in range(100)][-1], hundred_steps):
    for w, value in zip(parameters, first_weights, strict=True):
        w.assign(value.astype("float32"))
    losses.append(float(run()))
many, single = shortest([lambda: [graph_step() for _ in range(100)], hundred_steps], 5)
print(f"loss {losses[0]:.4f} and {losses[1]:.4f}; 100 calls took {many / single:.1f} times as long")
assert abs(losses[0] - losses[1]) < 1e-4

# %%
plt.show()
