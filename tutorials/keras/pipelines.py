# %% [markdown]
# # tf.data: feeding a network
# A network can only learn as fast as examples arrive, and only well if they arrive mixed. This script
# measures what each stage of a pipeline does to the time and to the order. The chapter
# [tf.data: feeding a network](../../keras/pipelines.md) tells the story.
#
# Pipelines exist in TensorFlow alone, so it is here from the start. The networks of the first half are
# `labkit`'s; those of the second half are Keras's.

# %%
import struct
import tempfile
import time
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% label="first"
import tensorflow as tf

digits = datasets.load_digits()
images, labels = digits.data.astype("uint8"), digits.target  # (1797, 64), (1797,)

dataset = (
    tf.data.Dataset.from_tensor_slices((images, labels))
    .shuffle(len(images), seed=0)
    .batch(32)
    .map(lambda x, y: (tf.cast(x, tf.float32) / 16, y))
    .prefetch(1)
)
for x, y in dataset.take(2):
    print(x.shape, x.dtype, y.numpy()[:8])  # (batch, 64)
assert x.shape == (32, 64)

# %% [markdown]
# ## Who waits for whom
# A slow source is imitated by a pause in a NumPy function, a step of training by a pause in the loop. Both
# write down when they began and ended. What tf.data would do unasked is switched off.


