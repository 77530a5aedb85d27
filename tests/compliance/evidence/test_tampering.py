"""Every kind of damage to a bundle has its exit code, and no damage verifies."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, canonical, checkpoint, dsse, proof, signing
from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import Event
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.statement import EvidenceFacts, Method, parse_statement, statement_bytes
from compliance.evidence.verdict import Result, Verdict

from .archive import pack, reindexed, replaced, unpack
from .edits import (
    by,
    code_of,
    envelope_of,
    of_request,
    on,
    reordered,
    says,
    says_challenge,
    says_method,
    summarises,
    under,
    unlinked,
    with_envelope,
)
from .story import DPO, JOB_A, POLICY, REQUEST, STEPS, TARGET_A, TARGET_B, Story, new_signer, some_id

FIRST = "entries/1-00000300"
EVIDENCE_ENTRY = "entries/1-00000311"
EVIDENCE_A = f"evidence/{TARGET_A}.sigstore.json"
EVIDENCE_B = f"evidence/{TARGET_B}.sigstore.json"
CLOSING_A = f"closing/{TARGET_A}.sigstore.json"
CHECKPOINT = "logs/1.checkpoint"


def test_the_genuine_bundle_verifies(genuine: bytes) -> None:
    assert code_of(genuine) is ExitCode.VERIFIED


# --- Damage to the archive and its files: name → (change, exit code) ---------------------------------------------


def without(name: str) -> Callable[[bytes], bytes]:
    return lambda data: pack({key: content for key, content in unpack(data).items() if key != name})


def with_file(name: str, content: bytes = b"x") -> Callable[[bytes], bytes]:
    return lambda data: pack(unpack(data) | {name: content})


def edited(name: str, old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return lambda data: replaced(data, name, change)


def index_edited(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    return lambda data: reindexed(data, change)


def envelope_edited(change: Callable[[dsse.Envelope], dsse.Envelope]) -> Callable[[bytes], bytes]:
    """The Sigstore bundle around it is made to fit."""
    return lambda data: replaced(data, EVIDENCE_A, lambda content: with_envelope(content, change(envelope_of(content))))


def bit_flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def claims_more(envelope: dsse.Envelope) -> dsse.Envelope:
    facts = parse_statement(envelope.payload)
    return dataclasses.replace(envelope, payload=statement_bytes(dataclasses.replace(facts, n_forget=3)))


def swapped_evidence(data: bytes) -> bytes:
    files = unpack(data)
    return pack(files | {EVIDENCE_A: files[EVIDENCE_B], EVIDENCE_B: files[EVIDENCE_A]})


def swapped_envelopes(data: bytes) -> bytes:
    """Each envelope in the Sigstore bundle of the other entry."""
    files = unpack(data)
    a, b = files[EVIDENCE_A], files[EVIDENCE_B]
    return pack(files | {EVIDENCE_A: with_envelope(a, envelope_of(b)), EVIDENCE_B: with_envelope(b, envelope_of(a))})


def entry_with_its_hint(data: bytes) -> bytes:
    """The careful attacker recomputes the hint, which nobody authenticates."""
    files = unpack(data)
    leaf = files[f"{FIRST}.leaf"].replace(b'"gdpr"', b'"ccpa"')
    old = proof.parse(files[f"{FIRST}.tlog-proof"])
    written = proof.write(old.index, old.path, old.checkpoint, hint=leaf_hash(leaf))
    return pack(files | {f"{FIRST}.leaf": leaf, f"{FIRST}.tlog-proof": written})


def left_out(position: int) -> Callable[[bytes], bytes]:
    def forget(index: dict[str, Any]) -> None:
        index["entries"] = [entry for entry in index["entries"] if entry["index"] != position]

    def change(data: bytes) -> bytes:
        files = unpack(reindexed(data, forget))
        return pack({name: content for name, content in files.items() if f"{position:08d}" not in name})

    return change


def proof_path_edited(data: bytes) -> bytes:
    files = unpack(data)
    old = proof.parse(files[f"{FIRST}.tlog-proof"])
    path = [bytes(32), *old.path[1:]]
    return pack(files | {f"{FIRST}.tlog-proof": proof.write(old.index, path, old.checkpoint, old.hint)})


def hint_edited(data: bytes) -> bytes:
    """The hint proves nothing, but a wrong one would name another entry to whoever reads the file."""
    files = unpack(data)
    old = proof.parse(files[f"{FIRST}.tlog-proof"])
    return pack(files | {f"{FIRST}.tlog-proof": proof.write(old.index, old.path, old.checkpoint, bytes(32))})


def proof_without_hint_and_entry_changed(data: bytes) -> bytes:
    files = unpack(data)
    old = proof.parse(files[f"{FIRST}.tlog-proof"])
    leaf = files[f"{FIRST}.leaf"].replace(b'"gdpr"', b'"ccpa"')
    written = proof.write(old.index, old.path, old.checkpoint)
    return pack(files | {f"{FIRST}.leaf": leaf, f"{FIRST}.tlog-proof": written})


def foreign_key_in_bundle(data: bytes) -> bytes:
    """The key file and its name replaced by an attacker's; the ledger entry still names the old key."""
    signer = new_signer()

    def change(index: dict[str, Any]) -> None:
        index["evidence_keys"] = [signer.keyid]

    files = {name: content for name, content in unpack(reindexed(data, change)).items() if ".pem" not in name}
    return pack(files | {f"keys/evidence-{signer.keyid}.pem": signer.public_key_pem})


