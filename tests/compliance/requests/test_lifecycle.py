"""The page about states says what the table says, and nothing that it does not."""

from io import StringIO

from django.conf import settings
from django.core.management import call_command

from compliance.requests import lifecycle
from compliance.requests.states import MOVES, TARGET_TRANSITIONS, RequestState


def test_the_page_in_the_docs_is_the_one_that_the_table_gives() -> None:
    written = (settings.ROOT / "docs" / "lifecycle.md").read_text()
    assert written == lifecycle.page(), "run `manage.py lifecycle --write`"


def test_the_command_prints_it() -> None:
    out = StringIO()
    call_command("lifecycle", stdout=out)
    assert out.getvalue().strip() == lifecycle.page().strip()


def test_every_move_and_every_state_stands_on_it() -> None:
    page = lifecycle.page()
    for move in MOVES:
        assert f"    {move.old.value} --> {move.to.value}: " in page
    for old, new in TARGET_TRANSITIONS:
        assert f"    {old.value} --> {new.value}\n" in page
    assert set(lifecycle.DPV_STATUS) == set(RequestState)
