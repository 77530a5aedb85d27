"""The style sheets: colours that can be read in both schemes, nothing fetched from elsewhere, classes that are in use."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from tests.compliance.portal.test_style import contrast

TEXT = [
    *((ink, ground) for ink in ("ink", "quiet", "accent", "bad-ink") for ground in ("page", "sheet")),
    ("on-accent", "accent"),
    *((f"{tone}-ink", f"{tone}-fill") for tone in ("note", "good", "bad")),
]
#: Borders of controls and the ring around what has the focus: 3 to 1 is enough (WCAG 2.2, 1.4.11).
SHAPES = [(name, ground) for name in ("edge", "focus", "bad-ink") for ground in ("page", "sheet")]


def sheet(name: str) -> str:
    path = finders.find(f"public/{name}.css")
    assert isinstance(path, str)
    return Path(path).read_text()


def colours(scheme: str) -> dict[str, str]:
    """The named colours of a scheme. The first block is the light one, the second the dark one."""
    blocks = re.findall(r":root \{([^}]*)\}", sheet("theme"))
    assert len(blocks) == 2
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[0 if scheme == "light" else 1]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"), [(*pair, 4.5) for pair in TEXT] + [(*pair, 3.0) for pair in SHAPES]
)
def test_text_and_controls_can_be_seen(scheme: str, ink: str, ground: str, least: float) -> None:
    named = colours(scheme)
    assert contrast(named[ink], named[ground]) >= least


def test_both_schemes_name_the_same_colours_and_all_are_used() -> None:
    assert set(colours("light")) == set(colours("dark"))
    used = set(re.findall(r"var\(--([a-z-]+)\)", sheet("public")))
    assert used == {*colours("light"), "type"}
    assert not re.search(r"#[0-9a-f]{3,8}\b", sheet("public"))


def test_they_fetch_nothing() -> None:
    for name in ("theme", "public"):
        assert "url(" not in sheet(name) and "@import" not in sheet(name)


def test_focus_is_never_hidden_from_the_keyboard() -> None:
    assert ":focus-visible" in sheet("public")
    # The target of the skip link is no control: it takes the focus without a ring.
    assert re.findall(r"([^{}\s]+) \{[^}]*outline: none", sheet("public")) == ["main:focus"]


def test_what_is_pressed_is_large_enough() -> None:
    """WCAG 2.2, 2.5.8 asks for 24 pixels; ours are 44 and more."""
    assert "min-height: 2.75rem" in sheet("public")
    assert "width: 1.5rem; height: 1.5rem" in sheet("public")


def test_every_class_is_on_some_page() -> None:
    names = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"\{[^}]*\}", "{}", re.sub(r"/\*.*?\*/", "", sheet("public")))))
    folder = Path(settings.ROOT) / "templates" / "public"
    sources = " ".join(path.read_text() for path in folder.rglob("*.html"))
    # Written by Django: the level of a message and the list of a field's errors.
    assert {name for name in names if name not in sources} - {"success", "errorlist"} == set()
