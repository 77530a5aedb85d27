"""A small witness: it keeps the newest head of each log it was told of, and cosigns what grows out of it.

Whoever is independent of the controller, such as a data protection officer or an auditor, runs it with Python, the
library `cryptography` and one folder. It sees origins, sizes and hashes, and no entry of a log.
"""
