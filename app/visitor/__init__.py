"""The visitor: where my ticket stands, and why."""
