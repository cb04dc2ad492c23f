"""What a cell gives is shown, or it is an error: each kind of output."""

import base64
import io
from typing import Any

import pytest
from nbformat import NotebookNode, from_dict
from PIL import Image

from labkit.site.core.figures import figures
from labkit.site.core.outputs import OutputError, check
from labkit.site.core.schedule import RunError

from ..pages import SVG, code, last, printed, shown

FIGURE = "<Figure size 640x480 with 1 Axes>"
PANDAS = (
    "<div>\n<style scoped>\n td {}\n</style>\n<table border='1' class='dataframe'><thead>"
    "<tr style='text-align: right;'><th></th><th>n</th></tr></thead><tbody><tr><th>0</th>"
    "<td>2</td></tr></tbody></table>\n</div>"
)


def checked(*outputs: dict[str, Any], **metadata: Any) -> NotebookNode:
    """Return a cell with these outputs, checked."""
    cell = from_dict(code("f()", *outputs, **metadata))  # type: ignore[no-untyped-call]
    check(cell)
    return cell  # type: ignore[no-any-return]


def picture(kind: str, size: tuple[int, int] = (40, 20)) -> str:
    """Return an image of pixels in base64."""
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, kind)
    return base64.b64encode(file.getvalue()).decode() + "\n"


def data(cell: NotebookNode) -> list[dict[str, str]]:
    """Return what each output of a cell holds."""
    return [dict(output.data) for output in cell.outputs]


@pytest.mark.parametrize(("kind", "suffix"), [("png", "png"), ("jpeg", "jpg")])
def test_an_image_is_a_figure_with_its_size(kind: str, suffix: str) -> None:
    """Its width and height are those of the image, or smaller if it was made for sharp screens."""
    (figure,) = figures(checked(last(plain="<Image>", **{kind: picture(kind)})), "a")
    assert (figure.file, figure.width, figure.height) == (f"a.{suffix}", 40, 20)
    assert isinstance(figure.content, bytes)
    assert figure.dark is None
    sharp = last(**{kind: picture(kind)})
    sharp["metadata"] = {f"image/{kind}": {"width": 20, "height": 10}}
    (figure,) = figures(checked(sharp), "a")
    assert (figure.width, figure.height) == (20, 10)


def test_of_a_pillow_image_one_file_is_kept() -> None:
    """Pillow offers two: the one without losses is taken."""
    cell = checked(last(plain="<PIL.Image.Image>", png=picture("png"), jpeg=picture("jpeg")))
    assert data(cell)[0].keys() == {"image/png", "text/plain"}


def test_a_figure_that_is_drawn_and_the_last_expression_appears_once() -> None:
    """Two figures that a cell draws alike on purpose both stay."""
    assert len(checked(last(plain=FIGURE, svg=SVG), shown(plain=FIGURE, svg=SVG)).outputs) == 1
    assert len(checked(shown(svg=SVG), shown(svg=SVG)).outputs) == 2
    png = picture("png")
    assert len(checked(last(png=png), shown(png=png)).outputs) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[<matplotlib.lines.Line2D at 0x7f2a4c0d5e10>]",
        "Text(0.5, 1.0, 'title')",
        "<Axes: title={'center': 'a'}>",
        "<BarContainer object of 3 artists>",
    ],
)
def test_what_drawing_returns_is_left_out_beside_the_figure(text: str) -> None:
    """Where nothing is drawn, it is shown."""
    assert len(checked(last(plain=text), shown(plain=FIGURE, svg=SVG)).outputs) == 1
    assert len(checked(last(plain=text)).outputs) == 1


def test_a_result_beside_a_figure_is_kept() -> None:
    """Only what drawing returned is needless."""
    cell = checked(last(plain="0.97"), shown(plain=FIGURE, svg=SVG))
    assert data(cell)[0] == {"text/plain": "0.97"}


def test_html_is_kept_without_what_a_page_forbids() -> None:
    """Styles, classes and ids go; text, links and tables stay, and are well formed."""
    markup = (
        '<p class="a" id="b" style="color: red"><b>bold <i>both</b></i> '
        '<a href="https://example.org" onclickk>link</a></p><!-- note --><table><tr><td>open'
    )
    with pytest.raises(OutputError, match="HTML with onclickk="):
        checked(last(plain="<HTML object>", html=markup))
    (given,) = data(checked(last(plain="<HTML object>", html=markup.replace(" onclickk", ""))))
    assert given["text/html"] == (
        '<p><b>bold <i>both</i></b> <a href="https://example.org">link</a></p>'
        "<table><tbody><tr><td>open</td></tr></tbody></table>"
    )


