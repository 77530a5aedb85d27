"""Requests that were not disclosed are held against what their own entries tell."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import signing
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.verdict import Result
from compliance.evidence.verify_export import verify_export

from .export_edits import code_of_export, told
from .export_story import lay_out
from .registered import RegisteredLedger, RegisteredStory
from .story import DPO, STEPS, Part, Story, some_id

Edit = Callable[[Event], Event]


def on(event_type: str, **changes: object) -> Edit:
    """One type of event with other facts."""

    def edit(event: Event) -> Event:
        return event._replace(facts=dict(event.facts) | changes) if event.type == event_type else event  # type: ignore[arg-type]

    return edit


def by(event_type: str, **changes: str) -> Edit:
    return lambda event: event._replace(**changes) if event.type == event_type else event  # type: ignore[arg-type]


def without_last(fact: str) -> Edit:
    def edit(event: Event) -> Event:
        facts = dict(event.facts)
        return event._replace(facts=facts | {fact: event.texts(fact)[:-1]}) if event.type == STEP else event

    return edit


STEP = "request.completed"
SHORT = (*STEPS[:4], "complete")
# What is changed in an undisclosed request that is completed; the steps that it took; what it is refused with.
COMPLETIONS: dict[str, tuple[Edit, tuple[str, ...], ExitCode]] = {
    "without evidence or a run": (lambda event: event, SHORT, ExitCode.SCOPE_MISMATCH),
    "on digests in no log": (
        on(STEP, evidence=["0" * 64, "1" * 64], versions=["2" * 64, "3" * 64]),
        SHORT,
        ExitCode.COMPLETION_MISMATCH,
    ),
    "on evidence in no log": (on(STEP, evidence=["0" * 64, "1" * 64]), STEPS, ExitCode.COMPLETION_MISMATCH),
    "on versions that no run made": (on(STEP, versions=["0" * 64, "1" * 64]), STEPS, ExitCode.COMPLETION_MISMATCH),
    "on one piece of evidence less": (without_last("evidence"), STEPS, ExitCode.SCOPE_MISMATCH),
    "on one version less": (without_last("versions"), STEPS, ExitCode.SCOPE_MISMATCH),
    "on more models than were decided on": (on("request.approved", n_targets=1), STEPS, ExitCode.SCOPE_MISMATCH),
    "decided on more models than there are": (on("request.approved", n_targets=4), STEPS, ExitCode.SCOPE_MISMATCH),
    "by the person who decided": (by(STEP, actor_id=DPO), STEPS, ExitCode.SAME_SIGNER),
    "by a machine": (by(STEP, actor_role="system"), STEPS, ExitCode.ACTOR_ROLE),
    "decided by a machine": (by("request.approved", actor_role="worker"), STEPS, ExitCode.ACTOR_ROLE),
    "after its runs failed": (on("findings.recorded", verdict="failed"), STEPS, ExitCode.COMPLETION_MISMATCH),
    "before its evidence": (
        lambda event: event,
        (*STEPS[:8], "attach_nothing", "complete"),
        ExitCode.COMPLETION_MISMATCH,
    ),
    "on findings before a result": (
        lambda event: event,
        (*STEPS[:6], "find", "record", *STEPS[8:]),
        ExitCode.POLICY_AFTER_RUN,
    ),
    "on two results of one job": (
        lambda event: event,
        (*STEPS[:7], "record", *STEPS[7:]),
        ExitCode.JOB_MISMATCH,
    ),
}


class ForgedStory(RegisteredStory):
    """Completed by its entries; what it is completed on is told by the edits."""

    def attach_nothing(self) -> None:
        """The completion names evidence that comes after it."""

    def complete(self) -> None:
        if self.envelopes or "findings.recorded" not in self.types:
            return super().complete()
        versions = [part.after_sha256 for part in self.parts]
        self.log(STEP, "operator", some_id(11), {"evidence": ["a" * 64, "b" * 64], "versions": versions})
        return None


@pytest.mark.parametrize("name", COMPLETIONS)
def test_a_completion_that_its_own_entries_do_not_bear_is_refused(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    edit, steps, code = COMPLETIONS[name]
    ledger = RegisteredLedger(log_key)
    ForgedStory(log_key=log_key, signer=signer, ledger=ledger, number=4, event=edit, steps=steps)
    export = told(ledger, signer=signer)
    with pytest.raises(EvidenceError, match=some_id(4001)) as caught:
        verify_export(lay_out(export.files(), tmp_path), trust=export.trust)
    assert caught.value.code is code


def test_evidence_of_a_disclosed_request_does_not_stand_for_another(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    taken: list[str] = []

    class Thief(RegisteredStory):
        """Its evidence is that of the request that was attached in between."""

        def attach(self) -> None:
            first = RegisteredStory(log_key=log_key, signer=signer, ledger=self.ledger, number=5)
            stories.append(first)
            taken.extend(leaf_hash(ledger.leaf(at)).hex() for at, _ in first.envelopes.values())

        def complete(self) -> None:
            versions = [part.after_sha256 for part in self.parts]
            self.log(STEP, "operator", some_id(11), {"evidence": list(taken), "versions": versions})

    stories: list[Story] = []
    Thief(log_key=log_key, signer=signer, ledger=ledger, number=4)
    for disclosed in ([], stories):
        export = told(ledger, *disclosed, signer=signer)
        with pytest.raises(EvidenceError, match="Two requests rest on the evidence") as caught:
            verify_export(lay_out(export.files(), tmp_path / str(len(disclosed))), trust=export.trust)
        assert caught.value.code is ExitCode.COMPLETION_MISMATCH


class FailingOnce(RegisteredStory):
    """The first model's run is judged failed, and done again."""

    def result(self, part: Part) -> Result:
        return Result.FAILED if part.job == self.ids.of(some_id(2)) else super().result(part)


HONEST: dict[str, tuple[str, ...]] = {
    "completed": STEPS,
    "shredded": (*STEPS, "shred"),
    "under way": STEPS[:8],
    "failed and waiting": (*STEPS[:6], "fail", "need_attention"),
    "retried": (
        *STEPS[:5],
        *("start", "only_first", "fail", "need_attention", "only_second", "record", "find", "attach"),
        *("retry", "start", "record", "find", "attach", "complete"),
    ),
    "approved anew": (*STEPS[:4], "need_attention", "approve_anew", *STEPS[4:]),
    "withdrawn": ("receive", "withdraw"),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_request_is_counted(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=HONEST[name])
    export = told(ledger, signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.VERIFIED


def test_a_run_that_failed_and_was_repeated_leaves_the_completion_sound(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    again = ("need_attention", "retry", "start", "record", "find", "attach", "complete")
    FailingOnce(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=(*STEPS[:9], *again))
    export = told(ledger, signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.VERIFIED
