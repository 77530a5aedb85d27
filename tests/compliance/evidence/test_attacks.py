"""Attacks of an operator who knows the verifier and signs what he likes.

Each is one idea of how a bundle could be made to prove something false. Every one must be refused, with the code that
says why. Plain damage and simple lies: test_tampering.py. Attackers without keys: test_replays.py.
"""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, canonical, dsse, merkle, signing
from compliance.evidence.commitment import commit
from compliance.evidence.errors import ExitCode
from compliance.evidence.findings import Finding
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.position import Position
from compliance.evidence.rekord import HashedRekord
from compliance.evidence.statement import EXTENSION, Challenge
from compliance.evidence.verdict import Verdict

from .edits import by, code_of, on, reordered, says
from .story import (
    JOB_A,
    POLICY,
    REQUEST,
    SECOND_DPO,
    STEPS,
    Part,
    Story,
    some_id,
)

RUN = ("start", "record", "find", "attach")
TO_THE_PLAN = STEPS[:5]
OTHER = some_id(50)
Edit = Callable[[Any], object]


def dated_back(event_type: str, days: int) -> Callable[[Event], Event]:
    return lambda event: event._replace(at=event.at - timedelta(days=days)) if event.type == event_type else event


def signed_by(role: str, event_type: str) -> Callable[[Event], Event]:
    return lambda event: event._replace(actor_role=role) if event.type == event_type else event


def policy_with(**changes: Any) -> dict[str, object]:
    return {**POLICY, **changes}


def audits_with(number: int, **changes: Any) -> dict[str, object]:
    """The policy with one of its audit rules changed."""
    audits: list[dict[str, Any]] = [dict(audit) for audit in POLICY["audits"]]  # type: ignore[attr-defined]
    audits[number] |= changes
    return policy_with(audits=audits)


def methods_with(choice: object) -> dict[str, object]:
    return policy_with(methods={"analytic_classifier": choice})


def doubled(event: Event) -> Event:
    """A completion whose lists name everything twice: as sets they would be right."""
    if event.type != "request.completed":
        return event
    return event._replace(facts={fact: event.texts(fact) * 2 for fact in event.facts})


# --- Lies of an operator who holds every key ---------------------------------------------------------------------


class OneShareStory(Story):
    """One evidence's share of records stands for two models."""

    def new_parts(self) -> tuple[Part, ...]:
        first, second = super().new_parts()
        return first, dataclasses.replace(second, forget_commitment=first.forget_commitment)


class OneJobStory(Story):
    """One run stands for two models."""

    def new_parts(self) -> tuple[Part, ...]:
        first, second = super().new_parts()
        return first, dataclasses.replace(second, job=first.job)


class OneModelStory(Story):
    """Both runs were on one model, while the scope names two."""

    def to_leaf(self, event: Event) -> bytes:
        if event.type == "job.started":
            event = event._replace(facts={**event.facts, "model": self.parts[0].model})
        return super().to_leaf(event)


class SwappedRunsStory(Story):
    """Each model's run is shown for the other model's records."""

    def to_leaf(self, event: Event) -> bytes:
        if event.type == "job.started":
            first, second = self.parts
            other = second if event.text("target") == first.target else first
            event = event._replace(facts={**event.facts, "model": other.model})
        return super().to_leaf(event)


class TwoStartsStory(Story):
    """A job that was started twice, each time on another model; only the second one is in the scope."""

    def to_leaf(self, event: Event) -> bytes:
        if event.type == "job.started" and len(self.events) < len(TO_THE_PLAN) + len(self.parts):
            event = event._replace(facts={**event.facts, "model": some_id(77)})
        return super().to_leaf(event)


class UntouchedStory(Story):
    """The model after is the model before."""

    def new_parts(self) -> tuple[Part, ...]:
        first, second = super().new_parts()
        return dataclasses.replace(first, after=first.before), second


class LowerLevelStory(Story):
    """Judged with less confidence than the policy asks."""

    def findings(self, part: Part) -> Any:
        equal, attack = super().findings(part)
        return equal, dataclasses.replace(attack, level=0.5)


class OverwrittenStory(Story):
    """The attack was run until it failed to find anything; both findings are listed."""

    def findings(self, part: Part) -> Any:
        equal, attack = super().findings(part)
        failed = dataclasses.replace(attack, value=0.4, verdict=Verdict.FAIL, reasons=())
        return equal, failed, attack


