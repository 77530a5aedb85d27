"""What this worker can do, found once, and told to the service as rows: the portal lists methods without torch."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from compliance.ledger import keys
from compliance.registry.actions.publish_cards import publish_cards

if TYPE_CHECKING:
    from ml_core.registry import Catalogue


@functools.cache
def installed() -> Catalogue:
    """Every plug-in of ml_core; the first call imports torch. Raises PluginError when one file breaks the contract."""
    from ml_core.registry import discover

    return discover()


def publish() -> None:
    """Publish the cards of all methods and audits, and the key that signs evidence.

    Raises PluginError, and what `keys.evidence_signer` raises when there is no evidence key that may be used.
    """
    publish_cards([card.to_dict() for card in installed().cards()])
    keys.publish_evidence_key()
