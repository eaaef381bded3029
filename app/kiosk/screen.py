"""The kiosk, as a page."""

from app.access import pages

router = pages()
