# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # The ecosystem
# Around TensorFlow and Keras stand dozens of libraries: some thrive, some have ended, and some can no longer be
# imported. This script keeps a dated table of them, and puts the first of them to one small use each. The chapter
# [The ecosystem](../../keras/ecosystem.md) tells the story.

# %%
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.exceptions import ConvergenceWarning

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "red", "grey")
)
scratch = Path(tempfile.mkdtemp())

# %% [markdown]
# ## The table
# Versions and dates are those of the Python package's last release on the day of the check. "Trial" is what happened on
# that day in Python 3.11 next to this book's pinned versions of TensorFlow, Keras and NumPy:
# *used* in this script or in [ecosystem_uses](ecosystem_uses.py), *imports*, *import fails* (although it installs), or *conflict* (its requirements exclude ours).

# %% label="libraries"
CHECKED = date(2026, 11, 30)
PYTHON, NUMPY = "3.11", "2.4"  # of the trial
GITHUB = "https://github.com/"
LIBRARIES = pd.DataFrame(
    [
        # library, repository, what for, version, date of its release, trial, remark
        ("TensorFlow", "tensorflow/tensorflow", "tensors, gradients, graphs",
         "2.21.0", "2026-03-06", "used", ""),
        ("Keras", "keras-team/keras", "layers, models, training", "3.15.1", "2026-07-29", "used", ""),
        ("TensorBoard", "tensorflow/tensorboard", "curves and graphs of a training",
         "2.21.0", "2026-06-29", "used", ""),
        ("Keras Tuner", "keras-team/keras-tuner", "search for hyperparameters",
         "1.4.8", "2025-11-11", "used", ""),
        ("KerasHub", "keras-team/keras-hub", "pretrained models", "0.32.0", "2026-09-18",
         "imports", "successor of KerasNLP and KerasCV; needs Text"),
        ("KerasRS", "keras-team/keras-rs", "recommender systems", "0.4.0", "2026-01-12", "used", ""),
        ("tf-keras", "keras-team/tf-keras", "Keras 2, still released", "2.21.0", "2026-03-18", "used", ""),
        ("Probability", "tensorflow/probability", "distributions, sampling",
         "0.25.0", "2024-11-08", "used", "its layers need Keras 2"),
        ("LiteRT", "google-ai-edge/LiteRT", "models on phones", "2.3.0", "2026-10-06",
         "imports", "was TensorFlow Lite; TensorFlow's own copy used here"),
        ("ONNX", "onnx/onnx", "a format for models of any framework",
         "1.23.2", "2026-10-06", "used", ""),
        ("tf2onnx", "onnx/tensorflow-onnx", "TensorFlow to ONNX", "1.17.0", "2026-03-04", "used", ""),
        ("ONNX Runtime", "microsoft/onnxruntime", "running ONNX files fast",
         "1.32.0", "2026-11-13", "used", ""),
        ("Datasets", "tensorflow/datasets", "public data sets, ready to read",
         "4.9.10", "2026-05-08", "imports", "most of it for pyarrow"),
        ("Grain", "google/grain", "input pipelines without TensorFlow",
         "0.2.18", "2026-06-17", "used", ""),
        ("Text", "tensorflow/text", "tokenizers as operations", "2.21.1", "2026-09-08", "imports", ""),
        ("Serving", "tensorflow/serving", "answering requests with a model",
         "2.21.0", "2026-09-29", "used", "the client; the server is no Python package"),
        ("YDF", "google/yggdrasil-decision-forests", "decision forests",
         "0.16.1", "2026-03-26", "used", "successor of Decision Forests"),
        ("Sonnet", "google-deepmind/sonnet", "another library of layers",
         "2.0.2", "2024-01-02", "used", ""),
        ("Model Optimization", "tensorflow/model-optimization", "pruning, quantization",
         "0.8.1", "2026-05-12", "conflict", "wants absl-py below 2"),
        ("TFX", "tensorflow/tfx", "whole production pipelines", "1.21.0", "2026-06-18",
         "conflict", "wants scikit-learn 1.5.2"),
        ("Decision Forests", "tensorflow/decision-forests", "forests as Keras models",
         "1.12.0", "2025-03-13", "conflict", "wants TensorFlow 2.19.0"),
        ("TensorFlow.js", "tensorflow/tfjs", "models in the browser", "4.22.0", "2024-10-21",
         "conflict", "its converter needs Decision Forests"),
        ("Agents", "tensorflow/agents", "reinforcement learning", "0.19.0", "2023-12-14",
         "conflict", "wants Probability 0.23"),
        ("Hub", "tensorflow/hub", "loading published models", "0.16.1", "2024-01-30",
         "import fails", "no module pkg_resources"),
        ("Addons", "tensorflow/addons", "layers from the community",
         "0.23.0", "2023-11-28", "import fails", "no module keras.src.engine"),
        ("Estimator", "tensorflow/estimator", "models before Keras", "2.15.0", "2023-11-07",
         "import fails", "needs parts that TensorFlow removed"),
    ],
    columns=["library", "repository", "for", "version", "date", "trial", "remark"],
)  # fmt: skip
LIBRARIES["date"] = pd.to_datetime(LIBRARIES["date"])
LIBRARIES["days"] = (pd.Timestamp(CHECKED) - LIBRARIES["date"]).dt.days
works = LIBRARIES["trial"].isin(["used", "imports"])
# What those that only import would add to this book's environment on Linux, with all that they need.
MEGABYTES = {"KerasHub": 247, "Text": 202, "Datasets": 188, "LiteRT": 60}
assert set(MEGABYTES) == set(LIBRARIES.loc[LIBRARIES["trial"] == "imports", "library"])

