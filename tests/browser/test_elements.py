"""The interactive figures compute what labkit computes: each is driven, then compared."""

import base64
import functools
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

import labkit as keras
from labkit import activations, stats

from .hands import HANDS, Stroke
from .helpers import PAGE, Stage, address, slide, state

pytestmark = pytest.mark.slow


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
    model.set_weights([np.array([[start["steepness"]]]), np.array([start["bias"]])])
    prediction = np.asarray(model(x))
    assert start[name]["loss"] == pytest.approx(float(loss(y, prediction)), abs=1e-6)
    model.compile(keras.optimizers.SGD(start["rate"], momentum=0.5), loss)
    for _ in range(20):
        model.train_on_batch(x, y)
        element.get_by_role("button", name="Step").click()
    shown = state(element)
    steepness, bias = (float(weight.ravel()[0]) for weight in model.get_weights())
    assert (shown["steepness"], shown["bias"]) == pytest.approx((steepness, bias), abs=1e-6)


def test_loss_says_that_it_diverged(stage: Stage) -> None:
    """A learning rate that is too large ends in a sentence that says so."""
    element = stage('<lab-loss loss="MSE" rate="0.6"></lab-loss>')
    element.get_by_role("button", name="Run").click()
    assert state(element)["diverged"]
    assert "Diverged after" in element.locator("p.news").inner_text()


@pytest.mark.parametrize("tag", ["lab-loss", "lab-layers", "lab-descent"])
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
    write(element, [[(0.4, 0.1), (0.6, 0.9)]])
    drawn = state(element)
    assert sum(drawn["input"]) > 3
    compare(drawn, model)


def curve(corners: Stroke) -> Stroke:
    """Return places on the smooth line through some points, as a hand would write it."""
    if len(corners) < 3:
        return corners
    given = np.array(corners)
    ends = 2 * given[[0, -1]] - given[[1, -2]]
    a, b, c, d = (np.vstack([ends[:1], given, ends[1:]])[i : len(given) - 1 + i] for i in range(4))
    t = np.linspace(0, 1, 5)[:-1, None, None]  # Catmull and Rom, 1974
    rest = (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    smooth = (b + rest / 2).transpose(1, 0, 2).reshape(-1, 2)
    return [tuple(place) for place in [*smooth.tolist(), corners[-1]]]


def write(element: Locator, strokes: list[Stroke]) -> None:
    """Draw strokes on the board with the mouse; a place is given in shares of the board."""
    board = element.get_by_role("application")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box is not None
    mouse = board.page.mouse
    for stroke in strokes:
        for i, (x, y) in enumerate(curve(stroke)):
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if i == 0:
                mouse.down()
        mouse.up()


def test_digit_reads_what_people_draw(stage: Stage, network: dict[str, Any]) -> None:
    """Of natural digits by six hands, large or small, upright or leaning, nine in ten are read."""
    element = stage('<lab-digit data="t#network"></lab-digit>', {"t#network": network})
    wrong = []
    for hand, digits in HANDS.items():
        for digit, strokes in enumerate(digits):
            element.get_by_role("button", name="Clear").click()
            write(element, strokes)
            if (read := state(element)["read"]) != digit:
                wrong.append(f"{hand}: {digit} as {read}")
    assert len(wrong) <= sum(map(len, HANDS.values())) // 10, wrong
    most = max(sum(text.startswith(hand) for text in wrong) for hand in HANDS)
    assert most <= 2, wrong  # nobody's hand is left out


def test_digit_is_prepared_as_the_data_were(stage: Stage, network: dict[str, Any]) -> None:
    """Wherever and however small a drawing is, it fills the 8 rows and at most 6 columns."""
    element = stage('<lab-digit data="t#network"></lab-digit>', {"t#network": network})
    found = []
    for left, top, size in [(0.02, 0.02, 0.9), (0.6, 0.3, 0.3)]:
        element.get_by_role("button", name="Clear").click()
        corners = [(0.0, 0.0), (1.0, 0.0), (0.3, 1.0)]
        write(element, [[(left + size * x, top + size * y) for x, y in corners]])
        sheet = np.reshape(state(element)["input"], (16, 16))
        rows, columns = np.flatnonzero(sheet.any(1)), np.flatnonzero(sheet.any(0))
        assert (rows.min(), columns.min()) == (4, 5)  # in the middle of the sheet
        assert (rows.max(), columns.max()) == (11, 10)
        found.append(sheet)
    assert np.abs(found[0] - found[1]).mean() < 0.02


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
        "<lab-descent></lab-descent>",
        "<lab-fit></lab-fit>",
        "<lab-gradients></lab-gradients>",
        "<lab-shapes></lab-shapes>",
        "<lab-blocks></lab-blocks>",
    ],
)
def test_fits_a_narrow_phone(stage: Stage, html: str) -> None:
    """At 320 pixels nothing sticks out of the page."""
    page: Page = stage(html).page
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320, json.dumps(html)


