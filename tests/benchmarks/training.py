"""Time of a training step, of prediction and of the import, and peak memory, as ratios.

Run it with `python tests/benchmarks/training.py`; `--help` shows the options. All libraries
train the same models on the same arrays, from the gathering of a batch to the update of the
weights. Their turns are interleaved, so that whatever else the machine does hits all alike,
and the ratios are those of the medians. Each model is measured twice: as the machine is, and
beside one busy process for each core, which this script starts and stops. The machine's load
stands beside the numbers: what else runs makes them unsure.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Step = Callable[[], None]
clock = time.perf_counter


@dataclass
class Model:
    """A model to measure, and the shares of Keras fit's time that it may take.

    The targets are those of a quiet machine and of a busy one. `build` returns the layers of a
    chain, or, given an input, the output of a graph.
    """

    name: str
    shape: tuple[int, ...]
    batch: int
    steps: int
    targets: tuple[float, float] | None
    build: Callable[..., Any]
    hidden: tuple[int, ...] | None = None  # for scikit-learn, which has dense layers only
    is_chain: bool = True
    has_loops: bool = True  # whether the same is written here for TensorFlow and PyTorch


def mlp(layers: Any) -> list[Any]:
    """Return the layers of 784-512-256-10."""
    return [
        layers.Dense(512, activation="relu"),
        layers.Dense(256, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


def lenet(layers: Any) -> list[Any]:
    """Return the layers of LeNet-5."""
    return [
        layers.Conv2D(6, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 5, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]


def cnn(layers: Any) -> list[Any]:
    """Return the layers of a CNN with 32 and 64 filters."""
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]


def small_cnn(layers: Any) -> list[Any]:
    """Return the layers of a CNN for digits of 8 x 8 pixels."""
    return [
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]


def lstm(layers: Any) -> list[Any]:
    """Return the layers of an LSTM with 64 units."""
    return [layers.LSTM(64), layers.Dense(10, activation="softmax")]


def separable(layers: Any) -> list[Any]:
    """Return the layers of a CNN that goes down with a separable and up with a transposed one."""
    return [
        layers.SeparableConv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ]


def transformer(layers: Any, x: Any) -> Any:
    """Return the output of two transformer blocks."""
    for _ in range(2):
        x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(4, 8)(x, x)]))
        hidden = layers.Dense(64, activation="relu")(x)
        x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(32)(hidden)]))
    return layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling1D()(x))


MODELS = [
    Model("MLP 784-512-256-10, batch 128", (784,), 128, 40, (0.5, 0.65), mlp, hidden=(512, 256)),
    Model("LeNet-5 on 28x28, batch 64", (28, 28, 1), 64, 20, (0.6, 0.8), lenet),
    Model("CNN 32-64 on 28x28, batch 64", (28, 28, 1), 64, 8, (0.9, 1.2), cnn),
    Model("small CNN on 8x8, batch 32", (8, 8, 1), 32, 80, (0.25, 0.35), small_cnn),
    Model("LSTM 64, 50 steps, batch 32", (50, 16), 32, 20, (0.5, 0.65), lstm),
    Model("separable CNN, batch 32", (16, 16, 3), 32, 20, None, separable, has_loops=False),
    Model(
        *("transformer, 32 steps, batch 32", (32, 32), 32, 20, None, transformer),
        is_chain=False,
        has_loops=False,
    ),
]


def data(model: Model) -> tuple[Any, Any]:
    """Return random inputs and labels for some steps."""
    rng = np.random.default_rng(0)
    rows = model.batch * model.steps
    x = rng.random((rows, *model.shape), dtype="float32")
    return x, rng.integers(0, 10, rows)


def fit_with(keras: Any, model: Model) -> tuple[Step, Step]:
    """Return an epoch of `fit`, and a `predict`, of labkit or Keras."""
    x, y = data(model)
    inputs = keras.Input(model.shape)
    if model.is_chain:
        network = keras.Sequential([inputs, *model.build(keras.layers)])
    else:
        network = keras.Model(inputs, model.build(keras.layers, inputs))
    network.compile("adam", "sparse_categorical_crossentropy")
    return (
        lambda: network.fit(x, y, batch_size=model.batch, epochs=1, verbose=0),
        lambda: network.predict(x, batch_size=model.batch, verbose=0),
    )


def gan_with(keras: Any, batch: int = 64, steps: int = 10) -> Step:
    """Return some steps of a GAN: the discriminator's, then the generator's behind it, frozen."""
    layers, rng = keras.layers, np.random.default_rng(0)
    generator = keras.Sequential(
        [keras.Input((32,)), layers.Dense(128, activation="relu"), layers.Dense(784)]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    discriminator.compile("adam", "binary_crossentropy")
    noise = rng.normal(size=(batch, 32)).astype("float32")
    real = rng.normal(size=(batch, 784)).astype("float32")
    ones, zeros = np.ones((batch, 1), "float32"), np.zeros((batch, 1), "float32")
    discriminator.train_on_batch(real, ones)  # which settles what it trains
    discriminator.trainable = False
    inputs = keras.Input((32,))
    both = keras.Model(inputs, discriminator(generator(inputs)))
    both.compile("adam", "binary_crossentropy")

    def turn() -> None:
        for _ in range(steps):
            made = np.asarray(generator(noise))
            discriminator.train_on_batch(np.concatenate([real, made]), np.vstack([ones, zeros]))
            both.train_on_batch(noise, ones)

    return turn


def loop_with_tensorflow(model: Model) -> Step:
    """Return an epoch of a compiled training step, as one writes it by hand."""
    import keras
    import tensorflow as tf

    x, y = (tf.constant(array) for array in data(model))
    network = keras.Sequential([keras.Input(model.shape), *model.build(keras.layers)])
    optimizer, loss = keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(rows: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(tf.gather(y, rows), network(tf.gather(x, rows), training=True))
        gradients = tape.gradient(value, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)

    def epoch() -> None:
        order = np.random.default_rng(0).permutation(len(x))
        for rows in order.reshape(model.steps, model.batch):
            step(tf.constant(rows))

    return epoch


def loop_with_torch(model: Model) -> Step:
    """Return an epoch of PyTorch's usual loop."""
    import torch
    from torch import nn

    x_rows, y = data(model)
    x = torch.from_numpy(x_rows if len(model.shape) < 3 else x_rows.transpose(0, 3, 1, 2).copy())
    labels = torch.from_numpy(y)

    class Last(nn.Module):
        def forward(self, outputs: Any) -> Any:
            return outputs[0][:, -1]

    networks: dict[Any, list[Any]] = {
        mlp: [
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        ],
        lenet: [
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(
                nn.Linear(400, 120),
                nn.ReLU(),
                nn.Linear(120, 84),
                nn.ReLU(),
                nn.Linear(84, 10),
            ),
        ],
        cnn: [
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            nn.Linear(1600, 10),
        ],
        small_cnn: [
            *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)),
        ],
        lstm: [nn.LSTM(16, 64, batch_first=True), Last(), nn.Linear(64, 10)],
    }
    network = nn.Sequential(*networks[model.build])
    optimizer, loss = torch.optim.Adam(network.parameters()), nn.CrossEntropyLoss()

    def epoch() -> None:
        for rows in torch.randperm(len(x)).reshape(model.steps, model.batch):
            optimizer.zero_grad()
            loss(network(x[rows]), labels[rows]).backward()
            optimizer.step()

    return epoch


