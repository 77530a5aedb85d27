"""What each letter holds: one dataclass a kind. A field without a default is mandatory, and must not be empty.

Source: Art. 12(3) GDPR (answer, extension with its reasons), 12(4) (reasons, authority, court), 19 (recipients), 77, 79.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_type_hints

from compliance.evidence.verdict import Result
from compliance.law.provisions import Provision
from compliance.letters.errors import MissingPartError


class Assurance(StrEnum):
    """How sure it is that a method removed what it was to remove."""

    EXACT = "exact"
    CERTIFIED = "certified"
    APPROXIMATE = "approximate"
    SUPPRESSION = "suppression"


class NextStep(StrEnum):
    """What happens after a request arrived."""

    IDENTITY = "identity"
    REVIEW = "review"


class Text(str):
    """Words of staff, of several lines perhaps. Each line becomes a paragraph; control characters become spaces."""

    __slots__ = ()


NO_TEXT = Text()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What every letter holds. `contact` is where to ask: an address, a page. `is_gdpr` false leaves articles out."""

    request_id: str
    received_date: date
    controller: str
    contact: str
    is_gdpr: bool = True


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """Art. 77 and 79 GDPR: the authority, with an address, and the court."""

    authority: str
    court: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One model that was changed. `result` is that of its audits; dates are those of the version in service."""

    model: str
    n_records: int
    assurance: Assurance
    result: Result
    in_service_date: date
    older_until_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class Remaining:
    """One model that keeps the person's records, and the reason that the law gives for it."""

    model: str
    n_records: int
    reason: Provision


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The request arrived: when it will be answered, and what happens until then."""

    frame: Frame
    due_date: date
    next_step: NextStep


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A one-time code, with the receipt."""

    frame: Frame
    due_date: date
    code: str
    minutes: int


@dataclass(frozen=True, kw_only=True)
class IdentityReminder:
    """The address is not confirmed yet."""

    frame: Frame
    answer_by_date: date


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is needed to find the person's data."""

    frame: Frame
    question: Text


@dataclass(frozen=True, kw_only=True)
class Extension:
    """The answer takes longer: the old date, the new one, and why."""

    frame: Frame
    due_date: date
    new_due_date: date
    reasons: tuple[Provision, ...]


@dataclass(frozen=True, kw_only=True)
class Completed:
    """Every model that held the person was changed. No outcomes: none held them."""

    frame: Frame
    closed_date: date
    ground: Provision
    remedies: Remedies
    outcomes: tuple[Outcome, ...] = ()
    n_not_concerned: int = 0
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PartlyCompleted:
    """Some models were changed, others were not: Art. 12(4) holds for those."""

    frame: Frame
    closed_date: date
    ground: Provision
    remaining: tuple[Remaining, ...]
    remedies: Remedies
    facts: Text = NO_TEXT
    outcomes: tuple[Outcome, ...] = ()
    n_not_concerned: int = 0
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Nothing is done: why, and what the person can do about it."""

    frame: Frame
    decided_date: date
    reasons: tuple[Provision, ...]
    remedies: Remedies
    facts: Text = NO_TEXT


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """The person took the request back."""

    frame: Frame
    closed_date: date


@dataclass(frozen=True, kw_only=True)
class ClosedUnverified:
    """Nobody showed that the address is theirs: a refusal, so Art. 12(4) holds."""

    frame: Frame
    closed_date: date
    reasons: tuple[Provision, ...]
    remedies: Remedies


Parts = (
    Receipt
    | Identity
    | IdentityReminder
    | Question
    | Extension
    | Completed
    | PartlyCompleted
    | Refused
    | Withdrawn
    | ClosedUnverified
)
KINDS: Mapping[str, type[Parts]] = MappingProxyType(
    {
        "receipt": Receipt,
        "identity": Identity,
        "identity_reminder": IdentityReminder,
        "question": Question,
        "extension": Extension,
        "completed": Completed,
        "partly_completed": PartlyCompleted,
        "refused": Refused,
        "withdrawn": Withdrawn,
        "closed_unverified": ClosedUnverified,
    }
)


def mandatory(of: type) -> Iterator[str]:
    """The dotted names of all parts that must not be empty, in order: `frame.contact`, `reasons`, …"""
    kinds = get_type_hints(of)
    for field in fields(of):
        if not _is_mandatory(field):
            continue
        if is_dataclass(kinds[field.name]) and kinds[field.name] is not Provision:
            yield from (f"{field.name}.{name}" for name in mandatory(kinds[field.name]))
        else:
            yield field.name


def refuse_incomplete(kind: str, parts: object, path: str = "") -> None:
    """Raises MissingPartError that names the first part of `parts` that is missing or empty, at any depth."""
    if isinstance(parts, tuple):
        for number, member in enumerate(parts):
            refuse_incomplete(kind, member, f"{path}{number}.")
        return
    if not is_dataclass(parts) or isinstance(parts, Provision):
        return
    for field in fields(parts):
        value = getattr(parts, field.name)
        if _is_mandatory(field) and _is_empty(value):
            raise MissingPartError(kind, f"{path}{field.name}")
        refuse_incomplete(kind, value, f"{path}{field.name}.")


def _is_mandatory(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _is_empty(value: object) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())
