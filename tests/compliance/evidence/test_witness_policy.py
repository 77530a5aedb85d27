"""Policy files: what is refused on which line, the example of the specification, and quorums against a slow twin."""

import itertools
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import checkpoint, cosignature, witness_policy
from compliance.evidence.errors import TrustFileError
from compliance.evidence.witness_policy import Group, PolicyLog, Witness, WitnessPolicy

SPECIFICATION = json.loads((Path(__file__).parent / "vectors" / "witnesses.json").read_text())["specification"]


def public_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def cosigner(number: int) -> str:
    return cosignature.vkey(f"w{number}.example", public_key(number).public_key())


LOG = checkpoint.vkey("ledger.example/2026", public_key(1000).public_key())
THREE = "".join(f"witness W{number} {cosigner(number)}\n" for number in (1, 2, 3))

REFUSED = [
    pytest.param("", id="nothing"),
    pytest.param(THREE, id="no quorum"),
    pytest.param(f"{THREE}quorum W1\nquorum W1\n", id="two quorums"),
    pytest.param(f"{THREE}quorum W1", id="no final newline"),
    pytest.param(f"{THREE}quorum\n", id="a quorum of nothing"),
    pytest.param(f"{THREE}quorum W1 W2\n", id="a quorum of two names"),
    pytest.param(f"{THREE}quorum W4\n", id="a quorum that is not defined"),
    pytest.param(f"quorum W1\n{THREE}", id="a quorum before its witness"),
    pytest.param(f"{THREE}quorum W1 # mine\n", id="a comment behind a line"),
    pytest.param(f"{THREE}Quorum W1\n", id="an upper-case keyword"),
    pytest.param(f"{THREE}mirror M {cosigner(4)}\nquorum W1\n", id="an unknown keyword"),
    pytest.param(f"{THREE}quorum W1\r\n", id="a carriage return"),
    pytest.param(f"{THREE}quorum\x00 W1\n", id="a NUL"),
    pytest.param(f"{THREE}# \x7f\nquorum W1\n", id="a DEL in a comment"),
    pytest.param(f"{THREE}# \udc80\nquorum W1\n", id="bytes that were no UTF-8"),
    pytest.param(f"{THREE}quorum\u00a0W1\n", id="a space that is neither space nor tab"),
    pytest.param("#" * 300_000 + "\nquorum none\n", id="a huge file"),
    pytest.param("log\nquorum none\n", id="a log without a key"),
    pytest.param(f"log {LOG} https://a.example x\nquorum none\n", id="a log with a third item"),
    pytest.param(f"log {cosigner(1)}\nquorum none\n", id="a cosigner's key for a log"),
    pytest.param(f"log {LOG}\nlog {LOG} https://a.example\nquorum none\n", id="a log twice"),
    pytest.param("witness W1\nquorum none\n", id="a witness without a key"),
    pytest.param(f"witness W1 {cosigner(1)} https://a.example x\nquorum W1\n", id="a witness with a fourth item"),
    pytest.param(f"witness W1 {LOG}\nquorum none\n", id="a log's key for a witness"),
    pytest.param(f"witness W1 {cosigner(1)[:-4]}\nquorum none\n", id="a damaged key"),
    pytest.param(f"witness none {cosigner(1)}\nquorum none\n", id="a witness named none"),
    pytest.param(f"{THREE}witness W1 {cosigner(4)}\nquorum W1\n", id="a name twice"),
    pytest.param(f"{THREE}witness W4 {cosigner(1)}\nquorum W1\n", id="a witness twice under two names"),
    pytest.param(
        f"{THREE}witness W4 {cosignature.vkey('alias.example', public_key(1).public_key())}\nquorum W1\n",
        id="a public key twice under two key names",
    ),
    pytest.param(
        f"log {LOG}\nwitness W {cosignature.vkey('ledger.example', public_key(1000).public_key())}\nquorum W\n",
        id="a log that is its own witness",
    ),
    pytest.param(f"{THREE}group G any\nquorum G\n", id="a group without members"),
    pytest.param(f"{THREE}group W1 any W2\nquorum W1\n", id="a group with the name of a witness"),
    pytest.param(f"{THREE}group none any W2\nquorum none\n", id="a group named none"),
    pytest.param(f"{THREE}group G any none\nquorum G\n", id="none as a member"),
    pytest.param(f"{THREE}group G any G\nquorum G\n", id="a group in itself"),
    pytest.param(f"{THREE}group G any H\ngroup H any W1\nquorum G\n", id="a group before its member"),
    pytest.param(f"{THREE}group G 2 W1 W1\nquorum G\n", id="a member twice in one group"),
    pytest.param(f"{THREE}group G any W1\ngroup H all G W1\nquorum H\n", id="a member of two groups"),
    pytest.param(f"{THREE}group G 0 W1 W2\nquorum G\n", id="a threshold of zero"),
    pytest.param(f"{THREE}group G 3 W1 W2\nquorum G\n", id="a threshold above the members"),
    pytest.param(f"{THREE}group G -1 W1 W2\nquorum G\n", id="a negative threshold"),
    pytest.param(f"{THREE}group G 01 W1 W2\nquorum G\n", id="a leading zero"),
    pytest.param(f"{THREE}group G ٢ W1 W2\nquorum G\n", id="a threshold in other digits"),
    pytest.param(f"{THREE}group G most W1 W2\nquorum G\n", id="an unknown word for the threshold"),
    pytest.param(
        "".join(f"witness W{number} {cosigner(number)}\n" for number in range(1, 200)) + "quorum none\n",
        id="too many witnesses",
    ),
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_policy_that_is_not_understood_as_a_whole_is_refused(text: str) -> None:
    with pytest.raises(TrustFileError):
        witness_policy.parse(text)


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(TrustFileError, match="Line 4 of the witness policy"):
        witness_policy.parse(f"{THREE}group G 9 W1\nquorum G\n")


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(WitnessPolicy((), (), (), "W1"), id="an undefined quorum"),
        pytest.param(WitnessPolicy((), (Witness("two words", cosigner(1)),), (), None), id="a name of two words"),
        pytest.param(WitnessPolicy((), (Witness("W1", cosigner(1), ""),), (), None), id="an empty URL"),
        pytest.param(WitnessPolicy((PolicyLog(LOG + "\n"),), (), (), None), id="a second line in a key"),
    ],
)
def test_a_policy_that_would_be_read_as_another_is_not_written(policy: WitnessPolicy) -> None:
    with pytest.raises(TrustFileError):
        witness_policy.write(policy)


