"""bundle.json: what a bundle holds, in one spelling, with a seal that finds accidental damage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import MalformedFileError
from compliance.evidence.position import Position

FORMAT = "expunge-bundle/2"
MAX_INDEX = 99_999_999
MAX_LOG = 9_999
_KINDS = ("event", "evidence", "log")
_KEYS = frozenset(
    {
        "format",
        "request",
        "exported_at",
        "logs",
        "entries",
        "evidence",
        "closings",
        "challenges",
        "models",
        "evidence_keys",
        "seal_sha256",
    }
)


@dataclass(frozen=True, kw_only=True)
class Index:
    """The contents of bundle.json: vkeys by log number, entries in order with their kind, positions by target; log and
    size of each head that evidence names as its challenge."""

    request: str
    exported_at: datetime
    logs: Mapping[int, str]
    entries: tuple[tuple[Position, str], ...]
    evidence: Mapping[str, Position]
    closings: Mapping[str, Position]
    challenges: tuple[tuple[int, int], ...]
    models: tuple[str, ...]
    evidence_keys: tuple[str, ...]


def write(index: Index) -> bytes:
    """The bytes of bundle.json."""
    value = {
        "format": FORMAT,
        "request": index.request,
        "exported_at": canonical.format_time(index.exported_at),
        "logs": [{"log": number, "vkey": vkey} for number, vkey in index.logs.items()],
        "entries": [{"log": at.log, "index": at.index, "kind": kind} for at, kind in index.entries],
        "evidence": _attachments(index.evidence),
        "closings": _attachments(index.closings),
        "challenges": [{"log": log, "size": size} for log, size in index.challenges],
        "models": list(index.models),
        "evidence_keys": list(index.evidence_keys),
    }
    return canonical.dumps({**value, "seal_sha256": canonical.digest(value)})


def _attachments(positions: Mapping[str, Position]) -> list[dict[str, Any]]:
    return [{"target": target, "log": at.log, "index": at.index} for target, at in positions.items()]


def parse(data: bytes) -> Index:
    """Parse bundle.json strictly; raises MalformedFileError."""
    try:
        value = canonical.parse(data)
    except ValueError as error:
        raise MalformedFileError(f"bundle.json is not JSON: {error}.") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise MalformedFileError(f"bundle.json: expected the format {FORMAT!r}. Use a verifier of its version.")
    if set(value) != _KEYS:
        raise MalformedFileError(f"bundle.json: expected exactly the keys {', '.join(sorted(_KEYS))}.")
    try:
        sealed = {key: member for key, member in value.items() if key != "seal_sha256"}
        if canonical.digest(sealed) != value["seal_sha256"]:
            raise ValueError("its seal does not fit its contents: it was damaged or edited")
        index = _read(value)
        _refuse(index)
        if write(index) != data:
            raise ValueError("it holds more than a bundle's index does")
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedFileError(f"bundle.json: {error}.") from error
    return index


def _read(value: dict[str, Any]) -> Index:
    for name in ("logs", "entries", "evidence", "closings", "challenges", "models", "evidence_keys"):
        if not isinstance(value[name], list):
            raise ValueError(f"{name} must be a list")
    return Index(
        request=value["request"],
        exported_at=canonical.parse_time(value["exported_at"]),
        logs={log["log"]: log["vkey"] for log in value["logs"]},
        entries=tuple((Position(entry["log"], entry["index"]), entry["kind"]) for entry in value["entries"]),
        evidence={at["target"]: Position(at["log"], at["index"]) for at in value["evidence"]},
        closings={at["target"]: Position(at["log"], at["index"]) for at in value["closings"]},
        challenges=tuple((challenge["log"], challenge["size"]) for challenge in value["challenges"]),
        models=tuple(value["models"]),
        evidence_keys=tuple(value["evidence_keys"]),
    )


def _refuse(index: Index) -> None:
    if not canonical.is_uuid4(index.request):
        raise ValueError("request must be a UUID version 4")
    for name, digests in (("models", index.models), ("evidence_keys", index.evidence_keys)):
        if not all(map(canonical.is_sha256, digests)) or len(set(digests)) != len(digests):
            raise ValueError(f"{name} must be a list of different SHA-256 digests")
    numbers = list(index.logs)
    if not all(canonical.is_count(number) and 0 < number <= MAX_LOG for number in numbers):
        raise ValueError(f"logs must have numbers from 1 to {MAX_LOG}")
    if numbers != sorted(numbers) or not all(isinstance(vkey, str) for vkey in index.logs.values()):
        raise ValueError("logs must be in ascending order, each with a vkey")
    positions = [position for position, _ in index.entries]
    if not all(canonical.is_count(at.index) and at.index <= MAX_INDEX and at.log in index.logs for at in positions):
        raise ValueError(f"entries must have indices from 0 to {MAX_INDEX} in one of the logs listed")
    if not positions or positions != sorted(set(positions)):
        raise ValueError("entries must be at least one, in ascending order of different positions")
    if {at.log for at in positions} != set(numbers):
        raise ValueError("each log listed must hold an entry of the bundle")
    if not all(kind in _KINDS for _, kind in index.entries):
        raise ValueError(f"the kind of an entry must be one of {', '.join(_KINDS)}")
    _refuse_challenges(index)
    _refuse_attachments(index)


def _refuse_challenges(index: Index) -> None:
    if not all(canonical.is_count(log) and canonical.is_count(size) for log, size in index.challenges):
        raise ValueError("challenges must have the number of a log and a size")
    if not all(0 < log <= MAX_LOG and 0 < size <= MAX_INDEX for log, size in index.challenges):
        raise ValueError(f"challenges must be of logs from 1 to {MAX_LOG} and sizes from 1 to {MAX_INDEX}")
    if list(index.challenges) != sorted(set(index.challenges)):
        raise ValueError("challenges must be in ascending order, none twice")


def _refuse_attachments(index: Index) -> None:
    if not all(map(canonical.is_uuid4, [*index.evidence, *index.closings])):
        raise ValueError("an attachment must name its target, a UUID version 4")
    logged = [position for position, kind in index.entries if kind == "evidence"]
    if sorted([*index.evidence.values(), *index.closings.values()]) != logged:
        raise ValueError("each entry of kind evidence must have exactly one attachment")
