"""README's "Follow one request": each file of the list ends its docstring by naming the next one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTED = re.compile(r"^\d+\. `([^`]+\.py)`", re.MULTILINE)


def next_of(path: Path) -> str:
    """What the last line of a file's docstring names, or nothing."""
    lines = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
    return lines[-1].removeprefix("Next: ") if lines and lines[-1].startswith("Next: ") else ""


def test_the_list_in_readme_is_the_chain_of_the_files() -> None:
    listed = LISTED.findall((ROOT / "README.md").read_text())
    assert len(listed) > 20
    followed = [listed[0]]
    while (following := next_of(ROOT / followed[-1])) and following not in followed:
        followed.append(following)
    assert followed == listed
    assert following == "", f"{followed[-1]} is the last file and must name no next one"


def test_whatever_a_file_names_as_next_exists() -> None:
    files = [path for folder in ("compliance", "workers", "ml_core") for path in (ROOT / folder).rglob("*.py")]
    named = {path: next_of(path) for path in files}
    assert not [str(path) for path, following in named.items() if following and not (ROOT / following).exists()]
