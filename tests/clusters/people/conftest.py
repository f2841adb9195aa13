from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from clusters.models import Account, Role, TeamMember
from tests.factories import make_account, make_team_member


@pytest.fixture
def owner() -> TeamMember:
    return make_team_member()


@pytest.fixture
def lead() -> Account:
    return make_account(Role.LEAD)


@pytest.fixture
def sent(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """The mails that a call sends."""

    def run(action: Callable[..., Any], **arguments: Any) -> list[Any]:
        before = len(mail.outbox)
        with django_capture_on_commit_callbacks(execute=True):
            action(**arguments)
        return mail.outbox[before:]

    return run
