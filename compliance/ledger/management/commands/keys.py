"""`manage.py keys`: create, list, rotate and distrust keys, and write the trust file that auditors pin."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from compliance.evidence import canonical, trust
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import EvidenceError
from compliance.evidence.signing import SignerError
from compliance.ledger import keys
from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.doubtful_evidence import doubtful_evidence
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PublicKey
from compliance.ledger.readiness import refuse_missing_tables
from compliance.ledger.trust_file import (
    WITNESSES_HELP,
    current_trust,
    left_out,
    timestamp_authorities,
    witness_policy_text,
)

Purpose = PublicKey.Purpose
MIN_PREFIX_CHARACTERS = 8
NAMES = [purpose.value for purpose in keys.PURPOSES]


class Command(BaseCommand):
    help = "The keys of this installation. Private keys are never replaced and never deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        create = verbs.add_parser("create", help="make the key files that are missing, and publish the evidence key")
        create.add_argument("purpose", nargs="?", default="all", choices=[*NAMES, "all"])
        listing = verbs.add_parser("list", help="show the published keys, and which of them are in use here")
        listing.add_argument("--json", action="store_true", dest="is_json", help="for programs")
        rotate = verbs.add_parser("rotate", help="let a new key take over; the old one is kept, and retired")
        rotate.add_argument("purpose", choices=NAMES)
        hours = int(keys.OVERLAP.total_seconds() // 3600)
        rotate.add_argument(
            "--overlap-hours",
            type=int,
            help=f"how long the old evidence key stays valid for running jobs (default {hours})",
        )
        distrust = verbs.add_parser("distrust", help="a key may be in the wrong hands; shows what must be run again")
        distrust.add_argument("key", metavar="KEY", help="its fingerprint, or the beginning of it")
        distrust.add_argument(
            "--from", dest="since", required=True, metavar="TIME", help="for example 2026-05-01T12:00:00Z"
        )
        file = verbs.add_parser("trust-file", help="write the file that auditors pin, and print its fingerprint")
        file.add_argument(
            "--out", default="trust.json", metavar="FILE", help="default: trust.json; - is standard output"
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {
            "create": self._create,
            "list": self._list,
            "rotate": self._rotate,
            "distrust": self._distrust,
            "trust-file": self._write_trust_file,
        }
        try:
            handlers[verb](options)
        except (EvidenceError, KeyStateError, OSError, SignerError) as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        chosen = keys.PURPOSES if options["purpose"] == "all" else (Purpose(options["purpose"]),)
        for path in keys.create_missing(chosen):
            self.stdout.write(f"created {path}")
        if Purpose.EVIDENCE in chosen:
            self.stdout.write(f"published the evidence key {keys.publish_evidence_key().key_sha256}")
        if Purpose.CHECKPOINT in chosen:
            self.stdout.write("The checkpoint key is published with the first checkpoint that it signs.")

    def _list(self, options: dict[str, Any]) -> None:
        used = {purpose.value: keys.public_key_sha256(purpose) for purpose in keys.PURPOSES}
        rows = [_described(row, used[row.purpose]) for row in PublicKey.objects.order_by("published_at", "text_sha256")]
        if options["is_json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            until = row["valid_until"] or "open end"
            distrusted = f", distrusted from {row['distrusted_from']}" if row["distrusted_from"] else ""
            self.stdout.write(
                f"{row['purpose']:10} {row['key_sha256']} {row['log'] or '-'}\n"
                f"           valid from {row['valid_from']}, until {until}{distrusted}; {_USES[row['is_in_use']]}"
            )
            if row["vkey"]:
                self.stdout.write(f"           vkey {row['vkey']}")
        if not rows:
            self.stdout.write("No key is published yet. Run `manage.py keys create`.")

    def _rotate(self, options: dict[str, Any]) -> None:
        purpose, overlap = Purpose(options["purpose"]), _overlap(options)
        if purpose is Purpose.EVIDENCE:
            row = keys.rotate_evidence_key(overlap)
            self.stdout.write(f"The evidence key is now {row.key_sha256}. Give auditors a new trust file.")
            return
        log = keys.begin_rotation_of_log_key()
        if log is None:
            self.stdout.write("No log has to end first: the one that has no checkpoint yet begins with the new key.")
        else:
            self.stdout.write(f"{log.origin} takes no further entries. The old key signs it to its end.")
        self.stdout.write(_NEXT_BEHIND_URI if keys.key_uri(purpose) else _NEXT_IN_FILE)

    def _distrust(self, options: dict[str, Any]) -> None:
        try:
            since = canonical.parse_time(options["since"])
        except ValueError as error:
            raise CommandError(f"--from: {error}.") from error
        row = _published(options["key"])
        # What must run again depends on it: better refused before than when the key is distrusted already.
        witness_policy_text()
        timestamp_authorities()
        # Repeated, it lists again what must run again.
        if row.distrusted_from != since:
            distrust_key(row.key_sha256, distrusted_from=since)
        self.stdout.write(f"The {row.purpose} key {row.key_sha256} is distrusted from {options['since']} on.")
        if row.purpose == Purpose.CHECKPOINT:
            self.stdout.write("Run `manage.py keys rotate checkpoint` now, and give auditors a new trust file.")
            self._tell_left_out(self.stdout)
            return
        n_doubtful = 0
        for item in doubtful_evidence(row.key_sha256, since):
            n_doubtful += 1
            place = "waiting" if item.position is None else item.position
            self.stdout.write(f"run again: request {item.request_id}, evidence {item.leaf_sha256} (position {place})")
        self.stdout.write(f"Evidence that rests on this key alone: {n_doubtful}. Give auditors a new trust file.")

    def _write_trust_file(self, options: dict[str, Any]) -> None:
        is_piped = options["out"] == "-"
        path = Path(options["out"])
        if not is_piped and (not path.name or path.is_dir()):
            raise CommandError(f"--out must name a file, or be - for standard output; found {options['out']!r}.")
        data = trust.write(current_trust())
        say = self.stderr if is_piped else self.stdout
        if is_piped:
            self.stdout.write(data.decode(), ending="")
        else:
            _replace(path, data)
        say.write(f"{options['out']}: fingerprint (SHA-256) {trust.fingerprint(data)}")
        say.write("Tell auditors the fingerprint on another way than the one that carries the file.")
        self._tell_left_out(say)

    def _tell_left_out(self, say: OutputWrapper) -> None:
        for vkey in left_out():
            say.write(f"The trust file leaves {parse_vkey(vkey).name} out: its key is distrusted. {WITNESSES_HELP}")


_USES = {True: "in use here", False: "not in use here", None: "this process cannot read the key in use"}
_NEXT_IN_FILE = "When the checkpointer has begun the next log with the new key, give auditors a new trust file."
_NEXT_BEHIND_URI = (
    "Leave the checkpointer running until it says that the next log must begin under another key. Then set "
    "EXPUNGE_LEDGER_KEY_URI and its public key to the new key, start it again, and give auditors a new trust file."
)


def _overlap(options: dict[str, Any]) -> timedelta:
    """Of the option, or the default; raises CommandError."""
    hours, most = options["overlap_hours"], int(keys.MAX_OVERLAP.total_seconds() // 3600)
    if hours is None:
        return keys.OVERLAP
    if options["purpose"] != Purpose.EVIDENCE:
        raise CommandError("--overlap-hours is for the evidence key: a log is signed by one key from end to end.")
    if not 0 <= hours <= most:
        raise CommandError(f"--overlap-hours must be 0 to {most}, found {hours}.")
    return timedelta(hours=hours)


def _described(row: PublicKey, used: str | None) -> dict[str, Any]:
    return {
        "purpose": row.purpose,
        "key_sha256": row.key_sha256,
        "log": parse_vkey(row.text).name if row.purpose == Purpose.CHECKPOINT else None,
        "vkey": row.text.strip() if row.purpose == Purpose.CHECKPOINT else None,
        "valid_from": _time(row.valid_from),
        "valid_until": _time(row.valid_until),
        "distrusted_from": _time(row.distrusted_from),
        "is_in_use": None if used is None else row.key_sha256 == used,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else canonical.format_time(at.astimezone(UTC).replace(microsecond=0))


def _published(prefix: str) -> PublicKey:
    """The one published key whose fingerprint begins so; raises CommandError."""
    if len(prefix) < MIN_PREFIX_CHARACTERS:
        raise CommandError(f"Give at least {MIN_PREFIX_CHARACTERS} characters of the fingerprint, found {len(prefix)}.")
    rows: Iterable[PublicKey] = PublicKey.objects.filter(key_sha256__startswith=prefix.lower())
    found = {row.key_sha256: row for row in rows}
    if len(found) != 1:
        raise CommandError(
            f"Expected the fingerprint of one published key, found {len(found)} that begin so. `manage.py keys list` "
            "shows them."
        )
    return next(iter(found.values()))


def _replace(path: Path, data: bytes) -> None:
    """Write a whole file in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