# %% label="bare"
def bare(threads=8):
    """Return options that leave to us what tf.data would do unasked."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    # Otherwise there are as many threads as the machine has cores.
    options.threading.private_threadpool_size = threads
    return options


BARE, ONE_THREAD = bare(), bare(threads=1)

# %% label="slow" values="elements read_ms step_ms parallel"
elements, read_ms, step_ms, parallel = 16, 10, 5, 4
marks = []  # (who, begin, end)


def pause(milliseconds, who):
    """Wait, and write down from when to when."""
    begin = time.perf_counter()
    time.sleep(float(milliseconds) / 1000)
    marks.append((who, begin, time.perf_counter()))


def source(milliseconds, calls=None, deterministic=None):
    """Return a dataset whose elements take these milliseconds each to read."""

    def read(i, wait):
        pause(wait, "read")
        return i

    return tf.data.Dataset.from_tensor_slices(
        (np.arange(len(milliseconds)), np.array(milliseconds, "float64"))
    ).map(lambda *x: tf.numpy_function(read, x, tf.int64), calls, deterministic)


def seconds(dataset, step=step_ms, options=BARE):
    """Return how long one epoch takes with steps of some milliseconds."""
    begin = time.perf_counter()
    for _ in dataset.with_options(options):
        if step:
            pause(step, "step")
    return time.perf_counter() - begin


def medians(work, repeats=3):
    """Return the median seconds of each piece of work, taking turns to be fair."""
    rounds = [[one() for one in work.values()] for _ in range(repeats)]
    return dict(zip(work, np.median(rounds, axis=0).tolist(), strict=True))


reads = [read_ms] * elements
plain, several = source(reads), source(reads, parallel)
pipelines = {
    "one after the other": plain,
    "prefetch(1)": plain.prefetch(1),
    "map with 4 calls": several,
    "both": several.prefetch(1),
}
for pipeline in pipelines.values():
    seconds(pipeline)  # the first epoch also builds the functions


def record(dataset, options=BARE):
    """Return when the elements of one epoch were read, and when the steps were taken."""
    marks.clear()
    seconds(dataset, options=options)
    return [
        np.array(sorted((begin, end) for who, begin, end in marks if who == name))
        for name in ("read", "step")
    ]  # (elements, 2) each


def overlap(reads, steps):
    """Return the share of the steps during which an element was read."""
    begin, end = reads.T
    return float(np.mean([((begin < last) & (end > first)).any() for first, last in steps]))


# %% label="overlap" values="overlap_plain overlap_prefetch busy_plain busy_parallel overlap_default at_once cached_reads"
recorded = {name: record(pipelines[name]) for name in list(pipelines)[:3]}
overlap_plain, overlap_prefetch, _ = (overlap(*got) for got in recorded.values())
busy_plain, _, busy_parallel = (
    float(np.diff(steps).sum() / (steps[-1, 1] - steps[0, 0])) for _, steps in recorded.values()
)
begin, end = recorded["map with 4 calls"][0].T
at_once = int(max(((begin <= moment) & (end > moment)).sum() for moment in begin))
cached = plain.cache()
seconds(cached)
cached_reads = len(record(cached)[0])
overlap_default = float(np.mean([overlap(*record(plain, tf.data.Options())) for _ in range(2)]))
print(f"steps during which an element was read: {overlap_plain:.0%} without prefetching,")
print(f"{overlap_prefetch:.0%} with it, and {overlap_default:.0%} with the default options")
print(f"training is busy for {busy_plain:.0%} of the time, with four calls {busy_parallel:.0%}")
assert 0 == overlap_plain < 0.7 < overlap_prefetch, (
    "Only with prefetching are elements read while the network learns, then during most steps."
)
assert 1 < at_once <= parallel
assert busy_parallel > busy_plain + 0.1
assert cached_reads == 0
assert overlap_default > 0.1

# %% label="timeline" alt="Three panels against time: bars for reading and for training. Bars alternate in the first, overlap in the second, and in the third four readers work at once while training hardly pauses." caption="Who waits for whom, as recorded: the first 150 milliseconds of three pipelines. A bar is one element being read or learned from; a gap means waiting." tags=["remove-input"]
fig, axes = plt.subplots(3, 1, figsize=(5, 5), sharex=True, height_ratios=[2, 2, 5])
for ax, (name, (reads, steps)) in zip(axes, recorded.items(), strict=True):
    lanes = []  # for each the time at which it is free again
    for begin, end in reads:  # each bar takes the first lane that is free
        row = next((k for k, free in enumerate(lanes) if free <= begin), len(lanes))
        lanes[row : row + 1] = [end]
        left, width = 1000 * (begin - reads[0, 0]), 1000 * (end - begin)
        ax.barh(row + 1, width, left=left, height=0.7, color=BLUE, edgecolor=plot.PAPER)
    left, width = 1000 * (steps[:, 0] - reads[0, 0]), 1000 * np.diff(steps)[:, 0]
    ax.barh(0, width, left=left, height=0.7, color=ORANGE, edgecolor=plot.PAPER, hatch="///")
    ax.set_title(name)
    ax.set_yticks([0, (1 + len(lanes)) / 2], ["train", "read"])
    ax.set(xlim=(0, 150), ylim=(-0.6, len(lanes) + 0.6))
    ax.grid(False)
axes[-1].set_xlabel("milliseconds")

# %% label="stages" caption="One epoch of 16 elements, with steps of 5 ms: medians of three epochs. Reading takes 10 ms an element." values="plain_seconds prefetch_seconds parallel_seconds both_seconds first_epoch later_epoch cache_ratio interleave_seconds prefetch_ratio parallel_ratio"
shard = [read_ms] * (elements // parallel)
shards = tf.data.Dataset.range(parallel)
interleaved = shards.interleave(
    lambda _: source(shard), cycle_length=parallel, num_parallel_calls=parallel
)
seconds(interleaved)
first_epoch = seconds(plain.cache())
found = medians(
    {name: lambda p=pipeline: seconds(p) for name, pipeline in pipelines.items()}
    | {"4 files interleaved": lambda: seconds(interleaved), "cached": lambda: seconds(cached)},
)
plain_seconds, prefetch_seconds, parallel_seconds, both_seconds = list(found.values())[:4]
interleave_seconds, later_epoch = found["4 files interleaved"], found["cached"]
prefetch_ratio = plain_seconds / prefetch_seconds
parallel_ratio = plain_seconds / parallel_seconds
cache_ratio = first_epoch / later_epoch
assert prefetch_ratio > 1.1
assert parallel_ratio > max(1.3, prefetch_ratio), (
    "A map with four calls at once saves more than prefetching does."
)
assert cache_ratio > 1.3
assert both_seconds > 0.6 * parallel_seconds
assert interleave_seconds < 0.85 * plain_seconds, "Four files at once are faster than one by one."
pd.DataFrame(
    {
        "seconds": [f"{taken:.3f}" for taken in found.values()],
        "speed": [f"{plain_seconds / taken:.1f} ×" for taken in found.values()],
    },
    index=list(found),
)

# %% [markdown]
# ## The sum and the maximum

# %% label="laws" values="law_elements law_step law_calls law_sum_low law_sum_high law_max_low law_max_high law_parallel_low law_parallel_high law_gain quiz_factor"
law_elements, law_step, law_calls = 8, 8, 2
law_reads = (2, 8, 16, 24)
measured, predicted = [], []  # (reads, pipelines)
for read in law_reads:
    slow, quick = (source([read] * law_elements, calls) for calls in (None, law_calls))
    kinds = {"sum": slow, "maximum": slow.prefetch(1), "parallel": quick}
    marks.clear()
    got = medians({kind: lambda d=d: seconds(d, law_step) for kind, d in kinds.items()})
    measured.append(list(got.values()))
    # A pause takes a little longer than it was asked to: the formulas get what it took.
    data, step = (
        np.median([end - begin for who, begin, end in marks if who == name])
        for name in ("read", "step")
    )
    ahead = law_elements - 1
    predicted.append(
        [
            law_elements * (data + step),
            data + step + ahead * max(data, step),
            data + step + ahead * max(data / law_calls, step),
        ]
    )
measured, predicted = np.array(measured), np.array(predicted)
ratio = measured / predicted
law_sum_low, law_max_low, law_parallel_low = ratio.min(axis=0).tolist()
law_sum_high, law_max_high, law_parallel_high = ratio.max(axis=0).tolist()
quiz_factor = (30 + 20) / max(30, 20)
print(ratio.round(2))
law_gain = float(measured[1, 0] / measured[1, 1])  # reading and steps of 8 ms
assert 0.85 < law_sum_low < law_sum_high < 1.9, (
    "Without overlap, the time is the sum of reading and training, and some overhead."
)
assert 0.85 < law_max_low < law_max_high < 1.9, (
    "With prefetching, the slower of the two sets the time, and some overhead is added."
)
assert 0.85 < law_parallel_low < law_parallel_high < 1.9
assert 1.2 < law_gain < 2, (
    "Prefetching saves up to half, where reading and steps take equally long."
)

# %% label="law" alt="Seconds per epoch against milliseconds of reading. The sum is a rising line; prefetching stays nearly flat up to 8 milliseconds and rises then, two calls at once up to 16. Points lie a little above the lines." caption="One epoch of 8 elements with steps of 8 ms, for readers of different slowness: formulas (lines) and measurements (points)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.4))
names = ("sum", "maximum (prefetch)", "two calls at once")
looks = zip(predicted.T, measured.T, names, (GREY, BLUE, ORANGE), ("o", "s", "^"), strict=True)
for line, points, name, color, marker in looks:
    ax.plot(law_reads, line, color=color, linestyle="-")
    ax.plot(law_reads, points, marker, color=color, label=name)
ax.set(xlabel="milliseconds to read an element", ylabel="seconds per epoch", ylim=(0, None))
ax.legend()

# %% [markdown]
# ## What parallel calls cannot do
# They need threads, and a function in Python that computes, rather than waits, holds Python's lock.

# %% label="lock" values="wait_ratio lock_cores pool_ratio"


def compute(i):
    """Keep Python busy for a few milliseconds."""
    return i + 0 * sum(k % 7 for k in range(40_000))


def cores(dataset):
    """Return how many cores one epoch keeps busy on average."""
    begin = time.process_time()
    taken = seconds(dataset, 0)
    return (time.process_time() - begin) / taken


kinds = {
    "wait one": (plain, BARE),
    "wait four": (several, BARE),
    "one thread": (several, ONE_THREAD),
}
work = {name: lambda kind=kind: seconds(kind[0], 0, kind[1]) for name, kind in kinds.items()}
found = medians(work)
wait_ratio = found["wait one"] / found["wait four"]
pool_ratio = found["wait one"] / found["one thread"]
computed = tf.data.Dataset.range(40).map(
    lambda i: tf.numpy_function(compute, [i], tf.int64), num_parallel_calls=4
)
lock_cores = float(np.median([cores(computed) for _ in range(3)]))
print(f"four calls that wait are {wait_ratio:.2f} times as fast, in one thread {pool_ratio:.2f}")
print(f"four calls that compute keep {lock_cores:.2f} cores busy")
assert wait_ratio > 1.6, "Four calls at once shorten the time of functions that only wait."
assert pool_ratio < 1.4
assert lock_cores < 1.3, "Four calls of a Python function that computes share about one core."

# %% label="order" values="moved sloppy_gain"
uneven = [2] * 48
uneven[::8] = [30] * 6  # every eighth element is slow
strict, sloppy = (source(uneven, parallel, deterministic=flag) for flag in (True, False))
kinds = {"strict": strict, "sloppy": sloppy}
found = medians({name: lambda d=d: seconds(d, step=0) for name, d in kinds.items()})
sloppy_gain = found["strict"] / found["sloppy"]
strict_order, sloppy_order = (
    np.array([int(i) for i in d.with_options(BARE)]) for d in (strict, sloppy)
)
moved = float(np.mean(sloppy_order != np.arange(len(uneven))))
print(f"{moved:.0%} of the elements at another place, {sloppy_gain:.2f} times as fast")
assert (strict_order == np.arange(len(uneven))).all()
assert sorted(sloppy_order) == list(range(len(uneven)))
assert sloppy_gain > 1.1
assert moved > 0.2, "Without determinism, a parallel map hands elements on in another order."

# %% [markdown]
# Random numbers in parallel calls: who draws first gets the first number, unless the number depends on
# nothing but a seed of the element's own.

# %% label="random" values="shared_draws own_draws"


def jitter(calls, own):
    """Return numbers that are drawn in the same function as the slow read."""
    tf.random.set_seed(0)

    def read(i, wait):
        time.sleep(wait / 1000)
        return i

    def draw(i, wait):
        i = tf.reshape(tf.numpy_function(read, [i, wait], tf.int64), [])
        if own:
            return tf.random.stateless_uniform([], seed=tf.stack([tf.zeros_like(i), i]))
        return tf.random.uniform(tf.reshape(1 + 0 * i, [1]), seed=0)[0]

    rows = tf.data.Dataset.from_tensor_slices((np.arange(48), np.array(uneven, "float64")))
    return np.array([float(r) for r in rows.map(draw, calls).with_options(BARE)])


shared_draws, own_draws = (
    float(np.mean(jitter(None, own) == jitter(parallel, own))) for own in (False, True)
)
print(f"same numbers with one and with four calls: {shared_draws:.0%}; own seeds {own_draws:.0%}")
assert shared_draws < 0.9 < own_draws == 1, (
    "Parallel calls change numbers from a shared stream, but not those with seeds of their own."
)

# %% [markdown]
# ## Mixing: the shuffle buffer
# The buffer holds a few elements. Each step hands on a random one of them and takes in the next.


# %% label="formula" values="formula_gap rho_tenth rho_half few_rho file_size quiz_rho"
def order_out(n, size, seed):
    """Return the places in the file of the elements in the order in which they come out."""
    out = tf.data.Dataset.range(n).shuffle(size, seed).batch(n)
    return next(out.as_numpy_iterator())


def rho(s):
    """Return the expected rank correlation of places in and out for a buffer of a share s."""
    return 1 - 6 * s**2 + 8 * s**3 - 3 * s**3 * np.exp(1 - 1 / s)


file_size = 2000
shares = np.array([0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1])
places = np.arange(file_size)
found = np.array(
    [
        [
            stats.spearmanr(places, order_out(file_size, round(s * file_size), seed)).statistic
            for seed in range(5)
        ]
        for s in shares
    ]
)  # (shares, seeds)
formula_gap = float(np.abs(found.mean(axis=1) - rho(shares)).max())
rho_tenth, rho_half = (float(found.mean(axis=1)[shares == s][0]) for s in (0.1, 0.5))
quiz_rho = float(rho(0.2))
few_rho = float(found.mean(axis=1)[shares == 0.01][0])
print(f"largest gap between the formula and the means of five orders: {formula_gap:.3f}")
assert formula_gap < 0.06, (
    "The order that a shuffle buffer leaves follows a formula in its share of the file."
)
assert rho_tenth > 0.9
assert 0.3 < rho_half < 0.42

# %% label="buffer" alt="Four square panels of place in the file against place in training, for buffers of 20, 200, 1,000 and 2,000 of 2,000 elements: a thin diagonal, a band below it, a wide wedge, and an even cloud." caption="Which element comes when: each point is one of 2,000 elements. Only a buffer as large as the file mixes it evenly." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 5), sharex=True, sharey=True)
for ax, size in zip(axes.flat, (20, 200, 1000, 2000), strict=True):
    plot.scatter(ax, places, order_out(file_size, size, 0))
    ax.set_title(f"buffer {size:,d}")
    ax.set(xticks=[0, 1000, 2000], yticks=[0, 1000, 2000])
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.yaxis.set_major_formatter("{x:,g}")
fig.supxlabel("place in training", fontsize=10)
fig.supylabel("place in the file", fontsize=10)

# %% label="rho" alt="Rank correlation against the share of the file that the buffer holds: from 1 it falls along a smooth curve, still 0.36 at a half, to 0 at the whole. Points of five orders lie on the curve." caption="What is left of the order: formula (line) and five orders for each size (points)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
fine = np.linspace(0.01, 1, 200)
ax.plot(fine, rho(fine), color=BLUE)
ax.plot(np.repeat(shares, 5), found.ravel(), "o", color=ORANGE, markersize=4, alpha=0.7)
ax.set(xlabel="buffer, as a share of the file", ylabel="rank correlation", ylim=(-0.08, 1.05))

# %% [markdown]
# ### What training loses
# The digits lie in the file sorted by class. The order in which a network sees them comes from tf.data.

# %% label="sorted" values="seeds_sorted accuracy_none accuracy_batch accuracy_small accuracy_large accuracy_all accuracy_mixed accuracy_file mixed_buffer small_low all_low training_size buffer_gb"
training_size = 1437
orders = np.random.default_rng(0).permutation(len(images))
train, test = orders[:training_size], orders[training_size:]
train = train[np.argsort(labels[train], kind="stable")]  # all zeros first, then all ones …
x_train, y_train = (images[train] / 16).astype("float32"), labels[train]
x_test, y_test = (images[test] / 16).astype("float32"), labels[test]
seeds_sorted, mixed_buffer = 4, 128
buffer_gb = 10_000 * 256 * 256 * 3 / 1e9


def learn(order, seed, epochs=5):
    """Train on elements in the order of a dataset of their places; return the test accuracy."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    order = order.batch(training_size)
    for _ in range(epochs):
        now = next(order.as_numpy_iterator())  # another order in each epoch
        model.fit(x_train[now], y_train[now], epochs=1, shuffle=False, verbose=0)
    return float(np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == y_test))


