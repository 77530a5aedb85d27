"""OpenDSR over HTTP: bytes in, one domain call, signed bytes out."""
