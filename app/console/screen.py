"""The operator's console, as a page."""

from app.access import pages

router = pages()