def files(count):
    """Return the places, read in turn from as many files as the sorted data are cut into."""
    cut = np.array_split(np.arange(training_size), count)
    starts = [(part[0], part[-1] + 1) for part in cut]
    ends = tf.data.Dataset.from_tensor_slices(np.array(starts, "int64"))
    return ends.interleave(lambda end: tf.data.Dataset.range(end[0], end[1]), cycle_length=count)


everything = tf.data.Dataset.range(training_size)
once = tf.data.Dataset.from_tensor_slices(np.random.default_rng(1).permutation(training_size))
ways = {
    "no shuffling": lambda seed: everything,
    "buffer 32": lambda seed: everything.shuffle(32, seed),
    "buffer 128": lambda seed: everything.shuffle(128, seed),
    "buffer 512": lambda seed: everything.shuffle(512, seed),
    "whole file": lambda seed: everything.shuffle(training_size, seed),
    "10 files, 128": lambda seed: files(10).shuffle(mixed_buffer, seed),
    "mixed file, 128": lambda seed: once.shuffle(mixed_buffer, seed),
}
scores = {
    name: [learn(order(seed), seed) for seed in range(seeds_sorted)] for name, order in ways.items()
}
middle = {name: float(np.mean(found)) for name, found in scores.items()}
accuracy_none, accuracy_batch, accuracy_small, accuracy_large = list(middle.values())[:4]
accuracy_all, accuracy_mixed, accuracy_file = list(middle.values())[4:]
small_low, all_low = min(scores["buffer 128"]), min(scores["whole file"])
assert 1 - accuracy_none > 2 * (1 - accuracy_all), (
    "On a file sorted by class, networks without shuffling misread over twice as many digits."
)
assert accuracy_small < accuracy_large < accuracy_all - 0.02
assert abs(accuracy_batch - accuracy_none) < 0.06
assert max(scores["buffer 128"]) < all_low, (
    "With a buffer of 128, every network is worse than any with a buffer for the whole file."
)
assert accuracy_mixed > accuracy_small + 0.05, (
    "Reading ten files in turn before the same small buffer repairs most of the damage."
)
assert accuracy_file > accuracy_small + 0.05, (
    "A file that was mixed once when it was written needs only a small buffer."
)

