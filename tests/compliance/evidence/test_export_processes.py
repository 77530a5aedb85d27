"""Requests are judged in several processes: as many as are of use, and one that is killed ends the verification."""

import os
import signal
from pathlib import Path

import pytest

from compliance.evidence import judging
from compliance.evidence.errors import ExitCode
from compliance.evidence.export_requests import Export
from compliance.evidence.judging import Judgement, JudgingError
from compliance.evidence.verify_export import verify_export

from .export_story import ExportStory, lay_out


@pytest.fixture
def folder(export_files: dict[str, bytes], tmp_path: Path) -> Path:
    return lay_out(export_files, tmp_path / "export")


def test_a_killed_process_ends_the_verification_with_a_sentence(
    exported: ExportStory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, parent = judging._judge_chunk, os.getpid()

    def killed(export: Export, requests: list[str]) -> Judgement:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return judge(export, requests)

    monkeypatch.setattr(judging, "_CHUNK", 10)
    monkeypatch.setattr(judging, "_judge_chunk", killed)
    with pytest.raises(JudgingError, match="was killed") as caught:
        verify_export(folder, trust=exported.trust, n_processes=2)
    assert caught.value.code is ExitCode.UNEXPECTED_ERROR
    assert "--processes 1" in caught.value.remedy


@pytest.mark.parametrize(
    ("asked", "chunk", "expected"),
    [
        pytest.param(100_000, 1, 64, id="more than any machine has"),
        pytest.param(100_000, 10, 10, id="more than there is work for"),
        pytest.param(3, 10, 3, id="as many as asked"),
    ],
)
def test_no_more_processes_are_started_than_are_of_use(
    asked: int, chunk: int, expected: int, exported: ExportStory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def counted(export: Export, chunks: list[list[str]], n_processes: int) -> Judgement:
        started.append(n_processes)
        return judging._judge_chunk(export, [request for each in chunks for request in each])

    monkeypatch.setattr(judging, "_CHUNK", chunk)
    monkeypatch.setattr(judging, "_judge_in_processes", counted)
    verify_export(folder, trust=exported.trust, n_processes=asked)
    assert started == [expected]
