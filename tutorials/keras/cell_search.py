# ---
# labkit: {memory: 1 GB}
# ---

# %% [markdown]
# # A small search for cells
# How much of the success of a search is luck? Random cells learn to read digits at random places,
# and so do copies of one cell, for the chapter [DenseNet and NASNet](../../keras/densenet-nasnet.md).

# %%
from functools import partial
from itertools import product

import matplotlib.pyplot as plt
import numpy as np

import labkit as keras
from labkit import datasets, plot, trials

plot.set_theme()

ORANGE, GREY = plot.COLORS["orange"], plot.COLORS["grey"]

# %% [markdown]
# ## The network
# It stays the same; only the cell in it changes, and its width, so that all have about 20,000
# parameters. To be fast, cells work on maps of 4 × 4.


# %% label="network"
def normalized(x, momentum=0.9):
    """Normalize each channel by the batch."""
    return keras.layers.BatchNormalization(momentum=momentum)(x)


def network(block):
    """Return a classifier: a stem, and two cells at 4 × 4."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.MaxPooling2D()(keras.layers.ReLU()(normalized(x)))  # (batch, 4, 4, 16)
    x = block(block(x, 1), 2)  # (batch, 4, 4, channels)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


# %% [markdown]
# ## A small search
# A cell is written as a short code: three blocks, each of which picks two of the tensors that are
# there already and an operation for each, and adds the results. What no block has used is
# concatenated. We draw six codes at random.


# %% label="space"
def pointwise(x, width):
    """ReLU, a 1 × 1 convolution and normalization."""
    x = keras.layers.ReLU()(x)
    return normalized(keras.layers.Conv2D(width, 1, use_bias=False)(x))


def convolved(kind, x, width):
    """ReLU, a 3 × 3 convolution of one kind and normalization."""
    x = keras.layers.ReLU()(x)
    return normalized(kind(width, 3, padding="same", use_bias=False)(x))


def pooled(kind, x):
    """The mean or largest of 3 × 3 places."""
    return kind(3, strides=1, padding="same")(x)


OPERATIONS = {
    "identity": lambda x, width: x,
    "mean 3×3": lambda x, width: pooled(keras.layers.AveragePooling2D, x),
    "max 3×3": lambda x, width: pooled(keras.layers.MaxPooling2D, x),
    "conv 1×1": pointwise,
    "conv 3×3": lambda x, width: convolved(keras.layers.Conv2D, x, width),
    "sep 3×3": lambda x, width: convolved(keras.layers.SeparableConv2D, x, width),
}


def draw(rng, blocks=3):
    """Draw the code of a cell: for each block, two pairs of a source and an operation."""
    names = list(OPERATIONS)
    return [[(rng.integers(b + 1), rng.choice(names)) for _ in range(2)] for b in range(blocks)]


def coded_cell(code, width, x, stage):
    """Return the cell that a code describes."""
    width *= stage
    states, used = [pointwise(x, width)], set()
    for pair in code:
        parts = [OPERATIONS[name](states[source], width) for source, name in pair]
        used |= {source for source, _ in pair}
        states.append(keras.layers.Add()(parts))
    unused = [state for place, state in enumerate(states) if place not in used]
    return unused[0] if len(unused) == 1 else keras.layers.Concatenate()(unused)


# %% label="search" values="cells space_size search_training search_validating winner_code winner_first winner_again mean_first mean_again lead_first lead_again worst_first best_again runner_first runner_again correlation"
cells = 6
space_size = int(np.prod([(b * len(OPERATIONS)) ** 2 for b in (1, 2, 3)]))
(x_train, y_train), test = datasets.load_shifted_digits(copies=2)
x_search, y_search = x_train[::2], y_train[::2]  # one sheet of each digit
cut = 3 * len(x_search) // 4  # the rest to choose by
part, validation = (x_search[:cut], y_search[:cut]), (x_search[cut:], y_search[cut:])
search_training, search_validating = cut, len(validation[0])


def trial(build, seeds, examined):
    """Train a network on the search's part of the data with each seed, and examine it."""
    options = {"seeds": seeds, "epochs": 3, "batch_size": 32}
    return trials.compare({"cell": build}, part, examined, **options)["cell"]


def accuracy(model):
    """Return the share of test sheets that a model reads right."""
    return float(model.evaluate(*test, verbose=0)[1])


def sized(code):
    """Return a function that builds the network of a code with about 20,000 parameters."""

    def build(width):
        return network(partial(coded_cell, code, width))

    return partial(build, trials.closest_width(build, 20_000, widths=range(4, 60)))


