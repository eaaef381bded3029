"""`python -m app`: the command line."""

from app.command_line import main

main()
