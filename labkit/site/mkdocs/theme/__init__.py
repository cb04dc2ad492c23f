"""The theme `labkit`: Material for MkDocs, with the book's templates before its own.

MkDocs imports a theme before it loads any plugin, so this is the one place that can answer
Material's notice of its end of life, which would stand above each build as if it were about the
user's book. Material asks for this variable, and says nothing then.
"""

import os

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