def fit_with_sklearn(model: Model) -> Step:
    """Return an epoch of scikit-learn's `MLPClassifier`."""
    from sklearn.neural_network import MLPClassifier

    x, y = data(model)
    network = MLPClassifier(model.hidden, batch_size=model.batch)
    return lambda: network.partial_fit(x, y, classes=range(10))


def flops(model: Model) -> float:
    """Return the multiplications and additions of a step in its matrix products."""
    import labkit

    shape: tuple[int | None, ...] = (None, *model.shape)
    total, first = 0.0, True
    for layer in model.build(labkit.layers):
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
        for weight in (w for w in layer.weights if w.ndim > 1):
            positions = np.prod(shape[1:-1]) if type(layer).__name__ == "Conv2D" else 1
            positions = model.shape[0] if type(layer).__name__ == "LSTM" else positions
            # Forward, the weight's gradient and, behind the first layer, the input's.
            total += 2 * weight.size * float(positions) * model.batch * (2 if first else 3)
        first = first and not layer.weights
    return total


def gemm_peak() -> float:
    """Return the floating-point operations per second of a large matrix product."""
    a, b = np.random.default_rng(0).random((2, 1024, 1024), dtype="float32")
    times = []
    for _ in range(15):
        start = clock()
        a @ b
        times.append(clock() - start)
    return 2 * 1024**3 / min(times)


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep cores busy with other processes."""
    started = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def states() -> Iterator[tuple[str, Any]]:
    """Yield both states of the machine, each with what brings it about."""
    yield "quiet", contextlib.nullcontext()
    yield "busy", busy(os.cpu_count() or 1)


def load() -> str:
    """Return the load of the last minute as it stands in the results."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def interleaved(turns: dict[str, Step], rounds: int) -> dict[str, tuple[float, float]]:
    """Return each one's median and shortest time, in seconds, after a turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        turn()
    for _ in range(rounds):
        for name, turn in turns.items():
            start = clock()
            turn()
            times[name].append(clock() - start)
    return {name: (statistics.median(values), min(values)) for name, values in times.items()}


def measure(model: Model, rounds: int, peak: float) -> None:
    """Print the ratios of a model."""
    import keras

    import labkit

    fit, predict = fit_with(labkit, model)
    keras_fit, keras_predict = fit_with(keras, model)
    turns = {"labkit": fit, "Keras fit": keras_fit}
    if model.has_loops:
        turns["tf.function"] = loop_with_tensorflow(model)
        if importlib.util.find_spec("torch"):
            turns["PyTorch"] = loop_with_torch(model)
    if model.hidden:
        turns["scikit-learn"] = fit_with_sklearn(model)
    print(f"\n{model.name}")
    for i, (state, context) in enumerate(states()):
        with context:
            times, at = interleaved(turns, rounds), load()
        median, best = times.pop("labkit")
        print(f"  {state}, {at}: {median / model.steps * 1e3:.2f} ms per step")
        for name, other in times.items():
            ratio, note = median / other[0], ""
            if model.targets and name == "Keras fit":
                note = f", target {model.targets[i]}: {_verdict(ratio, model.targets[i])}"
            print(
                f"    training, labkit / {name}: {ratio:.2f}  (fastest {best / other[1]:.2f}{note})"
            )
        if model.has_loops and state == "quiet":
            share = flops(model) * model.steps / median / peak
            print(f"    share of the GEMM peak: {share:.0%}")
    predictions = interleaved({"labkit": predict, "Keras": keras_predict}, rounds)
    ratio, fastest = (a / b for a, b in zip(*predictions.values(), strict=True))
    print(f"  predict,  labkit / Keras: {ratio:.2f}  (fastest {fastest:.2f})")


def measure_gan(rounds: int) -> None:
    """Print the ratios of a GAN's step."""
    import keras

    import labkit

    turns = {"labkit": gan_with(labkit), "Keras": gan_with(keras)}
    print("\nGAN 32-128-784, batch 64, train_on_batch of both models")
    for state, context in states():
        with context:
            times, at = interleaved(turns, rounds), load()
        ratio, fastest = (a / b for a, b in zip(*times.values(), strict=True))
        print(f"  {state}, {at}: labkit / Keras: {ratio:.2f}  (fastest {fastest:.2f})")


