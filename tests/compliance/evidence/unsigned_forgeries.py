"""Forgeries in which everything is recomputed that nobody signs: hints, paths, seals, indices, names, Sigstore bundles.

The signed heads stay, or are signed by somebody else.
"""

import dataclasses
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, dsse, proof
from compliance.evidence.bundle import BundleContents
from compliance.evidence.commitment import parse_openings
from compliance.evidence.errors import ExitCode
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.statement import parse_statement, statement_bytes
from compliance.evidence.summary import parse_summary, summary_bytes

from .archive import unpack
from .edits import under
from .export_story import ExportStory
from .forgeries import Forgery, codes
from .ledgers import Cosigner, GrowingLog, Ledger
from .story import new_signer, some_id

# What an attacker would like the events to say: old bytes, new bytes.
WISHES: tuple[tuple[bytes, bytes], ...] = (
    (b'"regulation":"gdpr"', b'"regulation":"ccpa"'),
    (b'"channel":"api"', b'"channel":"web"'),
    (b'"level":1', b'"level":3'),
    (b'"n_targets":2', b'"n_targets":1'),
    (b'"method":"acu"', b'"method":"npo"'),
    (b'"verdict":"warned"', b'"verdict":"passed"'),
    (b'"assurance":"exact"', b'"assurance":"certified"'),
    (b'"role":"operator"', b'"role":"dpo"'),
    (b'"at":"2026-05-01T12:0', b'"at":"2026-05-01T11:0'),
    (b'"attempt":1', b'"attempt":2'),
)


def of_bundle(told: ExportStory) -> Iterator[Forgery]:
    """Of the bundle of the first disclosed request."""
    contents = told.disclosed[0].contents()
    yield from _wished(contents)
    yield from _retold(told, contents)
    yield from _reattached(contents)
    yield from _reopened(contents)
    yield from _resigned(told, contents)


def forged(name: str, contents: BundleContents, *noticed: ExitCode) -> Forgery:
    return Forgery(name, unpack(bundle.write(contents)), codes(*noticed))


def _wished(contents: BundleContents) -> Iterator[Forgery]:
    """An entry that says something else, with a proof whose hint fits it."""
    for old, new in WISHES:
        for at, entry in enumerate(contents.entries):
            if old in entry.leaf:
                changed = entry.leaf.replace(old, new, 1)
                parsed = proof.parse(entry.proof)
                for what, hint, code in (
                    ("hint recomputed", leaf_hash(changed), ExitCode.PROOF_CHANGED),
                    ("hint left out", None, ExitCode.ENTRY_CHANGED),
                ):
                    written = proof.write(parsed.index, parsed.path, parsed.checkpoint, hint)
                    replaced = dataclasses.replace(entry, leaf=changed, proof=written)
                    entries = (*contents.entries[:at], replaced, *contents.entries[at + 1 :])
                    yield forged(f"{new!r}, {what}", dataclasses.replace(contents, entries=entries), code)
                break


