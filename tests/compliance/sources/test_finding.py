"""A person is found in every kind of source, under every spelling that is the person's; slow twins agree."""

import csv
import io
import string
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.registry.pseudonyms import canonical_identifier, pseudonym_of
from compliance.sources import files, kinds, plugins, reading
from compliance.sources.declaration import SourceDeclaration, SubjectColumn
from tests.compliance.sources.writing import WRITERS, Row, declared

KARL = "karl@example.org"
SPELLINGS: dict[str, tuple[str, bool]] = {
    "the same": (KARL, True),
    "capitals": ("Karl@EXAMPLE.org", True),
    "spaces": ("  karl@example.org ", True),
    "a tab and a line break": ("\tkarl@example.org\n", True),
    "a space that does not break": ("\u00a0karl@example.org", True),
    "the sign for Kelvin, which is K in lower case": ("\u212aarl@example.org", True),
    "another person": ("karla@example.org", False),
    "a part of the address": ("arl@example.org", False),
    "Cyrillic": ("k\u0430rl@example.org", False),
    "wide letters, which are other ones": ("\uff4barl@example.org", False),
    "a wide letter in the domain, which is the same one": ("karl@\uff45xample.org", True),
    "an ideographic full stop": ("karl@example\u3002org", True),
    "a soft hyphen in the domain": ("karl@exam\u00adple.org", True),
    "a space of no width at the end": ("karl@example.org\u200b", True),
    "a name beside it": ("Karl <karl@example.org>", False),
    "a space inside": ("karl@exam ple.org", False),
    "nothing": ("", False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For generated examples, which share one."""
    return tmp_path_factory.mktemp("sources")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_person_is_found_under_each_spelling_and_nobody_else(folder: Path, kind: str) -> None:
    source = WRITERS[kind](folder, [(name, value) for name, (value, _) in SPELLINGS.items()] + [("none", None)])
    expected = [name for name, (_, is_karl) in SPELLINGS.items() if is_karl]
    assert reading.records_of(source, "email", KARL, folder=folder) == expected


DOMAINS = [
    "Example.ORG",
    "b\u00fccher.example",
    "XN--Bcher-KVA.example",
    "bu\u0308cher\u3002example",
    "exam\u00adple.org",
]
NOISE = st.sampled_from(["", " ", "\t", "\u00a0", "\u2003", "\n", "\x1f", "\x85"])
LETTERS = st.sampled_from("kKaA\u212a\u0130\u0131\u00e9\u00c9\u0301.-")
VALUES = st.one_of(
    st.builds("{}{}@{}{}".format, NOISE, st.text(LETTERS, min_size=1, max_size=3), st.sampled_from(DOMAINS), NOISE),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.none(),
)


@pytest.mark.parametrize("kind", WRITERS)
@settings(deadline=None)  # Files are written for each example.
@given(values=st.lists(VALUES, min_size=1, max_size=6))
def test_narrowing_in_sql_misses_nobody(folder: Path, kind: str, values: list[str | None]) -> None:
    """The slow twin canonicalises every value in Python."""
    rows: list[Row] = [(f"r{number}", value) for number, value in enumerate(values)]
    source = WRITERS[kind](folder, rows)
    spelt = {name: canonical for name, value in rows if (canonical := spelling(value)) is not None}
    for wanted in set(spelt.values()):
        expected = [name for name, canonical in spelt.items() if canonical == wanted]
        assert reading.records_of(source, "email", wanted, folder=folder) == expected


INTERNATIONAL = [
    "karl@b\u00fccher.example",
    "KARL@B\u00dcCHER.EXAMPLE",
    "karl@xn--bcher-kva.example",
    "Karl@XN--BCHER-KVA.example",
]


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("asked", INTERNATIONAL)
def test_an_international_domain_is_found_whichever_way_it_was_asked_for(folder: Path, kind: str, asked: str) -> None:
    """Also where the vault sealed the spelling of an earlier version."""
    source = WRITERS[kind](folder, [*enumerate_rows(INTERNATIONAL), ("other", "karl@bucher.example")])
    assert reading.records_of(source, "email", asked, folder=folder) == ["r0", "r1", "r2", "r3"]


def enumerate_rows(values: list[str]) -> list[Row]:
    return [(f"r{number}", value) for number, value in enumerate(values)]


def spelling(value: str | None) -> str | None:
    try:
        return canonical_identifier("email", value or "")
    except ValueError:
        return None


@settings(deadline=None)
@given(
    table=st.lists(st.tuples(st.text("a\",;\n \u00e9#'", max_size=5), st.integers(0, 99)), max_size=12),
    line_break=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_rows_of_csv_are_those_that_pythons_reader_finds(
    folder: Path, table: list[tuple[str, int]], line_break: str, quoting: Literal[0, 1]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_break, quoting=quoting)
    writer.writerow(["text", "id", "address"])
    writer.writerows((words.replace("\n", line_break), number, f"p{number}@example.org") for words, number in table)
    path = folder / "generated.csv"
    path.write_bytes(text.getvalue().encode())

    found = [(row.record_id, row.persons) for row in reading.rows(declared("csv", path.name), folder=folder)]
    assert found == [(str(number), frozenset({("email", f"p{number}@example.org")})) for _, number in table]
    assert b"".join(files.csv_records(path)) == path.read_bytes()


@pytest.mark.parametrize("kind", WRITERS)
def test_the_persons_of_each_record_are_given_as_pseudonyms_in_order(tmp_path: Path, kind: str) -> None:
    source = WRITERS[kind](tmp_path, [("r2", "Karl@example.org"), ("r1", None), ("r3", " ")])
    assert list(reading.pseudonyms(source, folder=tmp_path)) == [
        ("r2", frozenset({pseudonym_of("email", KARL)})),
        ("r1", frozenset()),
        ("r3", frozenset()),
    ]


def test_a_record_has_several_columns_of_names_and_several_persons(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"shop,no,from,to\na,1,{KARL},anna@example.org\na,11,anna@example.org,{KARL}\n")
    source = SourceDeclaration(
        kind="csv",
        location="rows.csv",
        record_columns=("shop", "no"),
        subjects=(SubjectColumn(column="from", kind="email"), SubjectColumn(column="to", kind="email")),
    )
    both = frozenset({pseudonym_of("email", KARL), pseudonym_of("email", "anna@example.org")})
    assert list(reading.pseudonyms(source, folder=tmp_path)) == [('["a", "1"]', both), ('["a", "11"]', both)]
    assert reading.records_of(source, "email", KARL, folder=tmp_path) == ['["a", "1"]', '["a", "11"]']


def test_both_spellings_of_a_member_can_be_declared(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"id": 1, "Email": "{KARL}"}}\n{{"id": 2, "email": "{KARL}"}}\n')
    subjects = tuple(SubjectColumn(column=column, kind="email") for column in ("email", "Email"))
    source = SourceDeclaration(kind="jsonl", location="rows.jsonl", record_columns=("id",), subjects=subjects)
    assert reading.records_of(source, "email", KARL, folder=tmp_path) == ["1", "2"]


def test_a_glob_reads_all_files_in_order_and_each_by_its_own_header(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.csv").write_text(f"address,id\n{KARL},r2\n")
    (tmp_path / "b" / "1.csv").write_text(f"id,address\nr1,{KARL}\n")
    assert reading.records_of(declared("csv", "b/*.csv"), "email", KARL, folder=tmp_path) == ["r1", "r2"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(f"id,address\nother,{KARL}\n")
    (tmp_path / "[1].csv").write_text(f"id,address\nr1,{KARL}\n")
    assert [path.name for path in files.inside(tmp_path, "[1].csv")] == ["[1].csv"]


def test_a_source_without_columns_of_that_kind_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"id,address\nr1,{KARL}\n")
    assert reading.records_of(declared("csv", "rows.csv"), "customer number", KARL, folder=tmp_path) == []


def test_a_member_of_json_may_be_missing_in_some_lines(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"id": 1}}\n\n{{"id": 2, "addr\\u0065ss": "{KARL}"}}\n')
    assert [row.record_id for row in reading.rows(declared("jsonl", "rows.jsonl"), folder=tmp_path)] == ["1", "2"]
    assert reading.records_of(declared("jsonl", "rows.jsonl"), "email", KARL, folder=tmp_path) == ["2"]


@pytest.mark.parametrize("name", ["a/b", "a~b", "a.b", '"', "'", "$.id", "*"])
def test_a_member_of_json_has_the_name_it_has(tmp_path: Path, name: str) -> None:
    import json

    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": 1, name: KARL, "a": {"b": 1}}))
    subjects = (SubjectColumn(column=name, kind="email"),)
    source = SourceDeclaration(kind="jsonl", location="rows.jsonl", record_columns=("id",), subjects=subjects)
    assert reading.records_of(source, "email", KARL, folder=tmp_path) == ["1"]


def test_a_declaration_survives_being_stored() -> None:
    source = declared("sqlite", "rows.sqlite", table=string.ascii_letters)
    assert SourceDeclaration.from_dict(source.to_dict()) == source


def test_each_file_of_the_folder_is_a_kind() -> None:
    assert set(plugins.installed()) == {path.stem for path in Path(*kinds.__path__).glob("[a-z]*.py")}
