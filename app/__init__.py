"""The house around the hall: journal, engine, API and screens."""
