"""What the protocol has no member for: our own extension of status answers and callbacks, under our own domain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import members
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.members import Members


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Codes, a time and a digest: nothing about the person.

    `refusal_code` is set once a request is refused, which the protocol tells as completed. `due_at` is the legal due
    time; `evidence_sha256` is the digest of what an auditor can ask for.
    """

    refusal_code: str | None = None
    due_at: datetime | None = None
    evidence_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.refusal_code is not None and not canonical.is_code(self.refusal_code):
            raise ValueError("refusal_code must be a short lower-case word, found something else.")
        if self.evidence_sha256 is not None and not canonical.is_sha256(self.evidence_sha256):
            raise ValueError("evidence_sha256 must be 64 lower-case hexadecimal digits, found something else.")

    def to_dict(self) -> dict[str, Any]:
        """The members of the extension."""
        return {
            "refusal_code": self.refusal_code,
            "due_time": None if self.due_at is None else members.format_time(self.due_at),
            "evidence_sha256": self.evidence_sha256,
        }


def parse(found: Members, domain: str) -> Outcome | None:
    """The extension under this domain in a status or callback, None without one; raises MessageError."""
    if not found.has("extensions"):
        return None
    extensions = found.object("extensions")
    if not extensions.has(domain):
        return None
    own = extensions.object(domain)
    refusal_code = own.text("refusal_code") if own.has("refusal_code") else None
    if refusal_code is not None and not canonical.is_code(refusal_code):
        raise MessageError(own.name_of("refusal_code"), Reason.WRONG_VALUE, "a short lower-case word")
    evidence_sha256 = own.text("evidence_sha256") if own.has("evidence_sha256") else None
    if evidence_sha256 is not None and not canonical.is_sha256(evidence_sha256):
        raise MessageError(own.name_of("evidence_sha256"), Reason.WRONG_VALUE, "64 lower-case hexadecimal digits")
    due_at = own.time("due_time") if own.has("due_time") else None
    return Outcome(refusal_code=refusal_code, due_at=due_at, evidence_sha256=evidence_sha256)
