"""The supervisor's pages, as a page."""

from app.access import pages

router = pages()
