"""The supervisor: the office itself, its days and its whole record."""
