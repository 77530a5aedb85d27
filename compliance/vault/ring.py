"""The ring of master keys: one wraps, every one of them opens what it wrapped.

Where keys come from, the first that is configured being the one that wraps: keys behind a key service, a folder of
keys, one key in the environment. So an installation can move from one to the other: `rewrap_vault` does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.key_folder import KeyFolder
from compliance.vault.local_key import LocalKey
from compliance.vault.plugins import open_uri
from compliance.vault.wrapping import KeyWrapper, id_of_uri


@dataclass(frozen=True, kw_only=True)
class HeldKey:
    """A key that this process can use, and where it is."""

    key_id: str
    place: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """Nothing of it is read before it is asked for."""

    uris: Sequence[str] = ()
    folder: KeyFolder | None = None
    environment_key: LocalKey | None = None

    def current_id(self) -> str:
        """The id of the key that wraps; raises KeyRingError when there is none."""
        if self.uris:
            return id_of_uri(self.uris[0])
        if self.folder is not None:
            return self.folder.current_id()
        if self.environment_key is not None:
            return self.environment_key.key_id
        raise KeyRingError(
            "There is no master key. Set VAULT_MASTER_KEY, VAULT_MASTER_KEYS_DIR or VAULT_MASTER_KEY_URIS."
        )

    def current(self) -> KeyWrapper:
        """The key that wraps; raises KeyRingError, VaultError."""
        return self.named(self.current_id())

    def named(self, key_id: str) -> KeyWrapper:
        """The key of this id; "" stands for the one of the environment, from before keys had ids.

        Raises VaultError when it is not here, KeyRingError.
        """
        for uri in self.uris:
            if id_of_uri(uri) == key_id:
                return open_uri(uri)
        if self.environment_key is not None and key_id in ("", self.environment_key.key_id):
            return self.environment_key
        if self.folder is not None and key_id:
            return self.folder.load(key_id)
        raise VaultError(
            f"The master key {key_id or 'of VAULT_MASTER_KEY'} is not configured here. Was it retired? If not, configure "
            "it again beside the current one."
        )

    def held(self) -> list[HeldKey]:
        """Every key that is configured, the current one first; raises KeyRingError."""
        places = {id_of_uri(uri): uri for uri in self.uris}
        if self.folder is not None:
            places |= {key_id: str(self.folder.path / f"{key_id}.key") for key_id in self.folder.ids()}
        if self.environment_key is not None:
            places.setdefault(self.environment_key.key_id, "VAULT_MASTER_KEY")
        current = self.current_id()
        keys = [HeldKey(key_id=key_id, place=place, is_current=key_id == current) for key_id, place in places.items()]
        return sorted(keys, key=lambda key: not key.is_current)


def configured() -> KeyRing:
    """The ring of the settings."""
    folder = settings.VAULT_MASTER_KEYS_DIR
    key = settings.VAULT_MASTER_KEY
    return KeyRing(
        uris=settings.VAULT_MASTER_KEY_URIS,
        folder=None if folder is None else KeyFolder(folder),
        environment_key=LocalKey(key) if key else None,
    )
