"""`manage.py check_training_data`: people who were erased do not come back with the next training run."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as generation
from hypothesis import strategies as st

from compliance.sources import files, reading
from compliance.sources.errors import MalformedRowError
from compliance.suppression import training_data
from compliance.suppression.actions.suppress import suppress
from tests.compliance import cast
from tests.compliance.sources.writing import WRITERS

pytestmark = pytest.mark.django_db
KINDS = ("csv", "jsonl", "parquet")
ROWS = [("r1", cast.CHARLIE), ("r2", cast.ALICE), ("r3", None), ("r4", cast.ALICE.upper()), ("r5", "e@example.org")]


def run(path: Path, **options: Any) -> tuple[int, str]:
    """Exit code and what was said."""
    said = StringIO()
    options = {"subjects": ["address=email"], **options}
    subjects = [f"--subject={subject}" for subject in options.pop("subjects")]
    try:
        call_command("check_training_data", str(path), *subjects, stdout=said, **options)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, said.getvalue()


BAD = {
    "no such file": ("missing.csv", {}, "no such file"),
    "an unknown suffix": ("rows.txt", {}, "the suffix must be one of"),
    "an unknown kind": ("rows.csv", {"kind": "excel"}, "no kind of data source 'excel'"),
    "a kind that is no file": ("rows.csv", {"kind": "sqlite"}, "no kind of file"),
    "an unknown column": ("rows.csv", {"subjects": ["mail=email"]}, "no column 'mail'"),
    "an unknown kind of identifier": ("rows.csv", {"subjects": ["address=shoe size"]}, "must be one of email"),
    "a record named by its person": ("rows.csv", {"record_id": "address"}, "not named by a column of persons"),
    "another kind of file": ("rows.csv", {"kind": "parquet"}, "cannot be read"),
    "a copy onto itself": ("rows.csv", {"write_clean": "rows.csv"}, "never overwritten"),
    "a copy into no folder": ("rows.csv", {"write_clean": "nowhere/clean.csv"}, "cannot be written"),
    "a value that cannot be compared": ("junk.csv", {}, "Row 1: column 'address' holds something"),
}


@pytest.mark.parametrize(("name", "options", "says"), BAD.values(), ids=BAD)
def test_bad_input_is_no_answer_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    WRITERS["csv"](tmp_path, ROWS)
    (tmp_path / "rows.txt").write_text("id,address\n")
    (tmp_path / "junk.csv").write_text(f"id,address\n1,<{cast.ALICE}>\n")
    if "write_clean" in options:
        options = {**options, "write_clean": Path(options["write_clean"])}
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, said = run(Path(name), **options)
    assert (code, says in said, cast.MARK in said) == (2, True, False), said
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_option_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="expected COLUMN=KIND"):
        call_command("check_training_data", str(tmp_path / "rows.csv"), "--subject", "address")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_erased_people_ends_with_0(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path, ROWS)
    assert run(tmp_path / f"rows.{kind}") == (0, "0 of 5 rows are about people who were erased.\n")


@pytest.mark.parametrize("kind", KINDS)
def test_erased_people_are_reported_by_row_and_record_and_never_by_name(tmp_path: Path, kind: str) -> None:
    suppress("email", cast.ALICE)
    WRITERS[kind](tmp_path, ROWS)
    code, said = run(tmp_path / f"rows.{kind}", record_id="id")
    assert (code, said) == (1, "2 of 5 rows are about people who were erased.\nrow 2, record r2\nrow 4, record r4\n")
    code, said = run(tmp_path / f"rows.{kind}", json=True)
    erased = [{"row": 2, "record_id": None}, {"row": 4, "record_id": None}]
    assert (code, json.loads(said)) == (1, {"n_rows": 5, "n_erased": 2, "erased": erased, "clean": None})


def test_a_record_id_that_is_an_address_is_not_said(tmp_path: Path) -> None:
    suppress("email", cast.ALICE)
    WRITERS["csv"](tmp_path, [(cast.ALICE, cast.ALICE)])
    assert run(tmp_path / "rows.csv", record_id="id") == (
        1,
        "1 of 1 rows are about people who were erased.\nrow 1\n",
    )


def test_a_long_list_is_cut_and_said_to_be(tmp_path: Path) -> None:
    suppress("email", cast.ALICE)
    WRITERS["csv"](tmp_path, [(f"r{number}", cast.ALICE) for number in range(1101)])
    code, said = run(tmp_path / "rows.csv")
    assert code == 1
    assert said.endswith("row 100\nand 1001 more; --json lists all\n")
    assert len(json.loads(run(tmp_path / "rows.csv", json=True)[1])["erased"]) == 1101


ERASED = "ann@bücher.example"
#: How a row may write the address, and the exit code: 1, found, or 2, not to be compared. Never 0.
SPELLINGS = {
    "the same": (ERASED, 1),
    "in ASCII": ("Ann@XN--bcher-kva.example", 1),
    "an accent of its own": ("ann@bu\u0308cher.example", 1),
    "a wide letter": ("ann@\uff42ücher.example", 1),
    "an ideographic full stop": ("ann@bücher\u3002example", 1),
    "a soft hyphen": ("ann@büch\u00ader.example", 1),
    "a space of no width behind it": ("ann@bücher.example\u200b", 1),
    "a word joiner behind it": ("ann@bücher.example\u2060", 1),
    "a space of no width before it": ("\u200bann@bücher.example", 2),
    "a soft hyphen in the name": ("a\u00adnn@bücher.example", 2),
    "a joiner in the domain": ("ann@bücher\u200d.example", 2),
    "a dot behind it": ("ann@bücher.example.", 2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("value", "expected"), SPELLINGS.values(), ids=SPELLINGS)
def test_no_spelling_of_an_erased_person_passes(tmp_path: Path, kind: str, value: str, expected: int) -> None:
    suppress("email", ERASED)
    WRITERS[kind](tmp_path, [("r1", value)])
    code, said = run(tmp_path / f"rows.{kind}")
    assert (code, "Row 1: column 'address' holds" in said) == (expected, expected == 2), said


def test_no_spelling_of_a_member_passes(tmp_path: Path) -> None:
    suppress("email", cast.ALICE)
    (tmp_path / "rows.jsonl").write_text(f'{{"Address": "{cast.ALICE}"}}\n{{"address": "e@example.org"}}\n')
    code, said = run(tmp_path / "rows.jsonl")
    assert (code, "line 1 names 'address' in another spelling" in said, cast.MARK in said) == (2, True, False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_clean_file_has_the_other_rows_as_they_were(tmp_path: Path, kind: str) -> None:
    suppress("email", cast.ALICE)
    source = WRITERS[kind](tmp_path, ROWS)
    before = contents(tmp_path / f"rows.{kind}")
    (tmp_path / f"rows.{kind}").chmod(0o640)
    out = tmp_path / f"clean.{kind}"
    assert run(tmp_path / f"rows.{kind}", write_clean=out)[0] == 1
    kept = [line for line in before if cast.ALICE not in str(line).lower()]
    assert contents(out) == kept
    assert out.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"clean.{kind}", f"rows.{kind}"]
    assert run(out)[0] == 0
    assert [row.record_id for row in reading.rows(source, folder=tmp_path)] == ["r1", "r2", "r3", "r4", "r5"]


def contents(path: Path) -> list[Any]:
    """Bytes of each record, or rows with their types."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            return [*described, *connection.execute(f"FROM '{path}'").fetchall()]
    return list(files.csv_records(path)) if path.suffix == ".csv" else path.read_bytes().split(b"\n")