def opening_edited(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        value = json.loads(content)
        change(value)
        return canonical.dumps(value)

    return lambda data: replaced(data, "openings.json", edit)


def with_manifest(data: bytes, digest: str) -> bytes:
    listed = reindexed(data, lambda index: index["models"].append(digest))
    return with_file(f"models/{digest}.json")(listed)


def summary_for_evidence(data: bytes) -> bytes:
    """The entry of evidence has another attachment: the summary's envelope, in a bundle that fits the entry."""
    files = unpack(data)
    return pack(files | {EVIDENCE_A: with_envelope(files[EVIDENCE_A], envelope_of(files[CLOSING_A]))})


def some_model(data: bytes) -> str:
    return next(name for name in unpack(data) if name.startswith("models/"))


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], ExitCode]] = {
    "not an archive": (lambda data: b"hello", ExitCode.NOT_A_BUNDLE),
    "empty": (lambda data: b"", ExitCode.NOT_A_BUNDLE),
    "cut off": (lambda data: data[: len(data) // 2], ExitCode.NOT_A_BUNDLE),
    "another archive": (lambda data: pack({"a.txt": b"a"}), ExitCode.MISSING_FILE),
    "no bundle.json": (without("bundle.json"), ExitCode.MISSING_FILE),
    "no checkpoint": (without("logs/1.checkpoint"), ExitCode.MISSING_FILE),
    "no key of the log": (without("logs/1.vkey"), ExitCode.MISSING_FILE),
    "no readme": (without("README.txt"), ExitCode.MISSING_FILE),
    "another readme": (edited("README.txt", b"id", b"ID"), ExitCode.MALFORMED_FILE),
    "no entry": (without(f"{FIRST}.leaf"), ExitCode.MISSING_FILE),
    "no proof": (without(f"{FIRST}.tlog-proof"), ExitCode.MISSING_FILE),
    "no evidence": (without(EVIDENCE_A), ExitCode.MISSING_FILE),
    "no summary": (without(CLOSING_A), ExitCode.MISSING_FILE),
    "no policy": (without("policy.json"), ExitCode.MISSING_FILE),
    "no manifest": (lambda data: without(some_model(data))(data), ExitCode.MISSING_FILE),
    "an extra file": (with_file("notes.txt"), ExitCode.UNEXPECTED_FILE),
    "an extra folder": (with_file("extra/"), ExitCode.UNEXPECTED_FILE),
    "an extra entry": (with_file("entries/1-00000007.leaf"), ExitCode.UNEXPECTED_FILE),
    "a manifest of another digest": (lambda data: with_manifest(data, "0" * 64), ExitCode.SWAPPED_MODEL),
    "a manifest of a model that no job names": (
        lambda data: with_manifest(data, sha256(b"x").hexdigest()),
        ExitCode.SWAPPED_MODEL,
    ),
    "bundle.json edited": (edited("bundle.json", b"2026-05-02", b"2026-05-03"), ExitCode.MALFORMED_FILE),
    "bundle.json of another version": (edited("bundle.json", b"bundle/2", b"bundle/1"), ExitCode.MALFORMED_FILE),
    "bundle.json no object": (lambda data: replaced(data, "bundle.json", lambda _: b"[]"), ExitCode.MALFORMED_FILE),
    "bundle.json with a key": (index_edited(lambda index: index.update(x=1)), ExitCode.MALFORMED_FILE),
    "bundle.json with entries out of order": (
        index_edited(lambda index: index["entries"].reverse()),
        ExitCode.MALFORMED_FILE,
    ),
    "bundle.json with models that are text": (
        index_edited(lambda index: index.update(models="")),
        ExitCode.MALFORMED_FILE,
    ),
    "bundle.json with an unlogged attachment": (
        index_edited(lambda index: index["evidence"].append({"target": some_id(99), "log": 1, "index": 5})),
        ExitCode.MALFORMED_FILE,
    ),
    "bundle.json with another request": (
        index_edited(lambda index: index.update(request=some_id(99))),
        ExitCode.SWAPPED_REQUEST,
    ),
    "bundle.json that calls an event evidence": (
        index_edited(lambda index: index["entries"][0].update(kind="evidence")),
        ExitCode.MALFORMED_FILE,
    ),
    "log key replaced": (
        index_edited(lambda index: index["logs"][0].update(vkey="ledger.example/test+00000000+AAAA")),
        ExitCode.MALFORMED_FILE,
    ),
    "evidence key replaced": (foreign_key_in_bundle, ExitCode.EVIDENCE_KEY),
    "checkpoint not a note": (
        lambda data: replaced(data, CHECKPOINT, lambda _: b"x"),
        ExitCode.CHECKPOINT_MALFORMED,
    ),
    "checkpoint size edited": (edited(CHECKPOINT, b"\n316\n", b"\n317\n"), ExitCode.CHECKPOINT_SIGNATURE),
    "checkpoint by another name": (
        edited(CHECKPOINT, "— ledger.example/test".encode(), "— ledger.example/tess".encode()),
        ExitCode.CHECKPOINT_KEY,
    ),
    "entry edited": (edited(f"{FIRST}.leaf", b'"gdpr"', b'"ccpa"'), ExitCode.ENTRY_CHANGED),
    "entry edited, hint gone": (proof_without_hint_and_entry_changed, ExitCode.ENTRY_CHANGED),
    "entry edited with its hint": (entry_with_its_hint, ExitCode.PROOF_CHANGED),
    "evidence entry edited": (
        lambda data: replaced(data, f"{EVIDENCE_ENTRY}.leaf", bit_flipped),
        ExitCode.ENTRY_CHANGED,
    ),
    "proof path edited": (proof_path_edited, ExitCode.PROOF_CHANGED),
    "proof index edited": (edited(f"{FIRST}.tlog-proof", b"index 300", b"index 301"), ExitCode.PROOF_CHANGED),
    "proof hint edited": (edited(f"{FIRST}.tlog-proof", b"extra ", b"extra AAAA"), ExitCode.PROOF_CHANGED),
    "proof hint of another entry": (hint_edited, ExitCode.PROOF_CHANGED),
    "proof under another checkpoint": (
        edited(f"{FIRST}.tlog-proof", b"\n316\n", b"\n317\n"),
        ExitCode.PROOF_CHANGED,
    ),
    "receipt left out": (left_out(300), ExitCode.CHAIN_BROKEN),
    "event left out": (left_out(303), ExitCode.CHAIN_BROKEN),
    "opening key edited": (opening_edited(lambda value: value.update(key="0" * 64)), ExitCode.OPENING_MISMATCH),
    "opening request edited": (
        opening_edited(lambda value: value["request"].update(scope="some")),
        ExitCode.OPENING_MISMATCH,
    ),
    "opening scope edited": (
        opening_edited(lambda value: value["scope"]["models"].pop()),
        ExitCode.OPENING_MISMATCH,
    ),
    "opening scope withheld": (opening_edited(lambda value: value.update(scope=None)), ExitCode.OPENING_MISMATCH),
    "openings with a key": (opening_edited(lambda value: value.update(x=1)), ExitCode.MALFORMED_FILE),
    "openings with a short key": (opening_edited(lambda value: value.update(key="00")), ExitCode.MALFORMED_FILE),
    "policy edited": (edited("policy.json", b"0.1", b"0.2"), ExitCode.POLICY_MISMATCH),
    "manifest edited": (lambda data: replaced(data, some_model(data), bit_flipped), ExitCode.SWAPPED_MODEL),
    "manifest left out of the list": (
        lambda data: without(some_model(data))(reindexed(data, lambda index: index["models"].pop(0))),
        ExitCode.SWAPPED_MODEL,
    ),
    "evidence no Sigstore bundle": (
        lambda data: replaced(data, EVIDENCE_A, lambda _: b"{}"),
        ExitCode.SIGSTORE_MALFORMED,
    ),
    "evidence payload edited": (envelope_edited(claims_more), ExitCode.EVIDENCE_PAYLOAD),
    "evidence of the two targets swapped": (swapped_evidence, ExitCode.SIGSTORE_MALFORMED),
    "envelopes of the two targets swapped": (swapped_envelopes, ExitCode.EVIDENCE_PAYLOAD),
    "a summary in the place of evidence": (summary_for_evidence, ExitCode.EVIDENCE_PAYLOAD),
    "evidence signature edited": (
        envelope_edited(lambda envelope: dataclasses.replace(envelope, signature=bit_flipped(envelope.signature))),
        ExitCode.EVIDENCE_SIGNATURE,
    ),
    "evidence under another key id": (
        envelope_edited(lambda envelope: dataclasses.replace(envelope, keyid="0" * 64)),
        ExitCode.EVIDENCE_SIGNATURE,
    ),
    "evidence of another payload type": (
        envelope_edited(lambda envelope: dataclasses.replace(envelope, payload_type="text/plain")),
        ExitCode.SIGSTORE_MALFORMED,
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused_with_its_own_code(name: str, genuine: bytes) -> None:
    damage, code = DAMAGE[name]
    assert code_of(damage(genuine)) is code


# --- Genuine signatures over a false story: name → (what is told otherwise, exit code) ---------------------------


def says_findings(facts: EvidenceFacts) -> EvidenceFacts:
    better = tuple(dataclasses.replace(finding, value=0) for finding in facts.findings)
    return dataclasses.replace(facts, findings=better)


class LeakyStory(Story):
    """A service whose allow-list was switched off writes an address into the ledger."""

    def to_leaf(self, event: Event) -> bytes:
        return super().to_leaf(event).replace(b'"email_code"', b'"a@example.org"')


class LenientStory(Story):
    """The attack fails on the model of target A, and the service calls it passed all the same."""

    def findings(self, part: Any) -> Any:
        equal, attack = super().findings(part)
        return equal, dataclasses.replace(attack, verdict=Verdict.FAIL)


class LooseStory(Story):
    """Judged at another threshold than the policy's."""

    def findings(self, part: Any) -> Any:
        equal, attack = super().findings(part)
        return equal, dataclasses.replace(attack, threshold=0.5)


class PartialStory(Story):
    """One audit of the policy was left out."""

    def findings(self, part: Any) -> Any:
        return super().findings(part)[:1]


class FailedStory(Story):
    """Honestly failed, and completed all the same."""

    def findings(self, part: Any) -> Any:
        equal, attack = super().findings(part)
        return equal, dataclasses.replace(attack, verdict=Verdict.FAIL)

    def result(self, part: Any) -> Result:
        return Result.FAILED


class EarlyScopeStory(Story):
    """A scope is opened although nobody decided on one yet."""

    def contents(self) -> bundle.BundleContents:
        self.scope = {"models": self.shares()}
        return super().contents()


class EarlyPolicyStory(Story):
    """A policy is shown although no plan names one yet."""

    def contents(self) -> bundle.BundleContents:
        return dataclasses.replace(super().contents(), policy=self.policy)


class SummaryStory(Story):
    """The evidence is signed words of another kind."""

    def payload(self, part: Any) -> bytes:
        return b"{}"


FALSE_STORIES: dict[str, tuple[dict[str, Any], ExitCode]] = {
    "an event of another request": ({"event": of_request("job.recorded")}, ExitCode.SWAPPED_REQUEST),
    "an event that follows nothing": ({"event": unlinked("request.approved")}, ExitCode.CHAIN_BROKEN),
    "an event after the end": ({"steps": ("receive", "withdraw", "withdraw")}, ExitCode.CHAIN_BROKEN),
    "a leaf with an address in it": ({"kind": LeakyStory, "steps": STEPS[:3]}, ExitCode.LEAF_SCHEMA),
    "completed without approval": (
        {"steps": ("receive", "confirm_identity", "complete")},
        ExitCode.CHAIN_BROKEN,
    ),
    "planned after the run": (
        {"steps": reordered("start", "plan", "record", "find", "attach", "complete")},
        ExitCode.POLICY_AFTER_RUN,
    ),
    "recorded before the start": (
        {"steps": reordered("plan", "record", "start", "find", "attach", "complete")},
        ExitCode.POLICY_AFTER_RUN,
    ),
    "findings before the result": (
        {"steps": reordered("plan", "start", "find", "record", "attach", "complete")},
        ExitCode.POLICY_AFTER_RUN,
    ),
    "evidence before the findings": (
        {"steps": reordered("plan", "start", "record", "attach", "find", "complete")},
        ExitCode.POLICY_AFTER_RUN,
    ),
    "evidence after the completion": (
        {"steps": reordered("plan", "start", "record", "find", "complete", "attach")},
        ExitCode.POLICY_AFTER_RUN,
    ),
    "a job nobody planned": ({"event": on("request.planned", jobs=[some_id(98)])}, ExitCode.POLICY_AFTER_RUN),
    "a result never recorded": (
        {"steps": reordered("plan", "start", "find", "attach", "complete")},
        ExitCode.JOB_MISMATCH,
    ),
    "a result recorded twice": (
        {"steps": reordered("plan", "start", "record", "record", "find", "attach", "complete")},
        ExitCode.JOB_MISMATCH,
    ),
    "evidence of another request": ({"facts": says(request_id=some_id(99))}, ExitCode.SWAPPED_REQUEST),
    "evidence of another receipt": ({"facts": says(request_leaf_sha256="0" * 64)}, ExitCode.SWAPPED_REQUEST),
    "evidence of another target": ({"facts": says(target_id=some_id(99))}, ExitCode.JOB_MISMATCH),
    "evidence of another job": ({"facts": says(job_id=some_id(99))}, ExitCode.JOB_MISMATCH),
    "another model before": ({"facts": says(before_sha256="0" * 64)}, ExitCode.SWAPPED_MODEL),
    "another model after": ({"facts": says(after_sha256="0" * 64)}, ExitCode.SWAPPED_MODEL),
    "a start from another model": ({"event": on("job.started", before_sha256="0" * 64)}, ExitCode.SWAPPED_MODEL),
    "a result about another model": ({"event": on("job.recorded", after_sha256="0" * 64)}, ExitCode.SWAPPED_MODEL),
    "another method": ({"facts": says_method(name="npo")}, ExitCode.JOB_MISMATCH),
    "another version of the method": ({"facts": says_method(version="2")}, ExitCode.JOB_MISMATCH),
    "another configuration": ({"facts": says_method(config={"gamma": 2.0})}, ExitCode.JOB_MISMATCH),
    "a stronger assurance": ({"event": on("job.recorded", assurance="approximate")}, ExitCode.JOB_MISMATCH),
    "another policy in the evidence": ({"facts": says(policy_sha256="0" * 64)}, ExitCode.POLICY_MISMATCH),
    "another policy in the plan": ({"event": on("request.planned", policy_sha256="0" * 64)}, ExitCode.POLICY_MISMATCH),
    "a method the policy does not name": (
        {"policy": {**POLICY, "methods": {"analytic_classifier": {"method": "npo", "config": {}}}}},
        ExitCode.POLICY_MISMATCH,
    ),
    "an older challenge": ({"facts": says_challenge(root_sha256="0" * 64)}, ExitCode.CHALLENGE_MISMATCH),
    "a challenge from the future": ({"facts": says_challenge(size=306 + 1)}, ExitCode.CHALLENGE_MISMATCH),
    "other findings than recorded": ({"facts": says_findings}, ExitCode.FINDINGS_MISMATCH),
    "another verdict in the ledger": (
        {"event": on("findings.recorded", verdict="failed")},
        ExitCode.FINDINGS_MISMATCH,
    ),
    "a better result than the findings give": ({"facts": says(result=Result.PASSED)}, ExitCode.FINDINGS_MISMATCH),
    "a failed audit called passed": ({"kind": LenientStory}, ExitCode.FINDINGS_MISMATCH),
    "a looser threshold": ({"kind": LooseStory}, ExitCode.FINDINGS_MISMATCH),
    "an audit left out": ({"kind": PartialStory}, ExitCode.FINDINGS_MISMATCH),
    "records outside the scope": ({"facts": says(forget_commitment="1" * 64)}, ExitCode.SCOPE_MISMATCH),
    "a model of the scope left out": (
        {"steps": reordered("plan", "start", "record", "find", "only_first", "attach", "complete")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "completion on other evidence": (
        {"event": on("request.completed", evidence=["0" * 64])},
        ExitCode.COMPLETION_MISMATCH,
    ),
    "completion with another version": (
        {"event": on("request.completed", versions=["0" * 64])},
        ExitCode.COMPLETION_MISMATCH,
    ),
    "completion on failed evidence": ({"kind": FailedStory}, ExitCode.COMPLETION_MISMATCH),
    "an operator approves": (
        {"event": lambda event: event._replace(actor_role="operator") if event.type == "request.approved" else event},
        ExitCode.ACTOR_ROLE,
    ),
    "the decider signs off": ({"event": by("request.completed", DPO)}, ExitCode.SAME_SIGNER),
    "a scope before any decision": ({"kind": EarlyScopeStory, "steps": STEPS[:3]}, ExitCode.SCOPE_MISMATCH),
    "a policy before any plan": ({"kind": EarlyPolicyStory, "steps": STEPS[:4]}, ExitCode.UNEXPECTED_FILE),
    "a statement that is none": ({"kind": SummaryStory}, ExitCode.EVIDENCE_MALFORMED),
    "a summary of a better assurance": ({"summary": summarises(assurance="certified")}, ExitCode.CLOSING_STATEMENT),
}


@pytest.mark.parametrize("name", FALSE_STORIES)
def test_a_false_story_is_refused_even_when_genuinely_signed(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    told, code = FALSE_STORIES[name]
    changes = dict(told)
    kind = changes.pop("kind", Story)
    assert code_of(bundle.write(kind(log_key=log_key, signer=signer, **changes).contents())) is code


def test_every_code_that_a_bundle_can_raise_is_in_a_table() -> None:
    raised = {code for _, code in DAMAGE.values()} | {code for _, code in FALSE_STORIES.values()}
    elsewhere = {
        ExitCode.VERIFIED,
        ExitCode.UNEXPECTED_ERROR,
        ExitCode.USAGE,
        ExitCode.UNREADABLE,
        ExitCode.TOO_LARGE,
        ExitCode.UNSAFE_MEMBER,
        # Trust, witnesses and several logs have tests of their own.
        ExitCode.TRUST_FILE,
        ExitCode.CHECKPOINT_UNWITNESSED,
        ExitCode.CONSISTENCY,
        ExitCode.LOG_CONTENT,
        ExitCode.LOG_SUCCESSION,
        ExitCode.TIMESTAMP,
        ExitCode.KEY_NOT_VALID,
    }
    assert raised == set(ExitCode) - elsewhere


# --- Attackers with keys of their own ---------------------------------------------------------------------------


def test_a_bundle_signed_throughout_with_other_keys_verifies_alone_but_not_under_pinned_keys(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    forged = bundle.write(Story(log_key=Ed25519PrivateKey.generate(), signer=new_signer()).contents())
    pinned = [checkpoint.vkey("ledger.example/test", log_key.public_key())]
    assert code_of(forged) is ExitCode.VERIFIED
    assert code_of(forged, log_vkeys=pinned) is ExitCode.CHECKPOINT_KEY
    assert code_of(forged, log_vkeys=pinned, evidence_keys=[signer.public_key]) is ExitCode.CHECKPOINT_KEY
    assert code_of(forged, evidence_keys=[signer.public_key]) is ExitCode.EVIDENCE_KEY


def test_evidence_signed_with_another_key_is_refused_although_the_log_is_genuine(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    forged = bundle.write(Story(log_key=log_key, signer=new_signer()).contents())
    pinned = [checkpoint.vkey("ledger.example/test", log_key.public_key())]
    assert code_of(forged, log_vkeys=pinned, evidence_keys=[signer.public_key]) is ExitCode.EVIDENCE_KEY


def test_an_empty_list_of_keys_trusts_nobody(genuine: bytes) -> None:
    assert code_of(genuine, log_vkeys=[]) is ExitCode.CHECKPOINT_KEY
    assert code_of(genuine, evidence_keys=[]) is ExitCode.EVIDENCE_KEY


def test_recomputing_everything_that_nobody_signs_does_not_help(genuine: bytes, story: Story) -> None:
    """Entry, hint, path, index and seal are recomputed over a tree of the attacker's; the checkpoint stays."""
    forged = Story(log_key=story.log_key, signer=story.signer, event=on("request.received", ground="art17_1_f"))
    contents = forged.contents()
    data = bundle.write(under(contents, 1, story.contents().logs[0].checkpoint))
    assert code_of(data) is ExitCode.PROOF_CHANGED


def test_genuine_evidence_of_another_request_is_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """A request that is received at another second has another receipt, and so needs other evidence."""

    def later(event: Event) -> Event:
        return event._replace(at=event.at + timedelta(seconds=1))

    other = Story(log_key=log_key, signer=signer, event=later)

    class Replaying(Story):
        def facts(self, part: Any) -> EvidenceFacts:
            return dataclasses.replace(super().facts(part), request_leaf_sha256=str(other.received))

    assert code_of(bundle.write(Replaying(log_key=log_key, signer=signer).contents())) is ExitCode.SWAPPED_REQUEST


def test_the_names_used_above_are_those_of_the_story(story: Story) -> None:
    contents = story.contents()
    first, evidence = contents.entries[0], contents.evidence[0]
    assert (f"entries/1-{first.position.index:08d}", story.ledger.leaf(first.position)) == (FIRST, first.leaf)
    assert f"entries/1-{evidence.position.index:08d}" == EVIDENCE_ENTRY
    assert (contents.request, story.parts[0].job) == (REQUEST, JOB_A)
    assert isinstance(story.method(), Method)
