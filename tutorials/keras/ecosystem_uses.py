# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # More libraries at work
# Six more libraries of the table in [The ecosystem](../../keras/ecosystem.md), each put to one small use with a known
# result. An import proves little; the right numbers prove more.

# %%
import importlib.metadata
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
from absl import logging
from scipy import stats

import labkit as keras
from labkit import datasets

logging.set_verbosity("error")  # Grain says at its import that JAX is missing
scratch = Path(tempfile.mkdtemp())

# %% [markdown]
# ## One network
# The same small classifier of digits as in the chapter's first tutorial.

# %% label="network"
digits = datasets.load_digits()
x, y = (digits.data / 16).astype("float32"), digits.target  # (1797, 64), (1797,)
train_x, train_y, test_x, test_y = x[:1200], y[:1200], x[1200:], y[1200:]


def classifier():
    """Return a network that gives the ten logits of a digit."""
    return keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    )


def compiled(model):
    """Return a model that is ready to be trained."""
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


keras.utils.set_random_seed(0)
ours = compiled(classifier())
ours.fit(train_x, train_y, epochs=10, batch_size=32, verbose=0)

# %% [markdown]
# ## The same in Keras

# %%
import keras

model = compiled(classifier())
model.set_weights([np.asarray(weight) for weight in ours.get_weights()])
logits = model.predict(test_x, verbose=0)  # (597, 10)
assert np.abs(logits - ours.predict(test_x, verbose=0)).max() < 1e-4

# %% [markdown]
# ## What they add to an environment


# %% label="sizes" values="runtime_mb forest_mb grain_mb small_mb added_mb"
def megabytes(*packages):
    """Return the size of the installed files of packages."""
    total = 0
    for package in packages:
        with suppress(importlib.metadata.PackageNotFoundError):  # Windows needs no array-record
            found = importlib.metadata.distribution(package)
            paths = [Path(found.locate_file(file)) for file in found.files if file.suffix != ".pyc"]
            total += sum(path.stat().st_size for path in paths if path.is_file())
    return total / 1e6


runtime_mb, forest_mb = megabytes("onnxruntime"), megabytes("ydf")
grain_mb = megabytes("grain", "array-record", "etils", "fsspec", "portpicker", "zipp")
small_mb = megabytes("dm-sonnet", "tabulate", "keras-rs", "tensorflow-serving-api")
added_mb = runtime_mb + forest_mb + grain_mb + small_mb
print(f"ONNX Runtime {runtime_mb:.0f} MB, YDF {forest_mb:.0f}, Grain {grain_mb:.0f};", end=" ")
print(f"Sonnet, KerasRS and the client of Serving together {small_mb:.1f} MB")

# %% [markdown]
# ## ONNX Runtime: the file, run fast
# The times are medians of interleaved repeats, each for one digit.

# %% label="runtime" values="runtime_gap"
import onnxruntime

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # the exporter looks for np.object
    model.export(scratch / "digits.onnx", format="onnx", verbose=False)
session = onnxruntime.InferenceSession(scratch / "digits.onnx")
source = session.get_inputs()[0].name
runtime_gap = float(np.abs(session.run(None, {source: test_x})[0] - logits).max())
print(f"largest difference of a logit: {runtime_gap:.0e}")
assert runtime_gap < 1e-4, "ONNX Runtime gives Keras's logits."

# %% label="times" values="predict_ratio call_ratio"
ways = {
    "runtime": lambda: session.run(None, {source: test_x[:1]}),
    "call": lambda: model(test_x[:1]),
    "predict": lambda: model.predict(test_x[:1], verbose=0),
}
taken = {name: [] for name in ways}
for _ in range(21):
    for name, way in ways.items():
        began = time.perf_counter()
        way()
        taken[name].append(time.perf_counter() - began)
