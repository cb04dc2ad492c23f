"""Runs tutorials and keeps what they gave; knows neither MkDocs nor Markdown."""
