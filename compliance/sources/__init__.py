"""Where training records are kept, and which of them are about a person: read through DuckDB, streaming, no torch."""