def test_a_data_frame_is_a_table() -> None:
    """A header without a name is a cell, which screen readers do not announce as one."""
    (given,) = data(checked(last(html=PANDAS, plain="   n\n0  2")))
    assert "<tr><td></td><th>n</th></tr>" in given["text/html"]
    assert "style" not in given["text/html"]
    assert "class" not in given["text/html"]


@pytest.mark.parametrize(
    "markup",
    [
        "<style>.sk {}</style><div class='sk'>LogisticRegression</div>",
        "<div><script>run()</script>LogisticRegression</div>",
        "<div onclick='run()'>LogisticRegression</div>",
        "<input type='checkbox'><label>LogisticRegression</label>",
        "<svg><path/></svg>",
    ],
)
def test_an_estimator_is_shown_as_its_text(markup: str) -> None:
    """A diagram that needs scripts or styles says no more than the text beside it."""
    cell = checked(last(html=markup, plain="LogisticRegression()"))
    assert data(cell) == [{"text/plain": "LogisticRegression()"}]


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ("<script>run()</script>", "HTML with <script>"),
        ("<iframe src='https://example.org'></iframe>", "HTML with <iframe>"),
        ("<video src='a.mp4'></video>", "HTML with <video>"),
        ("<img src='https://example.org/a.png'>", "HTML with <img>"),
        ("<p onclick='f()'>text</p>", "HTML with onclick="),
        ("<a href='javascript:f()'>text</a>", "HTML with a link to 'javascript:f()'"),
        ("<a href='../a.md'>text</a>", "HTML with a link to '../a.md'"),
        ("<style>p {}</style>", "HTML with <style>"),
        ("<p> </p>", "HTML without text"),
    ],
)
def test_html_that_would_show_something_else_is_an_error(markup: str, what: str) -> None:
    """The message says what stands in the way."""
    with pytest.raises(OutputError, match="shows HTML") as error:
        checked(last(html=markup, plain="<IPython.core.display.HTML object>"))
    assert what in str(error.value)


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.plotly.v1+json",
        "application/vnd.jupyter.widget-view+json",
        "application/javascript",
        "application/json",
        "video/mp4",
        "image/gif",
    ],
)
def test_what_a_page_cannot_show_is_an_error(kind: str) -> None:
    """The message names the kind, even where a text stands beside it."""
    output = last(plain="Figure()", html="<b>x</b>")
    output["data"][kind] = "{}"
    with pytest.raises(OutputError) as error:
        checked(output)
    assert f"shows {kind}" in str(error.value)


def test_of_several_kinds_the_best_is_kept() -> None:
    """A summary of statsmodels has LaTeX beside HTML; a formula of SymPy an image."""
    (given,) = data(checked(last(html="<b>b</b>", latex="$b$", plain="b")))
    assert given == {"text/html": "<b>b</b>", "text/plain": "b"}
    (given,) = data(checked(last(latex="$b$", png=picture("png"), plain="b")))
    assert given == {"text/latex": "$b$", "text/plain": "b"}


@pytest.mark.parametrize(
    "svg",
    ['<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="9"/>', "<p>no drawing</p>", "x"],
)
def test_a_drawing_that_is_none_is_an_error_of_the_run(svg: str) -> None:
    """The page must not be the first to notice."""
    with pytest.raises(OutputError, match="the cell that starts here shows an SVG drawing"):
        checked(shown(svg=svg))


def test_an_image_that_cannot_be_read_is_an_error() -> None:
    """It would be a broken picture on the page."""
    with pytest.raises(OutputError, match="an image that cannot be read"):
        checked(shown(png="bm8gaW1hZ2U="))


def test_no_control_character_reaches_a_page() -> None:
    """Whatever the kind of the output."""
    cell = checked(
        printed("\x1b[31mred\x1b[0m \x02wzxhzdk:0\x03"),
        shown(html="<b>a\x02\x03</b>"),
        shown(markdown="*b*\x02"),
        shown(plain="c\x00"),
    )
    assert cell.outputs[0].text == "red wzxhzdk:0"
    assert [*map(dict, (output.data for output in cell.outputs[1:]))] == [
        {"text/html": "<b>a</b>"},
        {"text/markdown": "*b*"},
        {"text/plain": "c"},
    ]


def test_addresses_of_objects_are_left_out() -> None:
    """They differ in each run; the rest of an object's text is shown."""
    cell = checked(last(plain="<History object at 0x7f2a4c0d5e10>"))
    assert data(cell) == [{"text/plain": "<History object>"}]


