"""Requests completed in part: what the law excepted is in the scope, in the ledger and in the kind of the end, or nowhere."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, signing
from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import FactValue
from compliance.evidence.report import Report
from compliance.evidence.verify import verify_bundle

from .edits import code_of
from .story import DPO, OPERATOR, STEPS, SYSTEM, Story, some_id

KEPT, FOURTH, RECIPIENT = some_id(41), some_id(42), some_id(43)
TO_REVIEW, WORK = STEPS[:3], ("approve", "plan", "start", "record", "find", "attach")
PARTIAL = (*TO_REVIEW, "leave_out", *WORK, "complete_partly")
SAID = {KEPT: "art17_3_e"}


class PartialStory(Story):
    """A third model holds the person and is excepted. `said` is what the scope says of exceptions."""

    said: dict[str, str] = SAID

    def shares(self) -> list[dict[str, Any]]:
        kept: dict[str, Any] = {"model": KEPT, "n_records": 2, "forget_commitment": "7" * 64}
        if KEPT in self.said:
            kept["exception"] = self.said[KEPT]
        more = [
            {"model": model, "n_records": 1, "forget_commitment": "8" * 64, "exception": reason}
            for model, reason in self.said.items()
            if model != KEPT
        ]
        return [*super().shares(), kept, *more]

    def leave_out(self) -> None:
        self.log("request.model_excepted", "dpo", DPO, {"model": KEPT, "reason": "art17_3_e"})

    def take_in(self) -> None:
        self.log("request.model_included", "dpo", DPO, {"model": KEPT})

    def complete_partly(self) -> None:
        self.finish("request.partly_completed")

    def finish(self, event_type: str) -> None:
        log = self.log

        def log_as(_: str, role: str, actor: str, facts: dict[str, FactValue]) -> None:
            log(event_type, role, actor, facts)

        self.log = log_as  # type: ignore[method-assign,assignment]
        self.complete()
        self.log = log  # type: ignore[method-assign]

    def ask(self) -> None:
        self.log("request.question_asked", "operator", OPERATOR, {"commitment": "6" * 64})

    def answer(self) -> None:
        self.log("request.question_answered", "subject", self.request_id, {})

    def extend(self) -> None:
        self.log("request.extended", "dpo", DPO, {"reason": "complexity", "due_date": "2026-07-01"})

    def hold(self) -> None:
        self.log("request.model_held", "operator", OPERATOR, {"model": KEPT, "reason": "legal_claims"})

    def release(self) -> None:
        self.log("request.model_released", "operator", OPERATOR, {"model": KEPT})

    def notify(self) -> None:
        self.log("request.notified", "system", SYSTEM, {"notice": "partly_completed", "commitment": "5" * 64})

    def tell(self) -> None:
        self.log("request.recipient_notified", "system", SYSTEM, {"recipient": RECIPIENT, "notice_sha256": "4" * 64})

    def hear(self) -> None:
        facts: dict[str, FactValue] = {"recipient": RECIPIENT, "acknowledgement_sha256": "3" * 64}
        self.log("request.recipient_acknowledged", "system", SYSTEM, facts)

    def link(self) -> None:
        self.log("request.linked", "subject", self.request_id, {"linked": some_id(44), "reason": "duplicate"})

    def unveil(self) -> None:
        self.log("request.unveiled", "dpo", DPO, {"reason": "complaint"})

    def lapse(self) -> None:
        self.log("request.closed_unverified", "system", SYSTEM, {})


Telling = Callable[..., PartialStory]


@pytest.fixture
def tell(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> Telling:
    def told(*steps: str, said: dict[str, str] | None = None) -> PartialStory:
        kind = type("Told", (PartialStory,), {"said": SAID if said is None else said})
        story: PartialStory = kind(log_key=log_key, signer=signer, steps=steps)
        return story

    return told


def report_of(story: Story) -> Report:
    return verify_bundle(bundle.write(story.contents()))


def refusal_of(story: Story) -> ExitCode:
    return code_of(bundle.write(story.contents()))


# --- Refusals -------------------------------------------------------------------------------------------------------

FORGED_SCOPES = {
    "no exception": {},
    "for another reason": {KEPT: "art17_3_a"},
    "of another model, too": {KEPT: "art17_3_e", FOURTH: "art17_3_e"},
    "of another model": {FOURTH: "art17_3_e"},
}


@pytest.mark.parametrize("said", FORGED_SCOPES.values(), ids=FORGED_SCOPES.keys())
def test_a_scope_that_excepts_otherwise_than_the_ledger_is_refused(tell: Telling, said: dict[str, str]) -> None:
    assert refusal_of(tell(*PARTIAL, said=said)) == ExitCode.SCOPE_MISMATCH


def test_a_whole_completion_with_an_exception_is_refused(tell: Telling) -> None:
    steps = (*PARTIAL[:-1], "complete")
    assert refusal_of(tell(*steps)) == ExitCode.COMPLETION_MISMATCH


def test_a_partial_completion_without_an_exception_is_refused(tell: Telling) -> None:
    class WholeStory(PartialStory):
        def shares(self) -> list[dict[str, Any]]:
            return Story.shares(self)

    told = tell("receive")
    story = WholeStory(log_key=told.log_key, signer=told.signer, steps=(*TO_REVIEW, *WORK, "complete_partly"))
    assert refusal_of(story) == ExitCode.COMPLETION_MISMATCH


def test_an_exception_that_was_taken_back_excepts_nothing(tell: Telling) -> None:
    steps = (*TO_REVIEW, "leave_out", "take_in", *WORK, "complete_partly")
    assert refusal_of(tell(*steps)) == ExitCode.SCOPE_MISMATCH


def test_an_exception_that_came_after_the_decision_excepts_nothing(tell: Telling) -> None:
    steps = (*TO_REVIEW, *WORK, "leave_out", "complete_partly")
    assert refusal_of(tell(*steps)) == ExitCode.SCOPE_MISMATCH


BROKEN_CHAINS = {
    "an answer without a question": (*TO_REVIEW, "answer"),
    "an inclusion without an exception": (*TO_REVIEW, "take_in"),
    "a release without a hold": (*TO_REVIEW, "release"),
    "a lapse without a proof that was asked for": ("receive", "lapse"),
    "a question after the end": (*PARTIAL, "ask"),
    "an extension after the end": (*TO_REVIEW, "refuse", "extend"),
    "a refusal after a lapse": ("receive", "request_identity", "lapse", "refuse"),
    "a letter after shredding": (*PARTIAL, "shred", "notify"),
    "an unveiling after shredding": (*PARTIAL, "shred", "unveil"),
    "shredding twice": (*PARTIAL, "shred", "shred"),
    "shredding an open request": (*TO_REVIEW, "shred"),
}


@pytest.mark.parametrize("steps", BROKEN_CHAINS.values(), ids=BROKEN_CHAINS.keys())
def test_a_chain_that_cannot_be_is_refused(tell: Telling, steps: tuple[str, ...]) -> None:
    assert refusal_of(tell(*steps)) == ExitCode.CHAIN_BROKEN


# --- What holds -----------------------------------------------------------------------------------------------------


def test_a_partial_completion_verifies_and_says_what_stayed(tell: Telling) -> None:
    report = report_of(tell(*PARTIAL))
    assert report.state == "partly_completed"
    assert any("EXCEPTED" in line and KEPT in line for line in report.conclusions)
    assert any("completed in part" in line for line in report.conclusions)


def test_everything_that_may_happen_around_a_decision_is_told(tell: Telling) -> None:
    around = ("ask", "answer", "extend", "link", "hold", "release", "leave_out")
    after = ("notify", "tell", "unveil", "shred", "hear")
    story = tell(*TO_REVIEW, *around, *WORK, "complete_partly", *after)
    contents = story.contents()
    report = verify_bundle(bundle.write(contents))
    for words in ("asked a question", "settled", "extended", "linked", "hold", "letter", "recipient", "unveiled"):
        assert any(words in line for line in report.conclusions), words


def test_a_request_that_lapsed_verifies(tell: Telling) -> None:
    assert report_of(tell("receive", "request_identity", "lapse")).state == "closed_unverified"
