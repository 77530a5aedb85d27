"""The end of a request: one true signed summary for each model, and openings that are gone once they are shredded."""

import dataclasses
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, canonical, signing
from compliance.evidence.bundle import BundleContents
from compliance.evidence.errors import ExitCode
from compliance.evidence.position import Position
from compliance.evidence.summary import SummaryFacts
from compliance.evidence.verdict import Result
from compliance.evidence.verify import verify_bundle

from .archive import reindexed, unpack
from .edits import code_of, summarises, without_files
from .story import START, STEPS, TARGET_A, TARGET_B, Part, Story, some_id

ZERO = "0" * 64
TO_THE_EVIDENCE = STEPS[:-1]


@pytest.fixture
def keys(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> dict[str, Any]:
    return {"log_key": log_key, "signer": signer}


def code_of_story(story: Story) -> ExitCode:
    return code_of(bundle.write(story.contents()))


# --- Another thing in each field ------------------------------------------------------------------------------------

SAYS: dict[str, dict[str, Any]] = {
    "another request": {"request_id": some_id(99)},
    "another target": {"target_id": some_id(99)},
    "the other target": {"target_id": TARGET_B},
    "another model": {"model_id": some_id(99)},
    "another receipt": {"request_leaf_sha256": ZERO},
    "another completion": {"completed_leaf_sha256": ZERO},
    "another version": {"after_sha256": ZERO},
    "another policy": {"policy_sha256": ZERO},
    "other evidence": {"evidence_sha256": ZERO},
    "another entry of evidence": {"evidence_leaf_sha256": ZERO},
    "a better result": {"result": Result.PASSED},
    "a worse result": {"result": Result.FAILED},
    "another assurance": {"assurance": "approximate"},
}
FREE = {"verified_at", "worker_id", "code_version"}


def only_the_second(changes: dict[str, Any]) -> Any:
    """Change the summary of the warned model alone, so that the first one does not hide what happens to it."""

    def edit(facts: SummaryFacts) -> SummaryFacts:
        return dataclasses.replace(facts, **changes) if facts.target_id == TARGET_B else facts

    return edit


@pytest.mark.parametrize("name", SAYS)
def test_a_summary_that_says_something_else_is_refused(name: str, keys: dict[str, Any]) -> None:
    assert code_of_story(Story(**keys, summary=summarises(**SAYS[name]))) is ExitCode.CLOSING_STATEMENT


@pytest.mark.parametrize("name", [name for name in SAYS if name != "the other target"])
def test_the_last_summary_is_looked_at_as_the_first(name: str, keys: dict[str, Any]) -> None:
    assert code_of_story(Story(**keys, summary=only_the_second(SAYS[name]))) is ExitCode.CLOSING_STATEMENT


def test_every_field_that_must_agree_is_in_the_table() -> None:
    said = {field for changes in SAYS.values() for field in changes}
    assert said | FREE == {field.name for field in dataclasses.fields(SummaryFacts)}


def test_a_summary_may_come_later_and_from_any_worker(keys: dict[str, Any]) -> None:
    changes = {"verified_at": START.replace(year=2030), "worker_id": some_id(99), "code_version": "9.9.9"}
    assert code_of_story(Story(**keys, summary=summarises(**changes))) is ExitCode.VERIFIED


# --- Missing, doubled, misplaced ------------------------------------------------------------------------------------


class OneSummaryStory(Story):
    def summarise(self, part: Part) -> None:
        if part is self.parts[0]:
            super().summarise(part)


class NoSummaryStory(Story):
    def summarise(self, part: Part) -> None:
        pass


class SwappedSummariesStory(Story):
    """Each model's summary stands under the name of the other."""

    def contents(self) -> BundleContents:
        contents = super().contents()
        targets = [closing.target for closing in contents.closings]
        swapped = zip(contents.closings, reversed(targets), strict=True)
        return dataclasses.replace(
            contents, closings=tuple(dataclasses.replace(closing, target=target) for closing, target in swapped)
        )


class ForeignTargetStory(Story):
    """The second summary is attached to a target that the request does not have."""

    def contents(self) -> BundleContents:
        contents = super().contents()
        first, second = contents.closings
        return dataclasses.replace(contents, closings=(first, dataclasses.replace(second, target=some_id(99))))


class HastyStory(Story):
    """The summaries are signed before the completion that they speak of."""

    def complete(self) -> None:
        for part in self.parts:
            self.summarise(part)
        placed, self.summaries = self.summaries, {}
        self.summarise_nothing()
        self.summaries = placed

    def summarise_nothing(self) -> None:
        summarise, self.summarise = self.summarise, lambda part: None  # type: ignore[method-assign]
        super().complete()
        self.summarise = summarise  # type: ignore[method-assign]


class PrescientStory(Story):
    """Summaries that name the very completion that is logged after them: its bytes were known before."""

    held: bytes | None = None

    def append(self, entry: bytes) -> Position:
        if b'"request.completed"' not in entry:
            return super().append(entry)
        self.held = entry
        return Position(1, len(self.ledger.last.leaves) + len(self.parts))

    def complete(self) -> None:
        super().complete()
        assert self.held is not None
        assert super().append(self.held) == self.events[-1]


class OpenSummaryStory(Story):
    """A request is summed up although it goes on."""

    def sum_up(self) -> None:
        for part in self.parts:
            self.summarise(part)


class StatementAsSummaryStory(Story):
    """The signed words are those of the evidence."""

    def summary_payload(self, part: Part) -> bytes:
        return super().payload(part)


class EmptySummaryStory(Story):
    def summary_payload(self, part: Part) -> bytes:
        return b"{}"


class TalkativeSummaryStory(Story):
    """The summary says one word more than its facts."""

    def summary_payload(self, part: Part) -> bytes:
        value = canonical.loads(super().summary_payload(part))
        value["predicate"]["note"] = "checked by hand"
        return canonical.dumps(value)


BROKEN: dict[str, tuple[type[Story], tuple[str, ...], ExitCode]] = {
    "no summary": (NoSummaryStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "a summary of one model of two": (OneSummaryStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "summaries of each other's model": (SwappedSummariesStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "a summary of a target that is none": (ForeignTargetStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "summaries before the completion": (HastyStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "summaries before a completion that was known": (PrescientStory, STEPS, ExitCode.CLOSING_STATEMENT),
    "summaries of an open request": (OpenSummaryStory, (*TO_THE_EVIDENCE, "sum_up"), ExitCode.UNEXPECTED_FILE),
    "summaries of a request withdrawn": (
        OpenSummaryStory,
        (*TO_THE_EVIDENCE, "withdraw", "sum_up"),
        ExitCode.UNEXPECTED_FILE,
    ),
    "a statement in the place of a summary": (StatementAsSummaryStory, STEPS, ExitCode.EVIDENCE_MALFORMED),
    "a summary without words": (EmptySummaryStory, STEPS, ExitCode.EVIDENCE_MALFORMED),
    "a summary with a word too many": (TalkativeSummaryStory, STEPS, ExitCode.EVIDENCE_MALFORMED),
}


@pytest.mark.parametrize("name", BROKEN)
def test_summaries_that_are_not_one_for_each_model_after_its_completion_are_refused(
    name: str, keys: dict[str, Any]
) -> None:
    kind, steps, code = BROKEN[name]
    assert code_of_story(kind(**keys, steps=steps)) is code


def test_two_summaries_of_one_model_are_refused(genuine: bytes) -> None:
    """The bundle's index knows one summary for each target: a second one cannot even be named."""

    def double(index: dict[str, Any]) -> None:
        index["closings"].append({**index["closings"][1], "target": index["closings"][0]["target"]})

    assert code_of(reindexed(genuine, double)) is ExitCode.MALFORMED_FILE


def test_a_summary_file_that_is_missing_is_missed(genuine: bytes) -> None:
    assert code_of(without_files(genuine, f"closing/{TARGET_A}.sigstore.json")) is ExitCode.MISSING_FILE


def test_a_completion_without_evidence_needs_no_summary(keys: dict[str, Any]) -> None:
    class UnconcernedStory(Story):
        def new_parts(self) -> tuple[Part, ...]:
            return ()

    assert code_of_story(UnconcernedStory(**keys, steps=(*STEPS[:5], "complete"))) is ExitCode.VERIFIED


# --- Shredding ------------------------------------------------------------------------------------------------------


class UnshreddedStory(Story):
    """The openings are shown although the ledger says that they were shredded."""

    def contents(self) -> BundleContents:
        return dataclasses.replace(super().contents(), openings=self.openings().to_bytes())


SHREDDED: dict[str, tuple[type[Story], tuple[str, ...], ExitCode]] = {
    "after the end": (Story, (*STEPS, "shred"), ExitCode.VERIFIED),
    "after a refusal": (Story, ("receive", "refuse", "shred"), ExitCode.VERIFIED),
    "after a withdrawal": (Story, ("receive", "withdraw", "shred"), ExitCode.VERIFIED),
    "before the end": (Story, (*TO_THE_EVIDENCE, "shred", "complete"), ExitCode.CHAIN_BROKEN),
    "without an end": (Story, (*TO_THE_EVIDENCE, "shred"), ExitCode.CHAIN_BROKEN),
    "at once": (Story, ("receive", "shred"), ExitCode.CHAIN_BROKEN),
    "twice": (Story, (*STEPS, "shred", "shred"), ExitCode.CHAIN_BROKEN),
    "and something after it": (Story, (*STEPS, "shred", "need_attention"), ExitCode.CHAIN_BROKEN),
    "but the openings are there": (UnshreddedStory, (*STEPS, "shred"), ExitCode.UNEXPECTED_FILE),
}


@pytest.mark.parametrize("name", SHREDDED)
def test_openings_are_shredded_once_after_the_end_and_then_gone(name: str, keys: dict[str, Any]) -> None:
    kind, steps, code = SHREDDED[name]
    assert code_of_story(kind(**keys, steps=steps)) is code


def test_a_shredded_request_still_shows_what_was_decided_and_proven(keys: dict[str, Any]) -> None:
    story = Story(**keys, steps=(*STEPS, "shred"))
    data = bundle.write(story.contents())
    assert "openings.json" not in unpack(data)
    report = verify_bundle(data)
    assert report.state == "completed"
    assert any("cannot be shown" in line for line in report.conclusions)
    assert any("It was completed on" in line for line in report.conclusions)
