"""A table of PostgreSQL, read through a server-side cursor by an account that may read it; tested where tests run on it."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from compliance.registry.pseudonyms import pseudonym_of
from compliance.sources import reading
from compliance.sources.declaration import SourceDeclaration, SubjectColumn
from compliance.sources.errors import DeclarationError, MissingColumnError, SourceError, UnreadableSourceError
from tests.compliance import cast
from tests.compliance.sources.test_finding import KARL, SPELLINGS

DATABASE = settings.DATABASES["default"]
pytestmark = pytest.mark.skipif("postgresql" not in DATABASE["ENGINE"], reason="the tests run on another database")
TABLE = 'odd "name'


@pytest.fixture(scope="module")
def location() -> Iterator[str]:
    """The address of the tests' own server, in whose default database a table stands for these tests."""
    host = quote(str(DATABASE["HOST"]), safe="")
    port = f":{DATABASE['PORT']}" if DATABASE["PORT"] else ""
    address = f"postgresql://{DATABASE['USER']}@{host}{port}/postgres"
    name = sql.Identifier(TABLE)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} (id text, address text, number int)").format(name))
        rows = [(row, value, 1) for row, (value, _) in SPELLINGS.items()] + [("none", None, 1)]
        with connection.cursor() as cursor:
            cursor.executemany(sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(name), rows)
        yield address
        connection.execute(sql.SQL("DROP TABLE {}").format(name))


def declared(location: str, *, table: str = TABLE, column: str = "address", schema: str = "") -> SourceDeclaration:
    return SourceDeclaration(
        kind="postgresql",
        location=location,
        table=table,
        schema=schema,
        record_columns=("id",),
        subjects=(SubjectColumn(column=column, kind="email"),),
    )


REFUSED = {
    "another table": ({"table": "other"}, UnreadableSourceError, "no table 'other' in the schema 'public'"),
    "another schema": ({"schema": "other"}, UnreadableSourceError, "no table"),
    "another column": ({"column": "mail"}, MissingColumnError, "no column 'mail'; found 'id', 'address', 'number'"),
}


@pytest.mark.parametrize(("change", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_there_is_refused(
    location: str, change: dict[str, str], error: type[SourceError], says: str
) -> None:
    with pytest.raises(error, match=says):
        list(reading.rows(declared(location, **change)))


def test_a_server_that_does_not_answer_is_named_by_no_address(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSourceError, match="cannot be read") as refused:
        list(reading.rows(declared(f"host={tmp_path} user={cast.MARK}")))
    assert cast.MARK not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("location", ["postgresql://reader:secret@localhost/x", "host=localhost password=secret", "=="])
def test_a_location_with_a_password_or_of_another_form_is_refused(location: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        list(reading.rows(declared(location)))
    assert "secret" not in str(refused.value)


def test_a_person_is_found_under_each_spelling(location: str) -> None:
    expected = [name for name, (_, is_karl) in SPELLINGS.items() if is_karl]
    assert reading.records_of(declared(location), "email", KARL) == expected


def test_numbers_are_no_addresses_and_addresses_become_pseudonyms(location: str) -> None:
    assert reading.records_of(declared(location, column="number"), "email", KARL) == []
    first = next(iter(reading.pseudonyms(declared(location))))
    assert first == ("the same", frozenset({pseudonym_of("email", KARL)}))
