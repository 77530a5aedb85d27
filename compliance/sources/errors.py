"""What can go wrong with a data source. Messages name files, columns and rows, never a value: it may identify someone."""


class SourceError(Exception):
    """The family: what was expected, what was found, what to do."""


class DeclarationError(SourceError):
    """The description of the source makes no sense, whatever the source holds."""


class OutsideFolderError(SourceError):
    """The location is not in the folder of data sources."""


class UnreadableSourceError(SourceError):
    """There is no such file, table or server, or it cannot be read."""


class MissingColumnError(SourceError):
    """The source does not have a column that the declaration names."""


class MalformedRowError(SourceError):
    """A row cannot be read, has no record id, or names persons in a way that cannot be compared."""