FIGURES = {
    "lab-neuron": {"w1": -1.25, "f": "tanh"},
    "lab-loss": {"loss": "Huber", "steepness": 1.5, "run": "30x0.02x0.5 5x0.1x0"},
    "lab-correlation": {"shape": "curved", "sample": 7},
    "lab-layers": {"data": "XOR", "units": 3, "weights": 4, "run": "25x0.1 5x0.02"},
    "lab-descent": {"surface": "rotated valley", "rate": 0.003, "show": "Adam", "steps": 120},
    "lab-fit": {"curve": "bell", "degree": 9, "lambda": 0.05, "sample": 4},
    "lab-gradients": {"graph": "weight used twice", "explain": "h", "w": -1.25, "y": 0.3},
    "lab-shapes": {"a": "2x1x3", "b": "4x1"},
    "lab-blocks": {"block": "dense", "channels": 24, "size": 7, "window": 5},
}


@pytest.mark.parametrize("tag", FIGURES)
def test_a_link_opens_the_figure_as_it_was(stage: Stage, tag: str) -> None:
    """What a link says is shown, scrolled to; the copied link says the same again."""
    link = f"#{tag}?{urlencode(FIGURES[tag])}"
    above = '<p style="height: 3000px"></p>'
    element = stage(f"<{tag}></{tag}>{above}", link=link)
    page = element.page
    page.evaluate("document.body.prepend(document.querySelector('p'))")
    element.evaluate("element => element.open()")
    settled = "element => !element.timer"
    page.wait_for_function(settled, arg=element.element_handle())
    assert page.evaluate("scrollY") > 2000
    shown = state(element)
    element.get_by_role("button", name="Copy link").click()
    element.get_by_role("button", name="Link copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{PAGE}#{tag}?")
    given = parse_qs(copied.partition("?")[2])
    for key, value in FIGURES[tag].items():
        assert given[key] == [str(value)]
    again = stage(f"<{tag}></{tag}>", link=copied.removeprefix(PAGE))
    again.page.wait_for_function(settled, arg=again.element_handle())
    assert state(again) == pytest.approx(shown) if tag == "lab-neuron" else state(again) == shown
    assert again.get_by_role("alert").is_hidden()


def test_copying_a_link_puts_it_into_the_address(stage: Stage) -> None:
    """Also when the theme has put the heading above the figure there since the link was opened."""
    link = "#lab-neuron?w1=-1.25"
    element = stage("<lab-neuron></lab-neuron>", link=link)
    element.page.evaluate("history.replaceState(null, '', '#a-heading')")
    element.get_by_role("button", name="Copy link").click()
    element.page.wait_for_function("location.hash.includes('w1=-1.25')")


def test_a_link_holds_moved_points(stage: Stage) -> None:
    """Points that a reader moved are where they were when the link is opened."""
    element = stage("<lab-correlation></lab-correlation>")
    assert address(element.page) == ""
    element.get_by_role("slider", name="Point 1", exact=True).press("Shift+ArrowUp")
    link = address(element.page)
    moved = state(element)["y"]
    again = stage("<lab-correlation></lab-correlation>", link=link)
    assert state(again)["y"] == pytest.approx(moved, abs=1e-3)


def test_a_link_holds_a_drawing_and_a_kernel(stage: Stage, network: dict[str, Any]) -> None:
    """So are a drawing with its place on the sheet, and a kernel with the window's place."""
    data = {"t#network": network, "t#images": {"noise": packed(np.eye(9, dtype=np.float32))}}
    element = stage('<lab-digit data="t#network"></lab-digit>', data)
    write(element, [[(0.3, 0.2), (0.7, 0.2), (0.4, 0.8)]])
    slide(element, "rows down", 2)
    link, drawn = address(element.page), state(element)
    assert state(stage('<lab-digit data="t#network"></lab-digit>', data, link)) == drawn

    html = '<lab-convolution data="t#images"></lab-convolution>'
    element = stage(html, data)
    element.get_by_label("Kernel row 2, column 3").fill("-0.75")
    element.get_by_role("slider").press("Home")
    link, shown = address(element.page), state(element)
    assert shown["at"] == [0, 0]
    assert state(stage(html, data, link)) == shown


