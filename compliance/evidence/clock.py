"""Clocks of different machines differ a little. What lies further apart is a contradiction."""

from datetime import datetime, timedelta

# Far more than synchronised clocks differ, far less than dating back would be worth.
TOLERANCE = timedelta(minutes=15)


def is_before(at: datetime, other: datetime) -> bool:
    """Whether one time, by whoever's clock, is certainly before another."""
    return at < other - TOLERANCE
