"""Genuine requests verify at every point of their life, and the report says what was proven and no more."""

import dataclasses
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, canonical, checkpoint, dsse, proof, signing
from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import Event
from compliance.evidence.report import Report
from compliance.evidence.statement import EvidenceFacts, Worker
from compliance.evidence.verdict import Result, Verdict
from compliance.evidence.verify import verify_bundle

from .edits import by, code_of, on
from .ledgers import Ledger
from .story import (
    DPO,
    JOB_A,
    POLICY,
    SECOND_JOB_A,
    SECOND_WORKER,
    STEPS,
    TARGET_A,
    TARGET_B,
    Part,
    Story,
)

TO_THE_PLAN = STEPS[:5]
RUN = ("start", "record", "find", "attach")


class UnconcernedStory(Story):
    """No registered model holds a record of the person."""

    def new_parts(self) -> tuple[Part, ...]:
        return ()


class FirstFailsStory(Story):
    """The first run on the first model is judged failed, the one after the retry passes."""

    def findings(self, part: Part) -> Any:
        equal, attack = super().findings(part)
        if part.job != JOB_A:
            return equal, attack
        return equal, dataclasses.replace(attack, value=0.3, verdict=Verdict.FAIL, reasons=())

    def result(self, part: Part) -> Result:
        return Result.FAILED if part.job == JOB_A else super().result(part)


class GrowingStory(Story):
    """Before the second decision another request took away one of the first model's records."""

    def shares(self) -> list[dict[str, Any]]:
        first, *others = super().shares()
        if "request.approved" in self.types:
            self.parts = (dataclasses.replace(self.parts[0], forget_commitment="5" * 64), *self.parts[1:])
            first = {**first, "n_records": 1, "forget_commitment": "5" * 64}
        return [first, *others]

    def facts(self, part: Part) -> EvidenceFacts:
        n_forget = 1 if part.forget_commitment == "5" * 64 else 2
        return dataclasses.replace(super().facts(part), n_forget=n_forget)


def report_of(story: Story) -> Report:
    return verify_bundle(bundle.write(story.contents()))


def said(report: Report, words: str) -> bool:
    return any(words in line for line in report.conclusions)


@pytest.fixture
def keys(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> dict[str, Any]:
    return {"log_key": log_key, "signer": signer}


# --- Genuine lives of a request ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", range(1, len(STEPS) + 1))
def test_a_request_verifies_after_each_of_its_steps(n_steps: int, keys: dict[str, Any]) -> None:
    report = report_of(Story(**keys, steps=STEPS[:n_steps]))
    assert (report.state == "completed") == (n_steps == len(STEPS))


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        (("receive", "withdraw"), "withdrawn"),
        (("receive", "request_identity", "confirm_identity", "refuse"), "refused"),
    ],
)
def test_a_request_that_ended_early_verifies(steps: tuple[str, ...], state: str, keys: dict[str, Any]) -> None:
    report = report_of(Story(**keys, steps=steps))
    assert report.state == state
    assert said(report, "no model was shown to forget")


def test_a_job_that_another_worker_took_over_verifies(keys: dict[str, Any]) -> None:
    """A killed worker's job goes on under the same id: one start by the first worker, the rest by the second."""

    def taken_over(event: Event) -> Event:
        return by("findings.recorded", SECOND_WORKER)(by("job.recorded", SECOND_WORKER)(event))

    def finished(facts: EvidenceFacts) -> EvidenceFacts:
        return dataclasses.replace(facts, worker=Worker(id=SECOND_WORKER, code_version="0.1.0"))

    story = Story(**keys, event=taken_over, facts=finished)
    assert len([link for link in story.contents().entries if b'"job.started"' in link.leaf]) == len(story.parts)
    assert report_of(story).state == "completed"


def test_a_job_that_was_started_twice_counts_from_its_last_start(keys: dict[str, Any]) -> None:
    assert report_of(Story(**keys, steps=(*TO_THE_PLAN, "start", *RUN, "complete"))).state == "completed"


