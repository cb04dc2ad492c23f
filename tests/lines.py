"""Count labkit's lines of code and fail where it grows beyond what one sitting can read.

Usage: python tests/lines.py. Docstrings, comments and blank lines do not count;
labkit/site, which builds the site, is printed but has no limit.
"""

import ast
import sys
import tokenize
from pathlib import Path

LABKIT = Path(__file__).resolve().parent.parent / "labkit"
LIBRARY_LIMIT = 2500
MODULE_LIMIT = 300
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def count(path: Path) -> int:
    """Count the lines that hold code: any token but comments, layout and docstrings."""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    lines = {
        line
        for token in tokens
        if token.type not in _LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def main() -> int:
    """Print a table and return 1 where a limit is passed."""
    counts = {path.relative_to(LABKIT.parent): count(path) for path in LABKIT.rglob("*.py")}
    site = {path for path in counts if path.parts[1] == "site"}
    for path in sorted(counts, key=lambda path: (path in site, path)):
        print(f"{counts[path]:5d}  {path}")
    library = sum(counts[path] for path in counts.keys() - site)
    print(f"{library:5d}  labkit without labkit/site (limit {LIBRARY_LIMIT})")
    faults = [
        f"{path}: {lines} lines, limit {MODULE_LIMIT}"
        for path, lines in counts.items()
        if lines > MODULE_LIMIT and path not in site
    ]
    if library > LIBRARY_LIMIT:
        faults.append(f"labkit: {library} lines, limit {LIBRARY_LIMIT}")
    print(*faults, sep="\n", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
