"""The figure of blocks counts what the layers of labkit and Keras report."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import labkit
from labkit import cost

from .helpers import Stage, address, slide, state

pytestmark = pytest.mark.slow


def blocks(library: Any) -> dict[str, Callable[[Any, int, int], Any]]:
    """Return the six blocks as functions of a tensor, its channels and the window's size."""
    layers = library.layers
    options = {"padding": "same", "use_bias": False}

    def conv(x: Any, size: int, filters: int) -> Any:
        x = layers.Conv2D(filters, size, **options)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    def depthwise(x: Any, size: int) -> Any:
        return layers.BatchNormalization()(layers.DepthwiseConv2D(size, **options)(x))

    def plain(x: Any, w: int, k: int) -> Any:
        return conv(conv(x, k, w), k, w)

    def residual(x: Any, w: int, k: int) -> Any:
        return layers.Add()([conv(conv(conv(x, 1, w // 4), k, w // 4), 1, w), x])

    def inception(x: Any, w: int, k: int) -> Any:
        parts = [conv(x, 1, w // 4), conv(conv(x, 1, w // 4), k, w // 4)]
        parts.append(conv(conv(conv(x, 1, w // 8), k, w // 4), k, w // 4))
        parts.append(conv(layers.MaxPooling2D(3, 1, "same")(x), 1, w // 4))
        return layers.Concatenate()(parts)

    def separable(x: Any, w: int, k: int) -> Any:
        x = conv(depthwise(x, k), 1, w)
        return conv(depthwise(x, k), 1, w)

    def inverted(x: Any, w: int, k: int) -> Any:
        return layers.Add()([conv(depthwise(conv(x, 1, 6 * w), k), 1, w), x])

    def dense(x: Any, w: int, k: int) -> Any:
        for _ in range(2):
            x = layers.Concatenate()([conv(conv(x, 1, 2 * w), k, w // 2), x])
        return conv(x, 1, w)

    return {
        "plain": plain,
        "residual": residual,
        "inception": inception,
        "separable": separable,
        "inverted residual": inverted,
        "dense": dense,
    }


def reported(library: Any, channels: int, size: int, window: int) -> list[dict[str, Any]]:
    """Return what the layers of a library report of each block."""
    rows = []
    for name, block in blocks(library).items():
        image = library.Input((size, size, channels))
        model = library.Model(image, block(image, channels, window))
        height, width = cost.receptive_field(model)
        assert height == width
        assert model.outputs[0].shape[1:] == (size, size, channels)
        row = {"name": name, "parameters": model.count_params(), "field": height}
        rows.append({**row, "products": cost.multiply_adds(model)})
    return rows


@pytest.mark.parametrize(
    ("channels", "size", "window"), [(64, 28, 3), (8, 4, 7), (256, 112, 3), (40, 33, 5)]
)
def test_the_figure_counts_as_the_layers_do(
    stage: Stage, channels: int, size: int, window: int
) -> None:
    """Parameters, multiply-adds and receptive fields are those of labkit's layers."""
    element = stage("<lab-blocks></lab-blocks>")
    slide(element, "channels", channels)
    slide(element, "height and width", size)
    slide(element, "window", window)
    assert state(element)["rows"] == reported(labkit, channels, size, window)


def test_keras_reports_the_same(stage: Stage) -> None:
    """Keras's own layers have as many parameters, and cost as much."""
    keras = pytest.importorskip("keras")
    element = stage('<lab-blocks channels="32" size="14"></lab-blocks>')
    assert state(element)["rows"] == reported(keras, 32, 14, 3)


def test_what_the_chapters_say_of_the_figure() -> None:
    """Inception and separable blocks cost the same at 64 channels; a bottleneck is cheapest."""

    def costs(channels: int, window: int = 3) -> dict[str, tuple[int, int]]:
        rows = reported(labkit, channels, 14, window)
        return {row["name"]: (row["products"], row["field"]) for row in rows}

    for channels in (8, 64, 128, 256):
        found = costs(channels)
        assert min(found, key=lambda name: found[name][0]) == "residual"
        difference = found["inception"][0] - found["separable"][0]
        assert np.sign(difference) == np.sign(channels - 64)
        assert {name for name, (_, field) in found.items() if field == 3} == {
            "residual",
            "inverted residual",
        }
        wide = costs(channels, 5)["residual"]
        assert wide[1] == found["plain"][1]
        assert wide[0] < found["plain"][0] / 8


def test_each_block_is_drawn_with_its_channels(stage: Stage) -> None:
    """The boxes name what the block does, and what is said is the chosen row of the table."""
    element = stage('<lab-blocks block="dense" channels="16" size="10"></lab-blocks>')
    texts = element.locator("svg text").all_text_contents()
    assert texts[:2] == ["input", "16"]
    assert texts[2:6] == ["conv", "1 × 1, 32", "conv", "3 × 3, 8"]
    assert texts[-4:] == ["concat", "32", "conv", "1 × 1, 16"]
    element.get_by_role("combobox", name="Block").select_option("inverted residual")
    shown = state(element)
    row = next(row for row in shown["rows"] if row["name"] == shown["block"])
    assert f"{row['parameters']:,d} parameters" in element.locator("p.news").inner_text()
    assert f"{row['products']:,d} multiply-adds" in element.locator("p.news").inner_text()
    assert element.locator("tr.chosen th").inner_text() == "inverted residual"
    boxes = [box.bounding_box() for box in element.locator("svg rect").all()]
    edges = [(box["y"], box["y"] + box["height"]) for box in boxes if box]
    assert all(below[0] > above[1] for above, below in itertools.pairwise(edges))


def test_a_link_holds_the_block_and_its_sizes(stage: Stage) -> None:
    """What a reader has set is in the address, and the address sets it again."""
    element = stage("<lab-blocks></lab-blocks>")
    element.get_by_role("combobox", name="Block").select_option("inception")
    slide(element, "channels", 128)
    slide(element, "window", 5)
    link = address(element.page)
    assert "block=inception&channels=128&size=28&window=5" in link
    assert state(stage("<lab-blocks></lab-blocks>", link=link)) == state(element)
