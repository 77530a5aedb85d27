"""What can go wrong in the register. Each message says what was expected, what was found, and what to do."""


class RegistryError(Exception):
    """The family."""


class NameTakenError(RegistryError):
    """A model or data source of this name is registered already."""


class LineageError(RegistryError):
    """The records given for a version are empty, repeated, or not of identifiable persons."""


class VersionStateError(RegistryError):
    """The version is not in a state in which this can be done."""
