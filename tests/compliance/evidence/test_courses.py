"""What a completion has to rest on beside its evidence: the last decision on every model, and nothing left open.

Every course is told twice: in a bundle, and in an export that does not disclose the request.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, signing
from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import Event

from .courses import DECIDE, RUN, TO_REVIEW, WORK, CourseStory
from .edits import by, code_of
from .export_edits import code_of_export, told
from .export_story import lay_out
from .registered import RegisteredLedger
from .story import DPO, OPERATOR, SECOND_DPO

Steps = tuple[str, ...]
Edit = Callable[[Event], Event]
Codes = Callable[..., tuple[ExitCode, ExitCode]]

DONE = (*TO_REVIEW, *WORK)
ANEW = ("approve_anew", "plan_nothing")
PARTLY = (*TO_REVIEW, "leave_out", *WORK)


@pytest.fixture
def codes(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path) -> Codes:
    """The codes that a course ends with, disclosed and undisclosed."""

    def code_each(steps: Steps, edit: Edit = lambda event: event) -> tuple[ExitCode, ExitCode]:
        ledger = RegisteredLedger(log_key)
        story = CourseStory(log_key=log_key, signer=signer, ledger=ledger, steps=steps, event=edit)
        export = told(ledger, signer=signer)
        disclosed = code_of(bundle.write(story.contents()))
        return disclosed, code_of_export(lay_out(export.files(), tmp_path / steps[-1]), export.trust)

    return code_each


# --- Refusals -------------------------------------------------------------------------------------------------------

FORGED_COURSES: dict[str, Steps] = {
    "a model excepted after the decision, completed in whole": (*DONE, "leave_out", "complete"),
    "a model excepted after the decision, completed in part": (*DONE, "leave_out", "complete_partly"),
    "an exception taken back after the decision, completed in part": (*PARTLY, "take_in", "complete_partly"),
    "an exception taken back after the decision, completed in whole": (*PARTLY, "take_in", "complete"),
    "an exception for another reason than at the decision": (*PARTLY, "leave_out_otherwise", "complete_partly"),
    "one more exception than at the decision": (*PARTLY, "leave_out_another", "complete_partly"),
    "another exception than at the decision": (*PARTLY, "take_in", "leave_out_another", "complete_partly"),
    "an exception after the first of two decisions, and taken back after the second": (
        *(*DONE, "see_scope_change", "leave_out", *ANEW, "take_in", "complete"),
    ),
    "a model excepted, completed in whole": (*PARTLY, "complete"),
    "no model excepted, completed in part": (*DONE, "complete_partly"),
    "a hold from before the decision": (*TO_REVIEW, "hold", *WORK, "complete"),
    "a hold from after the work": (*DONE, "hold", "complete"),
    "a model held again after its release": (*TO_REVIEW, "hold", "release", "hold", *WORK, "complete"),
    "one of two holds lifted": (*TO_REVIEW, "hold", *WORK, "hold_first", "release_first", "complete"),
    "a hold on what was taken in again": (*TO_REVIEW, "leave_out", "take_in", "hold", *WORK, "complete"),
    "a scope that changed, and nobody decided anew": (*DONE, "see_scope_change", "complete"),
    "a scope that changed again after the new decision": (
        *(*DONE, "see_scope_change", *ANEW, "let_system_see_scope_change", "complete"),
    ),
    "a failure that nobody did anything about": (*DONE, "need_attention", "complete"),
    "a new decision without a plan": (*DONE, "see_scope_change", "approve_anew", "complete"),
}


@pytest.mark.parametrize("steps", FORGED_COURSES.values(), ids=FORGED_COURSES.keys())
def test_a_completion_that_is_not_what_was_decided_last_is_refused(steps: Steps, codes: Codes) -> None:
    assert codes(steps) == (ExitCode.COMPLETION_MISMATCH, ExitCode.COMPLETION_MISMATCH)


OTHER_SCOPES: dict[str, Steps] = {
    "a model that was found and approved, but not changed": (
        *(*DONE, "see_scope_change", "find_model", "approve_anew", "plan", "complete"),
    ),
    "a model that was found and changed, but not approved": (
        *(*DONE, "see_scope_change", "approve_anew", "find_model", "plan", *RUN, "complete"),
    ),
}


@pytest.mark.parametrize("steps", OTHER_SCOPES.values(), ids=OTHER_SCOPES.keys())
def test_a_completion_under_another_decision_than_the_last_is_refused(steps: Steps, codes: Codes) -> None:
    assert codes(steps) == (ExitCode.SCOPE_MISMATCH, ExitCode.SCOPE_MISMATCH)


def test_a_run_from_before_the_last_decision_does_not_stand_for_one_that_it_planned(codes: Codes) -> None:
    steps = (*DONE, "see_scope_change", "learn_again", "approve_anew", "plan", "complete_as_before")
    # Whose scope is disclosed is refused for the records that were decided on, and never forgotten.
    assert codes(steps) == (ExitCode.SCOPE_MISMATCH, ExitCode.COMPLETION_MISMATCH)
    shredded = (*steps, "shred")
    assert codes(shredded) == (ExitCode.COMPLETION_MISMATCH, ExitCode.COMPLETION_MISMATCH)


IMPOSSIBLE_COURSES: dict[str, Steps] = {
    "a run on a model on hold": (*TO_REVIEW, "hold_first", *DECIDE, "start"),
    "a run on a model held after the plan": (*TO_REVIEW, *DECIDE, "hold_first", "start"),
    "a run on a model on hold, released before the end": (
        *(*TO_REVIEW, "hold_first", *DECIDE, "start", "release_first", "record", "find", "attach", "complete"),
    ),
    "a run on an excepted model": (*TO_REVIEW, "leave_out_first", *DECIDE, "start"),
    "a run on a model excepted after the plan": (*TO_REVIEW, *DECIDE, "leave_out_first", "start"),
    "an approval of somebody who proved nothing": (*TO_REVIEW[:2], "approve"),
    "an approval of somebody who was asked for nothing": ("receive", "approve"),
    "a proof after the approval": (*TO_REVIEW[:2], "approve", "confirm_identity"),
}


@pytest.mark.parametrize("steps", IMPOSSIBLE_COURSES.values(), ids=IMPOSSIBLE_COURSES.keys())
def test_a_course_that_cannot_be_is_refused(steps: Steps, codes: Codes) -> None:
    assert codes(steps) == (ExitCode.CHAIN_BROKEN, ExitCode.CHAIN_BROKEN)


def only_second(event_type: str, actor_id: str) -> Edit:
    """Another author of the second entry of a type."""
    seen: list[Event] = []

    def edit(event: Event) -> Event:
        if event.type == event_type:
            seen.append(event)
        return event._replace(actor_id=actor_id) if event.type == event_type and len(seen) == 2 else event

    return edit


ONE_PERSON: dict[str, tuple[Steps, Edit]] = {
    "who approved": ((*DONE, "complete"), by("request.completed", DPO)),
    "who approved, in part": ((*PARTLY, "complete_partly"), by("request.approved", OPERATOR)),
    "who excepted the model": ((*PARTLY, "complete_partly"), by("request.model_excepted", OPERATOR)),
    "who excepted the second of two models": (
        (*TO_REVIEW, "leave_out", "leave_out_another", *WORK, "complete_partly"),
        only_second("request.model_excepted", OPERATOR),
    ),
    "who excepted the model again, for another reason": (
        (*TO_REVIEW, "leave_out", "leave_out_otherwise", *WORK, "complete_partly"),
        only_second("request.model_excepted", OPERATOR),
    ),
    "who approved anew": (
        (*DONE, "see_scope_change", *ANEW, "complete"),
        by("request.completed", SECOND_DPO),
    ),
}


@pytest.mark.parametrize(("steps", "edit"), ONE_PERSON.values(), ids=ONE_PERSON.keys())
def test_a_completion_signed_by_one_who_decided_is_refused(steps: Steps, edit: Edit, codes: Codes) -> None:
    assert codes(steps, edit) == (ExitCode.SAME_SIGNER, ExitCode.SAME_SIGNER)


# --- What holds -----------------------------------------------------------------------------------------------------

TRUE_COURSES: dict[str, Steps] = {
    "nothing special": (*DONE, "complete"),
    "a model excepted": (*PARTLY, "complete_partly"),
    "an exception taken back before the decision": (*TO_REVIEW, "leave_out", "take_in", *WORK, "complete"),
    "a reason that was put right before the decision": (
        *(*TO_REVIEW, "leave_out", "leave_out_otherwise", *WORK, "complete_partly"),
    ),
    "an exception taken back and made again": (*PARTLY, "take_in", "leave_out", "complete_partly"),
    "a hold lifted before the decision": (*TO_REVIEW, "hold", "release", *WORK, "complete"),
    "a hold lifted before the run": (*TO_REVIEW, *DECIDE, "hold_first", "release_first", *RUN, "complete"),
    "a hold that an exception ended": (*TO_REVIEW, "hold", "leave_out", *WORK, "complete_partly"),
    "a hold that an exception ended for good": (*(*TO_REVIEW, "hold", "leave_out", "take_in", *WORK, "complete"),),
    "a scope that changed before the signature, by a model found later": (
        *(*DONE, "see_scope_change", "find_model", "approve_anew", "plan", *RUN, "complete"),
    ),
    "a scope that changed before the signature, by a model that learned the person again": (
        *(*DONE, "see_scope_change", "learn_again", "approve_anew", "plan", *RUN, "complete"),
    ),
    "the same, seen by the system": (
        *(*DONE, "let_system_see_scope_change", "find_model", "approve_anew", "plan", *RUN, "complete"),
    ),
    "a scope that changed before the signature, by what is excepted then": (
        *(*DONE, "see_scope_change", "leave_out", *ANEW, "complete_partly"),
    ),
    "an exception that the new decision takes back": (*(*PARTLY, "see_scope_change", "take_in", *ANEW, "complete"),),
    "a failed run that was repeated": (
        *(*TO_REVIEW, *DECIDE, "start", "only_first", "fail", "only_second", "record", "find", "attach"),
        *("need_attention", "retry", *RUN, "complete"),
    ),
    "still waiting for a model on hold": (*TO_REVIEW, "hold", *WORK),
    "still waiting for a new decision": (*DONE, "see_scope_change"),
}


@pytest.mark.parametrize("steps", TRUE_COURSES.values(), ids=TRUE_COURSES.keys())
def test_a_true_course_verifies(steps: Steps, codes: Codes) -> None:
    assert codes(steps) == (ExitCode.VERIFIED, ExitCode.VERIFIED)


TWO_PERSONS: dict[str, tuple[Steps, Edit]] = {
    "who made an exception that was taken back": (
        (*TO_REVIEW, "leave_out", "take_in", *WORK, "complete"),
        by("request.model_excepted", OPERATOR),
    ),
    "who approved first, and not last": (
        (*DONE, "see_scope_change", *ANEW, "complete"),
        by("request.completed", DPO),
    ),
    "who put a model on hold": ((*TO_REVIEW, "hold", "release", *WORK, "complete"), by("request.model_held", OPERATOR)),
}


@pytest.mark.parametrize(("steps", "edit"), TWO_PERSONS.values(), ids=TWO_PERSONS.keys())
def test_the_signature_of_one_whose_decision_is_not_in_force_counts(steps: Steps, edit: Edit, codes: Codes) -> None:
    assert codes(steps, edit) == (ExitCode.VERIFIED, ExitCode.VERIFIED)
