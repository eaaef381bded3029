"""What repeated requests are answered with, compared with the facts that were the answer."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from app.journal.difference import Difference
from app.journal.journal import Answered
from app.journal.recorded import Recorded
from queue_core.hall import Hall, Session
from queue_core.tickets import Ticket


@dataclass(slots=True)
class _Command:
    """The facts in a row that were recorded under one key: what one command came to."""

    key: str
    at: datetime
    ticket: str | None = None
    seq: int = 0
    answered_at: int | None = None


class Replies:
    """One office's answers beside its journal as that is folded again.

    `answers` are those that the office had at fact `head`; a key that was used since `kept_since` has its answer.
    """

    def __init__(self, answers: Iterable[Answered], head: int, kept_since: datetime) -> None:
        self._head, self._kept_since = head, kept_since
        self._at: dict[int, list[Answered]] = defaultdict(list)
        for answer in answers:
            self._at[answer.seq].append(answer)
        self._seq_of = {answer.key: answer.seq for at_once in self._at.values() for answer in at_once}
        self._command: _Command | None = None

    def follow(self, hall: Hall, line: Recorded, ticket: Ticket | None) -> None:
        """One more line, which the hall has taken in; a Difference when somebody would be answered with another."""
        if self._command and self._command.key != line.key:
            self._end(hall)
        if line.key is not None:
            command = self._command = self._command or _Command(line.key, line.fact.at)
            command.seq, command.ticket = line.seq, ticket.id if ticket else command.ticket
        for answer in self._at.pop(line.seq, ()):
            self._compare(hall, answer)

    def finish(self, hall: Hall) -> None:
        """At the head: every key has its answer, and no answer is about facts that are not there."""
        self._end(hall)
        if self._at:
            raise Difference(
                f"office {hall.office_id}: somebody was answered with fact {min(self._at)}, which is not there"
            )

    def _compare(self, hall: Hall, answer: Answered) -> None:
        where = f"office {hall.office_id}, the answer to key {answer.key}"
        command = self._command if self._command and self._command.key == answer.key else None
        if command:
            command.answered_at = answer.seq
        if answer.ticket_id != (command.ticket if command else None):
            raise Difference(f"{where}: is about ticket {answer.ticket_id}, which its facts are not about")
        if answer.at != hall.last_at:
            raise Difference(f"{where}: has another time than its fact {answer.seq}")
        if answer.session is not None:
            self._compare_session(hall, answer.session, where)

    def _compare_session(self, hall: Hall, told: str, where: str) -> None:
        try:
            session = msgspec.json.decode(told, type=Session)
        except msgspec.DecodeError as error:
            raise Difference(f"{where}: the session at the counter cannot be read") from error
        if session != replace(hall.session(session.counter), before_step=None):
            raise Difference(f"{where}: the counter {session.counter} stood otherwise")

    def _end(self, hall: Hall) -> None:
        """The facts of a command are complete: its answer was at the last of them."""
        command, self._command = self._command, None
        if command is None or command.seq > self._head:
            return
        used_again = self._seq_of.get(command.key, 0) > command.seq
        if (
            command.answered_at != command.seq
            and not used_again
            and (command.answered_at is not None or command.at >= self._kept_since)
        ):
            raise Difference(f"office {hall.office_id}, fact {command.seq}: its key {command.key} has no answer")
