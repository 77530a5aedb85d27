"""The demo's staff: three accounts with fresh random passwords, and the address book of one invented person."""

import email
import email.policy
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User

_CODE = re.compile(r"enter this code: (\d{10})")


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """An account of the demo."""

    username: str
    role: str
    password: str


def staff() -> dict[str, StaffMember]:
    """By role; an account of an earlier run gets a new password."""
    return {role: _account(name, role) for name, role in (("dana", "dpo"), ("bob", "operator"), ("audrey", "auditor"))}


def _account(username: str, role: str) -> StaffMember:
    password = secrets.token_urlsafe(12)
    user, _ = User.objects.get_or_create(username=username)
    user.set_password(password)
    user.save()
    user.groups.set([Group.objects.get(name=role)])
    return StaffMember(username=username, role=role, password=password)


def mailed_code(address: str, request_id: str) -> str | None:
    """The code in the newest mail to this address about this request; None while none has arrived."""
    folder = Path(settings.EMAIL_FILE_PATH)
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = str(message.get_payload())
        found = _CODE.search(text)
        if found and message["To"] == address and request_id in text:
            return found[1]
    return None