# %% label="table" caption="Libraries around TensorFlow on the day of the check, the latest release first. Each name leads to the project's repository, the source of its line." tags=["remove-input"]


class Linked(pd.DataFrame):
    """A table whose cells may hold links."""

    def _repr_html_(self):
        return self.to_html(escape=False, index=False, border=0)


shown = LIBRARIES.sort_values("date", ascending=False)
Linked(
    {
        "library, and what it is for": (
            f'<a href="{GITHUB}'
            + shown["repository"]
            + '">'
            + shown["library"]
            + "</a><br>"
            + shown["for"]
        ),
        "last release": shown["version"] + "<br>" + shown["date"].dt.strftime("%Y-%m-%d"),
        "trial": shown["trial"]
        + shown["library"].map(
            lambda name: f"<br>({MEGABYTES[name]} MB)" if name in MEGABYTES else ""
        ),
    }
)

# %% label="reasons"
for row in LIBRARIES[~works].itertuples():
    print(f"{row.library}: {row.trial}, {row.remark}")

# %% label="alive" values="checked tried_with tfx_date hub_date libraries used_here hub_mb text_mb datasets_mb lite_mb young young_works old old_works oldest_used failing conflicts"
# Does a release within two years say that a library works today?
rows = LIBRARIES.set_index("library")
checked = f"{CHECKED.day} {CHECKED:%B %Y}"
tensorflow_tried, keras_tried = (
    rows.loc[name, "version"].rpartition(".")[0] for name in ("TensorFlow", "Keras")
)
tried_with = (
    f"TensorFlow {tensorflow_tried}, Keras {keras_tried}, NumPy {NUMPY} and Python {PYTHON}"
)
tfx_date, hub_date = (f"{rows.loc[name, 'date']:%B %Y}" for name in ("TFX", "Hub"))
recent = LIBRARIES["days"] <= 2 * 365
used_here = int((LIBRARIES["trial"] == "used").sum())
hub_mb, text_mb, datasets_mb, lite_mb = (
    MEGABYTES[name] for name in ("KerasHub", "Text", "Datasets", "LiteRT")
)
libraries, young, old = len(LIBRARIES), int(recent.sum()), int((~recent).sum())
young_works, old_works = int((works & recent).sum()), int((works & ~recent).sum())
failing = int((LIBRARIES["trial"] == "import fails").sum())
conflicts = int((LIBRARIES["trial"] == "conflict").sum())
oldest_used = int(LIBRARIES.loc[LIBRARIES["trial"] == "used", "days"].max())
print(f"released within two years: {young_works} of {young} work; longer ago: {old_works} of {old}")
print(f"conflicts: {conflicts}; failing imports: {failing}")
assert young_works / young > 0.7, "Most libraries with a release within two years work today."
assert old_works / old < 0.5, "Most libraries without a release for two years do not."
assert young_works < young
assert old_works > 0

