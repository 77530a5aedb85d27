"""Changes to the files of an export, and the code with which what comes out is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from compliance.evidence import canonical, signing
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.trust import Trust
from compliance.evidence.verify_export import verify_export

from .export_story import ExportStory, trust_of
from .ledgers import Ledger
from .story import Story

Files = dict[str, bytes]


def code_of_export(folder: Path, trust: Trust | None) -> ExitCode:
    try:
        verify_export(folder, trust=trust, n_processes=1)
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def told(ledger: Ledger, *stories: Story, signer: signing.EvidenceSigner) -> ExportStory:
    return ExportStory(ledger, stories, trust_of(ledger, signer))


def edited_json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        value = canonical.loads(files[name])
        is_sealed = value.pop("seal_sha256", None) is not None
        change(value)
        files[name] = canonical.dumps(value | ({"seal_sha256": canonical.digest(value)} if is_sealed else {}))

    return edit


def in_logs(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Files], None]:
    return edited_json("export.json", lambda index: change(index["logs"]))
