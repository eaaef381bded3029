"""Values: what is made once and stays as it was made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, kw_only: bool = False, slots: bool = True) -> Callable[[type[T]], type[T]]:
    """A dataclass that mypy takes for frozen: it refuses whoever assigns to a field.

    At run time nothing does. A dataclass frozen by itself goes through `object.__setattr__` field by field, and every
    command makes a dozen values.
    """
    return dataclass(kw_only=kw_only, slots=slots, unsafe_hash=True)