def test_a_retry_after_a_run_without_a_result_verifies_and_the_failure_is_told(keys: dict[str, Any]) -> None:
    steps = (*TO_THE_PLAN, "start", "only_first", "fail", "only_second", "record", "find", "attach")
    report = report_of(Story(**keys, steps=(*steps, "need_attention", "retry", *RUN, "complete")))
    assert report.state == "completed"
    assert said(report, f"Target {TARGET_A}: a run ended without a result (out_of_memory).")


def test_a_retry_after_failed_evidence_verifies_and_the_failure_is_told(keys: dict[str, Any]) -> None:
    """The first evidence stays in the ledger; the bundle holds the last evidence of each target alone."""
    story = FirstFailsStory(**keys, steps=(*TO_THE_PLAN, *RUN, "need_attention", "retry", *RUN, "complete"))
    report = report_of(story)
    assert report.state == "completed"
    assert said(report, f"Target {TARGET_A}: a run was judged failed")
    assert not said(report, f"Target {TARGET_B}: a run was judged failed")
    assert len(story.contents().evidence) == len(story.parts)
    assert any(SECOND_JOB_A.encode() in entry.leaf for entry in story.contents().entries)


def test_failed_evidence_of_an_open_request_verifies_without_any_claim(keys: dict[str, Any]) -> None:
    report = report_of(FirstFailsStory(**keys, steps=(*TO_THE_PLAN, *RUN, "need_attention")))
    assert report.state.startswith("in progress")
    assert said(report, "No claim is made")


def test_a_failed_run_may_have_left_the_model_as_it_was(keys: dict[str, Any]) -> None:
    """It says so itself, and claims nothing."""

    class NothingDoneStory(FirstFailsStory):
        def new_parts(self) -> tuple[Part, ...]:
            first, second = super().new_parts()
            return dataclasses.replace(first, after=first.before), second

    report = report_of(NothingDoneStory(**keys, steps=(*TO_THE_PLAN, *RUN, "need_attention")))
    assert said(report, "No claim is made")


def test_a_request_that_concerns_no_model_is_completed_without_evidence(keys: dict[str, Any]) -> None:
    story = UnconcernedStory(**keys, steps=(*TO_THE_PLAN, "complete"))
    assert story.contents().evidence == ()
    report = report_of(story)
    assert report.state == "completed"
    assert said(report, "no registered model held records of the person")


def test_a_second_decision_with_a_smaller_share_verifies_before_and_after_its_run(keys: dict[str, Any]) -> None:
    """Until the new run, the evidence attached is about the share of the first decision."""
    decided = (*TO_THE_PLAN, *RUN, "need_attention", "approve_anew", "only_first", "plan")
    assert report_of(GrowingStory(**keys, steps=decided)).state.startswith("in progress")
    report = report_of(GrowingStory(**keys, steps=(*decided, "retry", *RUN, "complete")))
    assert report.state == "completed"
    assert said(report, "It was approved anew")
    assert said(report, "forgetting 1 records")


def test_who_decided_first_may_sign_off_a_later_decision_of_another_person(keys: dict[str, Any]) -> None:
    steps = ("receive", "request_identity", "confirm_identity", "approve", "approve_anew", "plan", *RUN, "complete")
    assert report_of(Story(**keys, steps=steps, event=by("request.completed", DPO))).state == "completed"


def test_proofs_without_the_hint_verify(story: Story) -> None:
    """C2SP tlog-proof leaves the extra line to whoever writes the proof; it only words a refusal."""

    def bare(entry: bundle.Entry) -> bundle.Entry:
        parsed = proof.parse(entry.proof)
        return dataclasses.replace(entry, proof=proof.write(parsed.index, parsed.path, parsed.checkpoint))

    contents = story.contents()
    bared = dataclasses.replace(contents, entries=tuple(map(bare, contents.entries)))
    assert code_of(bundle.write(bared)) is ExitCode.VERIFIED


def test_openings_that_are_withheld_are_missed(story: Story) -> None:
    assert code_of(bundle.write(dataclasses.replace(story.contents(), openings=None))) is ExitCode.MISSING_FILE