@given(
    who=st.lists(st.sampled_from([cast.ALICE, cast.CHARLIE, None]), max_size=8),
    kind=st.sampled_from(KINDS),
    has_empty_lines=st.booleans(),
)
@generation(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_exactly_the_rows_of_erased_people_go(
    tmp_path: Path, who: list[str | None], kind: str, has_empty_lines: bool
) -> None:
    suppress("email", cast.ALICE)
    source = WRITERS[kind](tmp_path, [(f"r{number}", person) for number, person in enumerate(who)])
    if has_empty_lines and kind == "jsonl":
        path = tmp_path / "rows.jsonl"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\n \n\n"))
    out = tmp_path / f"clean.{kind}"
    is_parquet_without_rows = kind == "parquet" and all(person == cast.ALICE for person in who)
    code, _ = run(tmp_path / f"rows.{kind}", write_clean=out)
    assert code == int(cast.ALICE in who)
    if is_parquet_without_rows:
        assert contents(out)[-1][0] == "address"
        return
    clean = {**source.to_dict(), "location": out.name}
    found = [row.record_id for row in reading.rows(type(source).from_dict(clean), folder=tmp_path)]
    assert found == [f"r{number}" for number, person in enumerate(who) if person != cast.ALICE]


def test_a_copy_that_does_not_hold_what_it_should_is_thrown_away(tmp_path: Path) -> None:
    """The file grew after it was checked."""
    suppress("email", cast.ALICE)
    source, path, out = WRITERS["csv"](tmp_path, ROWS), tmp_path / "rows.csv", tmp_path / "clean.csv"
    found = training_data.check(source, folder=tmp_path)
    out.write_text("what was there before")
    with path.open("ab") as file:
        file.write(f"text,r6,{cast.ALICE}\r\n".encode())
    with pytest.raises(MalformedRowError, match="4 rows where 3 were expected, 1 of them"):
        training_data.write_clean(source, found, path=path, out=out)
    assert out.read_text() == "what was there before"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["clean.csv", "rows.csv"]
