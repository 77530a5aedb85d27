"""Tokens as a file, to be kept beside the backups: a database that is restored must not forget who was erased.

JSON Lines. The first line says what the file is and under which keys its tokens were made; each further one is a token.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction

from compliance.suppression.actions.suppress import remember
from compliance.suppression.errors import ExportError
from compliance.suppression.tokens import in_force, key_check

FORMAT = "expunge-suppressions/1"
_TOKEN = re.compile(r"[0-9a-f]{64}")


def export_tokens(path: Path) -> int:
    """Write all tokens that have not expired; how many. The file appears whole or not at all. Raises ExportError."""
    n_tokens = 0
    try:
        # Readable by its owner alone, as mkstemp makes it.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".jsonl")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(_line({"format": FORMAT, "key_check": key_check()}))
                for row in in_force().order_by("token").iterator():
                    n_tokens += 1
                    end = row.expires_on.isoformat() if row.expires_on else None
                    file.write(_line({"token": row.token, "created_on": row.created_on.isoformat(), "expires_on": end}))
                file.write(_line({"n_tokens": n_tokens}))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(f"{path}: it cannot be written ({error.strerror}).") from error
    return n_tokens


@transaction.atomic
def import_tokens(path: Path) -> tuple[int, int]:
    """Add the tokens of a file to those that are there: how many it has, and how many were new. Raises ExportError.

    Nothing is ever taken away, and an end only moves to a later day. All of the file is imported, or nothing.
    """
    n_tokens = n_new = 0
    try:
        for token, created_on, expires_on in _tokens(path):
            n_tokens += 1
            n_new += remember(token, created_on=created_on, expires_on=expires_on)
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: it cannot be read ({type(error).__name__}).") from error
    return n_tokens, n_new


def _tokens(path: Path) -> Iterator[tuple[str, date, date | None]]:
    with path.open(encoding="utf-8") as file:
        lines = ((number, _parsed(path, number, line)) for number, line in enumerate(file, 1))
        _, head = next(lines, (1, {}))
        if head.get("format") != FORMAT:
            raise ExportError(f"{path}: expected a file that `manage.py export_suppressions` wrote.")
        if head.get("key_check") != key_check():
            raise ExportError(
                f"{path}: its tokens were made under other keys and would recognise nobody. Set the SUPPRESSION_KEY and "
                "the PSEUDONYM_KEY of then."
            )
        for number, members in lines:
            # The last line counts those between it and the first.
            if members == {"n_tokens": number - 2}:
                return
            yield _token(path, number, members)
    raise ExportError(f"{path}: its end is missing. Take a complete copy.")


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        members = json.loads(line)
    except ValueError as error:
        raise ExportError(f"{path}: line {number} is no JSON.") from error
    if not isinstance(members, dict):
        raise ExportError(f"{path}: line {number} is no JSON object.")
    return members


def _token(path: Path, number: int, members: dict[str, Any]) -> tuple[str, date, date | None]:
    try:
        if members.keys() != {"token", "created_on", "expires_on"} or not _TOKEN.fullmatch(members["token"]):
            raise ValueError("members")
        end = members["expires_on"]
        return members["token"], date.fromisoformat(members["created_on"]), date.fromisoformat(end) if end else None
    except (TypeError, ValueError) as error:
        raise ExportError(f"{path}: line {number} is no token with its dates.") from error


def _line(members: dict[str, Any]) -> str:
    return json.dumps(members) + "\n"
