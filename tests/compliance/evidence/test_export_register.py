"""What requests say of models is held against the register in the ledger: scopes, methods, jobs and versions."""

import dataclasses
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, signing
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.export_report import ExportReport
from compliance.evidence.verify_export import verify_export

from .export_edits import told
from .export_story import lay_out
from .registered import FAMILY, RegisteredLedger, RegisteredStory, model_registered, own_event, version_registered
from .story import MODEL_A, MODEL_B, POLICY, STEPS, Part, some_id

NEWCOMER = some_id(33)
OTHER_FAMILY = "language_model"
BOTH_FAMILIES: dict[str, object] = {
    **POLICY,
    "methods": {
        FAMILY: {"method": "acu", "config": {}},
        OTHER_FAMILY: {"method": "npo", "config": {}},
    },
}


@dataclasses.dataclass
class Teller:
    """Makes a ledger with stories, disclosed or not, and verifies the export."""

    log_key: Ed25519PrivateKey
    signer: signing.EvidenceSigner
    folder: Path

    def ledger(self, **families: str) -> RegisteredLedger:
        return RegisteredLedger(self.log_key, families={MODEL_A: families.get("first", FAMILY)})

    def story(
        self, ledger: RegisteredLedger, kind: type[RegisteredStory] = RegisteredStory, number: int = 4, **options: Any
    ) -> RegisteredStory:
        return kind(log_key=self.log_key, signer=self.signer, ledger=ledger, number=number, **options)

    def verify(self, ledger: RegisteredLedger, *stories: RegisteredStory) -> ExportReport:
        export = told(ledger, *stories, signer=self.signer)
        folder = self.folder / str(sum(1 for _ in self.folder.iterdir()))
        return verify_export(lay_out(export.files(), folder), trust=export.trust, n_processes=1)

    def code(self, ledger: RegisteredLedger, *stories: RegisteredStory) -> ExitCode:
        try:
            self.verify(ledger, *stories)
        except EvidenceError as error:
            return error.code
        return ExitCode.VERIFIED


@pytest.fixture
def teller(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path) -> Teller:
    return Teller(log_key, signer, tmp_path)


# --- The register itself --------------------------------------------------------------------------------------------

MANIFEST = canonical.dumps({"model": "x"})
REGISTERS: dict[str, tuple[bytes, ...]] = {
    "a model twice": (model_registered(MODEL_A),),
    "a version of no model": (version_registered(NEWCOMER, MANIFEST),),
    "a second version without a run": (version_registered(MODEL_A, MANIFEST),),
    "a version destroyed of no model": (own_event("version.destroyed", model=NEWCOMER, version_sha256="0" * 64),),
    "a version destroyed that never was": (own_event("version.destroyed", model=MODEL_A, version_sha256="0" * 64),),
}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_that_contradicts_itself_is_refused(name: str, teller: Teller) -> None:
    ledger = teller.ledger()
    for entry in REGISTERS[name]:
        ledger.append(entry)
    assert teller.code(ledger) is ExitCode.SWAPPED_MODEL


# --- Scopes ---------------------------------------------------------------------------------------------------------


class SilentStory(RegisteredStory):
    """Its scope says nothing of the model that holds no records."""

    def shares(self) -> list[dict[str, Any]]:
        return super().shares()[:2]


class EmptyStory(RegisteredStory):
    """By its scope there is no model at all."""

    def new_parts(self) -> tuple[Part, ...]:
        return ()

    def shares(self) -> list[dict[str, Any]]:
        return []


class BoastfulStory(RegisteredStory):
    """Its scope names a model that nobody registered."""

    def shares(self) -> list[dict[str, Any]]:
        return [*super().shares(), {"model": NEWCOMER, "n_records": 0, "forget_commitment": "1" * 64}]


SCOPES: dict[str, tuple[type[RegisteredStory], tuple[str, ...]]] = {
    "a model is left out": (SilentStory, STEPS),
    "all models are left out": (EmptyStory, (*STEPS[:5], "complete")),
    "a model that is not registered": (BoastfulStory, STEPS),
}


@pytest.mark.parametrize("name", SCOPES)
def test_a_scope_that_is_not_about_the_models_registered_is_refused(name: str, teller: Teller) -> None:
    kind, steps = SCOPES[name]
    ledger = teller.ledger()
    assert teller.code(ledger, teller.story(ledger, kind, steps=steps)) is ExitCode.SCOPE_MISMATCH


class CrossedStory(RegisteredStory):
    """While the decision is made, a model enters the register."""

    def approve(self) -> None:
        self.ledger.register(NEWCOMER, "n")
        super().approve()


class EarlierCrossedStory(RegisteredStory):
    """The model was there before the identity was confirmed."""

    def confirm_identity(self) -> None:
        self.ledger.register(NEWCOMER, "n")
        super().confirm_identity()


def test_a_model_registered_while_the_decision_is_made_may_be_missing_and_the_report_says_so(teller: Teller) -> None:
    """The service reads the register, then writes the decision: a registration may come in between."""
    ledger = teller.ledger()
    story = teller.story(ledger, CrossedStory)
    report = teller.verify(ledger, story)
    assert report.overtaken == (story.request_id,)
    assert report.steps[7].detail == "4 models, 2 runs; 1 decided while a model was being registered, without it"
    ledger = teller.ledger()
    assert teller.code(ledger, teller.story(ledger, EarlierCrossedStory)) is ExitCode.SCOPE_MISMATCH


