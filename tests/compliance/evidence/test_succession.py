"""A request that spans the turn of a year stands in two logs: the second must begin where the first one ended."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, leaf, signing
from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.position import Position
from compliance.evidence.verify import verify_bundle

from .archive import pack, reindexed, unpack
from .edits import code_of, under
from .ledgers import ORIGIN, Ledger
from .story import STEPS, Story

TWO_TURNS = (*STEPS[:3], "turn_year", *STEPS[3:6], "turn_year", *STEPS[6:])


def spanning(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, turn: int = 5, **changes: Any) -> Story:
    """A story of which the year turns after so many steps."""
    return Story(log_key=log_key, signer=signer, steps=(*STEPS[:turn], "turn_year", *STEPS[turn:]), **changes)


@pytest.fixture(scope="module")
def told(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> Story:
    return spanning(log_key, signer)


@pytest.fixture(scope="module")
def contents(told: Story) -> bundle.BundleContents:
    return told.contents()


class WrongOpening(Story):
    """The first entry of the second log says something else."""

    def __init__(self, change: Callable[[Event], bytes], **arguments: Any) -> None:
        self.change = change
        super().__init__(**arguments, steps=(*STEPS[:5], "turn_year", *STEPS[5:]))

    def turn_year(self) -> None:
        self.ledger.open_next(self.change(self.ledger.opening()))


def saying(**facts: FactValue) -> Callable[[Event], bytes]:
    return lambda event: leaf.build(event._replace(facts={**event.facts, **facts}))


def of_another_type(event: Event) -> bytes:
    facts = {"purpose": "checkpoint", "key_sha256": "0" * 64}
    return leaf.build(event._replace(type="key.published", facts=facts))


OPENINGS: dict[str, tuple[Callable[[Event], bytes], ExitCode]] = {
    "the number of another log": (saying(log=3), ExitCode.LOG_SUCCESSION),
    "the number of the log before": (saying(log=1), ExitCode.LOG_SUCCESSION),
    "a smaller log before it": (saying(previous_size=304), ExitCode.LOG_SUCCESSION),
    "a larger log before it": (saying(previous_size=306), ExitCode.LOG_SUCCESSION),
    "another root": (saying(previous_root_sha256="0" * 64), ExitCode.LOG_SUCCESSION),
    "another type of event": (of_another_type, ExitCode.LOG_SUCCESSION),
    "no event": (lambda event: b"{}", ExitCode.LEAF_SCHEMA),
}


@pytest.mark.parametrize("name", OPENINGS)
def test_a_log_that_does_not_begin_with_the_end_of_the_one_before_is_refused(
    name: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    change, code = OPENINGS[name]
    story = WrongOpening(change, log_key=log_key, signer=signer)
    assert code_of(bundle.write(story.contents())) is code


def test_an_older_head_of_the_first_log_is_no_end_of_it(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """The last entries of the first log would be cut off."""

    class CutStory(Story):
        def turn_year(self) -> None:
            super().turn_year()
            # More was logged after the second log had begun.
            self.ledger.logs[1].append([b"one entry more"])

    story = CutStory(log_key=log_key, signer=signer, steps=(*STEPS[:5], "turn_year", *STEPS[5:]))
    assert code_of(bundle.write(story.contents())) is ExitCode.LOG_SUCCESSION


def without_entry(contents: bundle.BundleContents, position: Position) -> bundle.BundleContents:
    return dataclasses.replace(
        contents, entries=tuple(entry for entry in contents.entries if entry.position != position)
    )


def test_the_first_entry_of_the_second_log_must_be_shown(contents: bundle.BundleContents) -> None:
    assert code_of(bundle.write(without_entry(contents, Position(2, 0)))) is ExitCode.LOG_SUCCESSION


def test_another_entry_does_not_stand_for_the_first_one(told: Story, contents: bundle.BundleContents) -> None:
    notes = told.ledger.notes()
    other = told.ledger.logs[2].entry(1, "log", notes[2])
    entries = tuple(
        other if entry.position == Position(2, 0) else entry
        for entry in without_entry(contents, Position(2, 1)).entries
    )
    forged = dataclasses.replace(contents, entries=tuple(sorted(entries, key=lambda entry: entry.position)))
    assert code_of(bundle.write(forged)) is ExitCode.LOG_SUCCESSION


def test_an_entry_of_logs_too_many_is_refused(told: Story, contents: bundle.BundleContents) -> None:
    extra = told.ledger.logs[1].entry(0, "log", told.ledger.notes()[1])
    forged = dataclasses.replace(contents, entries=(extra, *contents.entries))
    assert code_of(bundle.write(forged)) is ExitCode.LOG_SUCCESSION


def test_a_log_in_between_must_be_shown(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    contents = Story(log_key=log_key, signer=signer, steps=TWO_TURNS).contents()
    kept = dataclasses.replace(
        contents,
        logs=tuple(log for log in contents.logs if log.number != 2),
        entries=tuple(entry for entry in contents.entries if entry.position.log != 2),
    )
    assert code_of(bundle.write(contents)) is ExitCode.VERIFIED
    assert code_of(bundle.write(kept)) is ExitCode.LOG_SUCCESSION


def renumbered(data: bytes, names: dict[int, int]) -> bytes:
    """The bundle with other numbers of logs in all files that nobody signs."""

    def change(index: dict[str, Any]) -> None:
        for part in ("logs", "entries", "evidence", "closings"):
            for item in index[part]:
                item["log"] = names[item["log"]]

    files = unpack(reindexed(data, change))
    number = re.compile(r"^(logs|entries)/([0-9]+)")
    return pack({number.sub(lambda at: f"{at[1]}/{names[int(at[2])]}", name): files[name] for name in files})


@pytest.mark.parametrize("names", [{1: 2, 2: 3}, {1: 7, 2: 8}], ids=repr)
def test_logs_under_other_numbers_are_refused(names: dict[int, int], contents: bundle.BundleContents) -> None:
    assert code_of(renumbered(bundle.write(contents), names)) is ExitCode.LOG_SUCCESSION


def test_the_only_log_under_another_number_is_refused(genuine: bytes) -> None:
    """No succession is shown that would contradict the number, so the log's first entry must confirm it."""
    assert code_of(renumbered(genuine, {1: 2})) is ExitCode.LOG_SUCCESSION