@pytest.mark.parametrize(
    ("tag", "query", "wrong"),
    [
        ("lab-neuron", "w1=99", "w1: expected a number from -3 to 3, received “99”"),
        ("lab-neuron", "w3=1", "expected x1, x2, w1, w2, b, f, received “w3”"),
        ("lab-loss", "run=10", "run: expected steps and settings, such as 100x0.03"),
        ("lab-layers", "data=%00", "data: expected XOR, circles, spirals"),
        ("lab-layers", "run=9999999x0.1", "run: expected a number from 1 to"),
        ("lab-correlation", "points=1_2+3", "points: expected points, such as 1.2_3.4"),
        ("lab-descent", "steps=9999", "steps: expected a number from 0 to 2000"),
        ("lab-descent", "show=Adam+Eve", "Nesterov, RMSprop and Adam, received “Eve”"),
        ("lab-descent", "rate=0", "rate: expected a number from 0.0001 to 2"),
        ("lab-fit", "degree=16", "degree: expected a number from 0 to 15"),
        ("lab-fit", "moved=0_0", "moved: expected 2 to 40 points"),
        ("lab-gradients", "y=2", "y: expected a number from 0 to 1"),
        ("lab-shapes", "a=0", "a: expected up to 3 sizes from 1 to 999"),
        ("lab-blocks", "window=9", "window: expected a number from 3 to 7"),
        ("lab-blocks", "block=wide", "block: expected plain, residual, inception"),
    ],
)
def test_a_broken_link_is_refused_in_a_sentence(
    stage: Stage, tag: str, query: str, wrong: str
) -> None:
    """The sentence says what was expected and what came; the figure shows its start."""
    start = state(stage(f"<{tag}></{tag}>"))
    element = stage(f"<{tag}></{tag}>", link=f"#{tag}?{query}")
    assert wrong in element.get_by_role("alert").inner_text()
    assert state(element) == start


def test_a_link_is_for_one_figure_of_several(stage: Stage) -> None:
    """The second of a kind has a name of its own; another anchor is left alone."""
    element = stage("<lab-neuron></lab-neuron><lab-neuron></lab-neuron>", link="#lab-neuron-2?b=2")
    assert [state(one)["b"] for one in element.all()] == [-0.5, 2]
    other = stage("<lab-neuron></lab-neuron>", link="#a-heading")
    other.get_by_label("input x₁").focus()
    other.page.keyboard.press("Tab")
    assert address(other.page) == "#a-heading"


def choose(element: Locator, text: str, name: str = "mine.csv") -> None:
    """Choose a file with this content."""
    content: Any = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    element.locator("input[type=file]").set_input_files(content)


def test_correlation_takes_a_file(stage: Stage) -> None:
    """A reader's own points, whatever their range, give labkit's coefficients; no link has them."""
    element = stage("<lab-correlation></lab-correlation>")
    rng = np.random.default_rng(0)
    x = rng.normal(1000, 50, 30).round(2)
    y = (-3 * x + rng.normal(0, 90, 30)).round(2)
    rows = "\r\n".join(f"{a};{b}".replace(".", ",") for a, b in zip(x, y, strict=True))
    choose(element, f'"height";"weight"\r\n{rows}\r\n\r\n')
    element.get_by_text("30 points of your own").wait_for()
    shown = state(element)
    assert shown["x"] == x.tolist()
    assert shown["y"] == y.tolist()
    assert shown["pearson"] == pytest.approx(float(stats.pearsonr(x, y).statistic))
    assert element.get_by_text("weight").is_visible()
    link = address(element.page)
    assert "points" not in link
    assert "shape" not in link
    choose(element, "\n".join(f"{i},{i * i}" for i in range(1000)))
    element.get_by_text("200 points of your own, drawn from 1000 at random").wait_for()
    assert len(state(element)["x"]) == 200
    element.get_by_label("Shape").select_option("curved")
    assert len(state(element)["x"]) == 24


