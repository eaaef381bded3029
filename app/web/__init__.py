"""What the rooms share at the edge to HTTP: shapes, inputs, problems, languages."""