# %% label="damage" alt="Accuracy of four networks for each of seven orders of the same sorted digits. Small buffers give low accuracies, the whole file, ten files in turn and a mixed file about 0.95." caption="Digits sorted by class in the file, read in seven ways: test accuracies of four networks each, after five epochs." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
for row, found in enumerate(scores.values()):
    color, marker = (ORANGE, "s") if row < 4 else (BLUE, "o")
    ax.plot(found, [row] * len(found), marker, color=color, alpha=0.8)
ax.set_yticks(range(len(scores)), list(scores))
ax.invert_yaxis()
ax.set(xlabel="test accuracy", xlim=(0.55, 1))

# %% [markdown]
# ## The order of the stages


# %% label="stage-order" caption="Six orders of the stages over 1,000 elements and two epochs: whether both epochs have one order, and the share of all elements among the first 1,000." values="blend_seen blend_missed fixed_batches batch_mates"
def two_epochs(dataset, n):
    """Return the first n elements and the n after them, over as many epochs as it takes."""
    out, batches = [], dataset.batch(n)
    while len(out) < 2 * n:
        out += [i for batch in batches.as_numpy_iterator() for i in batch.ravel().tolist()]
    return out[:n], out[n : 2 * n]


n, batch_mates = 1000, 20
base = tf.data.Dataset.range(n)
arrangements = {
    "cache, shuffle": base.cache().shuffle(n, 1),
    "shuffle, cache": base.shuffle(n, 1).cache(),
    "no reshuffling": base.shuffle(n, 1, reshuffle_each_iteration=False),
    "shuffle, repeat": base.shuffle(n, 1).repeat(2),
    "repeat, shuffle": base.repeat(2).shuffle(n, 1),
    "batch, shuffle": base.batch(batch_mates).shuffle(n, 1),
}
epochs = {name: two_epochs(dataset, n) for name, dataset in arrangements.items()}
seen = {name: len(set(first)) / n for name, (first, _) in epochs.items()}
frozen = {name: first == second for name, (first, second) in epochs.items()}
blend_seen = seen["repeat, shuffle"]
blend_missed = 1 - blend_seen
assert frozen == {name: name in ("shuffle, cache", "no reshuffling") for name in epochs}
blend_expected = (1 - 1 / np.e) / np.e  # neither of an element's two copies has come out
assert abs(blend_missed - blend_expected) < 0.05, (
    "Shuffling after repeating leaves (1 - 1/e)/e of the examples out of the first epoch."
)
groups = [
    {frozenset(part) for part in np.reshape(epoch, (-1, batch_mates)).tolist()}
    for epoch in epochs["batch, shuffle"]
]
fixed_batches = len(groups[0] & groups[1]) / len(groups[0])
assert fixed_batches == 1
pd.DataFrame(
    {
        "one order": ["yes" if frozen[name] else "no" for name in epochs],
        "seen": [f"{seen[name]:.0%}" for name in epochs],
    },
    index=list(epochs),
)