def test_shredded_openings_verify_and_the_report_says_what_is_lost(keys: dict[str, Any]) -> None:
    report = report_of(Story(**keys, steps=(*STEPS, "shred")))
    assert report.state == "completed"
    assert said(report, "cannot be shown")


def test_a_log_of_several_requests_gives_each_its_bundle(story: Story, keys: dict[str, Any]) -> None:
    ledger = Ledger(story.log_key)
    told = [Story(**keys, ledger=ledger, number=number) for number in range(3)]
    reports = [report_of(each) for each in told]
    assert [report.request for report in reports] == [each.request_id for each in told]
    assert {report.state for report in reports} == {"completed"}


# --- What the report says ----------------------------------------------------------------------------------------


def test_events_left_out_at_the_end_show_an_open_request_and_the_reader_is_told(story: Story) -> None:
    """Nothing can prove that no event follows; only a terminal event does."""
    contents = story.contents()
    (ended,) = (at for at, entry in enumerate(contents.entries) if b'"request.completed"' in entry.leaf)
    cut = dataclasses.replace(contents, entries=contents.entries[:ended], closings=())
    report = verify_bundle(bundle.write(cut))
    assert report.state == "in progress (last event: findings.recorded)"
    assert any("last events can be left out" in line for line in report.left_to_caller)


def test_the_report_names_every_step_with_what_it_looked_at(story: Story) -> None:
    report = report_of(story)
    assert [step.number for step in report.steps] == list(range(1, 14))
    assert all(step.title and step.detail for step in report.steps)


def test_the_report_tells_pinned_keys_from_those_of_the_bundle(story: Story, signer: signing.EvidenceSigner) -> None:
    data = bundle.write(story.contents())
    unpinned = verify_bundle(data)
    assert (unpinned.is_log_key_pinned, unpinned.is_evidence_key_pinned) == (False, False)
    vkey = checkpoint.vkey("ledger.example/test", story.log_key.public_key())
    pinned = verify_bundle(data, log_vkeys=[vkey], evidence_keys=[signer.public_key])
    assert (pinned.is_log_key_pinned, pinned.is_evidence_key_pinned) == (True, True)
    assert pinned.evidence_key_sha256s == (signer.keyid,)
    (log,) = pinned.logs
    assert (log.number, log.size, log.is_witnessed) == (1, 316, False)
    assert log.key_sha256 == dsse.public_key_sha256(story.log_key.public_key())


def test_a_warning_is_told_as_something_that_was_not_shown(story: Story) -> None:
    assert said(report_of(story), "Not shown by mia_loss: the policy accepts that, you need not.")


def test_the_claim_of_a_method_that_only_suppresses_never_says_that_anything_is_gone(keys: dict[str, Any]) -> None:
    def suppresses(facts: EvidenceFacts) -> EvidenceFacts:
        return dataclasses.replace(facts, method=dataclasses.replace(facts.method, assurance="suppression"))

    report = report_of(Story(**keys, facts=suppresses, event=on("job.recorded", assurance="suppression")))
    assert said(report, "still carry the influence")
    assert not said(report, "guarantees")


def test_a_report_of_every_genuine_life_has_a_json_form(story: Story) -> None:
    written = report_of(story).to_dict()
    assert written["request"] == story.contents().request
    assert len(written["steps"]) == 13


def test_verification_needs_no_key_of_the_bundle_when_keys_are_pinned(
    story: Story, signer: signing.EvidenceSigner
) -> None:
    data = bundle.write(dataclasses.replace(story.contents(), evidence_keys=()))
    assert code_of(data) is ExitCode.EVIDENCE_KEY
    assert code_of(data, evidence_keys=[signer.public_key]) is ExitCode.VERIFIED


def test_a_plan_under_another_policy_after_a_failure_is_told(keys: dict[str, Any]) -> None:
    class Loosened(Story):
        def loosen(self) -> None:
            self.policy = canonical.dumps({**POLICY, "version": 2})

    steps = (*STEPS[:6], "fail", "need_attention", "loosen", "approve_anew", "plan")
    assert said(report_of(Loosened(**keys, steps=steps)), "ANOTHER POLICY")
    assert not said(report_of(Story(**keys)), "ANOTHER POLICY")
