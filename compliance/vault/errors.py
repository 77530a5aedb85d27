"""What can go wrong with keys. Messages name keys by their ids, and never quote what was sealed."""


class VaultError(RuntimeError):
    """What is sealed does not open: the key it was sealed under is not here, or the row was changed."""


class KeyRingError(VaultError):
    """The master keys cannot be used as they are configured. Trying again does not help."""


class KeyServiceError(VaultError):
    """The key service gave no answer. Nothing was sealed, opened or lost; trying again later is right."""
