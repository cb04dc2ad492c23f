"""The book's colors by their role: on the light page and, with the same role, on the dark one.

Figures, their dark twins, the site's stylesheet and the interactive figures take theirs from
here; a test holds them together. Text and marks keep a contrast of at least 4.5:1 with their
page, so that lines and labels may share them.
"""

PALETTE = {
    "ink": ("#1f2328", "#e3e6eb"),  # text and axes
    "grid": ("#d0d7de", "#3d444f"),
    "paper": ("#ffffff", "#1a1d24"),
    "blue": ("#0b6bcb", "#6cb2ff"),
    "orange": ("#c2410c", "#ff9a5c"),
    "green": ("#0f7b55", "#4fcf9d"),
    "purple": ("#8b3fc7", "#cf9bff"),
    "red": ("#b3261e", "#ff8f86"),
    "grey": ("#57606a", "#a4adb8"),
}
"""For each role the light color and the dark one."""