# %% label="seeds" values="repeatable"


def run(op_seed):
    """Return two epochs of a pipeline that was built after setting the global seed."""
    tf.random.set_seed(7)
    return two_epochs(tf.data.Dataset.range(50).shuffle(50, op_seed), 50)


repeatable = run(1) == run(1)
assert repeatable
assert run(1) != run(2)

# %% [markdown]
# ## Augmentation and the cache
# Random shifts, drawn with one seed for each element and epoch.


# %% label="augment" values="same_before same_after"
def shift(image, seed):
    """Put a digit at a random place of a sheet of 12 x 12 pixels."""
    row, column = tf.unstack(tf.random.stateless_uniform([2], seed, 0, 5, tf.int32))
    return tf.pad(image, [[row, 4 - row], [column, 4 - column]])


tf.random.set_seed(0)
pictures = tf.data.Dataset.from_tensor_slices(digits.images[:64])  # (8, 8) each
own_seeds = tf.data.Dataset.random(seed=0, rerandomize_each_iteration=True).batch(2)
shifted_first = tf.data.Dataset.zip(pictures, own_seeds).map(shift).cache()
shifted_last = tf.data.Dataset.zip(pictures.cache(), own_seeds).map(shift)
same = []
for dataset in (shifted_first, shifted_last):
    first, second = (np.array(list(dataset.as_numpy_iterator())) for _ in range(2))
    same.append(float(np.mean((first == second).all(axis=(1, 2)))))
same_before, same_after = same
print(f"same in the second epoch: {same_before:.0%} before the cache, {same_after:.0%} after it")
assert same_before == 1, "A random change before the cache is drawn once, and then frozen."
assert same_after < 0.2

# %% label="frozen" alt="Two rows of four sheets with the digit zero. In the upper row it lies at one place in all four epochs, in the lower one at changing places." caption="One digit in four epochs: shifted before the cache (top) and after it (bottom)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
rows = [next(iter(d.as_numpy_iterator())) for d in [shifted_first] * 4 + [shifted_last] * 4]
plot.images(ax, np.pad(rows, [(0, 0), (1, 1), (1, 1)], constant_values=6), columns=4)

# %% [markdown]
# ## Batches


# %% label="vectorized" values="vector_ratio whole_batches kept_batches left_over"
def scale(x, y):
    """Bring pixels to 0 … 1; one image or a batch of them, it is the same code."""
    return tf.cast(x, tf.float32) / 16, y


pairs = tf.data.Dataset.from_tensor_slices((images, labels)).repeat(2)
each, whole = pairs.map(scale).batch(64), pairs.batch(64).map(scale)
found = medians({"each": lambda: seconds(each, 0), "whole": lambda: seconds(whole, 0)})
vector_ratio = found["each"] / found["whole"]
for (a, b), (c, d) in zip(each.take(2), whole.take(2), strict=True):
    assert (a.numpy() == c.numpy()).all()
    assert (b.numpy() == d.numpy()).all()
kept_batches = len(list(tf.data.Dataset.range(1797).batch(64, drop_remainder=True)))
whole_batches = len(list(tf.data.Dataset.range(1797).batch(64)))
left_over = 1797 - 64 * kept_batches
print(f"batch, then map: {vector_ratio:.1f} times as fast")
assert vector_ratio > 1.5, "One call for each batch beats one call for each image."

