"""Who may do what about recipients: staff tell them; a DPO, and whoever has a shell on the server, keep the register."""

from collections.abc import Collection

from compliance.ledger.actors import Actor, Role
from compliance.requests.errors import ForbiddenActorError

STAFF = frozenset({Role.OPERATOR, Role.DPO})
DPO = frozenset({Role.DPO})
REGISTRARS = DPO | {Role.SYSTEM}


def refuse_but(roles: Collection[Role], actor: Actor) -> None:
    """Raises ForbiddenActorError for every other role."""
    if actor.role not in roles:
        names = ", ".join(sorted(role.value for role in roles))
        raise ForbiddenActorError(f"This takes the role {names}; you act as {actor.role.value}.")
