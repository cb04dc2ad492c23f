"""The interactive figures compute what labkit computes: each is driven, then compared."""

import base64
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page

import labkit as keras
from labkit import activations, stats

pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parents[2] / "docs" / "assets" / "js"
COLORS = {"blue": "#0b6bcb", "orange": "#c2410c", "purple": "#8b3fc7", "grey": "#57606a"}
STYLE = (
    "body { margin: 0 8px; --md-default-fg-color: #000d; --md-default-bg-color: #fff;"
    + "".join(f"--lab-{name}: {value};" for name, value in COLORS.items())
    + "}"
)
Stage = Callable[..., Locator]


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    """Put one element on an empty page; a script error fails the test."""
    faults: list[str] = []
    page = browser.new_page(viewport={"width": 320, "height": 900}, reduced_motion="reduce")
    page.on("pageerror", lambda error: faults.append(str(error)))

    def show(html: str, data: dict[str, Any] | None = None) -> Locator:
        tag = html[1:].partition(">")[0].partition(" ")[0]
        page.set_content(f'<body data-md-color-scheme="default">{html}</body>')
        page.add_style_tag(content=STYLE)
        page.add_script_tag(path=SCRIPTS / "lab.js")
        page.evaluate("given => Object.assign(Lab.data, given)", data or {})
        page.add_script_tag(path=SCRIPTS / f"{tag}.js")
        return page.locator(tag)

    yield show
    page.close()
    assert not faults, faults


def state(element: Locator) -> dict[str, Any]:
    """Return the numbers that the element shows, at full precision."""
    return dict(element.evaluate("element => element.state"))


def slide(element: Locator, name: str, value: float) -> None:
    """Set one of the element's sliders, as a reader's drag does."""
    element.get_by_label(name).fill(str(value))


def packed(array: np.ndarray) -> dict[str, Any]:
    """Return an array as the build writes it for a page."""
    text = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": text}


@pytest.mark.parametrize(
    "name",
    ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "linear"],
)
def test_neuron_equals_labkit(stage: Stage, name: str) -> None:
    """The neuron's sum and output are labkit's, for each activation and sign."""
    element = stage("<lab-neuron></lab-neuron>")
    element.get_by_label("Activation").select_option(name)
    for x1, bias in [(1.25, -0.5), (-2.0, 0.35)]:
        slide(element, "input x₁", x1)
        slide(element, "bias b", bias)
        shown = state(element)
        z = shown["w1"] * x1 + shown["w2"] * shown["x2"] + bias
        assert shown["z"] == pytest.approx(z, abs=1e-6)
        expected = getattr(activations, name)(np.array([z]))[0]
        assert shown["y"] == pytest.approx(float(expected), abs=1e-6)


def test_neuron_boundary_follows_the_keys(stage: Stage) -> None:
    """The line z = 0 goes where arrow keys move its ring; the weights keep their length."""
    element = stage('<lab-neuron weights="1.5 2" bias="-1"></lab-neuron>')
    ring = element.get_by_role("slider", name="Decision boundary")
    before = state(element)
    ring.focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowUp"]:
        ring.press(key)
    after = state(element)
    at = np.array([before["w1"], before["w2"]]) / (before["w1"] ** 2 + before["w2"] ** 2)
    moved = at + np.array([0.1, 0.05])
    assert after["w1"] * moved[0] + after["w2"] * moved[1] + after["b"] == pytest.approx(0)
    assert np.hypot(after["w1"], after["w2"]) == pytest.approx(2.5)


@pytest.mark.parametrize("name", ["MSE", "MAE", "Huber"])
def test_loss_and_descent_equal_labkit(stage: Stage, name: str) -> None:
    """Losses and twenty steps with momentum are those of labkit's losses and SGD."""
    element = stage(f'<lab-loss loss="{name}" rate="0.02" momentum="0.5"></lab-loss>')
    start = state(element)
    x, y = np.array(start["x"])[:, None], np.array(start["y"])[:, None]
    loss = {
        "MSE": keras.losses.MeanSquaredError,
        "MAE": keras.losses.MeanAbsoluteError,
        "Huber": keras.losses.Huber,
    }[name]()
    layer = keras.layers.Dense(1, dtype="float64")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.set_weights([np.array([[start["slope"]]]), np.array([start["bias"]])])
    prediction = np.asarray(model(x))
    assert start[name]["loss"] == pytest.approx(float(loss(y, prediction)), abs=1e-6)
    model.compile(keras.optimizers.SGD(start["rate"], momentum=0.5), loss)
    for _ in range(20):
        model.train_on_batch(x, y)
        element.get_by_role("button", name="Step").click()
    shown = state(element)
    slope, bias = (float(weight.ravel()[0]) for weight in model.get_weights())
    assert (shown["slope"], shown["bias"]) == pytest.approx((slope, bias), abs=1e-6)


