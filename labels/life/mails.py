"""Mails about proposals: to who may approve them, and to who made them with what came of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from clusters.mail import send
from clusters.people import policy
from labels.models import DecisionState, Proposal

MOST_NAMED = 20

_gathered: ContextVar[list[Proposal] | None] = ContextVar("gathered", default=None)


@contextmanager
def told_together() -> Iterator[None]:
    # Of all that is proposed inside, everybody gets one mail.
    proposals: list[Proposal] = []
    token = _gathered.set(proposals)
    try:
        yield
    finally:
        _gathered.reset(token)
    if proposals:
        tell_approvers(proposals)


def tell_of_proposal(proposal: Proposal) -> None:
    gathered = _gathered.get()
    if gathered is None:
        tell_approvers([proposal])
    else:
        gathered.append(proposal)


def tell_approvers(proposals: Sequence[Proposal]) -> None:
    first = proposals[0]  # the others are of its kind and of its proposer
    assert first.proposed_by is not None
    approvers = policy.accounts_with(policy.DECIDE, type(first))
    for account in approvers.exclude(pk=first.proposed_by.pk):
        context = {
            "proposals": proposals[:MOST_NAMED],
            "number": len(proposals),
            "more": max(0, len(proposals) - MOST_NAMED),
            "link": address(first, "changelist") + "?whose=for-me",
        }
        send("proposal", to=account.email, language=account.language, context=context)


def tell_proposer(proposal: Proposal) -> None:
    # Who takes back their own knows.
    account = proposal.proposed_by
    if account is None or not account.is_active or account.pk == proposal.decided_by_id:
        return
    context = {
        "proposal": proposal,
        "is_made": proposal.state == DecisionState.MADE,
        "link": address(proposal, "change", proposal.pk),
    }
    send("proposal_decided", to=account.email, language=account.language, context=context)


def address(proposal: Proposal, page: str, *args: object) -> str:
    with override(None):
        path = reverse(f"admin:labels_{proposal._meta.model_name}_{page}", args=args)
    return f"{settings.SITE_URL}{path}"
