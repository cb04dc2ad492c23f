"""The font of formulas, as small as it can be.

Where a system has no font with an OpenType MATH table, subscripts hang low and brackets do not
grow. STIX Two Math has one and may be passed on (SIL Open Font License); the package ziamath
carries it. A page gets the glyphs that formulas use, some 35 of 1,500 KB.
"""

import hashlib
from importlib.metadata import distribution, version
from io import BytesIO
from pathlib import Path

PATH = "assets/math.woff2"  # on the site; site.css names it


# Upright letters and Greek ones, bold, italic, italic Greek.
_RANGES = [(" ", "~"), ("Γ", "Ω"), ("α", "ω"), ("𝐀", "𝐳"), ("𝐴", "𝑧"), ("𝛢", "𝜛")]
_LETTERS = [chr(code) for first, last in _RANGES for code in range(ord(first), ord(last) + 1)]
CHARACTERS = (
    "".join(filter(str.isprintable, _LETTERS))  # Unicode has holes
    + "ℎℓℒℝℕℤ′…⋯⋮−×·⋅∗∘±∓⊙⊤√∂∇∑∏∫∞≤≥≠≈∼∝≔∈∉∪∩⊂⊆→←↔⇒∀∃¬∣‖⟨⟩⌈⌉⌊⌋⏞⏟ˆ¯˜˙\u0332\u00a0"
    + "\u2061\u2062\u2063"  # invisible: a function's application, a product, a separator
)


def font(folder: Path) -> bytes:
    """Return the font as WOFF 2.

    Args:
        folder: Where it is kept for the next build, as making it takes half a second.
    """
    facts = repr((version("fonttools"), version("ziamath"), CHARACTERS))
    kept = folder / f"math-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.woff2"
    if kept.is_file():
        return kept.read_bytes()
    content = _subset(
        str(distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf"))
    )
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return content


def _subset(path: str) -> bytes:
    """Return a font's glyphs for the characters, with its name, its license and MATH table.

    Letters drawn anew for exponents (`ssty`) would double the size.
    """
    from fontTools import subset  # takes a sixth of a second, and nearly every build has the font

    options = subset.Options(
        flavor="woff2",
        layout_features=[],
        hinting=False,
        glyph_names=False,
        name_IDs=[0, 1, 2, 13, 14],
        drop_tables=[*subset.Options().drop_tables, "GPOS"],
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=CHARACTERS)
    file = BytesIO()
    with subset.load_font(path, options) as made:
        subsetter.subset(made)
        subset.save_font(made, file, options)
    return file.getvalue()
