"""Forgeries of a holder of every key: what the ledger and the statements say must agree, word by word."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, leaf, signing
from compliance.evidence.errors import ExitCode

from .edits import code_of
from .signed_forgeries import (
    EVENTS,
    FACTS,
    FREE_EVENTS,
    FREE_FACTS,
    FREE_STATEMENTS,
    STATEMENTS,
    parts_of_statements,
)
from .story import TARGET_B, Story

N_OTHERS = 20


@pytest.fixture
def keys(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> dict[str, Any]:
    return {"log_key": log_key, "signer": signer, "n_others": N_OTHERS}


def code_of_story(**told: Any) -> ExitCode:
    return code_of(bundle.write(Story(**told).contents()))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_that_says_otherwise_is_refused(name: str, keys: dict[str, Any]) -> None:
    edit, code = EVENTS[name]
    assert code_of_story(**keys, event=edit) is code


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_says_otherwise_is_refused(name: str, keys: dict[str, Any]) -> None:
    edit, code = STATEMENTS[name]
    assert code_of_story(**keys, facts=edit) is code


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name != "target_id"])
def test_the_last_statement_is_looked_at_as_the_first(name: str, keys: dict[str, Any]) -> None:
    edit, code = STATEMENTS[name]
    assert code_of_story(**keys, facts=lambda facts: edit(facts) if facts.target_id == TARGET_B else facts) is code


@pytest.mark.parametrize("name", FREE_EVENTS)
def test_an_event_that_nothing_contradicts_is_the_controllers_word(name: str, keys: dict[str, Any]) -> None:
    assert code_of_story(**keys, event=FREE_EVENTS[name]) is ExitCode.VERIFIED


@pytest.mark.parametrize("name", FREE_STATEMENTS)
def test_a_statement_that_nothing_contradicts_is_the_signers_word(name: str, keys: dict[str, Any]) -> None:
    assert code_of_story(**keys, facts=FREE_STATEMENTS[name]) is ExitCode.VERIFIED


def test_every_fact_of_the_story_is_in_one_of_the_tables(story: Story) -> None:
    told = {event_type: set(leaf.FACTS[event_type]) for event_type in story.types}
    covered = {
        event_type: set(FACTS.get(event_type, {})) | set(FREE_FACTS.get(event_type, {})) for event_type in story.types
    }
    assert told == covered


def test_every_field_of_a_statement_is_in_one_of_the_tables() -> None:
    said = {name.split(" ")[0] for name in (*STATEMENTS, *FREE_STATEMENTS)}
    # The list of findings is said otherwise as a whole, too.
    assert said - {"findings"} == parts_of_statements()
