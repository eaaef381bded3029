"""The hall: what can happen in it, what may be asked of it, and who is next. Values in, values out."""
