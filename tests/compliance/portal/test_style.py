"""The style sheet: colours that can be read in both schemes, nothing fetched from elsewhere, classes that are in use."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from compliance.evidence.verdict import Result, Verdict
from compliance.portal.narrative import STANDINGS
from compliance.registry.models import VersionState

TEMPLATES = Path(settings.ROOT) / "templates"
TEXT = [
    ("ink", "page"),
    ("ink", "sheet"),
    ("quiet", "page"),
    ("quiet", "sheet"),
    ("accent", "page"),
    ("accent", "sheet"),
    ("on-accent", "accent"),
    ("danger", "page"),
    ("danger", "sheet"),
    ("on-danger", "danger"),
    *((f"{tone}-ink", f"{tone}-fill") for tone in ("wait", "person", "work", "good", "bad")),
]
#: Borders of controls and the ring around what has the focus: 3 to 1 is enough (WCAG 2.2, 1.4.11).
SHAPES = [(name, ground) for name in ("edge", "focus") for ground in ("page", "sheet")]


def sheet() -> str:
    path = finders.find("portal/portal.css")
    assert isinstance(path, str)
    return Path(path).read_text()


def colours(scheme: str) -> dict[str, str]:
    """The named colours of a scheme. The first block is the light one, the second the dark one."""
    blocks = re.findall(r":root \{([^}]*)\}", sheet())
    assert len(blocks) == 2
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[0 if scheme == "light" else 1]))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, glossary)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2, glossary)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(scheme: str, ink: str, ground: str) -> None:
    named = colours(scheme)
    assert contrast(named[ink], named[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_controls_and_focus_can_be_seen(scheme: str, shape: str, ground: str) -> None:
    named = colours(scheme)
    assert contrast(named[shape], named[ground]) >= 3


def test_both_schemes_name_the_same_colours() -> None:
    assert set(colours("light")) == set(colours("dark"))


def test_colours_are_used_by_their_names() -> None:
    rules = re.sub(r":root \{[^}]*\}", "", sheet())
    used = set(re.findall(r"var\(--([a-z-]+)\)", rules))
    assert used == set(colours("light"))
    assert not re.search(r"#[0-9a-f]{3,8}\b", rules)


def test_it_fetches_nothing() -> None:
    assert "url(" not in sheet() and "@import" not in sheet()


def test_focus_is_never_hidden_from_the_keyboard() -> None:
    assert ":focus-visible" in sheet()
    # The target of the skip link is no control: it takes the focus without a ring.
    assert re.findall(r"([^{}\s]+) \{[^}]*outline: none", sheet()) == ["main:focus"]


def test_every_class_of_the_sheet_is_on_some_page() -> None:
    names = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"\{[^}]*\}", "{}", sheet())))
    sources = " ".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    made = {standing.tone for standing in STANDINGS.values()} | {f"version-{state}" for state in VersionState.values}
    made |= {verdict.value for verdict in Verdict} | {result.code for result in Result}
    # Written by Django: the level of a message and the list of a field's errors.
    made |= {"success", "error", "errorlist", "done", "now", "stopped"}
    assert {name for name in names if name not in sources and name not in made} == set()


def test_the_icon_is_there() -> None:
    assert finders.find("portal/icon.svg")
