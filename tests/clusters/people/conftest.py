from collections.abc import Callable
from typing import Any

import pytest

from clusters.models import Account, Role, TeamMember
from tests.factories import make_account, make_team_member
from tests.mails import sent_mails


@pytest.fixture
def owner() -> TeamMember:
    return make_team_member()


@pytest.fixture
def lead() -> Account:
    return make_account(Role.LEAD)


@pytest.fixture
def sent() -> Any:
    """The mails that a call sends."""

    def run(action: Callable[..., Any], **arguments: Any) -> list[Any]:
        before = len(sent_mails())
        action(**arguments)
        return sent_mails()[before:]

    return run
