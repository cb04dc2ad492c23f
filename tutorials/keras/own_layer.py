# %% [markdown]
# # A layer of your own
#
# One neuron cannot tell where two numbers have the same sign: no straight line separates those
# points. It can once the numbers are multiplied with each other. This script writes a layer that
# multiplies, in twenty lines, proves its gradients by finite differences, trains it, and compares
# it with Keras.
# The [reference](../../reference/index.md) explains what a layer is made of.

# %%
import matplotlib.pyplot as plt
import numpy as np

import labkit as keras
from labkit import plot

plot.set_theme()

# %% [markdown]
# ## The layer
#
# The cross layer of R. Wang and others, [DCN V2](https://arxiv.org/abs/2008.13535) (2021),
# multiplies each input by a weighted sum of all inputs: $y = x + x \odot (x W + b)$, where $\odot$
# multiplies number by number. By the product rule, with $z = x W + b$ and $dy$ for the gradient
# that comes from behind: $dz = x \odot dy$, then $dW = x^\top dz$, $db = \sum dz$ and
# $dx = dy + z \odot dy + dz \, W^\top$.


# %% label="layer"
class Cross(keras.layers.Layer):
    """y = x + x * (x W + b)."""

    def build(self, input_shape):  # (batch, inputs)
        inputs = input_shape[-1]
        self.kernel = self.add_weight((inputs, inputs), "glorot_uniform", name="kernel")
        self.bias = self.add_weight((inputs,), "zeros", name="bias")

    def call(self, x, training=False):  # (batch, inputs)
        z = x @ self.kernel + self.bias
        self.saved = x, z
        return x + x * z  # (batch, inputs)

    def backward(self, dy):  # (batch, inputs)
        x, z = self.saved
        dz = x * dy
        self.gradients["kernel"][...] = x.T @ dz
        self.gradients["bias"][...] = dz.sum(axis=0)
        return dy + z * dy + dz @ self.kernel.T


# %% [markdown]
# ## In a model
#
# The task: 400 points of a square, in class 1 where both coordinates have the same sign. The layer
# goes into a model like any other, and `fit`, `evaluate` and `summary` work with it.


# %% label="model" values="alone crossed parameters"
def build(*layers):
    """Make a model of some layers and one output neuron, ready to be trained."""
    keras.utils.set_random_seed(0)
    output = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((2,)), *layers, output])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


points = np.random.default_rng(0).uniform(-1, 1, (400, 2))
same_sign = (points[:, 0] * points[:, 1] > 0).astype(float)[:, None]

models = build(), build(Cross())
for model in models:
    model.fit(points, same_sign, batch_size=32, epochs=40, verbose=0)
alone, crossed = (model.evaluate(points, same_sign, verbose=0)[1] for model in models)
parameters = models[1].count_params()
print(f"accuracy of one neuron {alone:.2f}, behind a cross layer {crossed:.2f}")
assert alone < 0.7
assert crossed > 0.95

# %% label="regions" alt="The same points twice. Left: the line of one neuron ignores the classes. Right: behind a cross layer, the border follows both axes." caption="What one neuron makes of the points, without and with a cross layer before it."
fig, axes = plt.subplots(1, 2, sharey=True)
for ax, model, title in zip(axes, models, ["one neuron", "behind a cross layer"], strict=True):
    plot.decision_boundary(ax, model, points, same_sign)
    ax.set_title(title)

# %% [markdown]
# ## Is it right?
#
# From here on `keras` is Keras itself; `Cross` stays the labkit layer that it is.
# `check_gradients` compares its `backward` with finite differences, for the input and each
# weight.

# %% label="check" values="error"
import keras

from labkit.testing import assert_matches_keras, check_gradients

error = check_gradients(Cross(), points[:20])
print(f"largest relative error: {error:.0e}")
assert error < 1e-6

# %% [markdown]
# With one wrong sign in `backward`, it says which gradient is wrong:


# %% label="wrong" values="message"
class Wrong(Cross):
    def backward(self, dy):
        dx = super().backward(dy)
        self.gradients["bias"] *= -1
        return dx


message = ""
try:
    check_gradients(Wrong(), points[:20])
except AssertionError as failure:
    message = str(failure)
print(message)
assert "bias" in message

# %% [markdown]
# ## The same in Keras
#
# In Keras the layer needs no `backward`: TensorFlow differentiates `call`. `assert_matches_keras`
# copies the weights and compares the outputs and all gradients.


# %% label="keras" values="gap"
class KerasCross(keras.layers.Layer):
    def build(self, input_shape):
        inputs = input_shape[-1]
        self.kernel = self.add_weight((inputs, inputs), "glorot_uniform", name="kernel")
        self.bias = self.add_weight((inputs,), "zeros", name="bias")

    def call(self, x):
        return x + x * (x @ self.kernel + self.bias)


gap = assert_matches_keras(Cross(dtype="float64"), KerasCross(dtype="float64"), points)
print(f"largest relative difference: {gap:.0e}")
assert gap < 1e-9

# %%
plt.show()
