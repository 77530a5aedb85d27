"""The vault's keys: a data key for each request seals what may be forgotten, a ring of master keys wraps the data keys.

Pure but for `ring.configured`, which reads the settings, and `switching`, `rewrapping` and `retiring`, which meet the
database. It knows no request.
"""
