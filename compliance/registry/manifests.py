"""Model manifests: the files of a version with their digests. A version is named by the SHA-256 of its manifest."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from compliance.evidence import canonical

FORMAT = "expunge-model/1"


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """One file of a version: a plain name, its SHA-256 in hex, its size."""

    name: str
    sha256: str
    n_bytes: int


def manifest_bytes(family: str, files: Iterable[ManifestFile]) -> bytes:
    """RFC 8785 JSON, the files sorted by name: the same files always give the same digest."""
    rows = [
        {"name": file.name, "sha256": file.sha256, "n_bytes": file.n_bytes}
        for file in sorted(files, key=lambda file: file.name)
    ]
    return canonical.dumps({"format": FORMAT, "family": family, "files": rows})


def parse_manifest(manifest: bytes) -> tuple[str, list[ManifestFile]]:
    """Family and files; raises ValueError unless `manifest_bytes` gives the same bytes again."""
    document = canonical.loads(manifest)
    try:
        family = str(document["family"])
        files = [
            ManifestFile(name=row["name"], sha256=row["sha256"], n_bytes=row["n_bytes"]) for row in document["files"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"expected a manifest with family and files, found none: {error}") from error
    if not all(canonical.is_sha256(file.sha256) and canonical.is_count(file.n_bytes) for file in files):
        raise ValueError("expected a SHA-256 and a size for each file of the manifest")
    if manifest_bytes(family, files) != manifest or len({file.name for file in files}) != len(files):
        raise ValueError("the manifest holds members that are not on the allow-list, or a file twice")
    return family, files


def manifest_sha256(manifest: bytes) -> str:
    """The name of the version."""
    return sha256(manifest).hexdigest()