def test_a_model_registered_after_the_decision_does_not_matter(teller: Teller) -> None:
    ledger = teller.ledger()
    story = teller.story(ledger)
    ledger.register(NEWCOMER, "n")
    ledger.append(model_registered(some_id(34)))
    report = teller.verify(ledger, story)
    assert (report.overtaken, report.steps[7].detail) == ((), "4 models, 2 runs")


# --- Methods --------------------------------------------------------------------------------------------------------


def test_the_method_of_another_family_is_refused(teller: Teller) -> None:
    ledger = teller.ledger(first=OTHER_FAMILY)
    assert teller.code(ledger, teller.story(ledger, policy=BOTH_FAMILIES)) is ExitCode.POLICY_MISMATCH


def test_a_policy_without_a_method_for_the_family_is_refused(teller: Teller) -> None:
    ledger = teller.ledger(first=OTHER_FAMILY)
    assert teller.code(ledger, teller.story(ledger)) is ExitCode.POLICY_MISMATCH


def test_a_policy_may_name_methods_for_other_families(teller: Teller) -> None:
    ledger = teller.ledger()
    assert teller.code(ledger, teller.story(ledger, policy=BOTH_FAMILIES)) is ExitCode.VERIFIED


# --- Jobs and versions ----------------------------------------------------------------------------------------------


class SwappingStory(RegisteredStory):
    """Each model's run begins from the other's version."""

    def new_parts(self) -> tuple[Part, ...]:
        first, second = super().new_parts()
        return (
            dataclasses.replace(first, before=second.before),
            dataclasses.replace(second, before=first.before),
        )


class StrangeStory(RegisteredStory):
    """Its runs begin from versions that nobody registered."""

    def new_parts(self) -> tuple[Part, ...]:
        return tuple(
            dataclasses.replace(part, before=canonical.dumps({"strange": part.target})) for part in super().new_parts()
        )


class ForeignStory(RegisteredStory):
    """Its runs are on models that nobody registered."""

    def new_parts(self) -> tuple[Part, ...]:
        return tuple(dataclasses.replace(part, model=some_id(40 + at)) for at, part in enumerate(super().new_parts()))


def digest(manifest: bytes) -> str:
    return sha256(manifest).hexdigest()


Break = Callable[[Teller, RegisteredLedger], RegisteredStory]


def borrowing(teller: Teller, ledger: RegisteredLedger, **borrowed: str) -> RegisteredStory:
    """A second request whose runs have something of the first one's."""
    first = teller.story(ledger, number=3)

    class Borrower(RegisteredStory):
        def new_parts(self) -> tuple[Part, ...]:
            return tuple(
                dataclasses.replace(own, **{name: getattr(other, name) for name in borrowed})
                for own, other in zip(super().new_parts(), first.parts, strict=True)
            )

    return teller.story(ledger, Borrower)


def from_destroyed(teller: Teller, ledger: RegisteredLedger) -> RegisteredStory:
    ledger.append(own_event("version.destroyed", model=MODEL_A, version_sha256=digest(ledger.heads[MODEL_A])))
    return teller.story(ledger)


def from_failed(teller: Teller, ledger: RegisteredLedger) -> RegisteredStory:
    """From a version that a run made which was judged failed."""
    failed = teller.story(
        ledger,
        number=3,
        steps=STEPS[:8],
        event=lambda event: (
            event._replace(facts=dict(event.facts) | {"verdict": "failed"})
            if event.type == "findings.recorded"
            else event
        ),
    )
    ledger.heads |= {part.model: part.after for part in failed.parts}
    return teller.story(ledger)


BREAKS: dict[str, tuple[Break, ExitCode]] = {
    "from the other model's version": (
        lambda teller, ledger: teller.story(ledger, SwappingStory),
        ExitCode.SWAPPED_MODEL,
    ),
    "from a version of no model": (lambda teller, ledger: teller.story(ledger, StrangeStory), ExitCode.SWAPPED_MODEL),
    "on models of no register": (lambda teller, ledger: teller.story(ledger, ForeignStory), ExitCode.SWAPPED_MODEL),
    "from a version that was destroyed": (from_destroyed, ExitCode.SWAPPED_MODEL),
    "from a version that failed": (from_failed, ExitCode.SWAPPED_MODEL),
    "with the jobs of another request": (
        lambda teller, ledger: borrowing(teller, ledger, job=""),
        ExitCode.JOB_MISMATCH,
    ),
    "with jobs and versions of another request": (
        lambda teller, ledger: borrowing(teller, ledger, job="", before="", after=""),
        ExitCode.JOB_MISMATCH,
    ),
    "with the result of another request": (
        lambda teller, ledger: borrowing(teller, ledger, after=""),
        ExitCode.SWAPPED_MODEL,
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_run_that_the_register_contradicts_is_refused_disclosed_or_not(name: str, teller: Teller) -> None:
    make, code = BREAKS[name]
    ledger = teller.ledger()
    story = make(teller, ledger)
    assert teller.code(ledger) is code
    # A scope of other models is noticed before.
    assert teller.code(ledger, story) in (
        code,
        ExitCode.SCOPE_MISMATCH,
        ExitCode.SWAPPED_MODEL,
        ExitCode.POLICY_MISMATCH,
    )


def test_runs_that_build_on_each_other_over_two_logs_are_verified_and_old_versions_may_be_destroyed(
    teller: Teller,
) -> None:
    ledger = teller.ledger()
    old = dict(ledger.heads)
    first = teller.story(ledger, number=3)
    ledger.open_next()
    for model in (MODEL_A, MODEL_B):
        ledger.append(own_event("version.destroyed", model=model, version_sha256=digest(old[model])))
    second = teller.story(ledger, number=5)
    report = teller.verify(ledger, first, second)
    assert (report.n_models, report.n_runs) == (3, 4)
