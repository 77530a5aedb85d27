"""Node and Sigstore's library, as package-lock.json pins them, in a folder outside the source.

NODE_VERIFIERS_DIR chooses the folder; by default it is one of this user among the temporary files, kept between runs.
No script of a package runs, and npm compares every package with its hash in the lock.
"""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json")
INSTALL = ("npm", "ci", "--ignore-scripts")
# Without a network the answer shall come soon: by itself npm tries for more than a minute.
PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")
INSTALL_SECONDS = 300
OLDEST_NODE = (22, 22, 2)


def installed() -> Path:
    """A folder with the packages in node_modules; skips the test where they cannot be had."""
    found = _install()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def node() -> Path:
    """A Node that the library runs on: the one that came with it, else the system's; skips where there is none."""
    packaged = sorted(installed().glob("node_modules/node-*/bin/node"))
    for candidate in (*packaged, *map(Path, filter(None, [shutil.which("node")]))):
        if _version(candidate) >= OLDEST_NODE:
            return candidate
    pytest.skip(f"Node {'.'.join(map(str, OLDEST_NODE))} or newer is not here, and npm brings none for this system.")


@cache
def _install() -> Path | str:
    """The folder, or why there is none. It is filled beside its place and moved there whole."""
    npm = shutil.which("npm")
    digest = sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    chosen = os.environ.get("NODE_VERIFIERS_DIR")
    parent = Path(chosen) if chosen else Path(tempfile.gettempdir()) / f"expunge-node-{os.getuid()}"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if parent.stat().st_uid != os.getuid() or parent.stat().st_mode & 0o022:
        return f"{parent} belongs to somebody else: nothing is run from there. Set NODE_VERIFIERS_DIR."
    place = parent / digest
    if place.exists():
        return place
    if npm is None:
        return "npm is not installed here: Sigstore's own verifier cannot be run."
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        whole = Path(folder) / "whole"
        whole.mkdir()
        for name in FILES:
            shutil.copy(HERE / name, whole)
        problem = _run_npm(npm, whole)
        if problem is None and not place.exists():
            whole.rename(place)
    return problem or place


def _run_npm(npm: str, folder: Path) -> str | None:
    command = [npm, *INSTALL[1:], *PATIENCE, "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"npm did not install Sigstore's verifier within {INSTALL_SECONDS} seconds."
    return None if done.returncode == 0 else f"npm cannot install Sigstore's verifier here (exit {done.returncode})."


@cache
def _version(node_path: Path) -> tuple[int, ...]:
    done = subprocess.run([node_path, "--version"], check=False, capture_output=True, text=True, timeout=60)
    numbers = done.stdout.strip().removeprefix("v").split(".")
    return tuple(map(int, numbers)) if done.returncode == 0 and all(number.isdigit() for number in numbers) else ()
