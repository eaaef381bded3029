"""The board: what everybody in the hall may see."""
