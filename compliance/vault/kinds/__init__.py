"""One file for each kind of key service: see `compliance/vault/plugins.py`."""