# %% label="lengths" caption="Batches of 32 from 640 sequences of very different lengths: the share of numbers that is padding." values="padded_share bucket_share ragged_share"
rng = np.random.default_rng(0)
lengths = np.clip(np.exp(rng.normal(3, 0.8, 640)).astype(int), 1, 200)
sequences = tf.data.Dataset.from_tensor_slices(lengths).map(lambda n: tf.ones([n], tf.int32))
groupings = {
    "padded_batch": sequences.padded_batch(32),
    "buckets": sequences.bucket_by_sequence_length(
        lambda s: tf.shape(s)[0], [10, 20, 30, 50, 80], [32] * 6
    ),
}
padding = {
    name: 1 - lengths.sum() / sum(int(tf.size(batch)) for batch in dataset)
    for name, dataset in groupings.items()
}
ragged = list(sequences.ragged_batch(32))
padding["ragged_batch"] = 1 - lengths.sum() / sum(int(tf.size(b.flat_values)) for b in ragged)
padded_share, bucket_share, ragged_share = (float(share) for share in padding.values())
assert ragged_share == 0
assert bucket_share < 0.6 * padded_share, "Buckets of similar lengths save a good part of padding."
pd.DataFrame({"padding": [f"{share:.0%}" for share in padding.values()]}, index=list(padding))

# %% [markdown]
# ## A rare class

# %% label="balance" values="rare_share rare_drawn rare_copies rare_late"
common = tf.data.Dataset.from_tensors(np.int64(0)).repeat(1900)
rare = tf.data.Dataset.range(100).map(lambda i: 1 + i)  # each rare example has its own number
rare_share = 100 / 2000
mixed = tf.data.Dataset.sample_from_datasets(
    [common.repeat(), rare.repeat()], weights=[0.5, 0.5], seed=0
).take(2000)
drawn = next(mixed.batch(2000).as_numpy_iterator())
rare_drawn = float(np.mean(drawn > 0))
rare_copies = float(np.bincount(drawn)[1:].mean())
ending = tf.data.Dataset.sample_from_datasets([common, rare], weights=[0.5, 0.5], seed=0)
late = next(ending.batch(2000).as_numpy_iterator())[400:]
rare_late = float(np.mean(late > 0))
print(f"{rare_drawn:.2f} rare, each about {rare_copies:.1f} times; without repeat {rare_late:.2f}")
assert abs(rare_drawn - 0.5) < 0.05
assert rare_copies > 8
assert rare_late == 0

# %% [markdown]
# ## Images in folders, and rows of a table
# Most data come as a file for each image, in a folder for each class, or as a table in text.

# %% label="folders"
import keras

folder = tempfile.TemporaryDirectory()
for number in range(200):
    place = Path(folder.name) / "train" / str(labels[number]) / f"{number:04d}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(tf.io.encode_png(images[number].reshape(8, 8, 1)).numpy())

pictures = keras.utils.image_dataset_from_directory(
    place.parents[1],
    image_size=(8, 8),
    color_mode="grayscale",
    batch_size=50,
    shuffle=False,
    verbose=False,
)

# %% values="picture_gap picture_labels_right"
by_folder = np.argsort(
    labels[:200], kind="stable"
)  # folders and files come in order of their names
read = np.concatenate([x for x, _ in pictures.as_numpy_iterator()])  # (200, 8, 8, 1)
read_labels = np.concatenate([y for _, y in pictures.as_numpy_iterator()])
picture_gap = float(np.abs(read.reshape(200, 64) - images[by_folder]).max())
picture_labels_right = float(np.mean(read_labels == labels[by_folder]))
assert picture_gap == 0, "Images read from folders have exactly the pixels that were written."
assert picture_labels_right == 1, "Their labels follow from the names of the folders."

# %% label="csv"
rows = Path(folder.name) / "digits.csv"
np.savetxt(rows, np.column_stack([labels, images]), fmt="%d", delimiter=",")


def from_line(line):
    """Return the pixels and the label that a line of text holds."""
    numbers = tf.stack(tf.io.decode_csv(line, [[0]] * 65))  # (65,): whole numbers
    return numbers[1:], numbers[0]


lines = tf.data.TextLineDataset(str(rows)).map(from_line).batch(64)

# %% values="table_gap"
typed = np.concatenate([x for x, _ in lines.as_numpy_iterator()])  # (1797, 64)
table_gap = int(np.abs(typed.astype(int) - images).max())
assert table_gap == 0, "A table in text gives back the same numbers."

# %% [markdown]
# ## TFRecord
# A record is a length, a checksum of it, bytes, and a checksum of them. The bytes are usually an
# `Example`: named lists of bytes, floats or integers.


# %% label="record"
def to_record(image, label):
    """Return an image and its label as the bytes of an Example."""
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def from_records(records):
    """Return images and labels from a batch of records."""
    form = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    found = tf.io.parse_example(records, form)
    return tf.io.decode_raw(found["image"], tf.uint8), found["label"]  # (batch, 64), (batch,)


path = Path(folder.name) / "digits.tfrecord"
records = [to_record(image, int(label)) for image, label in zip(images, labels, strict=True)]
with tf.io.TFRecordWriter(str(path)) as writer:
    for record in records:
        writer.write(record)

stored = tf.data.TFRecordDataset(str(path)).batch(64).map(from_records)
x_back = np.concatenate([x for x, _ in stored.as_numpy_iterator()])
assert (x_back == images).all()

# %% label="sizes" caption="The 1,797 digits in five kinds of file." values="record_kb npz_kb zipped_kb record_ratio overhead"
zipped = Path(folder.name) / "digits.tfrecord.gz"
with tf.io.TFRecordWriter(str(zipped), "GZIP") as writer:
    for record in records:
        writer.write(record)
