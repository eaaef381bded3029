"""The board in the hall, as a page."""

from app.access import pages

router = pages()
