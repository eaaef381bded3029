"""The hall as pure values: examples, laws, and a machine of random wishes."""
