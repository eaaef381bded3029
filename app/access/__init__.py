"""Who asks, and whether they may. For now everybody may, and nobody has a name."""

from app.access.actor import Actor, pages, room
from app.access.keys import Keys
from app.access.tokens import VisitTokens

__all__ = ["Actor", "Keys", "VisitTokens", "pages", "room"]