def test_loss_says_that_it_diverged(stage: Stage) -> None:
    """A learning rate that is too large ends in a sentence that says so."""
    element = stage('<lab-loss loss="MSE" rate="0.6"></lab-loss>')
    element.get_by_role("button", name="Run").click()
    assert state(element)["diverged"]
    assert "Diverged after" in element.locator("p.news").inner_text()


@pytest.mark.parametrize("tag", ["lab-loss", "lab-layers"])
def test_a_run_can_be_paused(stage: Stage, tag: str) -> None:
    """Run goes on by itself, Pause and Step end that, and Run goes on from there."""
    element = stage(f"<{tag}></{tag}>")
    element.page.emulate_media(reduced_motion="no-preference")
    button = functools.partial(element.get_by_role, "button")
    for stop in ["Pause", "Step"]:
        before = state(element)["steps"]
        button(name="Run").click()
        moved = "([element, before]) => element.state.steps > before"
        element.page.wait_for_function(moved, arg=[element.element_handle(), before])
        button(name=stop).click()
        button(name="Run").wait_for()
        stopped = state(element)["steps"]
        element.page.wait_for_timeout(300)
        assert state(element)["steps"] == stopped


SHAPES = ["linear", "no relation", "curved", "exponential", "outliers", "clusters"]
ANSCOMBE = ["Anscombe I", "Anscombe II", "Anscombe III", "Anscombe IV"]


@pytest.mark.parametrize("shape", SHAPES + ANSCOMBE)
def test_correlation_equals_labkit(stage: Stage, shape: str) -> None:
    """The three coefficients are labkit's, before and after a point was moved."""
    element = stage("<lab-correlation></lab-correlation>")
    element.get_by_label("Shape").select_option(shape)
    point = element.get_by_role("slider", name="Point 1", exact=True)
    for keys in [[], ["Shift+ArrowDown"] * 12 + ["PageDown"]]:
        for key in keys:
            point.press(key)
        shown = state(element)
        for ours, name in [
            (stats.pearsonr, "pearson"),
            (stats.spearmanr, "spearman"),
            (stats.kendalltau, "kendall"),
        ]:
            expected = ours(shown["x"], shown["y"]).statistic
            assert shown[name] == pytest.approx(float(expected), abs=1e-6), name