class OwnThresholdStory(Story):
    """The audit whose threshold the policy leaves open is judged at one that was chosen afterwards."""

    def findings(self, part: Part) -> Any:
        equal, attack = super().findings(part)
        return dataclasses.replace(equal, threshold=1000), attack


class RescopedStory(Story):
    """The second decision is about other records of the first model, which never ran on them."""

    def shares(self) -> list[dict[str, Any]]:
        first, *others = super().shares()
        return [{**first, "forget_commitment": "5" * 64} if "request.approved" in self.types else first, *others]


class EarlyChallengeStory(Story):
    """The challenge is a true head of the log, but one from before the plan."""

    def new_challenge(self) -> Challenge:
        head = self.ledger.last.head(len(self.ledger.last.leaves) - 1)
        return Challenge(log=1, size=head.size, root_sha256=head.root.hex())


class MadeUpChallengeStory(Story):
    """Ledger and statement agree on a root that the log never had."""

    def new_challenge(self) -> Challenge:
        return dataclasses.replace(super().new_challenge(), root_sha256="ab" * 32)


class EmptyChallengeStory(Story):
    """Anybody knows the root of an empty log."""

    def new_challenge(self) -> Challenge:
        return Challenge(log=1, size=0, root_sha256=merkle.EMPTY_ROOT.hex())

    def challenges(self) -> dict[tuple[int, int], bytes]:
        return {}


class FoundStory(Story):
    """Findings with other figures, while the verdicts stay."""

    changes: ClassVar[tuple[dict[str, Any], dict[str, Any]]] = ({}, {})

    def findings(self, part: Part) -> tuple[Finding, Finding]:
        first, second = super().findings(part)
        return dataclasses.replace(first, **self.changes[0]), dataclasses.replace(second, **self.changes[1])


class HighValueStory(FoundStory):
    changes = ({"value": 123456}, {})


class WideIntervalStory(FoundStory):
    changes = ({}, {"value": 0.9, "interval": (0.85, 0.95), "verdict": Verdict.PASS, "reasons": ()})


class NoRecordsStory(FoundStory):
    changes = ({"n": {"retain": 0}}, {})


class JudgedAgainStory(Story):
    """The second run of the first model was judged, but the evidence of the first run is kept."""

    def attach(self) -> None:
        if self.parts[0].job == JOB_A:
            super().attach()