def _verdict(ratio: float, limit: float) -> str:
    return "met" if ratio <= limit else "MISSED"


def child(code: str, *arguments: str) -> str:
    """Return what a new Python prints."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


PEAK = """
import json, pathlib, re, resource, runpy, sys
path, library, name = sys.argv[1:]
bench = runpy.run_path(path)
model = next(m for m in bench["MODELS"] if m.name == name)

def peak():
    # The kernel's VmHWM is this program's own; ru_maxrss may be that of the one before exec.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

fit, predict = bench["fit_with"](__import__(library), model)
before = peak()
fit()
predict()
print(json.dumps([before, peak()]))
"""


def memory(model: Model) -> None:
    """Print the peak resident memory of a process that trains and predicts."""
    peaks = {}
    for library in ("labkit", "keras"):
        before, after = json.loads(child(PEAK, __file__, library, model.name).splitlines()[-1])
        peaks[library] = after / 1024, (after - before) / 1024
    (ours, grown), (theirs, their_growth) = peaks["labkit"], peaks["keras"]
    print(
        f"  peak memory, labkit / Keras: {ours / theirs:.2f} ({ours:.0f} and {theirs:.0f} MiB; "
        f"training and predicting added {grown:.0f} and {their_growth:.0f} MiB)"
    )


def import_time(rounds: int = 15) -> None:
    """Print how long imports take, each in a new process."""
    # labkit loads its modules, and NumPy, when they are first used.
    imports = ("import numpy", "import labkit", "import labkit; labkit.Sequential")
    times: dict[str, list[float]] = {name: [] for name in imports}
    code = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
    for _ in range(rounds):
        for name, values in times.items():
            values.append(float(child(code.format(name))))
    numpy, ours, used = (statistics.median(values) for values in times.values())
    verdict = _verdict(ours / numpy, 1.3)
    print(f"{imports[1]} / {imports[0]}: {ours / numpy:.2f}  (target 1.3: {verdict})")
    print(f"{imports[2]} / {imports[0]}: {used / numpy:.2f}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each library")
    parser.add_argument("--only", default="", help="part of a model's name")
    parser.add_argument("--quick", action="store_true", help="no memory, no import time")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.clock == "cpu":
        global clock
        clock = time.process_time
    if not options.quick:
        import_time()
    peak = gemm_peak()
    print(f"{os.cpu_count()} CPUs, GEMM peak {peak / 1e9:.0f} Gflop/s in float32")
    if not importlib.util.find_spec("torch"):
        print("PyTorch is not installed: left out.")
    for model in MODELS:
        if options.only.lower() not in model.name.lower():
            continue
        measure(model, options.rounds, peak)
        if not options.quick:
            memory(model)
    if options.only.lower() in "gan":
        measure_gan(options.rounds)


if __name__ == "__main__":
    main()
