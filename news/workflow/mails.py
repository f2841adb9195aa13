"""Mails about announcements: to who reviews them, and to the team that wrote them."""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from clusters.mail import send
from clusters.models import Account
from clusters.people import policy
from news.models import Announcement


def tell_reviewers(announcement: Announcement, by: Account) -> None:
    # The one who was named, else everybody who may publish it.
    reviewer = announcement.reviewer
    reviewers: Iterable[Account] = (
        [reviewer]
        if reviewer is not None and reviewer.is_active
        else policy.accounts_with(policy.PUBLISH, Announcement)
    )
    tell(reviewers, "announcement_submitted", announcement, by)


def tell_writers(announcement: Announcement, by: Account, word: str = "") -> None:
    # What became of it, with the word of who decided; nobody where the secretariat wrote it.
    team = Account.objects.filter(
        teams__organisation=announcement.written_by_id, is_active=True
    ).order_by("pk")
    tell(team, "announcement_answered", announcement, by, word=word)


def tell(
    accounts: Iterable[Account], template: str, announcement: Announcement, by: Account, **more: str
) -> None:
    with override(None):
        path = reverse("admin:news_announcement_change", args=[announcement.pk])
    for account in accounts:
        if account.pk == by.pk:
            continue
        with override(account.language):
            context = {
                "title": str(announcement),
                "state": announcement.get_state_display(),
                "link": f"{settings.SITE_URL}{path}",
                **more,
            }
        send(template, to=account.email, language=account.language, context=context)