def test_heads_of_the_two_logs_exchanged_are_refused(contents: bundle.BundleContents) -> None:
    first, second = contents.logs
    forged = under(under(contents, 1, second.checkpoint, second.vkey), 2, first.checkpoint, first.vkey)
    assert code_of(bundle.write(forged)) is ExitCode.PROOF_CHANGED


def test_each_log_must_be_pinned(told: Story, contents: bundle.BundleContents) -> None:
    first, second = contents.logs
    data = bundle.write(contents)
    assert code_of(data, log_vkeys=[first.vkey, second.vkey]) is ExitCode.VERIFIED
    assert code_of(data, log_vkeys=[first.vkey]) is ExitCode.CHECKPOINT_KEY
    assert code_of(data, log_vkeys=[second.vkey]) is ExitCode.CHECKPOINT_KEY


def test_a_second_log_of_another_signer_is_refused_under_the_pinned_keys(
    told: Story, contents: bundle.BundleContents, log_key: Ed25519PrivateKey
) -> None:
    stranger = Ed25519PrivateKey.generate()
    origin = f"{ORIGIN}-2"
    note = checkpoint.sign(told.ledger.logs[2].head(), origin, stranger)
    forged = bundle.write(under(contents, 2, note, checkpoint.vkey(origin, stranger.public_key())))
    assert code_of(forged) is ExitCode.VERIFIED
    assert code_of(forged, log_vkeys=[log.vkey for log in contents.logs]) is ExitCode.CHECKPOINT_KEY


# --- Genuine --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(1, len(STEPS)))
def test_a_request_verifies_wherever_the_year_turns(
    turn: int, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    report = verify_bundle(bundle.write(spanning(log_key, signer, turn).contents()))
    assert report.state == "completed"
    assert [log.number for log in report.logs] == [1, 2]


def test_a_request_that_began_in_the_second_log_shows_its_first_entry_alone(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    ledger = Ledger(log_key, n_others=5)
    ledger.open_next()
    contents = Story(log_key=log_key, signer=signer, ledger=ledger).contents()
    assert [entry.position for entry in contents.entries if entry.kind == "log"] == [Position(2, 0)]
    assert [log.number for log in verify_bundle(bundle.write(contents)).logs] == [2]


def test_a_challenge_of_the_log_before_was_known_at_the_start(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    """The year turns between the newest checkpoint and the start of the job."""

    class TurningStory(Story):
        def log(self, event_type: str, *rest: Any) -> None:
            if event_type == "job.started" and "job.started" not in self.types:
                self.turn_year()
            super().log(event_type, *rest)

    story = TurningStory(log_key=log_key, signer=signer)
    assert (story.challenge.log, story.ledger.last.number) == (1, 2)
    assert code_of(bundle.write(story.contents())) is ExitCode.VERIFIED


def test_a_challenge_of_a_later_log_is_from_the_future(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    def later(facts: Any) -> Any:
        return dataclasses.replace(facts, challenge=dataclasses.replace(facts.challenge, log=2, size=0))

    story = Story(log_key=log_key, signer=signer, facts=later)
    assert code_of(bundle.write(story.contents())) is ExitCode.CHALLENGE_MISMATCH