def specified() -> str:
    """The example of the specification, with keys of ours where its keys are elided."""
    lines = []
    for number, line in enumerate(SPECIFICATION["policy"].split("\n")):
        key = LOG if line.startswith("log") else cosigner(number + 1)
        lines.append(line.replace("<vkey>", key))
    return "\n".join(lines)


def test_the_specifications_example_means_what_it_says() -> None:
    policy = witness_policy.parse(specified())
    assert policy.log_vkeys() == (LOG,)
    assert list(policy.witness_vkeys()) == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert policy.groups == (
        Group("X-witnesses", 2, ("X1", "X2", "X3")),
        Group("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
        Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    for cosigners in itertools.product([False, True], repeat=6):
        names = set(itertools.compress(policy.witness_vkeys(), cosigners))
        is_met = sum(cosigners[:3]) >= 2 and sum(cosigners[3:]) >= 1
        assert (policy.missing(names) is None) == is_met, names


def test_the_sentence_tells_who_is_missing_and_who_is_not() -> None:
    sentence = witness_policy.parse(specified()).missing({"X1", "Y2", "a stranger"})
    assert sentence == (
        "The quorum is not met: X-and-Y needs 2 of 2 and has 1 (X-witnesses needs 2 of 3 and has 1 "
        "(X2 has not cosigned; X3 has not cosigned))."
    )
    assert witness_policy.parse(f"{THREE}quorum W2\n").missing([]) == "The quorum is not met: W2 has not cosigned."


def test_comments_blank_lines_tabs_and_unicode_names_are_read() -> None:
    text = f"\n  # ours, für alle\n\t\nwitness\t Prüfer-K  {cosigner(1)}\thttps://w.example/ä  \n quorum Prüfer-K \n"
    policy = witness_policy.parse(text)
    assert policy.witnesses == (Witness("Prüfer-K", cosigner(1), "https://w.example/ä"),)
    # Kelvin's sign is not the letter K: names are compared as they are written.
    assert policy.missing({"Prüfer-\u212a"}) is not None
    assert policy.missing({"Prüfer-K"}) is None


def test_no_quorum_asks_for_nobody() -> None:
    policy = witness_policy.parse("quorum none\n")
    assert (policy.quorum, policy.missing([])) == (None, None)
    assert witness_policy.write(policy) == "quorum none\n"


def test_a_policy_of_thirty_two_of_each_is_read() -> None:
    witnesses = "".join(f"witness W{number} {cosigner(number)}\n" for number in range(1, 33))
    logs = "".join(f"log {checkpoint.vkey('l', public_key(2000 + n).public_key())}\n" for n in range(32))
    groups = "group G0 any W1\n" + "".join(f"group G{n} all G{n - 1} W{n + 1}\n" for n in range(1, 32))
    policy = witness_policy.parse(f"{witnesses}{logs}{groups}quorum G31\n")
    assert policy.missing(policy.witness_vkeys()) is None
    assert "W1 has not cosigned" in str(policy.missing(set(policy.witness_vkeys()) - {"W1"}))


@st.composite
def policies(draw: st.DrawFn) -> WitnessPolicy:
    """Any forest of groups over up to five witnesses."""
    witnesses = tuple(Witness(f"W{n}", cosigner(n), draw(st.sampled_from([None, "https://w"]))) for n in range(1, 6))
    free = [witness.name for witness in witnesses]
    groups = []
    for number in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if members:
            groups.append(Group(f"G{number}", draw(st.integers(1, len(members))), tuple(members)))
            free = [*(name for name in free if name not in members), f"G{number}"]
    quorum = draw(st.sampled_from([None, *(w.name for w in witnesses), *(g.name for g in groups)]))
    return WitnessPolicy((PolicyLog(LOG),), witnesses, tuple(groups), quorum)


def is_met_slowly(policy: WitnessPolicy, name: str, cosigners: set[str]) -> bool:
    """The definition, from the top down."""
    for group in policy.groups:
        if group.name == name:
            return sum(is_met_slowly(policy, member, cosigners) for member in group.members) >= group.threshold
    return name in cosigners


@given(policy=policies(), cosigners=st.sets(st.sampled_from([f"W{n}" for n in range(1, 6)])))
def test_a_quorum_is_judged_as_its_definition_says(policy: WitnessPolicy, cosigners: set[str]) -> None:
    expected = policy.quorum is None or is_met_slowly(policy, policy.quorum, cosigners)
    assert (policy.missing(cosigners) is None) == expected


@given(policy=policies())
def test_what_is_written_is_read_back(policy: WitnessPolicy) -> None:
    assert witness_policy.parse(witness_policy.write(policy)) == policy


def test_a_stranger_named_like_a_group_meets_nothing() -> None:
    policy = witness_policy.parse(f"{THREE}group G all W1 W2\nquorum G\n")
    assert policy.missing({"G", "W1"}) is not None
