"""The visitor's own page, as a page."""

from app.access import pages

router = pages()