floats = Path(folder.name) / "floats.tfrecord"
with tf.io.TFRecordWriter(str(floats)) as writer:
    for image, label in zip(images, labels, strict=True):
        feature = {
            "image": tf.train.Feature(float_list=tf.train.FloatList(value=image / 16)),
            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
        }
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        writer.write(example.SerializeToString())
small_labels = labels.astype("uint8")
plain_npz, packed_npz = (Path(folder.name) / name for name in ("digits.npz", "packed.npz"))
np.savez(plain_npz, images=images, labels=small_labels)
np.savez_compressed(packed_npz, images=images, labels=small_labels)
sizes = {
    "npz": plain_npz,
    "npz, compressed": packed_npz,
    "TFRecord": path,
    "TFRecord, gzip": zipped,
    "TFRecord of floats": floats,
}
kb = {name: file.stat().st_size / 1000 for name, file in sizes.items()}
record_kb, npz_kb, zipped_kb = kb["TFRecord"], kb["npz"], kb["TFRecord, gzip"]
record_ratio = record_kb / npz_kb
overhead = int(len(records[0]) + 16 - images[0].nbytes - 1)
assert 1.5 < record_ratio < 2.2
pd.DataFrame({"KB": [f"{size:,.0f}" for size in kb.values()]}, index=list(kb))

# %% [markdown]
# What happens when one bit of the file is wrong?

# %% label="damaged" values="record_bytes read_before skipped_to npy_changed npz_noticed damaged_place"
record_bytes = len(records[0]) + 16
damaged_place = 1000
begin = sum(len(record) + 16 for record in records[:damaged_place])
content = bytearray(path.read_bytes())
content[begin + 12 + 20] ^= 1  # one bit, behind the length and its checksum
damaged = Path(folder.name) / "damaged.tfrecord"
damaged.write_bytes(content)
read_before = 0
try:
    for _ in tf.data.TFRecordDataset(str(damaged)):
        read_before += 1
except tf.errors.DataLossError as error:
    reason = error.message.split("}} ")[-1].split(" [")[0]
    print(f"{type(error).__name__} after {read_before} records: {reason}")
skipped_to = len(list(tf.data.TFRecordDataset(str(damaged)).ignore_errors().as_numpy_iterator()))
print(f"with ignore_errors: {skipped_to} records")

array = Path(folder.name) / "digits.npy"
np.save(array, images)
content = bytearray(array.read_bytes())
content[-1000] ^= 1
array.write_bytes(content)
npy_changed = int((np.load(array) != images).sum())
content = bytearray(plain_npz.read_bytes())
content[5000] ^= 1
plain_npz.write_bytes(content)
try:
    np.load(plain_npz)["images"]
    npz_noticed = False
except zipfile.BadZipFile as error:
    npz_noticed = True
    print(type(error).__name__, error)
assert read_before == damaged_place
assert skipped_to == damaged_place, (
    "With ignore_errors, all records after a damaged one are lost without a word."
)
assert npy_changed == 1
assert npz_noticed

# %% [markdown]
# ## In Keras: three ways to feed
# The digits fit into memory. Then a dataset, a `PyDataset` and plain arrays can all feed `fit`.


# %% label="pydataset"
class Batches(keras.utils.PyDataset):
    """Batches of images in an order that changes with each epoch."""

    def __init__(self, x, y, size, **options):
        super().__init__(**options)
        self.x, self.y, self.size = x, y, size
        self.rng = np.random.default_rng(0)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, i):
        now = self.order[i * self.size : (i + 1) * self.size]
        return self.x[now], self.y[now]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


# %% label="feeds" caption="Two epochs of training a small network on digits in memory, batches of 32: medians of three rounds, and the same for batches that nobody learns from." values="fit_arrays fit_data fit_sequence loop_arrays loop_data loop_ratio fit_spread"
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
in_memory = tf.data.Dataset.from_tensor_slices((x_train, y_train))
by_data = in_memory.shuffle(training_size).batch(32).prefetch(1)
by_batches = Batches(x_train, y_train, 32)


def array_loop():
    """Go through shuffled batches of arrays."""
    order = np.random.default_rng(0).permutation(training_size)
    for first in range(0, training_size, 32):
        x_train[order[first : first + 32]], y_train[order[first : first + 32]]


def data_loop():
    """Go through the batches of the dataset."""
    for _ in by_data:
        pass


def python_loop():
    """Go through the batches of the PyDataset."""
    for i in range(len(by_batches)):
        by_batches[i]


