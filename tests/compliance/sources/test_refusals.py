"""What cannot be read, or not be compared, is refused with its place, and the refusal repeats no value."""

import sqlite3
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from compliance.sources import engine, plugins, reading
from compliance.sources.declaration import SourceDeclaration, SubjectColumn
from compliance.sources.errors import (
    DeclarationError,
    MalformedRowError,
    MissingColumnError,
    OutsideFolderError,
    SourceError,
    UnreadableSourceError,
)
from tests.compliance import cast
from tests.compliance.sources.writing import WRITERS, declared

ALICE = cast.ALICE.encode()

FILES: dict[str, tuple[str, bytes, type[SourceError], str]] = {
    "no header": ("rows.csv", b"", MissingColumnError, "no column 'id'; found none"),
    "a column in another case": ("rows.csv", b"id,Address\n1,a\n", MissingColumnError, "no column 'address'; found"),
    "two columns of one name": ("rows.csv", b"id,address,id\n", MalformedRowError, "two columns have one name"),
    "a field too many": ("rows.csv", b"id,address\n1,\n2,%b,x\n" % ALICE, MalformedRowError, "row 2 "),
    "a field too few": ("rows.csv", b"id,address\n%b\n" % ALICE, MalformedRowError, "row 1 "),
    "a quote that is not closed": ("rows.csv", b'id,address\n1,"%b\n' % ALICE, MalformedRowError, "row 1 "),
    "text after a quote": ("rows.csv", b'id,address\n1,"%b"x\n' % ALICE, MalformedRowError, "row 1 "),
    "a quote inside": ("rows.csv", b'id,address\n1,%b"\n2,x"y\n' % ALICE, MalformedRowError, "2 rows were|1 rows were|row 1"),
    "a value in Latin-1": ("rows.csv", b"id,address\n1,\xe4%b\n" % ALICE, MalformedRowError, "row 1 "),
    "two kinds of line breaks": ("rows.csv", b"id,address\r\n1,%b\n2,\r\n" % ALICE, UnreadableSourceError, "declared"),
    "line breaks of old Macs": ("rows.csv", b"id,address\r1,%b\r" % ALICE, MalformedRowError, "names no columns"),
    "a name beside the address": (
        "rows.csv", b"id,address\n1,\n2,Alice <%b>\n" % ALICE, MalformedRowError, "Row 2: column 'address' holds",
    ),
    "no record id": ("rows.csv", b"id,address\n,%b\n" % ALICE, MalformedRowError, "Row 1 has no record id in 'id'"),
    "a line that is cut off": ("rows.jsonl", b'{"id":1}\n\n{"address":"%b"\n' % ALICE, MalformedRowError, "line 3 is no"),
    "a line that is no object": ("rows.jsonl", b'"%b"\n' % ALICE, MalformedRowError, "line 1 is no JSON object"),
    "two objects in a line": ("rows.jsonl", b'{"id":1}{"address":"%b"}\n' % ALICE, MalformedRowError, "line 1 is no"),
    "a member twice": (
        "rows.jsonl", b'{"id":1,"address":"b@example.org","address":"%b"}\n' % ALICE, MalformedRowError, "line 1 names",
    ),
    "a list of addresses": ("rows.jsonl", b'{"id":1,"address":["%b"]}\n' % ALICE, MalformedRowError, "line 1 has a list"),
    "half a character": (
        "rows.jsonl", b'{"id":1,"address":"\\ud800%b"}\n' % ALICE, MalformedRowError, "no JSON object in UTF-8",
    ),
    "a member in capitals in one line": (
        "rows.jsonl", b'{"id":1,"address":""}\n{"id":2,"Address":"%b"}\n' % ALICE, MalformedRowError, "line 2 names 'address'",
    ),
    "a member in capitals beside it": (
        "rows.jsonl", b'{"id":1,"address":"","ADDRESS":"%b"}\n' % ALICE, MalformedRowError, "line 1 names 'address' in an",
    ),
    "a member in capitals that are escaped": (
        "rows.jsonl", b'{"id":1,"address":""}\n{"id":2,"\\u0041ddress":"%b"}\n' % ALICE, MalformedRowError, "line 2 names",
    ),
    "a member with a space behind it": (
        "rows.jsonl", b'{"id":1,"address":""}\n{"id":2,"address\\u00a0":"%b"}\n' % ALICE, MalformedRowError, "line 2 names",
    ),
    "a member with a character that nobody sees": (
        "rows.jsonl", b'{"id":1,"address":""}\n{"id":2,"addr\\u200bess":"%b"}\n' % ALICE, MalformedRowError, "line 2 names",
    ),
    "a record id in capitals": ("rows.jsonl", b'{"id":1,"address":""}\n{"Id":2}\n', MalformedRowError, "line 2 names 'id'"),
    "a line that is nested too deep, before a list": (
        "rows.jsonl", b'{"id":1,"x":%b%b,"address":["%b"]}\n' % (b"[" * 100_000, b"]" * 100_000, ALICE),
        MalformedRowError, "line 1 is no JSON in UTF-8, or nested too deep",
    ),
    "a member that no line has": ("rows.jsonl", b'{"id":1,"mail":"%b"}\n' % ALICE, MissingColumnError, "'address'"),
    "CSV as Parquet": ("rows.parquet", b"id,address\n1,%b\n" % ALICE, UnreadableSourceError, "cannot be read as"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "error", "says"), FILES.values(), ids=FILES)
