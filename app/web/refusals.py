"""Refusals that only a request over HTTP can meet."""

from queue_core.errors import Refusal


class MalformedBody(Refusal):
    """The body is not valid JSON."""


class MalformedRequest(Refusal):
    """This is no request in HTTP/1.1."""


class RequestTooSlow(Refusal):
    """The request did not come to its end in time."""


class HeadTooLarge(Refusal):
    """The request line and its headers are too large."""


class TooManyConnections(Refusal):
    """Too many connections are open; try again in a moment."""


class KeyMissing(Refusal):
    """This request needs an Idempotency-Key, so that it can be repeated safely."""


class AdminDoorShut(Refusal):
    """Only the command line on this machine may ask for this."""


class NoSuchPage(Refusal):
    """There is nothing at this address."""


class MethodNotAllowed(Refusal):
    """This address does not know this method."""


class BodyTooLarge(Refusal):
    """The body is too large."""


class WrongHost(Refusal):
    """This server is not known by this name; its setting FIFTEEN_HOSTS says by which it is."""


class ForeignPage(Refusal):
    """A page of another site asked for this; only our own pages and programs may."""


class NotAcceptable(Refusal):
    """There is no answer in a format that the request accepts."""


class EncodingUnknown(Refusal):
    """The body must be sent in UTF-8 and uncompressed."""


class NotJson(Refusal):
    """The body must be sent as application/json."""


class BadInput(Refusal):
    """The request does not fit its description."""


class BadCursor(Refusal):
    """This cursor did not come from an earlier page of the same list."""


class UnknownVisit(Refusal):
    """There is no such visit; perhaps the address was copied only in part."""


class UnknownDeadLetter(Refusal):
    """The office has no such dead letter; perhaps it was delivered meanwhile."""


class EndpointGone(Refusal):
    """The file of alerts no longer names this endpoint, so nobody can be told."""


class NotTaken(Refusal):
    """The receiver did not take the message; it stays among the dead letters."""


class BackupRefused(Refusal):
    """The backup was not made."""


class InternalError(Refusal):
    """Something broke on our side. Repeat the request with the same idempotency key."""


class NotReady(Refusal):
    """The server is not ready to serve."""
