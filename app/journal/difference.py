"""What a verification finds."""


class Difference(Exception):
    """The first thing that is not as the journal says."""
