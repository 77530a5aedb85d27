"""Who may write which entry: event type → roles of its actor.

An auditor has no service to ask, so the table is frozen here. The tests hold it against the service's own tables and
checks. A role that is added is one more word here; none may go, for older entries were written by it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from compliance.evidence.errors import ActorRoleError
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position

_SUBJECT, _CONTROLLER, _DPO, _SYSTEM = (frozenset({role}) for role in ("subject", "controller", "dpo", "system"))
_STAFF = _DPO | {"operator"}
_PROCESSES = _SYSTEM | {"worker"}
# A person speaks for themselves, by staff, or by the controller that passed the request on.
_ON_BEHALF = _SUBJECT | _STAFF | _CONTROLLER

ROLES_OF: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "request.received": _SUBJECT,
        "request.identity_requested": _PROCESSES,
        "request.identity_confirmed": _ON_BEHALF,
        "request.approved": _DPO,
        "request.refused": _DPO,
        "request.withdrawn": _ON_BEHALF,
        "request.planned": _PROCESSES,
        "request.attention": _PROCESSES | _STAFF,
        "request.retried": _STAFF,
        "request.question_asked": _STAFF,
        "request.question_answered": _SUBJECT | _STAFF,
        "request.extended": _DPO,
        "request.linked": _ON_BEHALF,
        "request.model_excepted": _DPO,
        "request.model_included": _DPO,
        "request.model_held": _STAFF,
        # Also the DPO who approves anew what another request has emptied meanwhile.
        "request.model_released": _STAFF,
        "request.notified": _SYSTEM,
        # Staff tell those, and hear from those, who have no address for programs.
        "request.recipient_notified": _SYSTEM | _STAFF,
        "request.recipient_acknowledged": _SYSTEM | _STAFF,
        "request.recipient_impossible": _DPO,
        "request.unveiled": _DPO,
        "request.closed_unverified": _PROCESSES,
        "request.shredded": _SYSTEM,
        "request.completed": _STAFF,
        "request.partly_completed": _STAFF,
        "job.started": _PROCESSES,
        "job.recorded": _PROCESSES,
        "job.failed": _PROCESSES,
        "findings.recorded": _PROCESSES,
        "model.registered": _SYSTEM,
        "version.registered": _SYSTEM,
        "version.destroyed": _SYSTEM,
        # The system is whoever has a shell on the server.
        "webhook.created": _SYSTEM | _STAFF,
        "webhook.secret_rotated": _SYSTEM | _STAFF,
        "webhook.disabled": _SYSTEM | _STAFF,
        "controller.registered": _SYSTEM | _STAFF,
        "controller.token_rotated": _SYSTEM | _STAFF,
        "controller.deactivated": _SYSTEM | _STAFF,
        "recipient.registered": _SYSTEM | _DPO,
        "recipient.changed": _SYSTEM | _DPO,
        "recipient.retired": _SYSTEM | _DPO,
        "suppression.lifted": _SYSTEM | _DPO,
        "key.published": _SYSTEM,
        "key.retired": _SYSTEM,
        "key.distrusted": _SYSTEM,
        "log.opened": _SYSTEM,
    }
)


def refuse_other_role(position: Position, event: Event) -> None:
    """Raises ActorRoleError where an entry says something that its actor's role may not do."""
    if event.actor_role not in ROLES_OF[event.type]:
        allowed = " or ".join(sorted(ROLES_OF[event.type]))
        raise ActorRoleError(
            f"Entry {position} ({event.type}) was written in the role {event.actor_role}; expected {allowed}."
        )