def test_a_file_is_refused_with_the_place_and_without_a_value(
    tmp_path: Path, name: str, content: bytes, error: type[SourceError], says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    source = declared(Path(name).suffix[1:], name)
    with pytest.raises(error, match=says) as refused:
        list(reading.rows(source, folder=tmp_path))
    assert cast.MARK not in "".join(traceback.format_exception(refused.value))


def test_a_list_in_parquet_is_refused(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS id, ['a@example.org'] AS address) TO '{tmp_path / 'rows.parquet'}'")
    with pytest.raises(MalformedRowError, match=r"of type VARCHAR\[\]"):
        reading.records_of(declared("parquet", "rows.parquet"), "email", "a@example.org", folder=tmp_path)


OUTSIDE = {"upwards": "../rows.csv", "absolute": "/etc/hosts", "a link": "link.csv", "a glob over a link": "*.csv"}


@pytest.mark.parametrize("location", OUTSIDE.values(), ids=OUTSIDE)
def test_a_location_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "rows.csv").write_text("id,address\n")
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "rows.csv")
    with pytest.raises(OutsideFolderError):
        list(reading.rows(declared("csv", location), folder=folder))


@pytest.mark.parametrize("location", ["missing.csv", "*.csv", "."])
def test_a_location_without_a_file_is_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(UnreadableSourceError, match=r"no such file|no file"):
        list(reading.rows(declared("csv", location), folder=tmp_path))


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_table_that_is_not_there_and_a_file_of_another_kind_are_refused(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path, [])
    (tmp_path / "text").write_text(f"no database of {cast.ALICE} " * 100)
    with pytest.raises(UnreadableSourceError, match="no table 'other'"):
        list(reading.rows(declared(kind, f"rows.{kind}", table="other"), folder=tmp_path))
    with pytest.raises(UnreadableSourceError, match="cannot be read") as refused:
        list(reading.rows(declared(kind, "text", table="rows"), folder=tmp_path))
    assert cast.MARK not in str(refused.value)


def test_sqlite_takes_a_missing_column_for_no_text(tmp_path: Path) -> None:
    """Its parser reads a quoted name that is no column as a text, and so would compare "address" with addresses."""
    with closing(sqlite3.connect(tmp_path / "rows.sqlite")) as connection:
        connection.execute("CREATE TABLE rows (id, mail)")
        connection.execute("INSERT INTO rows VALUES (1, 'a@example.org')")
        connection.commit()
    with pytest.raises(MissingColumnError, match="no column 'address'; found 'id', 'mail'"):
        list(reading.rows(declared("sqlite", "rows.sqlite", table="rows"), folder=tmp_path))


def test_bytes_and_damaged_text_in_sqlite_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "rows.sqlite")) as connection:
        connection.execute("CREATE TABLE rows (id, address)")
        connection.execute("CREATE TABLE damaged (id, address)")
        connection.execute("INSERT INTO rows VALUES (1, ?)", [ALICE])
        connection.execute("INSERT INTO damaged VALUES (1, CAST(? AS TEXT))", [ALICE + b"\xff"])
        connection.commit()
    for table, says in {"rows": "holds bytes", "damaged": "cannot be read"}.items():
        source = declared("sqlite", "rows.sqlite", table=table)
        for read in (lambda s=source: list(reading.rows(s, folder=tmp_path)), lambda s=source: found(s, tmp_path)):
            with pytest.raises(SourceError, match=says) as refused:
                read()
            assert cast.MARK not in "".join(traceback.format_exception(refused.value))


