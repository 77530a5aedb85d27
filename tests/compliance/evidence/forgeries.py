"""Forgeries made by rule: every file of a genuine bundle and export, times every kind of change, with the codes that fit.

A rule names the step that must notice: which codes a change to a kind of file may end with. No key is
needed for these. What somebody recomputes, or has signed by others: unsigned_forgeries.py and
unsigned_export_forgeries.py; what a holder of the keys can do: signed_forgeries.py.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compliance.evidence.errors import ExitCode

Files = Mapping[str, bytes]
Codes = frozenset[ExitCode]
OFFSETS = (0.0, 0.3, 0.6, 1.0)
# Once a trust file is pinned, the one in the export may be any (test_export.py): its fingerprint tells (test_pins.py).
TRUST = "trust.json"


@dataclass(frozen=True)
class Forgery:
    """Files that must be refused, and the codes of the steps that may do it."""

    name: str
    files: Files
    codes: Codes


@dataclass(frozen=True)
class Rule:
    """For the files of one kind: what a changed one and what a missing one ends with; None: it may be missing."""

    pattern: str
    changed: Codes
    missing: Codes | None


def codes(*names: ExitCode) -> Codes:
    return frozenset(names)


MISSING = codes(ExitCode.MISSING_FILE)
MALFORMED = codes(ExitCode.MALFORMED_FILE)
# Of a checkpoint, the text, a signature, its key, or one cosignature of just enough can be hit.
CHECKPOINT = codes(
    ExitCode.CHECKPOINT_MALFORMED,
    ExitCode.CHECKPOINT_SIGNATURE,
    ExitCode.CHECKPOINT_KEY,
    ExitCode.CHECKPOINT_UNWITNESSED,
)
SIGSTORE = codes(ExitCode.SIGSTORE_MALFORMED, ExitCode.EVIDENCE_PAYLOAD, ExitCode.EVIDENCE_SIGNATURE)
UNEXPECTED = codes(ExitCode.UNEXPECTED_FILE)
# Nothing lists what is signed: a completed request is short of a target, or of a summary.
EVIDENCE_MISSING = codes(ExitCode.SCOPE_MISMATCH)
SUMMARY_MISSING = codes(ExitCode.CLOSING_STATEMENT)
OPENINGS = codes(ExitCode.MALFORMED_FILE, ExitCode.OPENING_MISMATCH)
BUNDLE_RULES = (
    Rule(r"README\.txt", MALFORMED, MISSING),
    Rule(r"bundle\.json", MALFORMED, MISSING),
    Rule(r"logs/[0-9]+\.checkpoint", CHECKPOINT, MISSING),
    Rule(r"logs/[0-9]+\.vkey", MALFORMED, MISSING),
    Rule(r"entries/.*\.leaf", codes(ExitCode.ENTRY_CHANGED), MISSING),
    Rule(r"entries/.*\.tlog-proof", codes(ExitCode.PROOF_CHANGED), MISSING),
    Rule(r"challenges/.*", codes(ExitCode.CHALLENGE_MISMATCH), MISSING),
    Rule(r"(evidence|closing)/.*", SIGSTORE, MISSING),
    Rule(r"keys/.*", MALFORMED, MISSING),
    Rule(r"models/.*", codes(ExitCode.SWAPPED_MODEL), MISSING),
    Rule(r"policy\.json", codes(ExitCode.POLICY_MISMATCH), MISSING),
    Rule(r"openings\.json", OPENINGS, MISSING),
)
EXPORT_RULES = (
    Rule(r"README\.txt", MALFORMED, MISSING),
    Rule(r"export\.json", MALFORMED, MISSING),
    Rule(r"trust\.json", MALFORMED, MISSING),
    # Our verification needs no words for Sigstore clients.
    Rule(r"trusted_root\.json", MALFORMED, None),
    Rule(r"logs/[0-9]+/checkpoint", CHECKPOINT, MISSING),
    Rule(r"logs/[0-9]+/tile/.*", codes(ExitCode.LOG_CONTENT), codes(ExitCode.LOG_CONTENT)),
    Rule(r"requests/[^/]*/[^/]*\.evidence\.sigstore\.json", SIGSTORE, EVIDENCE_MISSING),
    Rule(r"requests/[^/]*/[^/]*\.closing\.sigstore\.json", SIGSTORE, SUMMARY_MISSING),
    Rule(r"requests/[^/]*/openings\.json", OPENINGS, MISSING),
    Rule(r"models/.*", codes(ExitCode.SWAPPED_MODEL), MISSING),
    Rule(r"policies/.*", codes(ExitCode.POLICY_MISMATCH), MISSING),
)


def rule_for(name: str, rules: tuple[Rule, ...]) -> Rule:
    (rule,) = (rule for rule in rules if re.fullmatch(rule.pattern, name))
    return rule


def flipped(content: bytes, offset: float, bit: int = 0) -> bytes:
    """One bit changed, at a place between the first and the last byte."""
    at = int(offset * (len(content) - 1))
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def damage(files: Files, rules: tuple[Rule, ...]) -> Iterator[Forgery]:
    """Every file with bits flipped, cut off, lengthened, emptied, and gone."""
    for name, content in sorted(files.items()):
        rule = rule_for(name, rules)
        if name == TRUST:
            continue
        changes = {f"bit flipped at {offset:.0%}": flipped(content, offset) for offset in OFFSETS}
        changes |= {"cut off": content[:-1], "cut in half": content[: len(content) // 2], "emptied": b""}
        changes |= {"lengthened": content + b"\n"}
        for change, changed in changes.items():
            yield Forgery(f"{name} {change}", {**files, name: changed}, rule.changed)
        if rule.missing is not None:
            yield Forgery(f"{name} gone", {key: held for key, held in files.items() if key != name}, rule.missing)


def exchanged(files: Files, rules: tuple[Rule, ...]) -> Iterator[Forgery]:
    """Two files of one kind in each other's place: of another entry, target, log or model of the same request."""
    for rule in rules:
        for first, second in itertools.pairwise(_matching(files, rule)):
            if files[first] != files[second]:
                changed = {**files, first: files[second], second: files[first]}
                yield Forgery(f"{first} and {second} exchanged", changed, rule.changed)


def replaced_by(files: Files, others: Files, rules: tuple[Rule, ...], what: str) -> Iterator[Forgery]:
    """Each file replaced by the one of its kind and place in another genuine bundle or export."""
    for rule in rules:
        pairs = zip(_matching(files, rule), _matching(others, rule), strict=False)
        for name, other in pairs:
            if files[name] != others[other]:
                yield Forgery(f"{name} from {what}", {**files, name: others[other]}, rule.changed)


def _matching(files: Files, rule: Rule) -> list[str]:
    return [name for name in sorted(files) if re.fullmatch(rule.pattern, name)]
