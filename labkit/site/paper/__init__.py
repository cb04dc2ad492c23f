"""The whole book as one document, for paper and for readers of books, from a built site."""
