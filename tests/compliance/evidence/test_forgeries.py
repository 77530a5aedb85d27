"""Forgeries by the hundred, made by rule out of genuine material: none verifies, and the right step notices each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, signing
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.trust import Trust
from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export

from .archive import pack, unpack
from .export_story import ExportStory, add_request, lay_out, whole_story
from .forgeries import (
    BUNDLE_RULES,
    CHECKPOINT,
    EXPORT_RULES,
    MALFORMED,
    MISSING,
    SIGSTORE,
    UNEXPECTED,
    Files,
    Forgery,
    Rule,
    codes,
    damage,
    exchanged,
    replaced_by,
    rule_for,
)
from .story import new_signer
from .unsigned_export_forgeries import of_export
from .unsigned_forgeries import of_bundle
from .unsigned_request_forgeries import of_disclosed

MIN_FORGERIES = 1000


@dataclass(frozen=True)
class Material:
    """Genuine files of one request and of the whole ledger; the same when the ledger was shorter; and of others."""

    trust: Trust
    told: ExportStory
    bundle: Files
    other_bundle: Files
    older_bundle: Files
    strange_bundle: Files
    export: Files
    older_export: Files
    strange_export: Files


@pytest.fixture(scope="module")
def material(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> Material:
    """A ledger of its own, exported before and after one more request was added; and the same told with other keys."""
    told = whole_story(log_key, signer)
    first, second = told.disclosed
    older, older_export = unpack(bundle.write(first.contents())), told.files()
    add_request(told, log_key, signer)
    stranger = whole_story(Ed25519PrivateKey.generate(), new_signer())
    return Material(
        trust=told.trust,
        told=told,
        bundle=unpack(bundle.write(first.contents())),
        other_bundle=unpack(bundle.write(second.contents())),
        older_bundle=older,
        strange_bundle=unpack(bundle.write(stranger.disclosed[0].contents())),
        export=told.files(),
        older_export=older_export,
        strange_export=stranger.files(),
    )


# --- By file and kind of change -------------------------------------------------------------------------------------

# bundle.json names the files, so that one of another bundle misses some of those that are there.
_FOREIGN_INDEX = codes(ExitCode.MISSING_FILE, ExitCode.UNEXPECTED_FILE, ExitCode.MALFORMED_FILE)
_FOREIGN_CHECKPOINT = CHECKPOINT | codes(ExitCode.PROOF_CHANGED)


def swapped_rules(rules: tuple[Rule, ...], **changed: frozenset[ExitCode]) -> tuple[Rule, ...]:
    """The rules where a genuine file of another origin is noticed elsewhere than a damaged one."""
    found = {rule.pattern: rule for rule in rules}
    return tuple(
        Rule(pattern, next((codes for part, codes in changed.items() if part in pattern), rule.changed), rule.missing)
        for pattern, rule in found.items()
    )


BUNDLE_SWAPS = swapped_rules(
    BUNDLE_RULES,
    bundle=_FOREIGN_INDEX,
    checkpoint=_FOREIGN_CHECKPOINT,
)
EXPORT_SWAPS = swapped_rules(
    EXPORT_RULES,
    export=_FOREIGN_INDEX | codes(ExitCode.CHECKPOINT_KEY),
    # The two files on trust must agree, whatever is pinned.
    trust=MALFORMED,
    # A whole one holds at its entry: then it is about another target or request, or under a log that is not there.
    evidence=SIGSTORE | UNEXPECTED | codes(ExitCode.JOB_MISMATCH, ExitCode.SWAPPED_REQUEST),
    closing=SIGSTORE | UNEXPECTED | codes(ExitCode.CLOSING_STATEMENT),
    # An older checkpoint of the same log is genuine: then there are entries too many for it, or none of its width.
    checkpoint=CHECKPOINT | codes(ExitCode.LOG_CONTENT, ExitCode.UNEXPECTED_FILE, ExitCode.LOG_SUCCESSION),
)


def bundle_damage(material: Material) -> Iterator[Forgery]:
    yield from damage(material.bundle, BUNDLE_RULES)


def bundle_exchanges(material: Material) -> Iterator[Forgery]:
    yield from exchanged(material.bundle, BUNDLE_SWAPS)


def bundle_swaps(material: Material) -> Iterator[Forgery]:
    yield from replaced_by(material.bundle, material.other_bundle, BUNDLE_SWAPS, "another request")
    yield from replaced_by(material.bundle, material.older_bundle, BUNDLE_SWAPS, "an older export")
    yield from replaced_by(material.bundle, material.strange_bundle, BUNDLE_SWAPS, "another controller")


def export_damage(material: Material) -> Iterator[Forgery]:
    yield from damage(material.export, EXPORT_RULES)


def export_exchanges(material: Material) -> Iterator[Forgery]:
    yield from exchanged(material.export, EXPORT_SWAPS)


def export_swaps(material: Material) -> Iterator[Forgery]:
    yield from replaced_by(material.export, material.older_export, EXPORT_SWAPS, "an older export")
    yield from replaced_by(material.export, material.strange_export, EXPORT_SWAPS, "another controller")


def bundle_recomputed(material: Material) -> Iterator[Forgery]:
    yield from of_bundle(material.told)


def export_recomputed(material: Material) -> Iterator[Forgery]:
    yield from of_export(material.told, material.export)
    yield from of_disclosed(material.told, material.export)


BUNDLE_FORGERS = (bundle_damage, bundle_exchanges, bundle_swaps, bundle_recomputed)
EXPORT_FORGERS = (export_damage, export_exchanges, export_swaps, export_recomputed)
Forger = Callable[[Material], Iterator[Forgery]]


def code_of(verify: Callable[[], object]) -> ExitCode:
    try:
        verify()
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def unnoticed(forgeries: Iterator[Forgery], verify: Callable[[Files], object]) -> dict[str, str]:
    """The forgeries that verify, or that the wrong step refuses."""
    found = {}
    for forgery in forgeries:
        code = code_of(lambda files=forgery.files: verify(files))  # type: ignore[misc]
        if code not in forgery.codes:
            found[forgery.name] = code.name
    return found


@pytest.mark.parametrize("forger", BUNDLE_FORGERS, ids=lambda forger: forger.__name__)
def test_no_forged_bundle_verifies(forger: Forger, material: Material) -> None:
    assert unnoticed(forger(material), lambda files: verify_bundle(pack(dict(files)), trust=material.trust)) == {}


@pytest.mark.parametrize("forger", EXPORT_FORGERS, ids=lambda forger: forger.__name__)
def test_no_forged_export_verifies(forger: Forger, material: Material, tmp_path: Path) -> None:
    n_tried = iter(range(10**6))

    def verify(files: Files) -> object:
        return verify_export(lay_out(files, tmp_path / str(next(n_tried))), trust=material.trust, n_processes=1)

    assert unnoticed(forger(material), verify) == {}


def test_the_genuine_material_verifies(material: Material, tmp_path: Path) -> None:
    for files in (material.bundle, material.other_bundle, material.older_bundle):
        assert code_of(lambda files=files: verify_bundle(pack(dict(files)), trust=material.trust)) is ExitCode.VERIFIED  # type: ignore[misc]
    for number, files in enumerate((material.export, material.older_export)):
        folder = lay_out(files, tmp_path / str(number))
        assert code_of(lambda folder=folder: verify_export(folder, trust=material.trust)) is ExitCode.VERIFIED  # type: ignore[misc]


def test_the_forgeries_are_many_and_different(material: Material) -> None:
    names = [
        f"{forger.__name__}: {forgery.name}"
        for forger in (*BUNDLE_FORGERS, *EXPORT_FORGERS)
        for forgery in forger(material)
    ]
    assert len(set(names)) == len(names) >= MIN_FORGERIES


def test_every_file_falls_under_one_rule(material: Material) -> None:
    for files, rules in ((material.bundle, BUNDLE_RULES), (material.export, EXPORT_RULES)):
        used = {rule_for(name, rules).pattern for name in files}
        assert used == {rule.pattern for rule in rules}
    assert ExitCode.VERIFIED not in {code for rule in (*BUNDLE_RULES, *EXPORT_RULES) for code in rule.changed}
    assert MISSING.isdisjoint(MALFORMED)