def _retold(told: ExportStory, contents: BundleContents) -> Iterator[Forgery]:
    """The index: other requests, numbers, kinds, targets."""
    change = dataclasses.replace
    yield forged("another request", change(contents, request=some_id(99)), ExitCode.SWAPPED_REQUEST)
    yield forged("the other request", change(contents, request=told.disclosed[1].request_id), ExitCode.SWAPPED_REQUEST)
    for at, entry in enumerate(contents.entries):
        if entry.kind == "log":
            continue
        # One entry further, where another one stands: the proof says so, or with its index changed leads elsewhere.
        parsed = proof.parse(entry.proof)
        elsewhere = Position(entry.position.log, entry.position.index + 10_000)
        for what, index in (("", parsed.index), (" with its proof", elsewhere.index)):
            written = proof.write(index, parsed.path, parsed.checkpoint, parsed.hint)
            moved = change(entry, position=elsewhere, proof=written)
            rest = (*contents.entries[:at], *contents.entries[at + 1 :])
            entries = tuple(sorted((*rest, moved), key=lambda each: each.position))
            placed = change(
                contents,
                entries=entries,
                evidence=_moved(contents.evidence, entry.position, elsewhere),
                closings=_moved(contents.closings, entry.position, elsewhere),
            )
            yield forged(f"entry {entry.position} elsewhere{what}", placed, ExitCode.PROOF_CHANGED)
    for at, entry in enumerate(contents.entries):
        shorter = change(contents, entries=(*contents.entries[:at], *contents.entries[at + 1 :]))
        if entry.kind == "event":
            # Without its end the chain is whole, but then there are summaries of a request that goes on.
            is_end = b'"request.completed"' in entry.leaf
            noticed = ExitCode.UNEXPECTED_FILE if is_end else ExitCode.CHAIN_BROKEN
            yield forged(f"event {entry.position} left out", shorter, noticed)
    first, second = contents.evidence
    yield forged(
        "evidence left out",
        change(
            contents,
            evidence=(first,),
            entries=tuple(entry for entry in contents.entries if entry.position != second.position),
        ),
        ExitCode.SCOPE_MISMATCH,
    )
    first, second = contents.closings
    yield forged(
        "a summary left out",
        change(
            contents,
            closings=(first,),
            entries=tuple(entry for entry in contents.entries if entry.position != second.position),
        ),
        ExitCode.CLOSING_STATEMENT,
    )


def _moved(attachments: tuple[AttachedEvidence, ...], old: Position, new: Position) -> tuple[AttachedEvidence, ...]:
    return tuple(
        dataclasses.replace(attached, position=new) if attached.position == old else attached
        for attached in attachments
    )


def _reattached(contents: BundleContents) -> Iterator[Forgery]:
    """Envelopes with other words, other signatures, other places; the Sigstore bundles fit each of them."""
    stranger = new_signer()
    for part in ("evidence", "closings"):
        attachments: tuple[AttachedEvidence, ...] = getattr(contents, part)
        for at, attached in enumerate(attachments):
            envelope = dsse.parse_envelope(attached.envelope)
            other = dsse.parse_envelope(attachments[1 - at].envelope)
            words = _other_words(envelope.payload, part)
            changes = {
                "other words": (dataclasses.replace(envelope, payload=words), ExitCode.EVIDENCE_PAYLOAD),
                "the other's words": (other, ExitCode.EVIDENCE_PAYLOAD),
                "the other's signature": (
                    dataclasses.replace(envelope, signature=other.signature),
                    ExitCode.EVIDENCE_SIGNATURE,
                ),
                "another key id": (dataclasses.replace(envelope, keyid=stranger.keyid), ExitCode.EVIDENCE_SIGNATURE),
                "signed anew": (dsse.parse_envelope(stranger.sign(envelope.payload)), ExitCode.EVIDENCE_SIGNATURE),
                "other words, signed anew": (dsse.parse_envelope(stranger.sign(words)), ExitCode.EVIDENCE_PAYLOAD),
            }
            for what, (changed, code) in changes.items():
                replaced = dataclasses.replace(attached, envelope=changed.to_bytes())
                attached_anew = (*attachments[:at], replaced, *attachments[at + 1 :])
                yield forged(f"{part} {at}: {what}", _with(contents, part, attached_anew), code)
        swapped = tuple(
            dataclasses.replace(attached, target=other.target)
            for attached, other in zip(attachments, reversed(attachments), strict=True)
        )
        code = ExitCode.JOB_MISMATCH if part == "evidence" else ExitCode.CLOSING_STATEMENT
        yield forged(f"{part}: targets exchanged", _with(contents, part, swapped), code)


def _with(contents: BundleContents, part: str, attachments: tuple[AttachedEvidence, ...]) -> BundleContents:
    if part == "evidence":
        return dataclasses.replace(contents, evidence=attachments)
    return dataclasses.replace(contents, closings=attachments)


def _other_words(payload: bytes, part: str) -> bytes:
    if part == "evidence":
        return statement_bytes(dataclasses.replace(parse_statement(payload), n_forget=9))
    return summary_bytes(dataclasses.replace(parse_summary(payload), assurance="approximate"))


