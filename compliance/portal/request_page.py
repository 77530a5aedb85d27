"""Everything the page of one request shows, and which forms stand on it: made from the transition table, never by hand."""

from dataclasses import dataclass
from typing import Any

from compliance.identity import proving
from compliance.portal import narrative, permissions, scope_preview, target_cards
from compliance.portal import notes as written
from compliance.portal import related as related_requests
from compliance.portal.access import Viewer
from compliance.portal.dates import Dates, Extension, dates
from compliance.portal.forms import (
    ApprovalForm,
    ExtensionForm,
    IdentityProofForm,
    QuestionForm,
    RefusalForm,
    SettlementForm,
    SignOffForm,
    UnveilingForm,
    WithdrawalForm,
    form_of,
)
from compliance.portal.keeping import Keeping, keeping
from compliance.portal.narrative import ON_HOLD, REASONS, STANDINGS, WORKING, Standing, Step
from compliance.portal.notes import Notes
from compliance.portal.permissions import Actions
from compliance.portal.recipients import NoticeRow, notice_rows
from compliance.portal.related import Related
from compliance.portal.scope_preview import ScopePreview
from compliance.portal.source_searches import SourceSearches, source_searches
from compliance.portal.target_cards import TargetCard
from compliance.recipients import queries as recipient_queries
from compliance.requests import queries
from compliance.requests.models import DeletionRequest
from compliance.requests.queries import TimelineEntry
from compliance.requests.states import RequestState, TargetState

_PREFIX = 12


@dataclass(frozen=True, kw_only=True)
class RequestPage:
    """The page. `forms` are by the name of their action; a form that was refused comes back with its errors.

    `scope` is None where the viewer can do nothing with it, `notes` where the viewer may not read them. Both are also
    None on a page that reloads itself: opening the vault every three seconds is not for nothing.
    """

    deletion: DeletionRequest
    standing: Standing
    steps: list[Step]
    dates: Dates
    pseudonym: str
    identity: list[tuple[int, str]]
    still_needed: str
    keeping: Keeping
    related: list[Related]
    recipients: list[NoticeRow]
    notes: Notes | None
    attention: str
    actions: Actions
    forms: dict[str, Any]
    scope: ScopePreview | None
    searches: SourceSearches
    concerned: list[TargetCard]
    unconcerned: list[str]
    timeline: list[TimelineEntry]
    may_export: bool
    is_working: bool
    is_more_when_still: bool


def is_working(deletion: DeletionRequest) -> bool:
    """Whether work goes on without anyone at a keyboard, so that the page is worth reloading."""
    return deletion.state in WORKING and not permissions.is_on_hold(deletion)


def build(
    deletion: DeletionRequest, viewer: Viewer, forms: dict[str, Any] | None = None, *, is_reloading: bool = False
) -> RequestPage:
    """The page for this viewer; `forms` replaces blank forms by filled-in ones. Writes nothing."""
    cards = target_cards.cards(deletion)
    counted = dates(deletion)
    kept = keeping(deletion)
    actions = permissions.actions(
        deletion,
        viewer,
        is_extendable=counted.extension is Extension.POSSIBLE,
        is_identity_kept=kept.is_kept,
    )
    timeline = queries.timeline(deletion.pk)
    reason = _attention(timeline) if deletion.state == RequestState.ATTENTION else ""
    may_touch, may_read = permissions.may_touch_models(deletion, viewer), viewer.has_any(permissions.READERS)
    return RequestPage(
        deletion=deletion,
        standing=ON_HOLD if permissions.is_on_hold(deletion) else STANDINGS[RequestState(deletion.state)],
        steps=narrative.steps(RequestState(deletion.state), reason),
        dates=counted,
        pseudonym=_pseudonym(deletion),
        identity=_identity(timeline),
        still_needed=proving.still_needed(deletion),
        keeping=kept,
        related=related_requests.related(deletion),
        recipients=notice_rows(recipient_queries.notices_of_request(deletion.pk)),
        notes=written.notes(deletion) if may_read and not is_reloading else None,
        attention=REASONS.get(reason, f"The reason recorded is “{reason}”.") if reason else "",
        actions=actions,
        forms={**_blank_forms(), **(forms or {})},
        scope=scope_preview.preview(deletion, viewer, forms) if may_touch and not is_reloading else None,
        searches=source_searches(deletion, viewer),
        concerned=[card for card in cards if card.target.state != TargetState.NOT_PRESENT],
        unconcerned=[card.target.model.name for card in cards if card.target.state == TargetState.NOT_PRESENT],
        timeline=timeline,
        may_export=viewer.has_any(permissions.BUNDLE_ROLES),
        is_working=is_working(deletion),
        is_more_when_still=is_reloading and (may_touch or may_read),
    )


def _blank_forms() -> dict[str, Any]:
    return {
        "confirm_identity": form_of(IdentityProofForm),
        "unveil": form_of(UnveilingForm),
        "approve": form_of(ApprovalForm),
        "refuse": form_of(RefusalForm),
        "withdraw": form_of(WithdrawalForm),
        "ask_question": form_of(QuestionForm),
        "settle_question": form_of(SettlementForm),
        "extend": form_of(ExtensionForm),
        "sign_off": form_of(SignOffForm),
    }


def _pseudonym(deletion: DeletionRequest) -> str:
    """The start of the person's pseudonym; "" where no identity is kept. The identity itself is never read."""
    vault = getattr(deletion, "vault", None)
    return "" if vault is None else str(vault.pseudonym)[:_PREFIX]


def _identity(timeline: list[TimelineEntry]) -> list[tuple[int, str]]:
    """Each proof in its order: its level, and the method in words."""
    proofs = [entry.facts for entry in timeline if entry.event_type == "request.identity_confirmed"]
    return [(int(facts["level"]), narrative.IDENTITY_METHODS[facts["method"]]) for facts in proofs]


def _attention(timeline: list[TimelineEntry]) -> str:
    """The code of the newest reason; "" when there is none."""
    reasons = [str(entry.facts["reason"]) for entry in timeline if entry.event_type == "request.attention"]
    return reasons[-1] if reasons else ""
