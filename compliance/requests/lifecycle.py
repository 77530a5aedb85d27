"""The tables of states.py as a page for people: diagrams and who may do what. Pure text, made anew by a command."""

from collections.abc import Iterable

from compliance.opendsr.statuses import STATUS_OF_STATE
from compliance.requests.states import (
    MOVES,
    TARGET_TRANSITIONS,
    TERMINAL,
    WORK,
    Move,
    RequestState,
    TargetState,
)

# DPV 2.3: what the state of a request is called in the vocabulary that others exchange.
DPV_STATUS = {
    RequestState.RECEIVED: "RequestInitiated",
    RequestState.IDENTITY_PENDING: "RequestRequiresAction",
    RequestState.UNDER_REVIEW: "RequestAcknowledged",
    RequestState.INFO_REQUESTED: "RequestRequiresAction",
    RequestState.APPROVED: "RequestAccepted",
    RequestState.EXECUTING: "RequestAccepted",
    RequestState.VERIFYING: "RequestAccepted",
    RequestState.ATTENTION: "RequestActionDelayed",
    RequestState.SIGNOFF: "RequestAccepted",
    RequestState.COMPLETED: "RequestFulfilled",
    RequestState.PARTLY_COMPLETED: "RequestFulfilled",
    RequestState.REFUSED: "RequestRejected",
    RequestState.WITHDRAWN: "RequestUnfulfilled",
    RequestState.CLOSED_UNVERIFIED: "RequestRejected",
}
_HEAD = """# The life of a request

Made from `compliance/requests/states.py` by `manage.py lifecycle --write`; do not edit it here.

Terminal states never reopen: what comes to light later becomes a new request, linked to the old one. Extensions,
pauses, holds, exceptions and links are no states: a request has them beside its state.
"""


def page() -> str:
    """The whole page in Markdown, with diagrams for Mermaid."""
    parts = [
        _HEAD,
        "## Requests\n",
        _diagram(_request_edges(), {state.value for state in TERMINAL}, RequestState.RECEIVED),
        "## Who may do it\n",
        _table(("From", "To", "Entry in the ledger", "Roles"), map(_row, MOVES)),
        "## What a state is called elsewhere\n",
        _table(("State", "Shown as", "DPV status", "OpenDSR", "Terminal"), map(_state_row, RequestState)),
        "## Targets: one request and one model\n",
        _diagram(_target_edges(), set(_ends()), None),
    ]
    return "\n".join(parts)


def _request_edges() -> Iterable[tuple[str, str, str]]:
    pairs: dict[tuple[str, str], list[str]] = {}
    for move in MOVES:
        pairs.setdefault((move.old.value, move.to.value), []).append(_event(move))
    return [(old, new, ", ".join(events)) for (old, new), events in pairs.items()]


def _target_edges() -> Iterable[tuple[str, str, str]]:
    return sorted((old.value, new.value, "") for old, new in TARGET_TRANSITIONS)


def _ends() -> Iterable[str]:
    left = {old for old, _ in TARGET_TRANSITIONS}
    return (state.value for state in TargetState if state not in left)


def _event(move: Move) -> str:
    return "work goes on" if move.event == WORK else move.event.partition(".")[2].replace("_", " ")


def _diagram(edges: Iterable[tuple[str, str, str]], ends: set[str], first: RequestState | None) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    if first is not None:
        lines.append(f"    [*] --> {first.value}: received")
    lines += [f"    {old} --> {new}{f': {label}' if label else ''}" for old, new, label in edges]
    lines += [f"    {state} --> [*]" for state in sorted(ends)]
    return "\n".join([*lines, "```", ""])


def _row(move: Move) -> tuple[str, ...]:
    entry = "that of the work" if move.event == WORK else f"`{move.event}`"
    return f"`{move.old.value}`", f"`{move.to.value}`", entry, ", ".join(sorted(move.roles))


def _state_row(state: RequestState) -> tuple[str, ...]:
    is_terminal = "yes" if state in TERMINAL else ""
    opendsr = f"`{STATUS_OF_STATE[state.value]}`"
    return f"`{state.value}`", str(state.label), f"`dpv:{DPV_STATUS[state]}`", opendsr, is_terminal


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join([f"| {' | '.join(cells)} |" for cells in lines] + [""])
