"""Announcements, a text per language, tied to clusters and their labels."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Count, Exists, Max, Min, OuterRef, Prefetch, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clusters.fields import NameField
from clusters.models import Cluster, Organisation, Programme
from clusters.models.addresses import Addressed
from clusters.models.history import History
from clusters.models.reference import LANGUAGES
from clusters.names import new_public_id
from labels.models import Label, Statement


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def published(self, now: datetime) -> Self:
        """The one predicate for "the public sees it"; needs a text to be shown."""
        return self.filter(
            is_published=True,
            published_at__lte=now,
            pk__in=AnnouncementText.objects.values("announcement"),
        )

    def next_moment(self, now: datetime) -> datetime | None:
        # When the next of those that wait for their moment appears.
        waiting = self.filter(is_published=True, published_at__gt=now)
        moment: datetime | None = waiting.aggregate(moment=Min("published_at"))["moment"]
        return moment

    def drafts(self) -> Self:
        return self.filter(is_published=False)

    def missing_a_language(self) -> Self:
        # Announcements without an English or without an Italian text.
        texts = AnnouncementText.objects.filter(announcement=OuterRef("pk"))
        english, italian = texts.filter(language="en"), texts.filter(language="it")
        return self.filter(~Exists(english) | ~Exists(italian))

    def with_texts(self) -> Self:
        return self.prefetch_related(
            "texts", Prefetch("clusters", Cluster.objects.published().order_by("name", "pk"))
        )

    def for_lists(self, now: datetime) -> Self:
        """Published ones with texts and clusters, the latest first: three queries."""
        return self.published(now).with_texts().latest_first()

    def for_page(self, now: datetime) -> Self:
        # Published ones with all that their page shows.
        return (
            self.published(now)
            .with_texts()
            .select_related("contact_organisation")
            .prefetch_related(
                Prefetch("organisations", Organisation.objects.published().order_by("name", "pk"))
            )
            .prefetch_related(
                Prefetch("programmes", Programme.objects.published().order_by("name_en", "pk"))
            )
            .prefetch_related(Prefetch("statements", Statement.objects.latest_first()))
        )

    def with_changes(self) -> Self:
        """Annotate `changed_at`, the moment of the last edit of a text, None if never."""
        edits = AnnouncementText.history.filter(announcement=OuterRef("pk"), history_type="~")
        return self.annotate(
            changed_at=Subquery(edits.order_by("-history_date").values("history_date")[:1])
        )

    def at_address(self, slug: str, year: int) -> Self:
        # With a text, in any language, that has this slug.
        texts = AnnouncementText.objects.filter(slug=slug).values("announcement")
        return self.of_year(year).filter(pk__in=texts)

    def formerly_at(self, slug: str, year: int) -> Self:
        # With a text that had this slug once.
        former = AnnouncementText.history.filter(slug=slug).values("announcement")
        return self.of_year(year).filter(pk__in=former)

    def of_cluster(self, cluster: Cluster) -> Self:
        return self.filter(clusters=cluster)

    def count_by_cluster(self, clusters: Iterable[Cluster]) -> Iterable[tuple[int, int, datetime]]:
        # Key, how many, and the latest moment, for each of these that any announcement is of.
        return (
            self.filter(clusters__in=list(clusters))
            .order_by()
            .values_list("clusters")
            .annotate(Count("pk"), Max("published_at"))
        )

    def of_year(self, year: int) -> Self:
        # By the year in the portal's legal zone, as in the address.
        return self.filter(published_at__year=year)

    def latest_first(self) -> Self:
        return self.order_by("-published_at", "-pk")


class Announcement(models.Model):
    """What a cluster or its managing organisation made known."""

    public_id = models.CharField(
        _("public id"), max_length=8, unique=True, editable=False, default=new_public_id
    )
    published_at = models.DateTimeField(
        _("publication moment"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("May lie in the past, or in the future: then it appears at that moment."),
    )
    is_published = models.BooleanField(
        _("published"), default=False, help_text=_("Off: a draft that no public page shows.")
    )
    picture = models.ImageField(
        _("picture"),
        upload_to="announcements/",
        blank=True,
        help_text=_("PNG, JPEG or WebP; stored anew without its metadata."),
    )
    written_by = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="written_announcements",
        verbose_name=_("written by the team of"),
        help_text=_("Its team edits the draft. Empty: written by the secretariat."),
    )
    contact_organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation to contact"),
    )
    clusters = models.ManyToManyField(
        Cluster, blank=True, related_name="announcements", verbose_name=_("clusters")
    )
    organisations = models.ManyToManyField(
        Organisation, blank=True, related_name="announcements", verbose_name=_("organisations")
    )
    labels = models.ManyToManyField(
        Label, blank=True, related_name="announcements", verbose_name=_("labels")
    )
    programmes = models.ManyToManyField(
        Programme, blank=True, related_name="announcements", verbose_name=_("programmes")
    )
    statements = models.ManyToManyField(
        Statement,
        blank=True,
        related_name="announcements",
        verbose_name=_("quoted counts"),
        help_text=_("Published counts that the text quotes; shown with their source."),
    )

    objects = AnnouncementQuerySet.as_manager()
    history = History(m2m_fields=[clusters, organisations, labels, programmes, statements])

    class Meta:
        ordering = ("-published_at", "-pk")
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = (
            models.CheckConstraint(
                name="announcement_is_published_at_a_moment",
                condition=Q(is_published=False) | Q(published_at__isnull=False),
                violation_error_message=_("Give the publication moment of what is published."),
            ),
        )

    def __str__(self) -> str:
        text = self.text()
        return text.title if text else self.public_id

    def get_absolute_url(self) -> str:
        text = self.text()
        if text is None or self.published_at is None:
            return ""
        return reverse("news:detail", args=[self.year, text.slug])

    @property
    def year(self) -> int:
        # The year of publication in the portal's legal zone, as in its address.
        assert self.published_at is not None
        return timezone.localtime(self.published_at, timezone.get_default_timezone()).year

    def text(self) -> "AnnouncementText | None":
        # The text in the active language, else in the other one. Prefetch `texts` for lists.
        texts = {text.language: text for text in self.texts.all()}
        return texts.get(get_language() or "en") or next(iter(texts.values()), None)


class AnnouncementText(Addressed):
    """An announcement in one language."""

    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="texts", verbose_name=_("announcement")
    )
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES)
    title = NameField(_("title"), max_length=200)
    slug = models.SlugField(
        _("address"),
        max_length=90,
        blank=True,
        help_text=_(
            "The last part of the page’s address; made of the title where it is left empty. "
            "An old one leads on to the new one."
        ),
    )
    lead = models.TextField(
        pgettext_lazy("of a text", "lead"), blank=True, help_text=_("One or two sentences.")
    )
    body = models.TextField(
        _("body"), help_text=_("Markdown: an empty line between paragraphs, “- ” for a list.")
    )
    box_title = NameField(_("title of the background box"), max_length=120, blank=True)
    box = models.TextField(_("background box"), blank=True, help_text=_("Markdown."))
    picture_alt = models.CharField(
        _("alternative text of the picture"),
        max_length=300,
        blank=True,
        help_text=_("What the picture shows, for those who do not see it."),
    )
    picture_credit = models.CharField(_("picture credit"), max_length=200, blank=True)
    contact_role = models.CharField(
        _("contact"), max_length=120, blank=True, help_text=_("A function, never a person.")
    )

    history = History()

    class Meta:
        ordering = ("announcement", "language")
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = (
            models.UniqueConstraint(
                fields=("announcement", "language"),
                name="announcement_text_once_per_language",
                violation_error_message=_("There is a text in this language already."),
            ),
            models.UniqueConstraint(
                fields=("language", "slug"),
                name="announcement_address_once_per_language",
                violation_error_message=_("Another announcement has this address."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    def address_name(self) -> str:
        return self.title

    def address_others(self) -> list[str]:
        return [self.announcement.public_id]

    def own_addresses(self) -> Q:
        # The texts of an announcement may share one.
        return Q(announcement=self.announcement_id)
