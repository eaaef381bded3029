"""What a command says when it cannot do what it was asked."""


class Sorry(Exception):
    """The command failed for a reason that its user can do something about. The message says it; no traceback helps."""
