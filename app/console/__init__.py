"""The console: an operator at a counter."""
