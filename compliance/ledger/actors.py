"""Who does something: a role and a random id. Nothing is written without one, and no name ever reaches the ledger."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from compliance.ledger.models import ActorPseudonym


class Role(StrEnum):
    """The parts people and processes play."""

    SUBJECT = "subject"
    OPERATOR = "operator"
    DPO = "dpo"
    AUDITOR = "auditor"
    SYSTEM = "system"
    WORKER = "worker"
    CONTROLLER = "controller"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The author of one ledger entry."""

    role: Role
    id: uuid.UUID


class RoleError(PermissionError):
    """This person, or this role, may not do that."""


SYSTEM = Actor(role=Role.SYSTEM, id=uuid.UUID("00000000-0000-4000-8000-000000000001"))
STAFF_ROLES = (Role.OPERATOR, Role.DPO, Role.AUDITOR)


def subject_of(request_id: uuid.UUID) -> Actor:
    """The data subject, known only by this request: the same person's next request shows another id."""
    return Actor(role=Role.SUBJECT, id=request_id)


def controller(controller_id: uuid.UUID) -> Actor:
    """Another organisation that asks for its data subjects through OpenDSR."""
    return Actor(role=Role.CONTROLLER, id=controller_id)


def worker(worker_id: uuid.UUID) -> Actor:
    """A worker process."""
    return Actor(role=Role.WORKER, id=worker_id)


def roles_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[Role]:
    """The staff roles of an account: the groups of the same names that it is in."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    names = set(user.groups.values_list("name", flat=True))
    return frozenset(role for role in STAFF_ROLES if role.value in names)


def staff(user: AbstractBaseUser | AnonymousUser, role: Role) -> Actor:
    """The account acting in one of its roles; raises RoleError when it does not hold that role."""
    if not isinstance(user, User) or role not in roles_of(user):
        raise RoleError(f"This needs the role {role.value!r}, which your account does not have. Ask an administrator.")
    row, _ = ActorPseudonym.objects.get_or_create(user=user)
    return Actor(role=role, id=row.pseudonym)
