"""Extensions of Python-Markdown that put what tutorials gave into pages."""
