"""Randomness that belongs to a job."""

import hashlib
import uuid

import torch
from hypothesis import given
from hypothesis import strategies as st

from workers import seeds


def drawn(job_id: uuid.UUID, purpose: str) -> list[int]:
    return torch.randint(0, 2**62, (4,), generator=seeds.generator(job_id, purpose)).tolist()


@given(job_id=st.uuids(version=4))
def test_the_same_job_draws_the_same_numbers_and_each_purpose_others(job_id: uuid.UUID) -> None:
    assert drawn(job_id, "unlearn") == drawn(job_id, "unlearn")
    assert drawn(job_id, "unlearn") != drawn(job_id, "reference")


@given(left=st.uuids(version=4), right=st.uuids(version=4))
def test_two_jobs_draw_different_numbers(left: uuid.UUID, right: uuid.UUID) -> None:
    assert (drawn(left, "unlearn") == drawn(right, "unlearn")) == (left == right)


@given(job_id=st.uuids(version=4))
def test_the_seed_is_the_upper_63_bits_of_a_digest(job_id: uuid.UUID) -> None:
    digest = hashlib.sha256(f"{job_id}|unlearn".encode()).hexdigest()
    assert seeds.generator(job_id, "unlearn").initial_seed() == int(digest[:16], 16) // 2
