"""`manage.py check_training_data FILE --subject COLUMN=KIND`: is anybody in it who was erased?"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.readiness import refuse_missing_tables
from compliance.sources import plugins
from compliance.sources.declaration import SourceDeclaration, SubjectColumn
from compliance.sources.errors import SourceError
from compliance.suppression.training_data import Check, check, write_clean

FOUND, BAD_INPUT = 1, 2
N_SHOWN = 100


class Command(BaseCommand):
    help = (
        "Look for people who were erased in a file of training data, before a model is trained on it. Exit code 0: "
        "nobody; 1: somebody, with row numbers; 2: the file or the options are not usable, so nothing was checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV, JSON Lines or Parquet file")
        parser.add_argument("--kind", default="", help="csv, jsonl or parquet (default: by the file's suffix)")
        parser.add_argument(
            "--subject",
            dest="subjects",
            action="append",
            required=True,
            type=_subject,
            metavar="COLUMN=KIND",
            help="a column that names persons and the kind of identifier, such as address=email; may be repeated",
        )
        parser.add_argument("--record-id", default="", metavar="COLUMN", help="name records by this column, too")
        parser.add_argument("--write-clean", type=Path, metavar="OUT", help="write the file without these rows to OUT")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        path, out = file.resolve(), options["write_clean"]
        try:
            refuse_missing_tables()
            source = _declaration(path, options)
            found = check(source, folder=path.parent)
            if out is not None:
                write_clean(source, found, path=path, out=out)
        except (SourceError, CommandError) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        say = self._say_json if options["json"] else self._say
        say(found, out)
        if found.rows:
            sys.exit(FOUND)

    def _say_json(self, found: Check, out: Path | None) -> None:
        rows = [{"row": row, "record_id": name or None} for row, name in found.rows.items()]
        document = {"n_rows": found.n_rows, "n_erased": len(rows), "erased": rows, "clean": str(out) if out else None}
        self.stdout.write(json.dumps(document))

    def _say(self, found: Check, out: Path | None) -> None:
        self.stdout.write(f"{len(found.rows)} of {found.n_rows} rows are about people who were erased.")
        for row, name in list(found.rows.items())[:N_SHOWN]:
            self.stdout.write(f"row {row}" + (f", record {name}" if name else ""))
        if len(found.rows) > N_SHOWN:
            self.stdout.write(f"and {len(found.rows) - N_SHOWN} more; --json lists all")
        if out is not None:
            self.stdout.write(f"{out}: {found.n_rows - len(found.rows)} rows")


def _declaration(path: Path, options: dict[str, Any]) -> SourceDeclaration:
    kind = plugins.named(options["kind"]) if options["kind"] else plugins.of_file(path)
    if kind.copy_without is None:
        raise CommandError(f"--kind {kind.name} is no kind of file.")
    return SourceDeclaration(
        kind=kind.name,
        location=path.name,
        record_columns=(options["record_id"],) if options["record_id"] else (),
        subjects=tuple(options["subjects"]),
    )


def _subject(text: str) -> SubjectColumn:
    column, equals, kind = text.rpartition("=")
    if not equals:
        raise ArgumentTypeError("expected COLUMN=KIND, such as address=email")
    return SubjectColumn(column=column, kind=kind)
