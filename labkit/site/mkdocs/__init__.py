"""The MkDocs plugin with its theme: the only part of the book that imports MkDocs."""
