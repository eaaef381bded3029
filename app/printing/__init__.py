"""Printing where the kiosk stands: a small agent on the kiosk's machine that writes tickets to a receipt printer."""
