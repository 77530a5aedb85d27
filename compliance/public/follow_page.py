"""Everything that the page of one request shows to the person: made from the tables of states and moves, not by hand."""

from dataclasses import dataclass

from django.conf import settings
from django.forms import Form

from compliance.evidence.verdict import Result
from compliance.identity import catalogue, proving
from compliance.identity.method import Method
from compliance.identity.openid import sign_in
from compliance.ledger.actors import Role
from compliance.letters.parts import Assurance
from compliance.public.forms import AnswerForm, CodeForm, form_of
from compliance.public.outcome import Block, outcome_of
from compliance.public.period import Period, period_of
from compliance.public.words import Words
from compliance.requests import queries
from compliance.requests.actions import complain
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import TERMINAL, TRANSITIONS, RequestState, TargetState

_SIGN_IN_LEVEL = 2


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to prove who one is; `is_foreign` where there are English words for it alone."""

    text: str
    is_foreign: bool = False


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What is still needed of the person, and what can be done about it on this page."""

    ways: list[Way]
    level: int
    needed_level: int
    form: Form | None
    can_sign_in: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """What staff want to know. `text` is empty where it cannot be opened at the moment."""

    text: str
    form: Form


@dataclass(frozen=True, kw_only=True)
class EvidenceLine:
    """What was shown for one model, and the digest of the entry in the ledger that says so."""

    result: str
    assurance: str
    leaf_sha256: str


@dataclass(frozen=True, kw_only=True)
class FollowPage:
    """The page. `models` counts those that hold data of the person, by the key of their text."""

    deletion: DeletionRequest
    title: str
    text: str
    is_open: bool
    proof: Proof | None
    question: Question | None
    period: Period
    models: list[tuple[str, int]]
    outcome: list[Block]
    evidence: list[EvidenceLine]
    letters: list[tuple[str, Letter]]
    can_withdraw: bool
    can_complain: bool


def follow_page(deletion: DeletionRequest, words: Words, form: Form | None = None) -> FollowPage:
    """The page of a request with its vault; `form` is one that was refused, with its errors."""
    state = RequestState(deletion.state)
    return FollowPage(
        deletion=deletion,
        title=words.text(f"state_{state}"),
        text=words.text(f"next_{state}"),
        is_open=state not in TERMINAL,
        proof=_proof(deletion, words, form),
        question=_question(deletion, words, form),
        period=period_of(deletion, words),
        models=_models(deletion),
        outcome=outcome_of(deletion, words),
        evidence=[_evidence_line(row, words) for row in queries.evidence_summary(deletion)],
        letters=[(words.text(f"letter_{letter.kind}"), letter) for letter in deletion.letters.all()],
        can_withdraw=can_withdraw(deletion),
        can_complain=can_complain(deletion),
    )


def can_withdraw(deletion: DeletionRequest) -> bool:
    """Whether the person can still take the request back."""
    move = (RequestState(deletion.state), RequestState.WITHDRAWN)
    return Role.SUBJECT in TRANSITIONS.get(move, frozenset())


def can_complain(deletion: DeletionRequest) -> bool:
    """Whether a complaint can become a new request."""
    return complain.refusal(deletion) is None


def _proof(deletion: DeletionRequest, words: Words, form: Form | None) -> Proof | None:
    if not proving.still_needed(deletion):
        return None
    has_address = deletion.identity_level > 0
    code_form = form if isinstance(form, CodeForm) else form_of(CodeForm, words)
    return Proof(
        ways=[_way(method.name, method.invitation, words) for method in _methods()]
        + [Way(text=words.text("way_staff", contact=settings.CONTACT))],
        level=deletion.identity_level,
        needed_level=settings.IDENTITY_LEVEL,
        form=None if has_address else code_form,
        can_sign_in=sign_in.is_configured() and deletion.identity_level < _SIGN_IN_LEVEL,
    )


def _methods() -> list[Method]:
    return catalogue.open_to(Role.SUBJECT, settings.IDENTITY_LEVEL)


def _way(name: str, invitation: str, words: Words) -> Way:
    text = words.texts.get(f"way_{name}")
    return Way(text=invitation, is_foreign=True) if text is None else Way(text=text)


def _question(deletion: DeletionRequest, words: Words, form: Form | None) -> Question | None:
    if deletion.state != RequestState.INFO_REQUESTED:
        return None
    try:
        asked = queries.open_question(deletion) or ""
    except VaultError:
        asked = ""
    return Question(text=asked, form=form if isinstance(form, AnswerForm) else form_of(AnswerForm, words))


def _models(deletion: DeletionRequest) -> list[tuple[str, int]]:
    if deletion.scope is None:
        return []
    states = [target.state for target in deletion.targets.all() if target.state != TargetState.NOT_PRESENT]
    counted = [("models_done", TargetState.DEPLOYED), ("models_excepted", TargetState.EXCEPTED)]
    counted.append(("models_held", TargetState.HELD))
    rows = [(key, states.count(state)) for key, state in counted]
    return [("models_concerned", len(states)), *((key, n) for key, n in rows if n)]


def _evidence_line(row: dict[str, str], words: Words) -> EvidenceLine:
    result = Result(row["result"])
    is_failed = result is Result.FAILED
    said = words.letters.unconfirmed if is_failed else words.letters.assurances[Assurance(row["assurance"])]
    return EvidenceLine(result=words.text(f"result_{result.code}"), assurance=said, leaf_sha256=row["leaf_sha256"])
