"""What the protocol has no member for: our own extension of answers and callbacks, under our own domain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import identities, members
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.identities import IdentityKind
from compliance.opendsr.members import Members

_MAX_ITEMS = 100
_WORD, _DIGEST = "a short lower-case word", "64 lower-case hexadecimal digits"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Codes, a time and a digest: nothing about the person.

    `result` is the word of a request that has ended (completed, partly_completed, refused, withdrawn,
    closed_unverified): the protocol has fewer. `refusal_code` says why nothing was erased, `exceptions` why some models
    were left as they are. `due_at` is the legal due time; `evidence_sha256` is the digest of what an auditor can ask
    for. `ignored_identities` are kinds that were sent and not looked up.
    """

    result: str | None = None
    refusal_code: str | None = None
    exceptions: tuple[str, ...] = ()
    due_at: datetime | None = None
    evidence_sha256: str | None = None
    ignored_identities: tuple[IdentityKind, ...] = ()

    def __post_init__(self) -> None:
        for name, code in (("result", self.result), ("refusal_code", self.refusal_code)):
            if code is not None and not canonical.is_code(code):
                raise ValueError(f"{name} must be {_WORD}, found something else.")
        if not all(map(canonical.is_code, self.exceptions)):
            raise ValueError(f"exceptions must each be {_WORD}, found something else.")
        if self.evidence_sha256 is not None and not canonical.is_sha256(self.evidence_sha256):
            raise ValueError(f"evidence_sha256 must be {_DIGEST}, found something else.")

    def to_dict(self) -> dict[str, Any]:
        """The members of the extension."""
        return {
            "result": self.result,
            "refusal_code": self.refusal_code,
            "exceptions": list(self.exceptions),
            "due_time": None if self.due_at is None else members.format_time(self.due_at),
            "evidence_sha256": self.evidence_sha256,
            "ignored_identities": [kind.to_dict() for kind in self.ignored_identities],
        }


def extensions(outcome: Outcome | None, domain: str) -> dict[str, Any]:
    """The member `extensions` of an answer of the processor at `domain`; nothing without an outcome."""
    return {} if outcome is None else {"extensions": {domain: outcome.to_dict()}}


def parse(found: Members, domain: str) -> Outcome | None:
    """The extension under this domain in an answer or callback, None without one; raises MessageError."""
    if not found.has("extensions"):
        return None
    every = found.object("extensions")
    if not every.has(domain):
        return None
    own = every.object(domain)
    evidence_sha256 = own.text("evidence_sha256") if own.has("evidence_sha256") else None
    if evidence_sha256 is not None and not canonical.is_sha256(evidence_sha256):
        raise MessageError(own.name_of("evidence_sha256"), Reason.WRONG_VALUE, _DIGEST)
    return Outcome(
        result=_code(own, "result"),
        refusal_code=_code(own, "refusal_code"),
        exceptions=_codes(own, "exceptions"),
        due_at=own.time("due_time") if own.has("due_time") else None,
        evidence_sha256=evidence_sha256,
        ignored_identities=_kinds(own, "ignored_identities"),
    )


def _code(own: Members, name: str) -> str | None:
    if not own.has(name):
        return None
    code = own.text(name)
    if not canonical.is_code(code):
        raise MessageError(own.name_of(name), Reason.WRONG_VALUE, _WORD)
    return code


def _codes(own: Members, name: str) -> tuple[str, ...]:
    if not own.has(name):
        return ()
    codes = own.array(name, _MAX_ITEMS)
    if not all(isinstance(code, str) and canonical.is_code(code) for code in codes):
        raise MessageError(own.name_of(name), Reason.WRONG_VALUE, f"an array of which each item is {_WORD}")
    return tuple(codes)


def _kinds(own: Members, name: str) -> tuple[IdentityKind, ...]:
    if not own.has(name):
        return ()
    return tuple(identities.parse_kind(each) for each in own.objects(name, _MAX_ITEMS))