# %% label="releases" alt="A dot for each library at the date of its last release, sorted. The upper half, released within a year of the check, nearly all work; below it lie three that conflict and three whose import fails, among a few that work." caption="The last release of each library, and what came of installing it next to the others. The dotted line is TensorFlow's own last release." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 6.4))
order = LIBRARIES.sort_values("date", ascending=True).reset_index(drop=True)
for (trial, color), marker in zip(
    {"used": BLUE, "imports": GREEN, "conflict": ORANGE, "import fails": RED}.items(),
    "os^X",
    strict=True,
):
    some = order[order["trial"] == trial]
    ax.plot(some["date"], some.index, marker, color=color, label=trial, markersize=7)
ax.axvline(rows.loc["TensorFlow", "date"], color=GREY, linestyle=":", linewidth=1)
ax.set_yticks(range(len(order)), order["library"])
ax.set(xlim=(pd.Timestamp("2023-08-01"), pd.Timestamp("2027-01-31")))
ax.set_xticks(pd.to_datetime(["2024-01-01", "2025-01-01", "2026-01-01"]), ["2024", "2025", "2026"])
ax.set_xlabel("date of the last release")
ax.legend(loc="upper left")

# %% [markdown]
# ## What ended
# Each line of this history has its source in the chapter.

# %% label="history" alt="Nine dated events from 2015 to 2024, as dots on a line that runs down the page: beginnings in blue, ends in red, changes of name or of course in orange." caption="Beginnings, turns and ends around TensorFlow." tags=["remove-input"]
HISTORY = [
    ("2015-11-09", "TensorFlow is published", "begins"),
    ("2019-09-17", "last Keras with several backends", "ends"),
    ("2019-09-30", "TensorFlow 2.0: no tf.contrib", "ends"),
    ("2021-02", "Swift for TensorFlow archived", "ends"),
    ("2023-11-28", "Keras 3: several backends again", "begins"),
    ("2024-03-08", "TensorFlow 2.16: no Estimators", "ends"),
    ("2024-05", "end of TensorFlow Addons", "ends"),
    ("2024-09-04", "TensorFlow Lite becomes LiteRT", "turns"),
    ("2024-09-13", "KerasNLP becomes KerasHub", "turns"),
]
fig, ax = plt.subplots(figsize=(5, 3.8))
for kind, color, marker in zip(
    ("begins", "turns", "ends"), (BLUE, ORANGE, RED), "osX", strict=True
):
    places = [(pd.Timestamp(day), -i) for i, (day, _, what) in enumerate(HISTORY) if what == kind]
    ax.plot(*zip(*places, strict=True), marker, color=color, label=kind, markersize=8)
for i, (day, event, _) in enumerate(HISTORY):
    early = i < 4
    ax.annotate(
        event,
        (pd.Timestamp(day), -i),
        xytext=(8 if early else -8, 0),
        textcoords="offset points",
        ha="left" if early else "right",
        va="center",
    )
ax.set(xlim=(pd.Timestamp("2015-06-01"), pd.Timestamp("2026-01-01")), ylim=(-8.6, 0.6))
ax.set_yticks([])
ax.set_xticks(pd.to_datetime([f"{year}-01-01" for year in range(2016, 2026, 3)]))
ax.set_xticklabels([str(year) for year in range(2016, 2026, 3)])
ax.legend(loc="lower left")

# %% [markdown]
# ## One network for all of them
# A small classifier of digits, trained by `labkit`. Everything after it starts from this network.

# %% label="network" values="parameters accuracy right test_size"
digits = datasets.load_digits()
x, y = (digits.data / 16).astype("float32"), digits.target  # (1797, 64), (1797,)
train_x, train_y, test_x, test_y = x[:1200], y[:1200], x[1200:], y[1200:]


def classifier():
    """Return a network that gives the ten logits of a digit."""
    return keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    )


def compiled(model, rate=0.01):
    """Return a model that is ready to be trained."""
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