rng = np.random.default_rng(0)
codes = [draw(rng) for _ in range(cells)]
builds = [sized(code) for code in codes]
# Each training has a seed of its own, since a shared one would hide a part of the luck.
found = [trial(build, [i, 100 + i], validation) for i, build in enumerate(builds)]
validated = np.array([one.accuracies for one in found])  # (cells, 2)
tested = np.array([[accuracy(model) for model in one.models] for one in found])  # (cells, 2)
first, again = validated[:, 0], tested[:, 1]

order = np.argsort(-first)
winner, runner = order[:2]
winner_code = "; ".join(" + ".join(f"{name} of {s}" for s, name in pair) for pair in codes[winner])
winner_first, winner_again = float(first[winner]), float(again[winner])
runner_first, runner_again = float(first[runner]), float(again[runner])
mean_first, mean_again = float(first.mean()), float(again.mean())
lead_first, lead_again = winner_first - mean_first, winner_again - mean_again
worst_first, best_again = float(first.min()), float(again.max())
correlation = float(np.corrcoef(first, again)[0, 1])
print(f"winner: {winner_code}")
print(f"search {winner_first:.3f}, {lead_first:+.3f}; again {winner_again:.3f}, {lead_again:+.3f}")
print(f"correlation of both scores {correlation:.2f}")

# %% [markdown]
# One search may be an exception. But which of a cell's two trainings is the search's? Each choice
# for each cell makes another search, and the same trainings serve all of them. To see luck alone,
# both are scored on the same sheets here.

# %% label="searches" values="searches mean_lead_first mean_lead_again"
chosen = np.array([*product((0, 1), repeat=cells)])  # (searches, cells)
searches, place = len(chosen), np.arange(cells)
seen, repeated = validated[place, chosen], validated[place, 1 - chosen]  # (searches, cells) each
winners = np.arange(searches), seen.argmax(axis=1)
mean_lead_first, mean_lead_again = (
    float((scores[winners] - scores.mean(axis=1)).mean()) for scores in (seen, repeated)
)
print(f"mean lead of {searches} winners: {mean_lead_first:+.3f}, again {mean_lead_again:+.3f}")
assert mean_lead_again < mean_lead_first + 1e-6  # equal where one cell wins all searches

# %% [markdown]
# How much of a lead is luck? The control is a search among copies of one cell, which differ in
# nothing but their seeds. The best copy "wins" as well. Trained with another seed, it should be no
# better than the others, except by chance again.

# %% label="copies" values="copies copies_lead copies_after copies_spread cells_spread luck_share"
copies = 4
middle = order[cells // 2]
control = trial(builds[middle], range(200, 200 + copies), validation)
copy_first = np.array(control.accuracies)
# Rolled by one: each copy's second training is another copy's first.
copy_again = np.roll([accuracy(model) for model in control.models], 1)
best_copy = int(copy_first.argmax())
copies_lead = float(copy_first.max() - copy_first.mean())
copies_after = float(copy_again[best_copy] - copy_again.mean())
copies_spread, cells_spread = float(copy_first.std(ddof=1)), float(first.std(ddof=1))
luck_share = (copies_spread / cells_spread) ** 2
print(f"copies: lead {copies_lead:.3f}, after {copies_after:+.3f}; deviation {copies_spread:.3f}")
print(f"cells: deviation {cells_spread:.3f}, so {luck_share:.0%} of their variance is chance")

assert copies_lead > 0.005, "Among copies of one cell, the best one leads, too, by luck alone."
assert luck_share > 0.01, "Part of the spread of the scores is chance."

# %% label="luck" alt="Two panels of lines from a score in the search to a score when trained again. The left one has a line for each of six cells, the right one for each of four copies; the winners of the search are drawn thick." caption="The search and its control. Left: six random cells, each with its validation accuracy in the search and its test accuracy when trained with another seed. Right: four copies of one cell. Thick: the winner of the search." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 3.4), sharey=True)
for ax, title, before, after in (
    (axes[0], "six cells", first, again),
    (axes[1], "four copies", copy_first, copy_again),
):
    for pair in zip(before, after, strict=True):
        won = pair[0] == before.max()
        style = {"color": ORANGE, "linewidth": 3, "marker": "s"} if won else {"color": GREY}
        ax.plot([0, 1], pair, **({"marker": "o", "linestyle": "-", "linewidth": 1} | style))
    ax.set(title=title, xticks=[0, 1], xticklabels=["search", "again"], xlim=(-0.25, 1.25))
axes[0].set_ylabel("accuracy")

# %%
plt.show()
