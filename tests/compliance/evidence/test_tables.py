"""Reports as people read them: what is proven stands there, and so does every reason to doubt it."""

import dataclasses
from pathlib import Path

import pytest

from compliance.evidence.export_report import ExportReport, RequestLine
from compliance.evidence.tables import bundle_table, export_table
from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export

from .export_story import ExportStory, lay_out, trust_of
from .story import Story, some_id


@pytest.fixture(scope="module")
def report(
    exported: ExportStory, export_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> ExportReport:
    folder: Path = lay_out(export_files, tmp_path_factory.mktemp("export"))
    return verify_export(folder, trust=exported.trust, n_processes=1)


def test_an_unpinned_export_is_headed_by_what_is_left_to_compare(report: ExportReport) -> None:
    table = export_table(dataclasses.replace(report, is_pinned=False))
    assert table.startswith("CONSISTENT, UNDER KEYS THAT YOU STILL HAVE TO COMPARE. 339 entries")
    assert "Anyone can make a bundle with keys of their own." in table
    assert all(log.key_sha256 in table for log in report.logs)


def test_a_pinned_export_is_headed_by_its_numbers(report: ExportReport) -> None:
    table = export_table(report)
    assert table.startswith("VERIFIED. 339 entries, 97 requests, 2 of them disclosed.")
    assert "WARNING" not in table
    assert "UNWITNESSED" not in table
    for step in report.steps:
        assert f"{step.number:>2}. {step.title}" in table
    assert "8 of 12 signed statements shown and verified" in table


def test_one_log_without_witnesses_is_told_although_the_other_has_some(report: ExportReport) -> None:
    first, second = report.logs
    unseen = dataclasses.replace(second, is_witnessed=False, witnesses=())
    table = export_table(dataclasses.replace(report, logs=(first, unseen)))
    assert f"{first.origin}: cosigned by" in table
    assert f"{second.origin}: cosigned by" not in table
    assert "UNWITNESSED: no witness" in table
    assert not dataclasses.replace(report, logs=(first, unseen)).is_witnessed


def test_every_disclosed_request_is_listed_with_its_state_and_the_others_are_not(report: ExportReport) -> None:
    lines = [line for line in export_table(report).splitlines() if line.startswith("  0000")]
    assert len(lines) == 2
    assert all(line.endswith("completed, 4 signatures") for line in lines)


def test_a_long_list_is_cut_with_a_word_about_the_rest(report: ExportReport) -> None:
    requests = tuple(RequestLine(some_id(number), "refused", 3, 0, True) for number in range(60))
    table = export_table(dataclasses.replace(report, requests=requests))
    assert table.count("refused, 0 signatures") == 50
    assert "… and 10 more (--json lists all)" in table


def test_an_export_without_disclosures_says_none(report: ExportReport) -> None:
    hidden = tuple(dataclasses.replace(line, is_disclosed=False) for line in report.requests)
    assert "Disclosed requests\n  none\n" in export_table(dataclasses.replace(report, requests=hidden))


def test_no_line_is_wider_than_a_terminal_but_where_a_name_is(report: ExportReport, genuine: bytes) -> None:
    """What is left to the reader is wrapped; steps and keys stand in one line each."""
    for table in (export_table(report), bundle_table(verify_bundle(genuine))):
        tail = table.partition("Left to you")[2]
        assert tail
        assert all(len(line) <= 118 for line in tail.splitlines())


def test_half_a_pin_is_told_for_each_kind_of_key(story: Story, genuine: bytes) -> None:
    vkeys = [log.vkey for log in story.ledger.logs.values()]
    half = bundle_table(verify_bundle(genuine, log_vkeys=vkeys))
    assert half.startswith("CONSISTENT")
    assert (half.count("(yours)"), half.count("(from the bundle: COMPARE)")) == (1, 1)
    whole = bundle_table(verify_bundle(genuine, trust=trust_of(story.ledger, story.signer)))
    assert whole.startswith("VERIFIED.")
    assert (whole.count("(yours)"), "COMPARE)" in whole) == (2, False)
