"""The vault's keys: a data key for each request seals what may be forgotten, a ring of master keys wraps the data keys.

Pure but for `ring.configured`, which reads the settings, and `switching`, `turning` and `rewrapping`, which meet the
database. It knows no request.
"""
