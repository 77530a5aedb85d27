"""The index files of an export: which logs it holds, and what was disclosed of each request. One spelling each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.errors import MalformedFileError
from compliance.evidence.position import Position

FORMAT = "expunge-export/1"


@dataclass(frozen=True)
class ExportedLog:
    """A log that is in the export as a whole: its number, its key, and the folder under logs/."""

    number: int
    vkey: str
    folder: str


@dataclass(frozen=True, kw_only=True)
class ExportIndex:
    """export.json."""

    exported_at: datetime
    logs: tuple[ExportedLog, ...]

    def to_bytes(self) -> bytes:
        """The one spelling, with a seal that finds accidental damage."""
        logs = [{"log": log.number, "vkey": log.vkey, "folder": log.folder} for log in self.logs]
        at = canonical.format_time(self.exported_at)
        value = {"format": FORMAT, "exported_at": at, "logs": logs}
        return canonical.dumps({**value, "seal_sha256": canonical.digest(value)})


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """requests/<id>/request.json: where the evidence of each target stands, and which shared files belong to it."""

    request: str
    evidence: Mapping[str, Position]
    closings: Mapping[str, Position]
    models: tuple[str, ...]
    policy_sha256: str | None
    is_opened: bool

    def to_bytes(self) -> bytes:
        """The one spelling."""
        return canonical.dumps(
            {
                "request": self.request,
                "evidence": _attachments(self.evidence),
                "closings": _attachments(self.closings),
                "models": list(self.models),
                "policy_sha256": self.policy_sha256,
                "is_opened": self.is_opened,
            }
        )


def parse_export(data: bytes) -> ExportIndex:
    """Parse export.json strictly; raises MalformedFileError."""
    try:
        value = canonical.loads(data)
        if value["format"] != FORMAT:
            raise ValueError(f"the format must be {FORMAT!r}; use a verifier of its version")
        index = ExportIndex(
            exported_at=canonical.parse_time(value["exported_at"]),
            logs=tuple(ExportedLog(log["log"], log["vkey"], log["folder"]) for log in value["logs"]),
        )
        _refuse_logs(index.logs)
        if index.to_bytes() != data:
            raise ValueError("its seal does not fit, or it holds more than an export's index does")
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedFileError(f"export.json: {error}.") from error
    return index


def parse_disclosure(data: bytes, request: str) -> Disclosure:
    """Parse a request.json strictly; raises MalformedFileError."""
    try:
        value = canonical.parse(data)
        disclosure = Disclosure(
            request=value["request"],
            evidence=_positions(value["evidence"]),
            closings=_positions(value["closings"]),
            models=tuple(value["models"]),
            policy_sha256=value["policy_sha256"],
            is_opened=value["is_opened"],
        )
        _refuse_disclosure(disclosure, request)
        if disclosure.to_bytes() != data:
            raise ValueError("it holds more than a request's index does")
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedFileError(f"requests/{request}/request.json: {error}.") from error
    return disclosure


def _attachments(positions: Mapping[str, Position]) -> list[dict[str, Any]]:
    return [{"target": target, "log": at.log, "index": at.index} for target, at in positions.items()]


def _positions(value: Any) -> dict[str, Position]:
    return {item["target"]: Position(item["log"], item["index"]) for item in value}


def _refuse_logs(logs: tuple[ExportedLog, ...]) -> None:
    numbers = [log.number for log in logs]
    if not numbers or not all(canonical.is_count(number) and number > 0 for number in numbers):
        raise ValueError("logs must be a list of at least one log with its number, from 1 on")
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise ValueError("logs must follow one another")
    if not all(isinstance(log.vkey, str) and canonical.is_code(log.folder) for log in logs):
        raise ValueError("each log must have a vkey and the name of a folder")
    if len({log.folder for log in logs}) != len(logs):
        raise ValueError("each log must have a folder of its own")


def _refuse_disclosure(disclosure: Disclosure, request: str) -> None:
    if disclosure.request != request or not canonical.is_uuid4(request):
        raise ValueError("request must be the UUID version 4 that its folder is named after")
    targets = [*disclosure.evidence, *disclosure.closings]
    positions = [*disclosure.evidence.values(), *disclosure.closings.values()]
    if not all(map(canonical.is_uuid4, targets)) or len(set(positions)) != len(positions):
        raise ValueError("an attachment must name its target, and an entry of its own")
    if not all(canonical.is_count(at.log) and canonical.is_count(at.index) for at in positions):
        raise ValueError("the position of an attachment must be two whole numbers")
    if not all(map(canonical.is_sha256, disclosure.models)) or len(set(disclosure.models)) != len(disclosure.models):
        raise ValueError("models must be a list of different SHA-256 digests")
    if disclosure.policy_sha256 is not None and not canonical.is_sha256(disclosure.policy_sha256):
        raise ValueError("policy_sha256 must be a SHA-256 digest or null")
    if type(disclosure.is_opened) is not bool:
        raise ValueError("is_opened must be true or false")
