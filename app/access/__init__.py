"""Who asks, and whether they may. For now everybody may, and nobody has a name."""

from app.access.actor import Actor, room

__all__ = ["Actor", "room"]
