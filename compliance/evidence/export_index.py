"""The index of an export: which logs it holds. One spelling."""

from dataclasses import dataclass
from datetime import datetime

from compliance.evidence import canonical
from compliance.evidence.errors import MalformedFileError

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
