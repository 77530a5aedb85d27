"""A witness in a process of its own, as its operator runs it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The command alone, without the verifier around it: it starts in half the time.
_PROGRAM = """
import argparse, sys
from compliance.evidence.witness import command
parser = argparse.ArgumentParser()
command.add_arguments(parser.add_subparsers(dest="command"))
sys.exit(command.run(parser.parse_args()))
"""


@dataclass(frozen=True)
class Running:
    """A process that listens."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Serve a folder on a free port; the process is killed at the end, if it still runs."""
    arguments = ["witness", "serve", "--folder", str(folder), "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"http://\S+:\d+", line)
        assert match is not None, line
        yield Running(process, match[0])
    finally:
        process.kill()
        process.communicate()
