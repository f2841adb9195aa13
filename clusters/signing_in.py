"""How people sign in: the backend that asks the policy, and what django-allauth asks of us."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest

from clusters import policy


def needs_second_factor(person: policy.Person) -> bool:
    """Whether the person may edit and has none: then they must enrol one before anything else."""
    return (
        settings.REQUIRE_SECOND_FACTOR and policy.may_edit(person) and not is_mfa_enabled(person)
    )


class PortalBackend(AuthenticationBackend):  # type: ignore[misc]  # it comes without types
    """Checks a password, and answers Django's questions about permissions from the policy.

    Rows of `auth_permission` give nothing, to nobody.
    """

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return set()

    def get_user_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return set()

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        return False

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return policy.may_enter(user_obj)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it comes without types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by invitations only."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it comes without types
    pass
