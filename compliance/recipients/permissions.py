"""Who may do what about recipients: staff, and whoever has a shell on the server for the register alone."""

from collections.abc import Collection

from compliance.ledger.actors import Actor, Role
from compliance.requests.errors import ForbiddenActorError

STAFF = frozenset({Role.OPERATOR, Role.DPO})
REGISTRARS = STAFF | {Role.SYSTEM}
DPO = frozenset({Role.DPO})


def refuse_but(roles: Collection[Role], actor: Actor) -> None:
    """Raises ForbiddenActorError for every other role."""
    if actor.role not in roles:
        names = ", ".join(sorted(role.value for role in roles))
        raise ForbiddenActorError(f"This takes the role {names}; you act as {actor.role.value}.")