LIES: dict[str, tuple[dict[str, Any], ExitCode]] = {
    "completed on nothing": ({"steps": (*TO_THE_PLAN, "complete")}, ExitCode.SCOPE_MISMATCH),
    "completed on nothing, scope shredded": (
        {"steps": (*TO_THE_PLAN, "complete", "shred")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "a model left out, scope shredded": (
        {"steps": reordered("plan", "start", "record", "find", "only_first", "attach", "complete", "shred")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "a decision on fewer models than its scope": (
        {"event": on("request.approved", n_targets=1)},
        ExitCode.SCOPE_MISMATCH,
    ),
    "a decision on fewer models than its scope, still open": (
        {"event": on("request.approved", n_targets=1), "steps": STEPS[:4]},
        ExitCode.SCOPE_MISMATCH,
    ),
    "completed on a share that a later decision replaced": (
        {"kind": RescopedStory, "steps": (*TO_THE_PLAN, *RUN, "approve_anew", "plan", "complete")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "one share for two models": ({"kind": OneShareStory}, ExitCode.SCOPE_MISMATCH),
    "one share for two models, scope shredded": (
        {"kind": OneShareStory, "steps": (*STEPS, "shred")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "one job for two models": ({"kind": OneJobStory}, ExitCode.JOB_MISMATCH),
    "two runs on one model": ({"kind": OneModelStory}, ExitCode.SCOPE_MISMATCH),
    "two runs on one model, scope shredded": (
        {"kind": OneModelStory, "steps": (*STEPS, "shred")},
        ExitCode.SCOPE_MISMATCH,
    ),
    "a job started on two models": (
        {"kind": TwoStartsStory, "steps": (*TO_THE_PLAN, "start", *RUN, "complete")},
        ExitCode.JOB_MISMATCH,
    ),
    "runs on each other's model": ({"kind": SwappedRunsStory}, ExitCode.SCOPE_MISMATCH),
    "fewer records than approved": ({"facts": says(n_forget=1)}, ExitCode.SCOPE_MISMATCH),
    "a model that was left as it was": ({"kind": UntouchedStory}, ExitCode.SWAPPED_MODEL),
    "a retry of what was never planned": ({"steps": (*STEPS[:4], "retry", "start")}, ExitCode.POLICY_AFTER_RUN),
    "evidence of a failed job": (
        {"steps": (*TO_THE_PLAN, "start", "fail", "record", "find", "attach")},
        ExitCode.JOB_MISMATCH,
    ),
    "evidence of a run that a later one superseded": (
        {"kind": JudgedAgainStory, "steps": (*TO_THE_PLAN, *RUN, "need_attention", "retry", *RUN, "complete")},
        ExitCode.COMPLETION_MISMATCH,
    ),
    "a job that failed after its evidence": (
        {"steps": (*TO_THE_PLAN, *RUN, "fail", "complete")},
        ExitCode.COMPLETION_MISMATCH,
    ),
    "a challenge from before the plan": ({"kind": EarlyChallengeStory}, ExitCode.CHALLENGE_MISMATCH),
    "a challenge that the log never had": ({"kind": MadeUpChallengeStory}, ExitCode.CHALLENGE_MISMATCH),
    "a challenge of nothing": ({"kind": EmptyChallengeStory}, ExitCode.CHALLENGE_MISMATCH),
    "a completion dated before the receipt": (
        {"event": dated_back("request.completed", days=1)},
        ExitCode.CHAIN_BROKEN,
    ),
    "a job dated back": ({"event": dated_back("job.started", days=400)}, ExitCode.CHAIN_BROKEN),
    "a value above the threshold that passes": ({"kind": HighValueStory}, ExitCode.FINDINGS_MISMATCH),
    "an interval beyond the threshold that passes": ({"kind": WideIntervalStory}, ExitCode.FINDINGS_MISMATCH),
    "a pass found with no record": ({"kind": NoRecordsStory}, ExitCode.FINDINGS_MISMATCH),
    "evidence listed twice in the completion": ({"event": doubled}, ExitCode.COMPLETION_MISMATCH),
    "signed off by a machine": ({"event": signed_by("system", "request.completed")}, ExitCode.ACTOR_ROLE),
    "signed off by the person concerned": ({"event": signed_by("subject", "request.completed")}, ExitCode.ACTOR_ROLE),
    "approved by a worker": ({"event": signed_by("worker", "request.approved")}, ExitCode.ACTOR_ROLE),
    "signed off by who decided last": (
        {
            "steps": (*STEPS[:4], "approve_anew", "plan", *RUN, "complete"),
            "event": by("request.completed", SECOND_DPO),
        },
        ExitCode.SAME_SIGNER,
    ),
    "a failure overwritten by a second finding": ({"kind": OverwrittenStory}, ExitCode.FINDINGS_MISMATCH),
    "a lower level than the policy's": (
        {"kind": LowerLevelStory, "policy": audits_with(1, config={"threshold": 0.1, "level": 0.9})},
        ExitCode.FINDINGS_MISMATCH,
    ),
    "a threshold that the policy leaves open": (
        {"kind": OwnThresholdStory, "policy": audits_with(0, config={})},
        ExitCode.MALFORMED_FILE,
    ),
    "inconclusive without an excuse": (
        {"policy": audits_with(1, accept_inconclusive_when_passed=[])},
        ExitCode.FINDINGS_MISMATCH,
    ),
    "inconclusive, excused by itself": (
        {"policy": audits_with(1, accept_inconclusive_when_passed=["mia_loss"])},
        ExitCode.MALFORMED_FILE,
    ),
    "inconclusive, excused by an audit that never ran": (
        {"policy": audits_with(1, accept_inconclusive_when_passed=["other"])},
        ExitCode.MALFORMED_FILE,
    ),
    "inconclusive, excused by letters": (
        {"policy": audits_with(1, accept_inconclusive_when_passed="retrain_equality")},
        ExitCode.MALFORMED_FILE,
    ),
    "a threshold that is true": ({"policy": audits_with(0, config={"threshold": True})}, ExitCode.MALFORMED_FILE),
    "a threshold that is text": ({"policy": audits_with(0, config={"threshold": "0"})}, ExitCode.MALFORMED_FILE),
    "a threshold that is no number": (
        {"policy": canonical.dumps(POLICY).replace(b'"threshold":0.1', b'"threshold":NaN')},
        ExitCode.MALFORMED_FILE,
    ),
    "an endless threshold": (
        {"policy": canonical.dumps(POLICY).replace(b'"threshold":0.1', b'"threshold":1e999')},
        ExitCode.MALFORMED_FILE,
    ),
    "a policy that says everything twice": (
        {"policy": canonical.dumps(POLICY).replace(b'{"audits":', b'{"audits":[],"audits":')},
        ExitCode.MALFORMED_FILE,
    ),
    "a policy that is a list": ({"policy": b"[]"}, ExitCode.MALFORMED_FILE),
    "a policy without audits": ({"policy": policy_with(audits=[])}, ExitCode.MALFORMED_FILE),
    "a policy with rules that are words": ({"policy": policy_with(audits=["mia_loss"])}, ExitCode.MALFORMED_FILE),
    "a policy with an audit twice": (
        {"policy": policy_with(audits=[POLICY["audits"][0]] * 2)},  # type: ignore[index]
        ExitCode.MALFORMED_FILE,
    ),
    "a policy that names no methods": (
        {"policy": {key: value for key, value in POLICY.items() if key != "methods"}},
        ExitCode.POLICY_MISMATCH,
    ),
    "a policy whose methods are a list": ({"policy": policy_with(methods=["acu"])}, ExitCode.POLICY_MISMATCH),
    "a policy whose method is a list": (
        {"policy": methods_with({"method": [], "config": {}})},
        ExitCode.POLICY_MISMATCH,
    ),
    "a policy whose configuration is a list": (
        {"policy": methods_with({"method": "acu", "config": []})},
        ExitCode.POLICY_MISMATCH,
    ),
    "a configuration that the policy fixed otherwise": (
        {"policy": methods_with({"method": "acu", "config": {"gamma": 2}})},
        ExitCode.POLICY_MISMATCH,
    ),
    "a parameter of the policy that was not used": (
        {"policy": methods_with({"method": "acu", "config": {"rank": 4}})},
        ExitCode.POLICY_MISMATCH,
    ),
    "a switch for a number": (
        {"policy": methods_with({"method": "acu", "config": {"gamma": True}})},
        ExitCode.POLICY_MISMATCH,
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_even_when_genuinely_signed(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    told, code = LIES[name]
    changes = dict(told)
    kind = changes.pop("kind", Story)
    assert code_of(bundle.write(kind(log_key=log_key, signer=signer, **changes).contents())) is code


# --- A scope that is genuinely committed to, and says something else to each reader ------------------------------


def share(**changes: Any) -> Edit:
    return lambda shares: shares[0].update(changes)


SCOPES: dict[str, Edit] = {
    "a share of true records": share(n_records=True),
    "a share of half a record": share(n_records=0.5),
    "a share of fewer than no records": share(n_records=-2),
    "a share of records in words": share(n_records="2"),
    "a share of unknown size": share(n_records=None),
    "a commitment that is a list": share(forget_commitment=[]),
    "a commitment in capitals": lambda shares: share(forget_commitment=shares[0]["forget_commitment"].upper())(shares),
    "a model without an id": share(model=None),
    "a model named twice": lambda shares: share(model=shares[1]["model"])(shares),
    "a model named again without records": lambda shares: shares.append(
        {"model": shares[0]["model"], "n_records": 0, "forget_commitment": "7" * 64}
    ),
    "a share twice, the false one first": lambda shares: shares.insert(0, {**shares[0], "model": some_id(77)}),
    "a share that is a list of names": lambda shares: shares.append(["model", "n_records", "forget_commitment"]),
    "a share with a remark": share(remark="none"),
    "a share that is a word": lambda shares: shares.append("none"),
    "a share twice": lambda shares: shares.append({**shares[0], "model": some_id(77)}),
}


@pytest.mark.parametrize("name", SCOPES)
def test_an_ambiguous_scope_is_refused(name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    class AmbiguousStory(Story):
        def shares(self) -> list[dict[str, Any]]:
            shares = super().shares()
            SCOPES[name](shares)
            return shares

    story = AmbiguousStory(log_key=log_key, signer=signer)
    assert code_of(bundle.write(story.contents())) is ExitCode.SCOPE_MISMATCH


def test_a_share_of_true_records_is_not_a_share_of_one(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """Python takes True for 1; other readers of the scope do not."""

    class TrueStory(Story):
        n_records: object = True

        def shares(self) -> list[dict[str, Any]]:
            first, second, *others = super().shares()
            return [{**first, "n_records": self.n_records}, {**second, "n_records": 1}, *others]

    class OneStory(TrueStory):
        n_records = 1

    told: dict[str, Any] = {"log_key": log_key, "signer": signer, "facts": says(n_forget=1)}
    assert code_of(bundle.write(OneStory(**told).contents())) is ExitCode.VERIFIED
    assert code_of(bundle.write(TrueStory(**told).contents())) is ExitCode.SCOPE_MISMATCH


@pytest.mark.parametrize("scope", [{}, {"models": None}, {"models": {}}, {"models": "none"}], ids=repr)
def test_a_scope_without_a_list_of_models_is_refused(
    scope: dict[str, object], log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    class ShapelessStory(Story):
        def decide(self, dpo: str) -> None:
            self.scope = scope
            committed = commit(self.key, "scope", scope)
            facts: dict[str, FactValue] = {"ground": "art17_1_b", "n_targets": 2, "scope_commitment": committed}
            self.log("request.approved", "dpo", dpo, facts)

    assert code_of(bundle.write(ShapelessStory(log_key=log_key, signer=signer).contents())) is ExitCode.SCOPE_MISMATCH


# --- Statements that are genuinely signed and say more than their facts ------------------------------------------


def in_statement(change: Edit) -> Callable[[bytes], bytes]:
    def edit(payload: bytes) -> bytes:
        value = json.loads(payload)
        change(value)
        return canonical.dumps(value)

    return edit


def in_findings(change: Edit) -> Callable[[bytes], bytes]:
    return in_statement(lambda value: change(value["predicate"][EXTENSION]["findings"]))


def in_bytes(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def edit(payload: bytes) -> bytes:
        assert old in payload
        return payload.replace(old, new, 1)

    return edit


def extension(**changes: Any) -> Callable[[bytes], bytes]:
    return in_statement(lambda value: value["predicate"][EXTENSION].update(changes))


STATEMENTS: dict[str, Callable[[bytes], bytes]] = {
    "a claim in other words": extension(claim="The person is forgotten for ever."),
    "a subject that its role does not name": in_statement(
        lambda value: value["subject"][2]["digest"].update(sha256="0" * 64)
    ),
    "one subject more": in_statement(lambda value: value["subject"].append(value["subject"][0])),
    "the subjects in another order": in_statement(lambda value: value["subject"].reverse()),
    "an audit in the list of those passed": in_statement(
        lambda value: value["predicate"]["passedTests"].append("stronger_attack")
    ),
    "a member that no verifier reads": extension(note="checked by hand"),
    "another type of statement": in_statement(lambda value: value.update(_type="https://in-toto.io/Statement/v0.1")),
    "another type of predicate": in_statement(lambda value: value.update(predicateType="https://slsa.dev/vsa/v1")),
    "no findings": in_findings(lambda findings: findings.clear()),
    "a pass without a value": in_findings(lambda findings: findings[0].update(value=None)),
    "an inconclusive finding without a reason": in_findings(
        lambda findings: findings[0].update(verdict="inconclusive", reasons=[])
    ),
    "an interval the wrong way round": in_findings(lambda findings: findings[1].update(interval=[0.04, -0.02])),
    "an interval of three bounds": in_findings(lambda findings: findings[1].update(interval=[0, 0, 0])),
    "a probability above one": in_findings(lambda findings: findings[1].update(p_value=2)),
    "a level that is true": in_findings(lambda findings: findings[1].update(level=True)),
    "a threshold that is a list": in_findings(lambda findings: findings[1].update(threshold=[0.1])),
    "reasons in one word": in_findings(lambda findings: findings[1].update(reasons="none")),
    "an address in a reason": in_findings(lambda findings: findings[1].update(reasons=["asked by a@example.org"])),
    "an address in wide letters": in_findings(
        lambda findings: findings[1].update(reasons=["asked by a\uff20example.org"])
    ),
    "a line break in a reason": in_findings(lambda findings: findings[1].update(reasons=["one\ntwo"])),
    "a reason written from right to left": in_findings(lambda findings: findings[1].update(reasons=["\u202edessap"])),
    "a threshold that is no number": in_bytes(b'"threshold":0.1', b'"threshold":NaN'),
    "an endless threshold": in_bytes(b'"threshold":0.1', b'"threshold":1e999'),
    "a threshold in another spelling": in_bytes(b'"threshold":0.1', b'"threshold":0.10'),
    "a verdict said twice": in_bytes(b'"verdict":"pass"', b'"verdict":"fail","verdict":"pass"'),
    "records without number": in_bytes(b'"n_forget":2', b'"n_forget":' + b"9" * 400),
    "records beyond the exact numbers": in_bytes(b'"n_forget":2', b'"n_forget":9007199254740992'),
    "fewer records than none": in_bytes(b'"n_forget":2', b'"n_forget":-2'),
    "a request id in capitals": in_bytes(REQUEST.encode(), REQUEST.upper().encode().replace(b"0", b"A", 1)),
    "a finish before the start": extension(finished_at="2026-05-01T11:59:59Z"),
    "a time of another zone": extension(started_at="2026-05-01T12:00:00+00:00"),
    "white space": lambda payload: payload + b"\n",
    "nesting without end": lambda payload: b"[" * 100_000,
    "nothing": lambda payload: b"",
    "text in another encoding": lambda payload: payload.decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_says_more_than_its_facts_is_refused(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    class TalkativeStory(Story):
        def payload(self, part: Part) -> bytes:
            return STATEMENTS[name](super().payload(part))

    story = TalkativeStory(log_key=log_key, signer=signer)
    assert code_of(bundle.write(story.contents())) is ExitCode.EVIDENCE_MALFORMED


# --- Entries that are genuinely logged and are no entries --------------------------------------------------------


def number_for_digest(body: Any) -> None:
    body["spec"]["hashedRekordV002"]["data"]["digest"] = 5


def short_digest(body: Any) -> None:
    body["spec"]["hashedRekordV002"]["data"]["digest"] = canonical.encode_base64(bytes(31))


def no_key(body: Any) -> None:
    body["spec"]["hashedRekordV002"]["signature"]["verifier"]["publicKey"]["rawBytes"] = None


def other_algorithm(body: Any) -> None:
    body["spec"]["hashedRekordV002"]["data"]["algorithm"] = "SHA2_512"


def more(body: Any) -> None:
    body["spec"]["more"] = 1


def test_a_signature_that_never_verified_is_refused_although_ledger_and_envelope_agree_on_it(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """A ledger that logs what it did not check: the verifier checks again."""

    class CarelessStory(Story):
        def attach(self) -> None:
            for part in self.active:
                honest = dsse.parse_envelope(self.signer.sign(self.payload(part)))
                forged = dataclasses.replace(honest, signature=honest.signature[:-1] + b"\x00")
                digest = sha256(forged.pae()).digest()
                rekord = HashedRekord(digest, forged.signature, self.signer.public_key, self.signer.keyid)
                self.envelopes[part.target] = (self.append(rekord.to_bytes()), forged.to_bytes())

    data = bundle.write(CarelessStory(log_key=log_key, signer=signer).contents())
    assert code_of(data) is ExitCode.EVIDENCE_SIGNATURE


@pytest.mark.parametrize("change", [number_for_digest, short_digest, no_key, other_algorithm, more])
def test_an_evidence_entry_of_another_shape_is_refused(
    change: Edit, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    class ShapelessStory(Story):
        def append(self, entry: bytes) -> Position:
            if b"hashedrekord" in entry:
                body = json.loads(entry)
                change(body)
                entry = canonical.dumps(body)
            return super().append(entry)

    assert code_of(bundle.write(ShapelessStory(log_key=log_key, signer=signer).contents())) is ExitCode.LEAF_SCHEMA
