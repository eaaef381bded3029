"""What can go wrong with a database, in the journal's own words."""


class JournalRefused(Exception):
    """The journal must not be opened. The message names it and says what to do."""


class JournalUnwritable(JournalRefused):
    """The journal's file or its directory must not be written by this user, or by nobody."""


class JournalDamaged(JournalRefused):
    """Something in the journal cannot be what was written. The message names database, office, seq and what to do."""


class PastLost(Exception):
    """What this process knows to be committed is not in the journal, or its file is not there any more.

    Nothing of ours was acknowledged, and nothing may be: the message says what is missing and what to do.
    """


class LostRace(Exception):
    """Another process appended to the same office first; nothing of ours was written."""


class Unkept(Exception):
    """Something that was to be written has no form in this database; nothing was written."""


class JournalFull(Exception):
    """There is no room on the disk; nothing was written."""


class JournalDown(Exception):
    """The database failed or fell silent. Whether anything was written is not known until it answers again."""


class JournalBroken(Exception):
    """The disk failed beneath an open journal. Only a new process, reading it from disk, can be trusted."""
