"""Disks that break while they are written."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_byte_beyond(size: int) -> Iterator[None]:
    """No file of this process can be written beyond a size: the kernel answers with an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
