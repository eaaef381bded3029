"""What can be wrong with a printer, by name and in a sentence for whoever stands in front of it."""

from collections.abc import Mapping
from enum import StrEnum

from app.web.languages import mark, sentence


class Trouble(StrEnum):
    """Why a printer does not print. The names stay as they are: pages and monitors know them."""

    PAPER_OUT = "paper out"
    COVER_OPEN = "cover open"
    CUTTER_STUCK = "cutter stuck"
    FAULT = "fault"
    OUT_OF_REACH = "out of reach"
    SILENT = "does not answer"
    STUCK = "takes nothing"
    NOT_CONNECTED = "not connected"
    FORBIDDEN = "not allowed"
    TAKEN = "in use"
    DISK_FULL = "disk full"
    BUSY = "busy"


SENTENCES: Mapping[Trouble, str] = {
    Trouble.PAPER_OUT: mark("There is no paper in the printer."),
    Trouble.COVER_OPEN: mark("The printer's cover is open."),
    Trouble.CUTTER_STUCK: mark("The printer's knife is stuck."),
    Trouble.FAULT: mark("The printer reports a fault."),
    Trouble.OUT_OF_REACH: mark("The printer cannot be reached over the network."),
    Trouble.SILENT: mark("The printer does not answer any more."),
    Trouble.STUCK: mark("The printer takes nothing."),
    Trouble.NOT_CONNECTED: mark("No printer is connected."),
    Trouble.FORBIDDEN: mark("The print agent may not write to the printer."),
    Trouble.TAKEN: mark("Another program uses the printer."),
    Trouble.DISK_FULL: mark("The disk that tickets are written to is full."),
    Trouble.BUSY: mark("The printer is busy with other tickets."),
}


class NotPrinted(Exception):
    """The printer did not take a ticket, or not all of it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(SENTENCES[trouble])
        self.trouble = trouble


def told(trouble: Trouble, language: str) -> str:
    """The trouble in a sentence."""
    return sentence(SENTENCES[trouble], language)