def test_layers_take_a_dropped_file(stage: Stage) -> None:
    """Own points are scaled to the plane, which is said, and learned."""
    element = stage('<lab-layers layers="0"></lab-layers>')
    text = "x,y,class\n" + "\n".join(f"{i},{100 - i},{int(i > 20)}" for i in range(0, 41, 2))
    element.evaluate(
        """(element, text) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "mine.csv"));
            for (const type of ["dragover", "drop"]) {
                element.dispatchEvent(new DragEvent(type, { dataTransfer, cancelable: true }));
            }
        }""",
        text,
    )
    element.get_by_text("21 points of your own; x₁ from 0.00 to 40.00").wait_for()
    assert state(element)["points"][0] == [-1, 1, 0]
    for _ in range(2):
        element.get_by_role("button", name="Run").click()
    assert state(element)["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("tag", "text", "wrong"),
    [
        ("lab-correlation", "1,2\n3,four\n", "line 2 to hold two numbers, such as 1.5,2"),
        ("lab-correlation", "x,y\n\n1,2,3\n", "line 3 to hold two numbers"),
        ("lab-correlation", "\x89PNG\x00\x1a", "line 1 to hold two numbers"),
        ("lab-correlation", "1,2", "at least 2 points, received “1”"),
        ("lab-correlation", "1,2\n" * 300_000, "at most 1 MB, received 1.2 MB"),
        ("lab-layers", "1,2,0\n3,4,2\n", "line 2 to hold two inputs and a class of 0 or 1"),
        ("lab-layers", "1,2,0\n3,4,0\n5,6,0\n7,8,0", "points of class 0 and of class 1"),
        ("lab-layers", "1,2,0\n1,4,0\n1,6,1\n1,8,1", "a column 1 that varies"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(stage: Stage, tag: str, text: str, wrong: str) -> None:
    """The sentence names the file, the line and what was expected; the figure stays as it was."""
    element = stage(f"<{tag}></{tag}>")
    before = state(element)
    choose(element, text)
    alert = element.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith("mine.csv cannot be used: expected")
    assert wrong in alert.inner_text()
    assert state(element) == before


def test_layers_call_xor_what_the_chapter_on_neurons_does(stage: Stage) -> None:
    """Class 1 is where the signs of the inputs differ."""
    points = np.array(state(stage('<lab-layers data="XOR"></lab-layers>'))["points"])
    assert ((points[:, 0] * points[:, 1] < 0) == (points[:, 2] == 1)).all()


def test_the_chart_of_the_loss_is_not_empty_at_the_start(stage: Stage) -> None:
    """Before the first step it shows the loss as a dot, beside that of a coin toss."""
    element = stage("<lab-layers></lab-layers>")
    assert element.get_by_text("ln 2 = 0.69").is_visible()
    assert element.locator("circle.now").is_visible()


@pytest.mark.parametrize("tag", FIGURES)
def test_a_phone_shows_the_picture_and_its_controls(stage: Stage, tag: str) -> None:
    """At 390 by 844 pixels, below the site's header, both are on one screen."""
    element = stage(f"<{tag}></{tag}>")
    element.page.set_viewport_size({"width": 390, "height": 844})
    element.page.add_style_tag(content="html { font-size: 20px }")  # as the site's
    picture = element.locator(".views").bounding_box()
    controls = [row.bounding_box() for row in element.locator(".sliders, .row").all()]
    assert picture is not None
    bottoms = [box["y"] + box["height"] for box in controls if box]
    assert len(bottoms) == len(controls)
    assert max(bottoms) - picture["y"] < 844 - 60


def swipe(page: Page, places: list[tuple[float, float]]) -> None:
    """Draw a finger over these points of the window."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for i, (x, y) in enumerate(places):
        kind = "touchMove" if i else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)


@pytest.mark.parametrize("tag", ["lab-descent", "lab-fit"])
def test_a_finger_drags_a_mark_or_scrolls_the_page(stage: Stage, tag: str) -> None:
    """On a mark it moves that alone; beside it, on the same picture, it moves the page alone."""
    element = stage(f"<{tag}></{tag}>")
    page = element.page
    page.evaluate("document.body.append(document.createElement('p'))")
    page.add_style_tag(content="p { height: 3000px }")
    start = state(element)
    mark = element.locator(".handle .mark").first.bounding_box()
    picture = element.locator("figure").bounding_box()
    assert mark is not None
    assert picture is not None
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    swipe(page, [(x, y), (x + 10, y + 5), (x + 30, y + 30), (x + 40, y + 60)])
    moved = state(element)
    assert moved != start
    assert page.evaluate("scrollY") == 0
    now = element.locator(".handle .mark").first.bounding_box()
    assert now is not None
    assert (now["x"] - mark["x"], now["y"] - mark["y"]) == pytest.approx((40, 60), abs=1)
    x, y = picture["x"] + picture["width"] * 0.6, picture["y"] + 240
    swipe(page, [(x, y), (x, y - 30), (x, y - 80), (x, y - 130)])
    assert page.evaluate("scrollY") > 50
    assert state(element) == moved
