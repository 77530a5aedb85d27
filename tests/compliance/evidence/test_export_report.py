"""What the report of an export says beside the counts: the trust file inside, and time stamps that are not there."""

import dataclasses
from pathlib import Path

from compliance.evidence import sigstore_root
from compliance.evidence import trust as trusts
from compliance.evidence.verify_export import verify_export

from .export_edits import Files
from .export_story import ExportStory, lay_out
from .stamping import new_authority


def test_the_report_tells_what_the_exports_own_trust_file_says(
    exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    same = verify_export(lay_out(export_files, tmp_path / "same"), trust=exported.trust)
    assert (same.is_own_trust_pinned, same.steps[4].detail) == (
        True,
        "nothing said that the trust file does not say; the export's own says the same as yours",
    )
    other = dataclasses.replace(exported.trust, witness_policy_text=None)
    files = export_files | {"trust.json": trusts.write(other), "trusted_root.json": sigstore_root.write(other)}
    folder = lay_out(files, tmp_path / "other")
    differs = verify_export(folder, trust=exported.trust)
    assert not differs.is_own_trust_pinned
    assert "THE EXPORT'S OWN SAYS SOMETHING ELSE THAN YOURS" in differs.steps[4].detail
    assert verify_export(folder).steps[4].detail.endswith("it is the export's own")


def test_the_report_tells_which_logs_have_no_time_stamp_although_an_authority_is_trusted(
    exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    authority, first = new_authority(), exported.ledger.logs[1]
    files = {path: held for path, held in export_files.items() if not path.startswith(("requests", "models", "polic"))}
    files["logs/2026/checkpoint.tsr"] = authority.stamp(first.note())
    folder = lay_out(files, tmp_path)
    asking = dataclasses.replace(exported.trust, timestamp_authorities=(authority.pems,))
    report = verify_export(folder, trust=asking)
    assert report.unstamped == (exported.ledger.logs[2].origin,)
    stamped, unstamped = report.steps[1].detail.split("; ")
    assert unstamped.endswith("WITHOUT A TIME STAMP")
    assert "WITHOUT" not in stamped
    assert verify_export(folder, trust=exported.trust).unstamped == ()
