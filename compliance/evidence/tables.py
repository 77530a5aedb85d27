"""Reports as people read them in a terminal."""

import textwrap
from collections.abc import Sequence

from compliance.evidence.conclusions import counted
from compliance.evidence.explanation import Story
from compliance.evidence.export_report import ExportReport
from compliance.evidence.growth import Growth
from compliance.evidence.report import LogShown, Report, Step

_WIDTH = 118
_SHOWN = 50
_UNWITNESSED = (
    "  UNWITNESSED: no witness that your trust file relies on has cosigned this log. Somebody else may be shown another",
    "  one. Compare the checkpoint with one from elsewhere.",
)
_COMPARE = (
    "  WARNING: keys that came with the evidence were used. Anyone can make a bundle with keys of their own.",
    "  Compare the fingerprints above with those the controller gave you on another way, or pass the trust file with",
    "  --trust.",
)


def bundle_table(report: Report) -> str:
    """The report of one request."""
    is_pinned = report.is_log_key_pinned and (report.is_evidence_key_pinned or not report.evidence_key_sha256s)
    parts = [
        f"{_headline(is_pinned)} Request {report.request}: {report.state}.",
        *_steps(report.steps),
        "",
        "What the proofs show",
        *[_wrap(line) for line in report.conclusions],
        "",
        *_keys(report, is_pinned),
        *_witnesses(report.logs),
        "",
        "Left to you",
        *[_wrap(line) for line in report.left_to_caller],
    ]
    return "\n".join(parts)


def export_table(report: ExportReport) -> str:
    """The report of whole logs."""
    disclosed = [line for line in report.requests if line.is_disclosed]
    parts = [
        f"{_headline(report.is_pinned)} {report.n_entries} entries, {len(report.requests)} requests, "
        f"{len(disclosed)} of them disclosed.",
        *_steps(report.steps),
        "",
        "Disclosed requests",
        *(
            [f"  {line.request}  {line.state}, {line.n_signatures} signatures" for line in disclosed[:_SHOWN]]
            or ["  none"]
        ),
        *([f"  … and {len(disclosed) - _SHOWN} more (--json lists all)"] if len(disclosed) > _SHOWN else []),
        "",
        "Keys (hex SHA-256 of the public key's DER form)",
        *[f"  ledger    {log.key_sha256}  {log.origin}" for log in report.logs],
        *([] if report.is_pinned else ["", *_COMPARE]),
        *_witnesses(report.logs),
        "",
        "Left to you",
        *[_wrap(line) for line in report.left_to_caller],
    ]
    return "\n".join(parts)


def story_table(story: Story) -> str:
    """One request, entry by entry."""
    parts = [f"{_headline(story.is_pinned)} Request {story.request}: {story.state}.", ""]
    for line in story.entries:
        parts += [
            f"  {line.at or '(signed statement)':<20}  {line.what}",
            f"  {'':<20}  entry {line.position}, leaf {line.leaf_sha256[:16]}…, {line.proof}",
            *[f"  {'':<20}    {fact}" for fact in line.facts],
        ]
    parts += ["", "What the proofs show", *[_wrap(line) for line in story.conclusions]]
    parts += [*([] if story.is_pinned else ["", *_COMPARE]), *_witnesses(story.logs)]
    return "\n".join(parts)


def growth_table(grown: Growth) -> str:
    """Whether a log only grew."""
    n_new = grown.new.size - grown.old.size
    parts = [
        f"VERIFIED. The log {grown.new.origin} only grew.",
        f"  older checkpoint  {grown.old.size:>10} entries  root {grown.old.root.hex()}",
        f"  newer checkpoint  {grown.new.size:>10} entries  root {grown.new.root.hex()}",
        f"  All {grown.old.size} entries of the older one are the first of the newer one; {n_new} came after. The proof "
        f"has {counted(grown.n_hashes, 'hash')}.",
        "",
        "Witnesses",
    ]
    if grown.is_witnessed:
        return "\n".join([*parts, f"  the newer checkpoint is cosigned by {', '.join(grown.witnesses)}"])
    return "\n".join([*parts, *_UNWITNESSED])


def _headline(is_pinned: bool) -> str:
    return "VERIFIED." if is_pinned else "CONSISTENT, UNDER KEYS THAT YOU STILL HAVE TO COMPARE."


def _steps(steps: Sequence[Step]) -> list[str]:
    width = max(len(step.title) for step in steps)
    return [f"  {step.number:>2}. {step.title:<{width}}  ok  {step.detail}" for step in steps]


def _keys(report: Report, is_pinned: bool) -> list[str]:
    lines = ["Keys (hex SHA-256 of the public key's DER form)"]
    lines += [f"  ledger    {log.key_sha256}  {_origin(report.is_log_key_pinned)}  {log.origin}" for log in report.logs]
    lines += [f"  evidence  {keyid}  {_origin(report.is_evidence_key_pinned)}" for keyid in report.evidence_key_sha256s]
    return lines if is_pinned else [*lines, "", *_COMPARE]


def _witnesses(logs: Sequence[LogShown]) -> list[str]:
    cosigned = [f"  {log.origin}: cosigned by {', '.join(log.witnesses)}" for log in logs if log.is_witnessed]
    unseen = list(_UNWITNESSED) if len(cosigned) < len(logs) else []
    return ["", "Witnesses", *cosigned, *unseen]


def _origin(is_pinned: bool) -> str:
    return "(yours)" if is_pinned else "(from the bundle: COMPARE)"


def _wrap(line: str) -> str:
    indent = "    " if line.startswith("  ") else "  "
    return textwrap.fill(line.strip(), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
