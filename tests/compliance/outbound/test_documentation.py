"""The examples of docs/webhooks.md are run against messages as they really arrive."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from django.conf import settings

from compliance.outbound.actions.rotate_secret import rotate_secret
from compliance.outbound.event_types import EVENT_TYPES
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Received, Receiver

pytestmark = pytest.mark.django_db
MANUAL = (settings.ROOT / "docs" / "webhooks.md").read_text()
IsGenuine = Callable[[str, Mapping[str, str], bytes], bool]


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", MANUAL, flags=re.DOTALL)
    return str(found)


def in_python(folder: Path) -> IsGenuine:
    names: dict[str, IsGenuine] = {}
    exec(example("python"), names)  # noqa: S102 - our own manual
    return lambda secret, headers, body: names["is_genuine"](secret, dict(headers), body)


def in_node(folder: Path) -> IsGenuine:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    (folder / "example.js").write_text(example("javascript"))
    program = (
        "const { isGenuine } = require('./example.js');"
        "const [secret, headers, body] = JSON.parse(require('node:fs').readFileSync(0));"
        "process.stdout.write(String(isGenuine(secret, headers, Buffer.from(body))));"
    )

    def run(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        given = json.dumps([secret, dict(headers), body.decode()])
        done = subprocess.run(
            [node, "-e", program], cwd=folder, input=given, text=True, capture_output=True, check=True
        )
        return {"true": True, "false": False}[done.stdout]

    return run


LANGUAGES: dict[str, Callable[[Path], IsGenuine]] = {"python": in_python, "node": in_node}


@pytest.fixture(params=LANGUAGES)
def is_genuine(request: pytest.FixtureRequest, tmp_path: Path) -> IsGenuine:
    return LANGUAGES[request.param](tmp_path)


@pytest.fixture
def sent(receiver: Receiver) -> tuple[Received, str, str]:
    """A message with two signatures, and the secrets of both."""
    created = hooks.hook(receiver.url)
    new = rotate_secret(created.webhook.pk, actor=hooks.BOB)
    hooks.try_now(hooks.happens()[0])
    (received,) = receiver.received
    return received, created.secret, new


def test_the_example_refuses_what_is_not_ours(is_genuine: IsGenuine, sent: tuple[Received, str, str]) -> None:
    received, secret, _ = sent
    old = str(int(time.time()) - 600)
    forged: dict[str, tuple[str, dict[str, str], bytes]] = {
        "another secret": ("whsec_" + "A" * 43 + "=", {}, received.body),
        "another body": (secret, {}, received.body + b" "),
        "another id": (secret, {"webhook-id": "1"}, received.body),
        "an old time": (secret, {"webhook-timestamp": old}, received.body),
        "no time": (secret, {"webhook-timestamp": "soon"}, received.body),
        "no signature": (secret, {"webhook-signature": "v1,"}, received.body),
    }
    taken = {
        name for name, (key, other, body) in forged.items() if is_genuine(key, {**received.headers, **other}, body)
    }
    assert taken == set()
    assert not is_genuine(secret, {}, received.body)


def test_the_example_takes_what_is_ours_under_both_secrets(
    is_genuine: IsGenuine, sent: tuple[Received, str, str]
) -> None:
    received, old, new = sent
    assert is_genuine(old, received.headers, received.body)
    assert is_genuine(new, received.headers, received.body)


def test_the_message_in_the_manual_has_the_members_of_a_real_one(sent: tuple[Received, str, str]) -> None:
    shown = json.loads(example("http").splitlines()[-1])
    real = json.loads(sent[0].body)
    assert shown.keys() == real.keys() and shown["data"].keys() == real["data"].keys()
    assert shown["type"] in EVENT_TYPES