def _reopened(contents: BundleContents) -> Iterator[Forgery]:
    """Policy, manifests and openings with other contents, under the names that fit them."""
    assert contents.policy is not None
    assert contents.openings is not None
    for old, new in ((b"0.1", b"0.9"), (b"acu", b"npo"), (b'"version":1', b'"version":2')):
        changed = contents.policy.replace(old, new, 1)
        yield forged(f"policy with {new!r}", dataclasses.replace(contents, policy=changed), ExitCode.POLICY_MISMATCH)
    for digest, manifest in contents.models.items():
        other = manifest.replace(b"}", b',"note":1}')
        models = {key: held for key, held in contents.models.items() if key != digest}
        models[sha256(other).hexdigest()] = other
        name = f"manifest {manifest!r} as another"
        yield forged(name, dataclasses.replace(contents, models=models), ExitCode.SWAPPED_MODEL)
    openings = parse_openings(contents.openings)
    scope: dict[str, Any] = dict(openings.scope or {})
    changes_by_name: dict[str, dict[str, Any]] = {
        "another key": {"key": bytes(32)},
        "another wish": {"request": {**openings.request, "scope": "some"}},
        "no scope": {"scope": None},
        "a smaller scope": {"scope": {"models": scope["models"][1:]}},
        "fewer records": {"scope": {"models": [{**share, "n_records": 1} for share in scope["models"]]}},
        "another data set": {
            "scope": {"models": [{**share, "forget_commitment": "1" * 64} for share in scope["models"]]}
        },
        "other models": {"scope": {"models": [{**share, "model": some_id(77)} for share in scope["models"]]}},
    }
    for name, changes in changes_by_name.items():
        changed = dataclasses.replace(openings, **changes).to_bytes()
        yield forged(
            f"openings with {name}", dataclasses.replace(contents, openings=changed), ExitCode.OPENING_MISMATCH
        )


def _resigned(told: ExportStory, contents: BundleContents) -> Iterator[Forgery]:
    """Heads that other keys signed, or that others cosigned."""
    for number, log in told.ledger.logs.items():
        for name, note, vkey, code in other_heads(told.ledger, log):
            yield forged(f"log {number}: {name}", under(contents, number, note, vkey), code)


def other_heads(ledger: Ledger, log: GrowingLog) -> Iterator[tuple[str, bytes, str | None, ExitCode]]:
    """Name, note, vkey if it is another one, and what a bundle under it is refused with."""
    stranger = Ed25519PrivateKey.generate()
    others = [Cosigner(cosigner.name) for cosigner in ledger.cosigners]
    cosigners = ledger.cosigners
    signed = checkpoint.sign(log.head(), log.origin, stranger)
    for cosigner in cosigners:
        signed = cosigner.cosigned(signed)
    vkey = checkpoint.vkey(log.origin, stranger.public_key())
    yield "signed by another key", signed, None, ExitCode.CHECKPOINT_KEY
    yield "signed by another key that the bundle names", signed, vkey, ExitCode.CHECKPOINT_KEY
    yield "cosigned by nobody", log.note(), None, ExitCode.CHECKPOINT_UNWITNESSED
    yield "cosigned by one", log.note(cosigners[:1]), None, ExitCode.CHECKPOINT_UNWITNESSED
    yield "cosigned by one twice", log.note([cosigners[0]] * 2), None, ExitCode.CHECKPOINT_UNWITNESSED
    yield "cosigned by others under these names", log.note(others), None, ExitCode.CHECKPOINT_UNWITNESSED
    older = log.note(cosigners, size=len(log.leaves) - 1)
    yield "an older head", older, None, ExitCode.PROOF_CHANGED
    body = checkpoint.split_note(older)[0]
    moved = body + log.note(cosigners).partition(b"\n\n")[2].join([b"\n", b""])
    yield "an older text under the new signatures", moved, None, ExitCode.CHECKPOINT_SIGNATURE
