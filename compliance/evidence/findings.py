"""Findings as they are signed and ledgered: numbers that survive JSON, names and sentences from narrow alphabets.

A finding is about a model and a request, never about a person. Text is short, printable and has no `@`; keys are
fixed; numbers are finite. What does not fit is refused here, before anything is signed, and never repeated in the
message of the refusal.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Self

from compliance.evidence import canonical
from compliance.evidence.errors import EvidenceMalformedError
from compliance.evidence.verdict import Verdict

Number = int | float | str
MAX_TEXT = 300
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_MAX_NUMBER = 10**40
_INTEGER = re.compile(r"-?[1-9][0-9]{15,39}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One result of one audit. `interval` is (low, high) at `level`; `n` says how many of what were used.

    A verdict of pass or fail rests on a value; an inconclusive one has a reason.
    """

    audit: str
    version: str
    statistic: str
    value: Number | None
    threshold: Number
    interval: tuple[Number, Number] | None
    level: Number | None
    p_value: Number | None
    n: Mapping[str, int]
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    details: Mapping[str, Number | str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """A finding from its JSON form; raises EvidenceMalformedError for missing, unknown or ill-typed members."""
        try:
            interval = value["interval"]
            finding = cls(
                audit=value["audit"],
                version=value["version"],
                statistic=value["statistic"],
                value=value["value"],
                threshold=value["threshold"],
                interval=None if interval is None else (interval[0], interval[1]),
                level=value["level"],
                p_value=value["p_value"],
                n=value["n"],
                verdict=Verdict(value["verdict"]),
                reasons=tuple(value["reasons"]),
                details=value.get("details", {}),
            )
            unknown = set(value) - set(finding.to_dict())
        except EvidenceMalformedError:
            raise
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise EvidenceMalformedError("Expected a finding with all its members in their types.") from error
        if unknown:
            raise EvidenceMalformedError(f"A finding holds {len(unknown)} members that are not on the allow-list.")
        return finding

    def to_dict(self) -> Mapping[str, Any]:
        """The JSON form; raises EvidenceMalformedError for values that must not be signed."""
        return self._members

    @cached_property
    def _members(self) -> Mapping[str, Any]:
        if self.verdict not in Verdict.__members__.values():
            raise EvidenceMalformedError(f"verdict: expected one of {', '.join(Verdict)}, found another.")
        verdict = Verdict(self.verdict)
        if self.value is None and verdict is not Verdict.INCONCLUSIVE:
            raise EvidenceMalformedError(f"value: a verdict of {verdict} rests on a value; found none.")
        if not self.reasons and verdict is Verdict.INCONCLUSIVE:
            raise EvidenceMalformedError("reasons: an inconclusive finding must say why; found none.")
        return {
            "audit": token(self.audit, "audit"),
            "version": token(self.version, "version"),
            "statistic": text(self.statistic, "statistic"),
            "value": optional_number(self.value, "value"),
            "threshold": number(self.threshold, "threshold"),
            "interval": None if self.interval is None else _interval(self.interval),
            "level": _fraction(self.level, "level"),
            "p_value": _fraction(self.p_value, "p_value"),
            "n": {token(name, "n"): count(value, "n") for name, value in self.n.items()},
            "verdict": verdict.value,
            "reasons": [text(reason, "reasons") for reason in self.reasons],
            "details": terms(self.details, "details"),
        }


def findings_sha256(findings: Sequence[Finding]) -> str:
    """Hex SHA-256 of the canonical JSON of the list: what `findings.recorded` holds."""
    return canonical.digest([finding.to_dict() for finding in findings])


def number(value: Any, name: str) -> Number:
    """A finite number for JSON. Whole numbers beyond 2**53 become strings, for JSON readers would round them."""
    if isinstance(value, str) and _INTEGER.fullmatch(value) and abs(int(value)) > canonical.MAX_INT:
        return value
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) >= _MAX_NUMBER:
        raise EvidenceMalformedError(f"{name}: expected a finite number below 1e40, found something else.")
    if abs(value) > canonical.MAX_INT and value == int(value):
        return str(int(value))
    return value  # type: ignore[no-any-return]  # int or float by the test above


def optional_number(value: Any, name: str) -> Number | None:
    """A number or None."""
    return None if value is None else number(value, name)


def _fraction(value: Any, name: str) -> Number | None:
    """A probability or None."""
    if value is not None and not (type(value) in (int, float) and 0 <= value <= 1):
        raise EvidenceMalformedError(f"{name}: expected a number from 0 to 1, found something else.")
    return optional_number(value, name)


def _interval(bounds: Sequence[Any]) -> list[Number]:
    numbers = [number(bound, "interval") for bound in bounds]
    if len(numbers) != 2 or float(numbers[0]) > float(numbers[1]):
        raise EvidenceMalformedError("interval: expected two bounds, the lower one first.")
    return numbers


def count(value: Any, name: str) -> int:
    """A whole number of things."""
    if not canonical.is_count(value):
        raise EvidenceMalformedError(f"{name}: expected a whole number from 0 to 2**53 - 1, found something else.")
    return int(value)


def token(value: Any, name: str) -> str:
    """A short word: letters, digits, `_ . + -`."""
    if not isinstance(value, str) or not _is_token(value):
        raise EvidenceMalformedError(f"{name}: expected a word of letters, digits and _.+- up to 64 characters.")
    return value


@lru_cache(maxsize=1024)
def _is_token(value: str) -> bool:
    """Statements use the same words again and again."""
    return _TOKEN.fullmatch(value) is not None


def text(value: Any, name: str) -> str:
    """A printable line without `@`, in whatever width it is written, so that no address slips in."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable() or _has_at(value):
        raise EvidenceMalformedError(f"{name}: expected a printable line of 1 to {MAX_TEXT} characters without @.")
    return value


def _has_at(value: str) -> bool:
    return "@" in (value if value.isascii() else unicodedata.normalize("NFKC", value))


def terms(values: Mapping[str, Any], name: str) -> dict[str, Number]:
    """Named numbers and short lines, for example ε, δ and digests of tensors."""
    return {token(key, name): _term(value, name) for key, value in values.items()}


def _term(value: Any, name: str) -> Number:
    return text(value, name) if isinstance(value, str) else number(value, name)