def test_layers_train_as_labkit_does(stage: Stage) -> None:
    """Thirty steps of Adam from the same weights end in labkit's loss and weights."""
    element = stage('<lab-layers data="spirals" layers="2" units="5" rate="0.02"></lab-layers>')
    start = state(element)
    points = np.array(start["points"])
    layers = [
        keras.layers.Dense(units, activation="tanh", dtype="float64")
        for _, units in start["shapes"][:-1]
    ]
    output = keras.layers.Dense(1, dtype="float64")
    model = keras.Sequential([keras.Input((2,)), *layers, output])
    model.set_weights(
        [
            np.reshape(weight, shape if part == 0 else shape[1:])
            for shape, pair in zip(start["shapes"], start["weights"], strict=True)
            for part, weight in enumerate(pair)
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(start["rate"]), loss)
    target = points[:, 2:]
    assert start["loss"] == pytest.approx(
        float(loss(target, np.asarray(model(points[:, :2])))), abs=1e-6
    )
    for _ in range(30):
        model.train_on_batch(points[:, :2], target)
        element.get_by_role("button", name="Step").click()
    shown = state(element)
    ours = np.concatenate([weight.ravel() for weight in model.get_weights()])
    theirs = np.concatenate([np.ravel(part) for pair in shown["weights"] for part in pair])
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolution_equals_labkit(stage: Stage, stride: int, padding: str) -> None:
    """The output map is that of labkit's Conv2D, for each stride and padding."""
    image = np.random.default_rng(0).random((9, 12), dtype=np.float32)
    element = stage(
        '<lab-convolution data="t#images"></lab-convolution>',
        {"t#images": {"noise": packed(image)}},
    )
    element.get_by_label("Stride").select_option(str(stride))
    element.get_by_label("Padding").select_option(padding)
    element.get_by_label("Kernel row 2, column 3").fill("-0.75")
    shown = state(element)
    layer = keras.layers.Conv2D(1, 3, strides=stride, padding=padding, dtype="float64")
    layer.build((None, 9, 12, 1))
    layer.set_weights([np.reshape(shown["kernel"], (3, 3, 1, 1)), np.zeros(1)])
    expected = np.asarray(layer(image[None, :, :, None].astype("float64")))[0, :, :, 0]
    assert shown["kernel"][5] == -0.75
    assert shown["shape"] == list(expected.shape)
    np.testing.assert_allclose(shown["output"], expected.ravel(), atol=1e-6)
    row, column = shown["at"]
    assert shown["value"] == pytest.approx(float(expected[row, column]), abs=1e-6)


@pytest.fixture(scope="module")
def network(site: Path) -> dict[str, Any]:
    """Return the network of the chapter on CNNs, as its page has it."""
    script = (site / "tutorials/architectures/cnn/network.js").read_text("utf-8")
    name, _, value = script.partition(" = ")
    assert name == 'Lab.data["cnn#network"]'
    return dict(json.loads(value.rstrip(";\n")))


def unpacked(given: dict[str, Any]) -> np.ndarray:
    """Return an array that the build wrote for a page."""
    content = base64.b64decode(given["base64"])
    return np.frombuffer(content, given["dtype"]).reshape(given["shape"])


@pytest.fixture(scope="module")
def model(network: dict[str, Any]) -> keras.Sequential:
    """Return that network as labkit's."""
    layers: list[Any] = [keras.Input(network["input"])]
    weights = []
    for given in network["layers"]:
        settings = {"activation": given.get("activation")}
        if "kernel" in given:
            weights += [unpacked(given["kernel"]), unpacked(given["bias"])]
        if given["type"] == "Conv2D":
            settings |= {"filters": weights[-1].size, "padding": given["padding"]}
            settings |= {"kernel_size": weights[-2].shape[:2]}
        elif given["type"] == "Dense":
            settings |= {"units": weights[-1].size}
        else:
            settings = {"pool_size": given["pool_size"]} if "pool_size" in given else {}
        layers.append(getattr(keras.layers, given["type"])(**settings))
    made = keras.Sequential(layers)
    made.set_weights(weights)
    return made


def compare(shown: dict[str, Any], model: keras.Sequential) -> None:
    """Hold every layer's output against labkit's on the same input."""
    flow = np.reshape(shown["input"], (1, 16, 16, 1)).astype("float32")
    for layer, theirs in zip(model.layers, shown["layers"], strict=True):
        flow = np.asarray(layer(flow))
        assert theirs["shape"] == list(flow.shape[1:])
        np.testing.assert_allclose(theirs["values"], flow.ravel(), atol=1e-4)
    assert shown["read"] == int(flow.argmax())


def test_digit_layers_equal_labkit(
    stage: Stage, network: dict[str, Any], model: keras.Sequential
) -> None:
    """Every layer's maps and the scores are labkit's, for each test sheet and a drawing."""
    element = stage('<lab-digit data="t#network"></lab-digit>', {"t#network": network})
    predictions = unpacked(network["samples"]["predictions"])
    labels = unpacked(network["samples"]["labels"])
    assert any(predictions != labels)
    for number, predicted in enumerate(predictions, 1):
        element.get_by_label("Input").select_option(index=number)
        shown = state(element)
        compare(shown, model)
        assert shown["read"] == predicted
    board = element.get_by_role("application")
    box = board.bounding_box()
    assert box is not None
    mouse = board.page.mouse
    mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.1 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.9 * box["height"], steps=4)
    mouse.up()
    drawn = state(element)
    assert sum(drawn["input"]) > 3
    compare(drawn, model)


def test_digit_is_drawn_and_erased_by_keyboard(
    stage: Stage, network: dict[str, Any], model: keras.Sequential
) -> None:
    """Arrow keys and space leave ink, Delete erases it, and the page says what is read."""
    element = stage('<lab-digit data="t#network"></lab-digit>', {"t#network": network})
    board = element.get_by_role("application")
    board.focus()
    for key in ["Space", *["ArrowDown"] * 8]:
        board.press(key)
    compare(state(element), model)
    assert sum(state(element)["input"]) > 2
    board.press("Delete")
    assert sum(state(element)["input"]) == 0
    assert "empty" in element.locator("p.news").inner_text()


def test_a_figure_without_its_data_leaves_its_text(stage: Stage) -> None:
    """While a tutorial runs, or where it failed, readers see what stands between the tags."""
    element = stage('<lab-digit data="t#network">The network reads 340 of 360.</lab-digit>')
    assert element.inner_text() == "The network reads 340 of 360."
    assert element.is_visible()


@pytest.mark.parametrize(
    "html",
    [
        "<lab-neuron></lab-neuron>",
        "<lab-loss></lab-loss>",
        "<lab-correlation></lab-correlation>",
        "<lab-layers></lab-layers>",
    ],
)
def test_fits_a_narrow_phone(stage: Stage, html: str) -> None:
    """At 320 pixels nothing sticks out of the page."""
    page: Page = stage(html).page
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320, json.dumps(html)
