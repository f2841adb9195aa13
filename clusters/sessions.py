"""The session of a request whose own account has just changed."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest


def keep_session(request: HttpRequest) -> None:
    """After all sessions of the account were ended: this one goes on, with a new key."""
    assert request.user.is_authenticated
    request.user.refresh_from_db()
    request.user.__dict__.pop("roles_in_force", None)
    update_session_auth_hash(request, request.user)
