"""Entries about webhooks, controllers, recipients and lifted tokens verify in a whole log, and nothing more fits into them."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import leaf, signing
from compliance.evidence.errors import ExitCode, LeafError

from .export_edits import code_of_export, told
from .export_story import lay_out
from .registered import RegisteredLedger, own_event
from .story import some_id

DIGEST = "ab" * 32
ENTRIES: dict[str, dict[str, Any]] = {
    "webhook.created": {"webhook": some_id(7), "details_sha256": DIGEST},
    "webhook.secret_rotated": {"webhook": some_id(7)},
    "webhook.disabled": {"webhook": some_id(7)},
    "controller.registered": {"controller": some_id(7), "details_sha256": DIGEST},
    "controller.token_rotated": {"controller": some_id(7)},
    "controller.deactivated": {"controller": some_id(7)},
    "recipient.registered": {"recipient": some_id(7), "details_sha256": DIGEST},
    "recipient.changed": {"recipient": some_id(7), "details_sha256": DIGEST},
    "recipient.retired": {"recipient": some_id(7)},
    "suppression.lifted": {"reason": "wrong_person"},
}
MORE: dict[str, Any] = {
    "the address": {"url": "https://receiver.example/secret-path"},
    "a name": {"name": "crm"},
    "whose token it was": {"token": DIGEST},
    "a request": {"request": some_id(8)},
}


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("event_type", ENTRIES)
def test_nothing_more_fits_into_one(event_type: str, more: str) -> None:
    with pytest.raises(LeafError, match="exactly the facts"):
        own_event(event_type, **ENTRIES[event_type], **MORE[more])


@pytest.mark.parametrize("event_type", ENTRIES)
def test_none_belongs_to_a_request(event_type: str) -> None:
    event = leaf.parse(own_event(event_type, **ENTRIES[event_type]))
    with pytest.raises(LeafError, match="belongs to no request"):
        leaf.build(event._replace(request=some_id(8)))


def test_an_export_with_all_of_them_verifies(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    first = [own_event(event_type, **facts) for event_type, facts in ENTRIES.items()]
    export = told(RegisteredLedger(log_key, first=first), signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.VERIFIED
