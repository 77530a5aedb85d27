"""Sigstore's own verifier, asked about many bundles in one process."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import node_packages


def verify(
    folder: Path, bundles: Sequence[bytes], *, trusted_root: bytes, key_der: bytes, n_timestamps: int = 1
) -> list[dict[str, Any]]:
    """What it says about each bundle under this root and this key, when it asks for so many time stamps.

    Files are written into `folder`. Skips the test where Node or the library cannot be had.
    """
    home = node_packages.installed()
    shutil.copy(node_packages.HERE / "verify.mjs", home)
    (folder / "trusted_root.json").write_bytes(trusted_root)
    (folder / "evidence.der").write_bytes(key_der)
    for number, content in enumerate(bundles):
        (folder / f"{number}.sigstore.json").write_bytes(content)
    names = [str(folder / f"{number}.sigstore.json") for number in range(len(bundles))]
    pinned = [f"--timestamps={n_timestamps}", str(folder / "trusted_root.json"), str(folder / "evidence.der")]
    command = [str(node_packages.node()), str(home / "verify.mjs"), *pinned, *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(bundles), done.stderr
    assert done.returncode == (0 if all(answer["verified"] for answer in answers) else 1)
    return answers
