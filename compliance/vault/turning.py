"""Master keys turn: another one wraps, and the old one is destroyed once nothing is wrapped under it. Then older copies
of rows, which PostgreSQL, its log and backups keep for a while, open nowhere any more.

Both wait for whoever is about to store a row (switching.py), and for each other: no key is chosen while it is destroyed.
"""

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet

from compliance.vault import ring
from compliance.vault.errors import KeyRingError
from compliance.vault.key_folder import KeyFolder
from compliance.vault.switching import take_keys


@transaction.atomic
def rotate(to: str | None = None) -> str:
    """Let this key of the folder, or a new one, wrap from now on; its id. Raises VaultError for a key that is not there,
    KeyRingError where no folder wraps."""
    folder = folder_of_keys()
    if ring.configured().uris:
        raise KeyRingError(
            "A key service wraps at present. Put the URI of its new key first in VAULT_MASTER_KEY_URIS, restart, and run "
            "`rewrap_vault`."
        )
    take_keys()
    key_id = to or folder.create().key_id
    folder.make_current(key_id)
    return key_id


def folder_of_keys() -> KeyFolder:
    """The folder of the settings; raises KeyRingError without one."""
    folder = ring.configured().folder
    if folder is None:
        raise KeyRingError(
            "VAULT_MASTER_KEYS_DIR is not set: a single key in VAULT_MASTER_KEY cannot be rotated. Set it to a folder on "
            "a disk that only this service can read, and leave VAULT_MASTER_KEY as it is until `rewrap_vault` is done."
        )
    return folder


@transaction.atomic
def retire(key_id: str) -> None:
    """Destroy the file of a key. Raises KeyRingError for the current key, for one under which rows are wrapped, and for
    one that is in no file here; VaultError for one that is not here at all. One that was cut off is finished."""
    keys = ring.configured()
    take_keys()
    if keys.folder is not None and keys.folder.is_destroyed(key_id):
        # Nothing was wrapped under it when it was overwritten, and nothing can have been since.
        keys.folder.destroy(key_id)
        return
    keys.named(key_id)
    if keys.current_id() == key_id:
        raise KeyRingError(
            f"{key_id} is the current key. Run `manage.py vault_keys rotate` first, then `rewrap_vault`."
        )
    n_rows = n_wrapped_under(key_id) + n_wrapped_under("")
    if n_rows:
        raise KeyRingError(f"{n_rows} rows may still need the key {key_id}. Run `manage.py rewrap_vault` first.")
    if keys.folder is None or key_id not in keys.folder.ids():
        raise KeyRingError(
            f"No row is wrapped under {key_id} any more, but it is in no file here. Destroy it where it is kept (the "
            "secret of VAULT_MASTER_KEY, or the key service), and take it out of the settings."
        )
    keys.folder.destroy(key_id)


def n_wrapped_under(key_id: str) -> int:
    """How many rows of all tables hold a key that is wrapped under this one ("": made before keys had ids)."""
    return sum(QuerySet(model).filter(master_key_id=key_id).exclude(wrapped_key=b"").count() for model in holders())


def holders() -> list[type[Model]]:
    """Every model whose rows hold a wrapped key: those with `wrapped_key` and `master_key_id`. Nothing lists them."""
    return [model for model in apps.get_models() if _fields(model) >= {"wrapped_key", "master_key_id"}]


def _fields(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields()}  # noqa: SLF001 - documented as the way to ask
