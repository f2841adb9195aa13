"""Tests of the register end where the register does."""

import pytest

from labels.life import steps


@pytest.fixture(autouse=True)
def nothing_follows_an_award(monkeypatch: pytest.MonkeyPatch) -> None:
    """An announcement is drafted above the register, and takes as long as the award itself."""
    monkeypatch.setattr(steps, "AFTER_AWARD", [])