HEAVY = SVG.replace("</svg>", "<path/>" * 75_000 + "</svg>")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (shown(svg=HEAVY), "a figure of the cell that starts here weighs 525 KB"),
        (printed("number\n" * 20_000), "prints 140 KB, and 100 KB is the most"),
        (printed("n" * 400_000 * 7), "prints 2.8 MB"),
        (last(plain="n" * 100_001), "prints 100 KB"),
        (shown(html=f"<p>{'n' * 100_001}</p>"), "prints 100 KB"),
    ],
)
def test_what_weighs_too_much_is_an_error(output: dict[str, Any], message: str) -> None:
    """It says how much it is and what to do; a cell may be allowed it."""
    with pytest.raises(OutputError) as error:
        checked(output)
    assert message in str(error.value)
    assert 'tags=["heavy"]' in str(error.value)
    assert checked(output, tags=["heavy"]).outputs


def test_a_progress_bar_weighs_what_is_left_of_it() -> None:
    """Each of its states is written over the last."""
    assert checked(printed("\r".join(["|####      |"] * 20_000))).outputs[0].text == "|####      |"


REAL = {
    "image": ("from PIL import Image\nImage.new('RGB', (8, 8), 'red')", ["image/png"]),
    "html": ("from IPython.display import HTML\nHTML('<b>bold</b>')", ["text/html"]),
    "latex": ("from IPython.display import Latex\nLatex('$x$')", ["text/latex"]),
    "markdown": ("from IPython.display import Markdown\nMarkdown('*x*')", ["text/markdown"]),
    "sized": (
        "from IPython.display import SVG\n"
        'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"/>\')',
        ["image/svg+xml"],
    ),
    "frame": ("import pandas as pd\npd.DataFrame({'a': [1]})", ["text/html"]),
    "styler": ("pd.DataFrame({'a': [1]}).style.highlight_max()", ["text/html"]),
    "series": ("pd.Series([1])", ["text/plain"]),
    "once": (
        "import matplotlib.pyplot as plt\nfigure, ax = plt.subplots()\nax.plot([1, 2])\nfigure",
        ["image/svg+xml"],
    ),
    "line": ("plt.plot([1, 2])", ["image/svg+xml"]),
    "png": (
        "from matplotlib_inline.backend_inline import set_matplotlib_formats\n"
        "set_matplotlib_formats('png')\nplt.plot([1, 2])\nplt.title('t')",
        ["image/png"],
    ),
    "summary": (
        "import numpy as np\nimport statsmodels.api as sm\nx = np.arange(20.0)\n"
        "sm.OLS(3 * x + np.cos(x), sm.add_constant(x)).fit().summary()",
        ["text/html"],
    ),
    "estimator": (
        "from sklearn.linear_model import LogisticRegression\nLogisticRegression()",
        ["text/plain"],
    ),
}


@pytest.mark.slow
def test_what_packages_give(repository: Any) -> None:
    """Cases 04, 09 and 11: packages change what they offer, so each is asked for it."""
    cells = [f'# %% label="{name}" alt="x"\n{source}' for name, (source, _) in REAL.items()]
    repository.tutorial("pond", *cells)
    repository.run()
    ran = repository.cache.lookup(repository.find()["pond"])
    shown_kinds = {
        cell.metadata.label: [
            kind for output in cell.outputs for kind in output.data if kind != "text/plain"
        ]
        or ["text/plain"]
        for cell in ran.cells
        if any("data" in output for output in cell.outputs)
    }
    assert shown_kinds == {name: kinds for name, (_, kinds) in REAL.items()}
    by_label = {cell.metadata.label: cell.outputs[0].data for cell in ran.cells}
    assert by_label["summary"]["text/html"].count("<table>") == 3
    assert by_label["estimator"]["text/plain"] == "LogisticRegression()"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "from IPython.display import display\n"
            "display({'application/vnd.plotly.v1+json': {}}, raw=True)",
            "pond.py:2: the cell that starts here shows application/vnd.plotly.v1+json",
        ),
        (
            "import matplotlib.pyplot as plt\nimport numpy as np\n"
            "plt.scatter(*np.random.default_rng(0).normal(size=(2, 50_000)), s=1)",
            "pond.py:2: a figure of the cell that starts here weighs 5.3 MB",
        ),
    ],
)
def test_a_run_fails_with_the_line_of_its_cell(repository: Any, source: str, message: str) -> None:
    """Cases 09 and 21: what no page can show, and what is too heavy for one."""
    repository.tutorial("pond", source)
    with pytest.raises(RunError) as error:
        repository.run()
    assert message in str(error.value)
