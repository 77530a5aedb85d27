"""Changes for a story to be told with: of events before they become leaves, of statements before they are signed."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from compliance.evidence import canonical, dsse
from compliance.evidence.bundle import BundleContents
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.leaf import Event
from compliance.evidence.statement import EvidenceFacts
from compliance.evidence.summary import SummaryFacts
from compliance.evidence.verify import verify_bundle

from .archive import pack, unpack
from .story import STEPS, some_id


def code_of(data: bytes, **pins: Any) -> ExitCode:
    """The exit code with which a bundle is refused; VERIFIED when it is not."""
    try:
        verify_bundle(data, **pins)
    except EvidenceError as error:
        return error.code
    return ExitCode.VERIFIED


def on(event_type: str, **facts: Any) -> Callable[[Event], Event]:
    """Change facts of one type of event."""

    def edit(event: Event) -> Event:
        return event._replace(facts={**event.facts, **facts}) if event.type == event_type else event

    return edit


def by(event_type: str, actor_id: str) -> Callable[[Event], Event]:
    return lambda event: event._replace(actor_id=actor_id) if event.type == event_type else event


def of_request(event_type: str) -> Callable[[Event], Event]:
    return lambda event: event._replace(request=some_id(99)) if event.type == event_type else event


def unlinked(event_type: str) -> Callable[[Event], Event]:
    return lambda event: event._replace(previous="0" * 64) if event.type == event_type else event


def says(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    """Change the statement before it is signed."""
    return lambda facts: dataclasses.replace(facts, **changes)


def says_method(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    return lambda facts: dataclasses.replace(facts, method=dataclasses.replace(facts.method, **changes))


def says_challenge(**changes: Any) -> Callable[[EvidenceFacts], EvidenceFacts]:
    return lambda facts: dataclasses.replace(facts, challenge=dataclasses.replace(facts.challenge, **changes))


def reordered(*steps: str) -> tuple[str, ...]:
    return (*STEPS[:4], *steps)


def summarises(**changes: Any) -> Callable[[SummaryFacts], SummaryFacts]:
    """Change the summary before it is signed."""
    return lambda facts: dataclasses.replace(facts, **changes)


def under(contents: BundleContents, number: int, note: bytes, vkey: str | None = None) -> BundleContents:
    """The contents with another checkpoint of one log wherever it stands: in its file and in every proof."""
    (old,) = (log for log in contents.logs if log.number == number)
    changed = dataclasses.replace(old, checkpoint=note, vkey=vkey or old.vkey)
    return dataclasses.replace(
        contents,
        logs=tuple(changed if log is old else log for log in contents.logs),
        entries=tuple(
            dataclasses.replace(entry, proof=entry.proof.replace(old.checkpoint, note))
            if entry.position.log == number
            else entry
            for entry in contents.entries
        ),
        challenges={at: proof.replace(old.checkpoint, note) for at, proof in contents.challenges.items()},
    )


def sigstore_edited(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A Sigstore bundle with its JSON changed in place."""
    value = json.loads(content)
    change(value)
    return canonical.dumps(value)


def envelope_of(content: bytes) -> dsse.Envelope:
    """The envelope in a Sigstore bundle."""
    value = json.loads(content)["dsseEnvelope"]
    (signature,) = value["signatures"]
    return dsse.Envelope(
        payload=canonical.decode_base64(value["payload"]),
        payload_type=value["payloadType"],
        keyid=signature["keyid"],
        signature=canonical.decode_base64(signature["sig"]),
    )


def with_envelope(content: bytes, envelope: dsse.Envelope) -> bytes:
    """The Sigstore bundle around another envelope, with the hint that it asks for."""

    def change(value: dict[str, Any]) -> None:
        value["dsseEnvelope"] = json.loads(envelope.to_bytes())
        value["verificationMaterial"]["publicKey"]["hint"] = envelope.keyid

    return sigstore_edited(content, change)


def without_files(data: bytes, *names: str) -> bytes:
    """The archive without some of its members."""
    return pack({name: content for name, content in unpack(data).items() if name not in names})
