"""The theme `labkit`: Material for MkDocs, with the book's templates before its own.

MkDocs imports a theme before it loads any plugin, so this is the one place that can set what
packages ask the environment for at their import.
"""

import os

# Material prints a notice of its end of life above each build, as if it were about the user's
# book. It asks for this variable, and says nothing then.
os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
# nbconvert, which mkdocs-jupyter imports, makes one of each of its exporters only to list their
# names, in 0.7 s. With this variable it lists them without.
os.environ.setdefault("NBCONVERT_DISABLE_CONFIG_EXPORTERS", "1")