keras.utils.set_random_seed(0)
ours = compiled(classifier())
ours.fit(train_x, train_y, epochs=10, batch_size=32, verbose=0)
logits = np.asarray(ours.predict(test_x, verbose=0))  # (597, 10)
answers = logits.argmax(axis=1)
right = int((answers == test_y).sum())
test_size = len(test_y)
accuracy = right / test_size
parameters = ours.count_params()
print(f"{parameters:,d} parameters, {right} of {test_size} test digits right: {accuracy:.1%}")
assert accuracy > 0.85

# %% [markdown]
# ## The same in Keras

# %% label="keras" values="keras_gap"
import keras

model = compiled(classifier())
model.set_weights([np.asarray(weight) for weight in ours.get_weights()])
keras_logits = np.asarray(model.predict(test_x, verbose=0))
keras_gap = float(np.abs(keras_logits - logits).max())
print(f"largest difference of a logit: {keras_gap:.1e}")
assert keras_gap < 1e-4, "With labkit's weights, Keras gives labkit's logits."

# %% label="versions" values="estimators contrib asks_tensorboard"
import tensorflow as tf

estimators = int(hasattr(tf, "estimator"))
contrib = int(hasattr(tf, "contrib"))
needed = importlib.metadata.requires("tensorflow")
asks_tensorboard = sum(line.startswith("tensorboard") for line in needed)
used = ["tensorflow", "keras", "tf-keras", "tensorboard", "keras-tuner"]
for name in [*used, "tensorflow-probability", "onnx", "tf2onnx"]:
    print(name, importlib.metadata.version(name))
assert estimators == 0, "This TensorFlow has no Estimators."
assert contrib == 0, "This TensorFlow has no tf.contrib."
assert asks_tensorboard == 0, "This TensorFlow does not install TensorBoard by itself."

# %% [markdown]
# ## TensorBoard: what a training wrote down
# The callback writes files; TensorBoard's own reader reads them back.

# %% label="tensorboard" values="log_gap"
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logs = scratch / "logs"
fresh = compiled(classifier())
history = fresh.fit(
    train_x,
    train_y,
    epochs=6,
    batch_size=32,
    validation_data=(test_x, test_y),
    callbacks=[keras.callbacks.TensorBoard(logs)],
    verbose=0,
).history


def read(run, tag):
    """Return the numbers that a run logged under a tag."""
    events = EventAccumulator(str(logs / run)).Reload().Tensors(tag)
    return [float(tf.make_ndarray(event.tensor_proto)) for event in events]


logged = {"training": read("train", "epoch_loss"), "validation": read("validation", "epoch_loss")}
log_gap = float(
    max(
        np.abs(np.subtract(logged["training"], history["loss"])).max(),
        np.abs(np.subtract(logged["validation"], history["val_loss"])).max(),
    )
)
assert log_gap < 1e-6, "TensorBoard's files hold the losses that fit returned."

# %% values="log_epochs log_bytes log_graph has_spec"
log_epochs = len(logged["training"])
log_bytes = sum(file.stat().st_size for file in logs.rglob("events*"))
tags = EventAccumulator(str(logs / "train")).Reload().Tags()
log_graph = int(tags["graph"])
print(f"{log_epochs} epochs, {log_bytes:,d} bytes, largest difference {log_gap:.0e}")
print("tags:", *tags["tensors"])
# Keras logs the graph of a training function that has this attribute.
has_spec = int(hasattr(fresh.train_function, "function_spec"))
assert has_spec == 0
assert log_graph == 0, "Keras's callback logs no graph of operations with these versions."

# %% label="curves" alt="Two falling curves over six epochs, the training loss below the validation loss. Hollow circles lie on both." caption="Losses that `fit` returned (lines), and those read from TensorBoard's files (circles)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
epochs = np.arange(1, log_epochs + 1)
for (name, values), key, color, style in zip(
    logged.items(), ("loss", "val_loss"), (BLUE, ORANGE), ("-", "--"), strict=True
):
    ax.plot(epochs, history[key], style, color=color, label=name)
    ax.plot(epochs, values, "o", color=color, markerfacecolor=plot.PAPER, markersize=8)
ax.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
ax.legend()

# %% [markdown]
# The operations of a graph can be logged by hand.

