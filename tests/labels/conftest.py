"""Tests of the register end where the register does."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def nothing_follows_an_award(settings: Settings) -> None:
    """An announcement is drafted above the register, and takes as long as the award itself."""
    settings.AFTER_AWARD = settings.AFTER_CHANGE = []
