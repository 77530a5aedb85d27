"""Other controllers: organisations that pass on deletion requests of their data subjects through OpenDSR."""
