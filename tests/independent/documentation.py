"""The commands of docs/evidence.md, as they stand there, run by a shell."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "evidence.md").read_text()


def section(heading: str) -> str:
    """The text below a heading, up to the next one; raises KeyError."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    if found is None:
        raise KeyError(f"docs/evidence.md has no section {heading!r}.")
    return found[1]


def commands(heading: str) -> str:
    """What is indented in a section; raises KeyError where nothing is."""
    lines = [line[4:] for line in section(heading).splitlines() if line.startswith("    ")]
    if not lines:
        raise KeyError(f"The section {heading!r} of docs/evidence.md has no commands.")
    return "\n".join(lines) + "\n"


def run(script: str, folder: Path, words: Mapping[str, str], programs: Path | None = None) -> tuple[bool, str]:
    """Whether a script ends well in a folder, and what it wrote. `words` are what a reader puts in.

    Python is the one that runs the tests; `programs` is a folder that is looked into before the system's.
    """
    for word, value in words.items():
        script = re.sub(rf"\b{re.escape(word)}\b", value, script)
    path = os.pathsep.join(
        [*([str(programs)] if programs else []), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode == 0, done.stdout + done.stderr
