"""The clips that a board speaks with: what each says, and how ours were made."""