median = {name: np.median(seconds) for name, seconds in taken.items()}
predict_ratio = float(median["predict"] / median["runtime"])
call_ratio = float(median["call"] / median["runtime"])
print(f"one digit: predict takes {predict_ratio:.0f} times as long, a call {call_ratio:.0f} times")
assert predict_ratio > 20, "For one digit, ONNX Runtime is at least 20 times as fast as predict."
assert call_ratio > 1.5, "For one digit, ONNX Runtime is faster than a call of the Keras model."

# %% [markdown]
# ## Serving: a question over the network
# The package holds the messages of the protocol and the client. The real server is a program of its own, so a few lines
# stand in for it here, and answer by our model.

# %% label="serving" values="served_gap"
import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class StandIn(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers one of the protocol's requests."""

    def Predict(self, request, context):
        """Return the logits of the images in a request."""
        images = tf.make_ndarray(request.inputs["images"])  # (n, 64)
        logits = model(images)  # (n, 10)
        reply = predict_pb2.PredictResponse()
        reply.outputs["logits"].CopyFrom(tf.make_tensor_proto(logits))
        return reply


server = grpc.server(ThreadPoolExecutor(1))
prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(StandIn(), server)
port = server.add_insecure_port("localhost:0")  # any free one
server.start()

request = predict_pb2.PredictRequest()
request.model_spec.name = "digits"
request.inputs["images"].CopyFrom(tf.make_tensor_proto(test_x))
with grpc.insecure_channel(f"localhost:{port}") as channel:
    client = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = client.Predict(request, timeout=30)
server.stop(None).wait()
served_gap = float(np.abs(tf.make_ndarray(answer.outputs["logits"]) - logits).max())
print(f"largest difference of a logit: {served_gap:.0e}")
assert served_gap < 1e-4, "Serving's protocol brings back Keras's logits."

# %% label="message" values="message_bytes image_bytes"
message_bytes, image_bytes = request.ByteSize(), test_x.nbytes
print(f"request: {message_bytes:,d} bytes, {image_bytes:,d} of them images")
assert message_bytes - image_bytes < 200, "Serving's request adds fewer than 200 bytes to images."

# %% [markdown]
# ## Sonnet: the same network once more

# %% label="sonnet" values="sonnet_gap"
import sonnet as snt

network = snt.nets.MLP([32, 10])
network(test_x[:1])  # makes the variables
arrays = iter(model.get_weights())
for layer in network.submodules:
    layer.w.assign(next(arrays))
    layer.b.assign(next(arrays))
sonnet_gap = float(np.abs(network(test_x) - logits).max())
print(f"largest difference of a logit: {sonnet_gap:.0e}")
assert sonnet_gap < 1e-4, "With Keras's weights, Sonnet's network gives Keras's logits."

# %% [markdown]
# ## Grain: an order that can be repeated, and resumed

# %% label="grain" values="same_order other_order each_once resumed"
import grain


class Rows:
    """The training digits, one by one, each with its number."""

    def __len__(self):
        return len(train_x)

    def __getitem__(self, i):
        return train_x[i], train_y[i], i

    def __repr__(self):
        return "Rows()"  # by which Grain tells whether a saved state is of the same source


def batches(seed):
    """Return an iterator over one epoch in batches of 64."""
    order = grain.samplers.IndexSampler(len(train_x), shuffle=True, num_epochs=1, seed=seed)
    together = [grain.transforms.Batch(64)]
    return iter(grain.DataLoader(data_source=Rows(), sampler=order, operations=together))


def numbers(iterator):
    """Return the numbers of the rows that an iterator still has to give."""
    return np.concatenate([number for _, _, number in iterator])


first = numbers(batches(1))  # (1200,)
same_order = float(np.mean(numbers(batches(1)) == first))
other_order = float(np.mean(numbers(batches(2)) == first))
each_once = int(np.array_equal(np.sort(first), np.arange(len(train_x))))

stopped, restarted = batches(1), batches(1)
for _ in range(5):
    next(stopped)
restarted.set_state(stopped.get_state())  # some JSON, which a checkpoint can hold
resumed = float(np.mean(numbers(restarted) == first[5 * 64 :]))
print(f"same order: {same_order:.0%}; with another seed {other_order:.1%}; resumed {resumed:.0%}")
assert same_order == 1, "With the same seed, Grain gives the rows in the same order."
assert other_order < 0.05
assert each_once == 1, "In one epoch, Grain gives each row exactly once."
assert resumed == 1, "From a saved state, Grain goes on with the very next row."

# %% label="refused" values="refused"
try:
    batches(2).set_state(stopped.get_state())
    refused = 0
except ValueError as error:
    refused = 1
    print(str(error).splitlines()[0])
assert refused == 1, "Grain refuses to resume with a sampler of another seed."

# %% [markdown]
# ## KerasRS: recommending digits
# A recommender ranks all items for a query by the dot product of their embeddings. Here the embedding is the network's
# hidden layer, scaled to length 1; the queries are the test digits, and the items are the training digits.

# %% label="retrieval" values="score_gap precision chance"
import keras_rs

hidden = keras.Sequential([keras.Input((64,)), model.layers[0], keras.layers.UnitNormalization()])
items = hidden.predict(train_x, verbose=0)  # (1200, 32)
queries = hidden.predict(test_x, verbose=0)  # (597, 32)
retrieval = keras_rs.layers.BruteForceRetrieval(candidate_embeddings=items, k=10)
top_scores, top = map(np.asarray, retrieval(queries))  # (597, 10)

similarity = queries @ items.T  # (597, 1200)
score_gap = float(np.abs(top_scores - -np.sort(-similarity, axis=1)[:, :10]).max())
precision = float(np.mean(train_y[top] == test_y[:, None]))
chance = float(np.mean(train_y[None] == test_y[:, None]))
print(f"of ten digits found, {10 * precision:.1f} are right; by chance {10 * chance:.1f}")
assert score_gap < 1e-5, "KerasRS finds the ten largest dot products, as sorting them all does."
assert precision > 0.7, "More than 7 of the 10 digits found show the same numeral as the query."

# %% [markdown]
# Its metric: the *normalized discounted cumulative gain* adds $1 / \log_2(1 + r)$ for each right item at rank $r$, and
# divides the sum by that of the best possible list.

# %% label="ranking" values="ndcg ndcg_gap"
relevant = (train_y[None] == test_y[:, None]).astype("float32")  # (597, 1200)
metric = keras_rs.metrics.NDCG(k=10)
metric.update_state(relevant, similarity)
ndcg = float(metric.result())
discounts = 1 / np.log2(1 + np.arange(1, 11))
by_hand = (train_y[top] == test_y[:, None]) @ discounts / discounts.sum()  # (597,)
ndcg_gap = float(abs(ndcg - by_hand.mean()))
print(f"NDCG of the first ten: {ndcg:.4f}")
assert ndcg_gap < 1e-3, "KerasRS's ranking metric agrees with its formula in NumPy."

# %% [markdown]
# ## YDF: forests, against our network
# Each seed has a division of the data of its own, the same for all models. The digits come as pixels from 0 to 1; the
# wines as 13 measurements in their own units, and once more standardized.

# %% label="forests" caption="Mean accuracies on test rows, each over divisions of its own." values="forest_digits boosted_digits network_digits forest_wine network_wine scaled_wine"
import ydf

import labkit

ydf.verbose(0)
wine = datasets.load_wine()
wines, grapes = wine.data.astype("float32"), wine.target  # (178, 13), (178,)


def by_network(x, y, train, test, seed, epochs):
    """Return the test accuracy of a small network."""
    labkit.utils.set_random_seed(seed)
    layers = [labkit.layers.Dense(32, activation="relu"), labkit.layers.Dense(int(y.max()) + 1)]
    network = labkit.Sequential([labkit.Input(x.shape[1:]), *layers])
    network.compile(
        labkit.optimizers.Adam(0.01),
        labkit.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.fit(x[train], y[train], epochs=epochs, batch_size=32, verbose=0)
    return network.evaluate(x[test], y[test], verbose=0)[1]


def by_forest(learner, x, y, train, test, seed):
    """Return the test accuracy of a forest."""
    grown = learner(label="y", random_seed=seed, num_threads=1).train(
        {"x": x[train], "y": y[train]}
    )
    places = grown.predict({"x": x[test]}).argmax(axis=1)
    return np.mean(np.array(grown.label_classes(), int)[places] == y[test])


def random_forest(**options):
    """Return a learner of 100 trees, each grown on rows drawn with replacement."""
    return ydf.RandomForestLearner(num_trees=100, compute_oob_performances=False, **options)


def boosted(**options):
    """Return a learner of up to 40 rounds of trees, each correcting those before it."""
    return ydf.GradientBoostedTreesLearner(num_trees=40, **options)


found = []
for seed in range(6):
    train, test = np.split(np.random.default_rng(seed).permutation(len(x)), [1200])
    found.append(
        {
            "network": by_network(x, y, train, test, seed, 10),
            "random forest": by_forest(random_forest, x, y, train, test, seed),
            "boosted trees": by_forest(boosted, x, y, train, test, seed),
        }
    )
on_digits = pd.DataFrame(found)  # (6, 3)
found = []
for seed in range(20):
    train, test = np.split(np.random.default_rng(seed).permutation(len(wines)), [120])
    scaled = (wines - wines[train].mean(axis=0)) / wines[train].std(axis=0)
    found.append(
        {
            "network": by_network(wines, grapes, train, test, seed, 60),
            "network, standardized": by_network(scaled, grapes, train, test, seed, 60),
            "random forest": by_forest(random_forest, wines, grapes, train, test, seed),
            "boosted trees": by_forest(boosted, wines, grapes, train, test, seed),
        }
    )
on_wine = pd.DataFrame(found)  # (20, 4)
network_digits, forest_digits, boosted_digits = map(float, on_digits.mean())
network_wine, scaled_wine, forest_wine, boosted_wine = map(float, on_wine.mean())
means = pd.DataFrame({"digits": on_digits.mean(), "wine": on_wine.mean()}, on_wine.columns)
means.map("{:.3f}".format).replace("nan", "")


# %% label="intervals" values="digits_low digits_high boosted_low boosted_high raw_low raw_high scaled_low scaled_high"
def interval(difference):
    """Return the 95% interval of a mean difference."""
    few = len(difference) - 1
    low, high = stats.t.interval(0.95, few, difference.mean(), stats.sem(difference))
    return float(low), float(high)


forest, boosting = on_digits["random forest"], on_digits["boosted trees"]
digits_low, digits_high = interval(forest - on_digits["network"])
boosted_low, boosted_high = interval(boosting - on_digits["network"])
raw_low, raw_high = interval(on_wine["random forest"] - on_wine["network"])
scaled_low, scaled_high = interval(on_wine["random forest"] - on_wine["network, standardized"])
print(f"digits: random forest minus network {digits_low:+.3f} to {digits_high:+.3f}")
print(f"        boosted trees minus network {boosted_low:+.3f} to {boosted_high:+.3f}")
print(f"wine:   random forest minus network {raw_low:+.3f} to {raw_high:+.3f}")
print(f"                   ... standardized {scaled_low:+.3f} to {scaled_high:+.3f}")
assert boosted_high < 0, "On digits, 40 rounds of boosted trees read fewer than the network."
assert raw_low > 0, "On unscaled wine data, the random forest beats the network."
assert -0.02 < digits_low < digits_high < 0.02, (
    "On digits, random forest and network agree within two points."
)
assert scaled_high < 0.01, "On standardized wine data, the forest beats the network no longer."