def found(source: SourceDeclaration, folder: Path) -> list[str]:
    return reading.records_of(source, "email", cast.ALICE, folder=folder)


ADDRESS = SubjectColumn(column="address", kind="email")
DECLARATIONS: dict[str, dict[str, Any]] = {
    "nobody": {"subjects": ()},
    "a column twice": {"subjects": (ADDRESS, ADDRESS)},
    "a record named by a person": {"record_columns": ("address",)},
    "an unknown kind of identifier": {"subjects": (SubjectColumn(column="address", kind="shoe size"),)},
    "no location": {"location": ""},
    "a column with NUL": {"record_columns": ("i\0d",)},
}


@pytest.mark.parametrize("change", DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_declaration_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    sense = {"kind": "csv", "location": "rows.csv", "record_columns": ("id",), "subjects": (ADDRESS,)}
    SourceDeclaration(**sense)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError):
        SourceDeclaration(**{**sense, **change})


DOCUMENTS: dict[str, Any] = {
    "no object": [],
    "no subjects": {"kind": "csv", "location": "x", "record_columns": ["id"]},
    "a member more": {"kind": "csv", "location": "x", "record_columns": ["id"], "subjects": {"a": "email"}, "x": 1},
    "a number for a text": {"kind": 1, "location": "x", "record_columns": ["id"], "subjects": {"a": "email"}},
    "a text for a list": {"kind": "csv", "location": "x", "record_columns": "id", "subjects": {"a": "email"}},
    "a list of subjects": {"kind": "csv", "location": "x", "record_columns": ["id"], "subjects": ["a"]},
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_no_declaration_is_refused(document: Any) -> None:
    with pytest.raises(DeclarationError):
        SourceDeclaration.from_dict(document)


def test_a_source_without_record_ids_cannot_be_searched(tmp_path: Path) -> None:
    source = declared("csv", "rows.csv", record_columns=())
    with pytest.raises(DeclarationError, match="record_columns is empty"):
        found(source, tmp_path)
    with pytest.raises(DeclarationError, match="record_columns is empty"):
        list(reading.pseudonyms(source, folder=tmp_path))


def test_somebody_without_a_canonical_spelling_cannot_be_searched_for(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,address\n")
    with pytest.raises(DeclarationError, match="is no email that could be compared") as refused:
        reading.records_of(declared("csv", "rows.csv"), "email", f"<{cast.ALICE}>", folder=tmp_path)
    assert cast.MARK not in "".join(traceback.format_exception(refused.value))


def test_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="expected one of csv, duckdb, jsonl, parquet, postgresql, sqlite"):
        found(declared("excel", "rows.xls"), tmp_path)
    with pytest.raises(DeclarationError, match="the suffix must be one of"):
        plugins.of_file(Path("rows.xls"))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT * FROM read_csv('{outside}')", id="read another file"),
        pytest.param("COPY (SELECT 1) TO '{outside}'", id="write another file"),
        pytest.param("ATTACH '{outside}'", id="attach another file"),
        pytest.param("INSTALL httpfs", id="fetch an extension"),
        pytest.param("LOAD httpfs", id="load an extension"),
        pytest.param("SELECT * FROM 'https://example.org/rows.parquet'", id="read from the network"),
        pytest.param("SET enable_external_access = true", id="unlock"),
        pytest.param("SELECT * FROM statement", id="read variables of Python"),
    ],
)
def test_duckdb_is_locked_up(tmp_path: Path, statement: str) -> None:
    (tmp_path / "rows.csv").write_text("id,address\n")
    (tmp_path / "outside.csv").write_text("secret\n1\n")
    with engine.opened([tmp_path / "rows.csv"]) as connection:
        assert connection.execute("SELECT count(*) FROM read_csv(?)", [str(tmp_path / "rows.csv")]).fetchone() == (0,)
        with pytest.raises(duckdb.Error, match=r"disabled (by|through) configuration|locked|does not exist"):
            connection.execute(statement.format(outside=tmp_path / "outside.csv"))
