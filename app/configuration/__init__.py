"""An office's description as people write it, in a TOML file or as JSON, and the office that it describes."""

from app.configuration.descriptions import EXAMPLE, document_of, office_of, read_document, read_office
from app.configuration.flaws import BadDescription, Flaw

__all__ = [
    "EXAMPLE",
    "BadDescription",
    "Flaw",
    "document_of",
    "office_of",
    "read_document",
    "read_office",
]
