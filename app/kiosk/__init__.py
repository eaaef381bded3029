"""The kiosk: what can be come for, and a ticket for it."""
