"""Padding and cropping compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

FORMS = [1, 0, (2, 1), (0, 3), ((0, 1), (0, 1)), ((2, 0), (1, 3)), [[1, 0], [0, 1]]]
WRONG = [-1, 1.5, (1,), (1, 2, 3), ((1, 2, 3), (1, 2)), ((1, -1), (0, 0)), "same"]


@pytest.mark.parametrize("border", FORMS)
@pytest.mark.parametrize("kind", ["ZeroPadding2D", "Cropping2D"])
def test_both_match_keras(agree: Any, random: np.random.Generator, kind: str, border: Any) -> None:
    """One number, one for each axis, or one for each side: outputs and gradients match Keras."""
    agree(kind, random.normal(size=(2, 7, 8, 2)), border)


@pytest.mark.parametrize("border", WRONG)
@pytest.mark.parametrize("kind", ["ZeroPadding2D", "Cropping2D"])
def test_other_forms_are_refused(kind: str, border: Any) -> None:
    """Any other form is refused with the forms that are accepted."""
    with pytest.raises(ValueError, match=rf"{kind} expects .* one integer >= 0, two, or two pairs"):
        getattr(layers, kind)(border)


def test_cropping_undoes_padding(random: np.random.Generator) -> None:
    """What was padded on each side and then cropped there is the image that it was."""
    x, border = random.normal(size=(2, 3, 4, 2)).astype("float32"), ((1, 0), (2, 3))
    padded = layers.ZeroPadding2D(border)(x)
    np.testing.assert_array_equal(layers.Cropping2D(border)(padded), x)


def test_cropping_leaves_something() -> None:
    """To cut off a whole image is refused, by a layer and in a graph."""
    cut = layers.Cropping2D(((2, 2), (0, 0)))
    for image in (np.zeros((1, 4, 4, 1)), layers.Input((4, 4, 1))):
        with pytest.raises(ValueError, match="Cropping2D expects images larger than"):
            cut(image)