# %% label="graph" values="operations"
traced = tf.function(model).get_concrete_function(tf.TensorSpec((None, 64)))
with tf.summary.create_file_writer(str(logs / "graph")).as_default():
    tf.summary.graph(traced.graph)
nodes = EventAccumulator(str(logs / "graph")).Reload().Graph().node
operations = len(nodes)
products = sum(node.op == "MatMul" for node in nodes)
print(f"{operations} operations, {products} of them matrix products")
assert products == 2

# %% [markdown]
# ## Keras Tuner: search, against chance
# A tuner proposes values, asks for a score, and remembers. It needs no Keras model: we override `run_trial`, and
# train with `labkit`, which takes a few hundredths of a second.

# %% label="tuner" values="trials more_trials tuner_seeds"
import keras_tuner

import labkit

trials, more_trials, tuner_seeds = 12, 24, 10
# A trial's seeds count up from the search's: neighbors would share their random numbers.
seeds = [1000 * (i + 1) for i in range(tuner_seeds)]


def parts(seed):
    """Return the rows for training, for scores and for a last look, drawn anew for each seed."""
    return np.split(np.random.default_rng(seed).permutation(len(x)), [400, 800])


def score(hp, few, judges):
    """Return the accuracy of a proposal, trained on few rows and judged on others."""
    units = hp.Int("units", 4, 64, sampling="log")
    rate = hp.Float("rate", 1e-4, 1.0, sampling="log")
    labkit.utils.set_random_seed(0)
    network = labkit.Sequential(
        [
            labkit.Input((64,)),
            labkit.layers.Dense(units, activation="relu"),
            labkit.layers.Dense(10),
        ]
    )
    network.compile(
        labkit.optimizers.Adam(rate),
        labkit.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.fit(x[few], y[few], epochs=5, verbose=0)
    return network.evaluate(x[judges], y[judges], verbose=0)[1]


class Random(keras_tuner.RandomSearch):
    """Draws each proposal independently."""

    def run_trial(self, trial, **unused):
        """Score a proposal by labkit."""
        few, check, _ = parts(self.oracle.seed)
        # What a tuner makes small: the share of errors.
        return 1 - score(trial.hyperparameters, few, check)


# %%
class Bayesian(keras_tuner.BayesianOptimization):
    """Fits a Gaussian process to the scores so far, and proposes what promises most."""

    def run_trial(self, trial, **unused):
        """Score a proposal by labkit."""
        few, check, _ = parts(self.oracle.seed)
        return 1 - score(trial.hyperparameters, few, check)


def search(tuner, seed, number):
    """Return the scores and proposals of a search, and the seconds that it took."""
    found = tuner(
        max_trials=number, seed=seed, directory=scratch, project_name=f"{tuner.__name__}{seed}"
    )
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the Gaussian process
        found.search(verbose=0)
    taken = time.perf_counter() - began
    done = [found.oracle.trials[key] for key in sorted(found.oracle.trials)]
    return (
        [1 - trial.score for trial in done],
        [trial.hyperparameters.values for trial in done],
        taken,
    )


# %% label="searches" values="random_best bayes_best double_best bayes_wins lead lead_low lead_high default_score time_ratio seed_zero"
searches = {"random": [], "Bayesian": []}
for seed in seeds:
    searches["random"].append(search(Random, seed, more_trials))
    searches["Bayesian"].append(search(Bayesian, seed, trials))
scores = {
    name: np.array([scores for scores, _, _ in found]) for name, found in searches.items()
}  # (seeds, trials)
best = {name: found[:, :trials].max(axis=1) for name, found in scores.items()}
difference = best["Bayesian"] - best["random"]
lead = float(difference.mean())
lead_low, lead_high = map(
    float, stats.t.interval(0.95, tuner_seeds - 1, lead, stats.sem(difference))
)
random_best, bayes_best = (float(best[name].mean()) for name in ("random", "Bayesian"))
double_best = float(scores["random"].max(axis=1).mean())
bayes_wins = int((difference > 0).sum())
default_score = float(scores["random"][:, 0].mean())
seconds = {name: np.median([taken for _, _, taken in found]) for name, found in searches.items()}
time_ratio = float((seconds["Bayesian"] / trials) / (seconds["random"] / more_trials))
seed_zero = Random(max_trials=1, seed=0, directory=scratch, project_name="zero").oracle.seed
print(f"best of {trials}: random {random_best:.3f}, Bayesian {bayes_best:.3f}")
print(
    f"difference {lead:+.3f}, 95% interval {lead_low:+.3f} to {lead_high:+.3f}; wins: {bayes_wins}"
)
print(f"random with {more_trials} trials: {double_best:.3f}; first trial: {default_score:.3f}")
print(f"seconds for each trial: {time_ratio:.1f} times as many")
assert abs(double_best - bayes_best) < 0.05, (
    "Twice as many random trials find what the Bayesian search finds, within five points."
)
assert lead_high < 0.05, "If the Bayesian search gains accuracy here, it is under five points."
assert lead > -0.05
assert random_best - default_score > 0.4, "The first trial, all values smallest, is no use here."
assert np.ptp(scores["Bayesian"][:, 0] - scores["random"][:, 0]) == 0  # the same first trial
assert seed_zero != 0, "Keras Tuner takes the seed 0 for none, and draws one of its own."
assert time_ratio > 2, "A Bayesian trial takes over twice as long, since training is quick here."

# %% label="search" alt="Two curves of the best accuracy so far against the number of trials, both rising steeply at first. The Bayesian one ends at twelve trials, close to the random one, which goes on to 24." caption="The best validation accuracy so far: means of ten searches, and their range." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
for (name, found), color, style in zip(scores.items(), (ORANGE, BLUE), ("--", "-"), strict=True):
    so_far = np.maximum.accumulate(found, axis=1)
    steps = np.arange(1, found.shape[1] + 1)
    ax.fill_between(steps, so_far.min(axis=0), so_far.max(axis=0), color=color, alpha=0.15)
    ax.plot(steps, so_far.mean(axis=0), style, color=color, label=name)
ax.set(xlabel="trials", ylabel="best accuracy so far", ylim=(0, 1))
ax.legend(loc="lower right")

# %% [markdown]
# ## LiteRT: a file for a phone

# %% label="litert" values="lite_bytes lite_same lite_gap weight_bytes keras_bytes keras_weights keras_config"
model.export(scratch / "digits.tflite", format="litert", verbose=False)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that this interpreter was to leave in TensorFlow 2.20
    interpreter = tf.lite.Interpreter(model_path=str(scratch / "digits.tflite"))
source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
interpreter.resize_tensor_input(source["index"], test_x.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(source["index"], test_x)
interpreter.invoke()
lite_logits = interpreter.get_tensor(target["index"])  # (597, 10)

model.save(scratch / "digits.keras")
lite_bytes = (scratch / "digits.tflite").stat().st_size
keras_bytes = (scratch / "digits.keras").stat().st_size
with zipfile.ZipFile(scratch / "digits.keras") as parts_of_file:
    keras_weights, keras_config = (
        parts_of_file.getinfo(name).file_size for name in ("model.weights.h5", "config.json")
    )
weight_bytes = 4 * parameters
largest_logit = float(np.abs(keras_logits).max())
keras_answers = keras_logits.argmax(axis=1)  # (597,)
lite_gap = float(np.abs(lite_logits - keras_logits).max()) / largest_logit
lite_same = float(np.mean(lite_logits.argmax(axis=1) == keras_answers))
print(f"{lite_bytes:,d} bytes ({weight_bytes:,d} of weights; as a Keras file {keras_bytes:,d})")
print(f"largest difference, relative to the largest logit: {lite_gap:.0e}")
print(f"same class: {lite_same:.1%}")
assert lite_same == 1, "The LiteRT file gives each test digit the class that Keras gives it."
assert lite_gap < 1e-5
assert keras_weights - weight_bytes > keras_config, (
    "HDF5 adds more bytes to a small Keras file than the description of the model."
)
assert weight_bytes < lite_bytes < 1.5 * weight_bytes, (
    "The LiteRT file is little larger than its weights."
)

# %% [markdown]
# ## ONNX: a file for other frameworks
# The file lists five steps, which the package's reference evaluator computes in NumPy. No framework is needed to read it.

# %% label="onnx" values="onnx_gap onnx_bytes onnx_steps onnx_same"
import onnx
from onnx.reference import ReferenceEvaluator

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # the exporter looks for np.object
    model.export(scratch / "digits.onnx", format="onnx", verbose=False)
graph = onnx.load(scratch / "digits.onnx")
steps = [node.op_type for node in graph.graph.node]
onnx_logits = ReferenceEvaluator(graph).run(None, {graph.graph.input[0].name: test_x})[0]
onnx_steps, onnx_bytes = len(steps), (scratch / "digits.onnx").stat().st_size
onnx_gap = float(np.abs(onnx_logits - keras_logits).max()) / largest_logit
onnx_same = float(np.mean(onnx_logits.argmax(axis=1) == keras_answers))
print(f"{onnx_bytes:,d} bytes:", *steps)
print(f"largest difference, relative to the largest logit: {onnx_gap:.0e}")
assert onnx_gap < 2e-6, "The ONNX file gives Keras's logits, to two millionths of the largest."
assert onnx_same == 1
assert {"MatMul", "Relu"} <= set(steps)

# %% [markdown]
# ## TensorFlow Probability: how sure is an accuracy?
# Let $p$ be the share of all digits that the network would read. With a uniform prior, its posterior after the test is a
# beta distribution. A sampler does not know that, and should find it.

# %% label="probability" values="wrong closed_mean closed_sd sampled_mean sampled_sd mean_error low high quiz_mean"
import tensorflow_probability as tfp

wrong = test_size - right
closed = tfp.distributions.Beta(1.0 + right, 1.0 + wrong)


def log_posterior(z):
    """Return the log density of z = ln(p / (1 - p)), up to a constant."""
    return (right + 1) * tf.math.log_sigmoid(z) + (wrong + 1) * tf.math.log_sigmoid(-z)


@tf.function
def sample():
    """Return 1,000 steps of 32 chains of Hamiltonian Monte Carlo."""
    return tfp.mcmc.sample_chain(
        1000,
        current_state=tf.fill([32], 2.0),
        kernel=tfp.mcmc.HamiltonianMonteCarlo(log_posterior, step_size=0.08, num_leapfrog_steps=8),
        num_burnin_steps=300,
        trace_fn=None,
        seed=(1, 2),
    )


sampled = tf.sigmoid(sample()).numpy().ravel()  # (32000,)
closed_mean, closed_sd = float(closed.mean()), float(closed.stddev())
sampled_mean, sampled_sd = float(sampled.mean()), float(sampled.std())
mean_error = abs(sampled_mean - closed_mean) / closed_sd
quiz_mean = (9 + 1) / (10 + 2)
low, high = (float(closed.quantile(share)) for share in (0.025, 0.975))
print(
    f"closed form: {closed_mean:.4f} ± {closed_sd:.4f}; sampled: {sampled_mean:.4f} ± {sampled_sd:.4f}"
)
print(f"95% of the posterior: {low:.3f} to {high:.3f}")
assert mean_error < 0.1, "The sampler finds the mean of the posterior."
assert 0.9 < sampled_sd / closed_sd < 1.1, "It finds the standard deviation within a tenth."

# %% label="posterior" alt="A histogram of samples, narrow and single-peaked, with a smooth curve that runs along the tops of its bars." caption="What is known about the network's accuracy after the test: samples of TensorFlow Probability (bars), and the beta distribution (line)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
ax.hist(sampled, bins=60, density=True, color=GREY, alpha=0.5)
grid = np.linspace(sampled.min(), sampled.max(), 200)
ax.plot(grid, stats.beta.pdf(grid, 1 + right, 1 + wrong), color=BLUE)
ax.set(xlabel="accuracy $p$", ylabel="density")

# %% [markdown]
# Its layers are layers of Keras 2, and Keras 3 refuses them.

# %% label="refused" values="refused all_keras2"
import tf_keras

normal = tfp.layers.DistributionLambda(lambda t: tfp.distributions.Normal(t, 1.0))
layers = [
    thing
    for name, thing in vars(tfp.layers).items()
    if isinstance(thing, type) and not name.endswith(("Initializer", "Regularizer"))
]
all_keras2 = int(all(issubclass(layer, tf_keras.layers.Layer) for layer in layers))
print(f"{len(layers)} layers of TensorFlow Probability")
try:
    keras.Sequential([keras.Input((4,)), normal])
    refused = 0
except ValueError as error:
    refused = 1
    print(str(error).split(". ")[0] + ".")
assert len(layers) > 20
assert all_keras2 == 1, "The layers of TensorFlow Probability are layers of Keras 2."
assert refused == 1, "Keras 3 refuses a layer of TensorFlow Probability."

# %% [markdown]
# ## The other backends of Keras
# The backend is chosen before Keras is imported, by an environment variable. So each trial is a process of its own. It
# hides JAX, PyTorch and OpenVINO, so that the answers are the same where they are installed.

# %% label="backends" caption="What `import keras` says with each backend where neither JAX nor PyTorch nor OpenVINO is installed." values="backends_found numpy_needs_jax"
TRIAL = """
import sys

class Hidden:
    def find_spec(name, *unused):
        if name in ("jax", "torch", "openvino"):
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Hidden)
import keras
print(keras.backend.backend())
"""
said = {}
for backend in ("jax", "torch", "numpy", "openvino"):
    run = subprocess.run(
        [sys.executable, "-c", TRIAL],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    said[backend] = (run.stdout if run.returncode == 0 else run.stderr).strip().split("\n")[-1]
    said[backend] = said[backend].removeprefix("ModuleNotFoundError: ")
backends_found = sum(line == backend for backend, line in said.items())
numpy_needs_jax = int(said["numpy"] == said["jax"] == "No module named 'jax'")
assert backends_found == 0
assert numpy_needs_jax == 1, "Keras's NumPy backend cannot be imported without JAX."
pd.DataFrame({"import keras": said})

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Another limit: what is the share of working libraries by the age of their last release?

# %% label="exercise-1" tags=["solution"]
for years in (0.5, 1, 2, 3):
    within = LIBRARIES["days"] <= 365 * years
    print(
        f"within {years:g} years: {(works & within).sum()} of {within.sum()} work;",
        f"later: {(works & ~within).sum()} of {(~within).sum()}",
    )

# %% [markdown]
# **2.** A summary of your own: the share of hidden units that are zero, logged and read back.

# %% label="exercise-2" tags=["solution"]
hidden = keras.Sequential([keras.Input((64,)), model.layers[0]])
with tf.summary.create_file_writer(str(logs / "own")).as_default():
    for step, batch in enumerate(np.array_split(test_x, 5)):
        tf.summary.scalar("zeros", float(np.mean(np.asarray(hidden(batch)) == 0)), step=step)
zeros = read("own", "zeros")
print("share of zeros:", *(f"{share:.2f}" for share in zeros))
assert len(zeros) == 5
assert all(0 < share < 1 for share in zeros)

# %% [markdown]
# **3.** Read the weights out of the ONNX file, and compute the network without any framework.

# %% label="exercise-3" tags=["solution"]
weights = [onnx.numpy_helper.to_array(tensor) for tensor in graph.graph.initializer]
matrices = {array.shape: array for array in weights if array.ndim == 2}
biases = {array.shape: array for array in weights if array.ndim == 1}
h = np.maximum(test_x @ matrices[64, 32] + biases[(32,)], 0)  # (597, 32)
z = h @ matrices[32, 10] + biases[(10,)]  # (597, 10)
print(f"largest difference: {np.abs(z - keras_logits).max():.0e}")
assert np.abs(z - keras_logits).max() < 1e-4

# %% [markdown]
# **4.** The winner of a search on digits that no trial has seen.

# %% label="exercise-4" tags=["solution"] values="winner_check winner_test winner_change"
winner_check, winner_test = 0.0, 0.0
for seed, (found, proposals, _) in zip(seeds, searches["random"], strict=True):
    few, _, new = parts(seed)
    place = int(np.argmax(found))
    hp = keras_tuner.HyperParameters()
    hp.Fixed("units", proposals[place]["units"])
    hp.Fixed("rate", proposals[place]["rate"])
    winner_check += found[place] / tuner_seeds
    winner_test += score(hp, few, new) / tuner_seeds
winner_change = winner_test - winner_check
print(f"winners: {winner_check:.3f} in the search, {winner_test:.3f} on new digits")

# %%
plt.show()