def timed(work):
    """Return how long a piece of work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


kinds = {
    "arrays": lambda: model.fit(x_train, y_train, batch_size=32, epochs=2, verbose=0),
    "tf.data": lambda: model.fit(by_data, epochs=2, shuffle=False, verbose=0),
    "PyDataset": lambda: model.fit(by_batches, epochs=2, shuffle=False, verbose=0),
}
kinds["arrays"]()  # the first time also builds the training step
fits = medians({name: lambda k=kind: timed(k) for name, kind in kinds.items()}, repeats=3)
loops = medians(
    {
        name: lambda w=work: timed(lambda: [w() for _ in range(2)])
        for name, work in zip(kinds, (array_loop, data_loop, python_loop), strict=True)
    },
    repeats=3,
)
fit_arrays, fit_data, fit_sequence = fits.values()
loop_arrays, loop_data, _ = loops.values()
loop_ratio = loop_data / loop_arrays
fit_spread = max(fits.values()) / min(fits.values())
assert loop_ratio > 3
assert fit_spread < loop_ratio / 4, (
    "For digits in memory, three ways to feed fit differ far less than their batches alone."
)
pd.DataFrame(
    {
        "fit": [f"{1000 * taken:.0f} ms" for taken in fits.values()],
        "batches alone": [f"{1000 * taken:.1f} ms" for taken in loops.values()],
    },
    index=list(fits),
)

# %% [markdown]
# ## Finding the bottleneck
# Time the pipeline alone, the step alone on one batch that is repeated, and both together.

# %% label="bottleneck" caption="Milliseconds for one step of a larger network and its batch: the pipeline alone, the step alone, and both together in fit." values="slow_data slow_step slow_fit fast_data fast_step fast_fit waiting"
large = keras.Sequential([keras.Input((64,)), keras.layers.Dense(256, activation="relu")])
large.add(keras.layers.Dense(256, activation="relu"))
large.add(keras.layers.Dense(10, activation="softmax"))
large.compile("sgd", "sparse_categorical_crossentropy")
steps, batch_ms = 8, 40


def load(i):
    """Load a batch, slowly."""
    time.sleep(batch_ms / 1000)
    return x_train[32 * i : 32 * i + 32], y_train[32 * i : 32 * i + 32]


def shaped(x, y):
    """Tell TensorFlow the shapes that a NumPy function hides."""
    return tf.ensure_shape(x, (32, 64)), tf.ensure_shape(y, (32,))


def loader(calls):
    """Return a dataset of slowly loaded batches."""
    read = tf.data.Dataset.range(steps).map(
        lambda i: tf.numpy_function(load, [i], (tf.float32, tf.int64)), calls
    )
    return read.map(shaped).with_options(BARE)


same_batch = tf.data.Dataset.from_tensors((x_train[:32], y_train[:32])).repeat(steps)
kinds = {"slow": loader(None), "mended": loader(parallel).prefetch(1).with_options(BARE)}
work = {"step": lambda: timed(lambda: large.fit(same_batch, shuffle=False, verbose=0))}
for name, dataset in kinds.items():
    work[f"{name} data"] = lambda d=dataset: seconds(d, 0)
    work[f"{name} fit"] = lambda d=dataset: timed(lambda: large.fit(d, shuffle=False, verbose=0))
work["step"]()  # the first time also builds the training step
found = {name: 1000 * taken / steps for name, taken in medians(work).items()}
slow_step = fast_step = found["step"]
slow_data, slow_fit = found["slow data"], found["slow fit"]
fast_data, fast_fit = found["mended data"], found["mended fit"]
waiting = 1 - slow_step / slow_fit
assert slow_fit > 0.9 * slow_data > slow_step
assert waiting > 0.25
assert fast_fit < 0.8 * slow_fit, "Loading several batches at once shortens the training."
pd.DataFrame(
    {
        "data": [f"{slow_data:.1f}", f"{fast_data:.1f}"],
        "step": [f"{slow_step:.1f}"] * 2,
        "together": [f"{slow_fit:.1f}", f"{fast_fit:.1f}"],
    },
    index=["one call", "four calls, prefetch"],
)

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** The buffer that leaves a rank correlation of 0.1.

# %% label="exercise-1" tags=["solution"] values="wanted_share"
tried = np.linspace(0.01, 1, 1000)
wanted_share = float(tried[np.argmax(rho(tried) < 0.1)])
size = round(wanted_share * file_size)
got = np.mean(
    [stats.spearmanr(places, order_out(file_size, size, seed)).statistic for seed in range(5)]
)
print(f"{wanted_share:.2f} of the file; measured {got:.2f}")
assert abs(got - 0.1) < 0.05

# %% [markdown]
# **2.** A validation set that leaks.

# %% label="exercise-2" tags=["solution"] values="leaked"
overlaps = []
for again in (True, False):
    shuffled = tf.data.Dataset.range(1000).shuffle(1000, 0, reshuffle_each_iteration=again)
    held_out = set(shuffled.take(200).as_numpy_iterator())
    learned = {int(i) for _ in range(3) for i in shuffled.skip(200).as_numpy_iterator()}
    overlaps.append(len(held_out & learned) / len(held_out))
    print(f"reshuffled {again}: {overlaps[-1]:.0%} of the validation set was learned from")
leaked, kept_apart = overlaps
assert leaked > 0.95, "A split by take and skip leaks where the shuffling before it is repeated."
assert kept_apart == 0

# %% [markdown]
# **3.** A source that stutters.

# %% label="exercise-3" tags=["solution"] values="burst_gain"
stutter = source(([1] * 9 + [60]) * 2)
kinds = {size: stutter.prefetch(size) for size in (1, 10)}
found = medians({size: lambda d=d: seconds(d, 8) for size, d in kinds.items()})
burst_gain = found[1] / found[10]
print(f"prefetch(1) {found[1]:.2f} s, prefetch(10) {found[10]:.2f} s")
assert burst_gain > 1.1, "Where a source stutters, a longer queue in front of training helps."

# %% [markdown]
# **4.** Reading TFRecord without TensorFlow.

# %% label="exercise-4" tags=["solution"]
content, found, place = path.read_bytes(), [], 0
while place < len(content):
    length, _ = struct.unpack_from("<QI", content, place)  # 8 bytes and a checksum of 4
    found.append(content[place + 12 : place + 12 + length])
    place += 12 + length + 4
print(len(found), "records, all equal:", found == records)
assert found == records

# %% [markdown]
# **5.** Two workers.

# %% label="exercise-5" tags=["solution"]
n = 1000
for name in ("shuffle, shard", "shard, shuffle"):
    parts = []
    for worker in range(2):
        tf.random.set_seed(worker)  # two processes, each with a seed of its own
        whole = tf.data.Dataset.range(n)
        if name == "shuffle, shard":
            part = whole.shuffle(n).shard(2, worker)
        else:
            part = whole.shard(2, worker).shuffle(n)
        parts.append({int(i) for i in part.as_numpy_iterator()})
    print(f"{name}: {len(parts[0] | parts[1]) / n:.0%} of the examples seen")
assert len(parts[0] | parts[1]) == n

# %%
folder.cleanup()
plt.show()
