"""A simulator that drives the HTTP API as an office's kiosks and operators would, and knows nothing else of it."""
