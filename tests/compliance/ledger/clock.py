"""Another time for the ledger's own clock, so that a year can turn within a test."""

from datetime import datetime, tzinfo

import pytest

from compliance.ledger import checkpointer, logs, record, sequencer


def set_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Let the modules that date entries, logs and checkpoints read this time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return at.astimezone(tz)

    for module in (checkpointer, logs, record, sequencer):
        monkeypatch.setattr(module, "datetime", Clock)
