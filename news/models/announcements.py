"""Announcements, a text per language, tied to clusters and their labels."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate
from clusters.fields import LongTextField, MomentField, NameField
from clusters.http.asof import midnight
from clusters.models import Account, Cluster, Organisation, Programme
from clusters.models.addresses import Addressed
from clusters.models.history import History
from clusters.models.reference import languages
from clusters.names import new_public_id
from labels.models import Label, Statement
from news.markup import MAX_TEXT, validate_markdown
from news.models.topics import Topic


class AnnouncementKind(models.TextChoices):
    NEWS = "news", _("news")
    EVENT = "event", _("event")
    CALL = "call", _("call")


class AnnouncementState(models.TextChoices):
    """`PUBLISHED` with a moment ahead is scheduled: it appears then, and no job has to run."""

    DRAFT = "draft", pgettext_lazy("of an announcement", "draft")
    IN_REVIEW = "in_review", pgettext_lazy("of an announcement", "in review")
    APPROVED = "approved", pgettext_lazy("of an announcement", "approved")
    PUBLISHED = "published", pgettext_lazy("of an announcement", "published")
    WITHDRAWN = "withdrawn", pgettext_lazy("of an announcement", "withdrawn")
    ARCHIVED = "archived", pgettext_lazy("of an announcement", "archived")


# What nobody sees but who writes and reviews it, and what appeared or is to appear.
UNPUBLISHED = (AnnouncementState.DRAFT, AnnouncementState.IN_REVIEW, AnnouncementState.APPROVED)
READABLE = (AnnouncementState.PUBLISHED, AnnouncementState.ARCHIVED)
ONCE_PUBLIC = (AnnouncementState.PUBLISHED, AnnouncementState.WITHDRAWN, AnnouncementState.ARCHIVED)
WITHOUT_WORDS = _(
    "Say in each language that is ready what every picture shows and whose it is, and what every "
    "attachment is called."
)


class TextState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("of a text", "draft")
    READY = "ready", pgettext_lazy("of a text", "ready")


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def published(self, now: datetime) -> Self:
        """The one predicate for "the public finds it"; needs a text that is ready."""
        return self.appeared(now, AnnouncementState.PUBLISHED)

    def readable(self, now: datetime) -> Self:
        # What has a page: also what is archived, and in no list any more.
        return self.appeared(now, AnnouncementState.PUBLISHED, AnnouncementState.ARCHIVED)

    def withdrawn(self, now: datetime) -> Self:
        # What had a page, which tells since when and why it is gone.
        return self.appeared(now, AnnouncementState.WITHDRAWN)

    def appeared(self, now: datetime, *states: AnnouncementState) -> Self:
        return self.to_appear(*states).filter(published_at__lte=now)

    def to_appear(self, *states: AnnouncementState) -> Self:
        # What waits for its moment, too.
        texts = AnnouncementText.objects.ready().filter(announcement=OuterRef("pk"))
        return self.filter(Exists(texts), state__in=states)

    def scheduled(self, now: datetime) -> Self:
        return self.filter(state=AnnouncementState.PUBLISHED, published_at__gt=now)

    def next_moment(self, now: datetime) -> datetime | None:
        # When the next of those that wait for their moment appears.
        found = self.scheduled(now).aggregate(moment=Min("published_at"))
        moment: datetime | None = found["moment"]
        return moment

    def unpublished(self) -> Self:
        return self.filter(state__in=UNPUBLISHED)

    def missing_a_language(self) -> Self:
        # Announcements without a text that is ready in every language of the portal.
        return reduce(or_, (self.missing_in(code) for code, _name in languages()))

    def missing_in(self, language: str) -> Self:
        texts = AnnouncementText.objects.ready().filter(language=language)
        return self.filter(~Exists(texts.filter(announcement=OuterRef("pk"))))

    def with_texts(self) -> Self:
        # As the public sees them: texts that are ready, clusters that are published.
        return self.with_clusters().prefetch_related(
            Prefetch("texts", AnnouncementText.objects.ready())
        )

    def with_clusters(self) -> Self:
        return self.prefetch_related(
            Prefetch("clusters", Cluster.objects.published().order_by("name", "pk"))
        )

    def for_lists(self, now: datetime) -> Self:
        """Published ones with texts, clusters and pictures, the latest first: four queries."""
        return self.published(now).in_list()

    def in_list(self) -> Self:
        return self.with_texts().prefetch_related("pictures").latest_first()

    def for_page(self, now: datetime) -> Self:
        return self.readable(now).with_texts().with_relations()

    def with_relations(self) -> Self:
        # All that a page shows beside the texts.
        return (
            self.select_related("contact_organisation")
            .prefetch_related(
                Prefetch("organisations", Organisation.objects.published().order_by("name", "pk"))
            )
            .prefetch_related(
                Prefetch("programmes", Programme.objects.published().order_by("name_en", "pk"))
            )
            .prefetch_related(Prefetch("statements", Statement.objects.latest_first()))
            .prefetch_related("topics", "corrections", "pictures", "attachments")
        )

    def with_changes(self) -> Self:
        """Annotate `changed_at` and `corrected_at`: of the last edit of a text, of the last note.

        Each is None where there was none.
        """
        edits = AnnouncementText.history.filter(
            announcement=OuterRef("pk"), history_type="~", state=TextState.READY
        )
        return self.annotate(
            changed_at=Subquery(edits.order_by("-history_date").values("history_date")[:1]),
            corrected_at=Max("corrections__corrected_at"),
        )

    def events(self) -> Self:
        """With texts, the next first; annotates also `saved_at` and `versions`."""
        versions = Announcement.history.filter(id=OuterRef("pk")).order_by().values("id")
        texts = AnnouncementText.history.filter(announcement=OuterRef("pk"), state=TextState.READY)
        counted = {
            "own_versions": versions.annotate(number=Count("pk")).values("number"),
            "text_versions": texts.order_by()
            .values("announcement")
            .annotate(number=Count("pk"))
            .values("number"),
        }
        return (
            self.filter(kind=AnnouncementKind.EVENT)
            .with_texts()
            .with_changes()
            .annotate(**{name: Coalesce(Subquery(rows), 0) for name, rows in counted.items()})
            .annotate(
                versions=F("own_versions") + F("text_versions"),
                saved_at=Subquery(
                    Announcement.history.filter(id=OuterRef("pk"))
                    .order_by("-history_date")
                    .values("history_date")[:1]
                ),
            )
            .order_by("begins_at", "pk")
        )

    def at_address(self, slug: str, year: int) -> Self:
        # With a text that is ready, in any language, that has this slug.
        texts = AnnouncementText.objects.ready().filter(slug=slug).values("announcement")
        return self.of_year(year).filter(pk__in=texts)

    def formerly_at(self, slug: str, year: int) -> Self:
        # With a text that had this slug once, when it was ready: a draft's tells nobody of it.
        former = AnnouncementText.history.filter(slug=slug, state=TextState.READY)
        return self.of_year(year).filter(pk__in=former.values("announcement"))

    def with_public_id(self, public_id: str) -> Self:
        return self.filter(public_id=public_id)

    def with_keys(self, keys: Collection[int]) -> Self:
        return self.filter(pk__in=keys)

    def keys_of_clusters(self, slugs: Collection[str]) -> Iterable[int]:
        links = links_to_public_clusters().filter(cluster__slug__in=slugs)
        return links.values_list("announcement", flat=True)

    def keys_of_organisation(self, organisation: Organisation) -> Iterable[int]:
        links = Announcement.organisations.through.objects.filter(organisation=organisation)
        return links.values_list("announcement", flat=True)

    def keys_with_a_cluster_or_label_of(self, announcement: "Announcement") -> Iterable[int]:
        # A public one; one query.
        clusters = links_to_public_clusters().filter(cluster__announcements=announcement)
        labels = Announcement.labels.through.objects.filter(
            label__in=announcement.labels.published().values("pk")
        )
        first, second = (rows.values_list("announcement", flat=True) for rows in (clusters, labels))
        return first.union(second)

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

    def narrowed(
        self,
        *,
        kinds: Collection[str] = (),
        topics: Collection[str] = (),
        clusters: Collection[str] = (),
        countries: Collection[str] = (),
        languages: Collection[str] = (),
        periods: Collection[PartialDate] = (),
    ) -> Self:
        """With any of the values of each filter that has some; topics and clusters by address.

        Of what is not public nothing is found: a hidden cluster, a text that is not ready.
        """
        found = self
        if kinds:
            found = found.filter(kind__in=kinds)
        if topics:
            of_topics = Announcement.topics.through.objects.filter(topic__slug__in=topics)
            found = found.filter(pk__in=of_topics.values("announcement"))
        if clusters:
            of_clusters = links_to_public_clusters().filter(cluster__slug__in=clusters)
            found = found.filter(pk__in=of_clusters.values("announcement"))
        if countries:
            of_countries = links_to_public_clusters().filter(cluster__country__in=countries)
            found = found.filter(pk__in=of_countries.values("announcement"))
        if languages:
            texts = AnnouncementText.objects.ready().filter(language__in=languages)
            found = found.filter(pk__in=texts.values("announcement"))
        if periods:
            found = found.filter(reduce(or_, map(published_in, periods)))
        return found

    def latest_first(self) -> Self:
        return self.order_by("-published_at", "-pk")


def published_in(period: PartialDate) -> Q:
    # In the portal's legal zone.
    return Q(
        published_at__gte=midnight(period.first_day),
        published_at__lt=midnight(period.last_day + timedelta(days=1)),
    )


def links_to_public_clusters() -> models.QuerySet[Any, Any]:
    links: Any = Announcement.clusters.through.objects
    rows: models.QuerySet[Any, Any] = links.filter(cluster__is_published=True)
    return rows


WRITTEN_BY_STEPS = ("state", "withdrawn_at", "withdrawal_reason", "archived_at", "approved_digest")
_is_step: ContextVar[bool] = ContextVar("is_step", default=False)


@contextmanager
def changing_the_state() -> Iterator[None]:
    # For the steps (news/workflow/steps.py) only.
    token = _is_step.set(True)
    try:
        yield
    finally:
        _is_step.reset(token)


class Announcement(models.Model):
    """What a cluster or its managing organisation made known."""

    public_id = models.CharField(
        _("public id"), max_length=8, unique=True, editable=False, default=new_public_id
    )
    # Of what was imported: what it is called where it came from, so that it comes once only.
    source_key = models.CharField(
        _("key at its source"), max_length=300, blank=True, default="", editable=False
    )
    kind = models.CharField(
        _("kind"),
        max_length=8,
        choices=AnnouncementKind,
        default=AnnouncementKind.NEWS,
        db_index=True,
        help_text=_("An event has a start, a call a deadline."),
    )
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=AnnouncementState,
        default=AnnouncementState.DRAFT,
        db_index=True,
    )
    published_at = MomentField(
        _("publication moment"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("May lie in the past, or in the future: then it appears at that moment."),
    )
    withdrawn_at = MomentField(_("withdrawn"), null=True, blank=True)
    withdrawal_reason = LongTextField(
        _("reason of the withdrawal"),
        blank=True,
        max_length=1_000,
        help_text=_("Public: it stands at the address instead of the text."),
    )
    # Of what was read by who approved it (news/workflow/content.py).
    approved_digest = models.CharField(max_length=64, blank=True, editable=False)
    archived_at = MomentField(_("archived"), null=True, blank=True)
    begins_at = MomentField(
        pgettext_lazy("of an event", "start"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("Of an event."),
    )
    ends_at = MomentField(
        pgettext_lazy("of an event", "end"),
        null=True,
        blank=True,
        help_text=_("Of an event. Empty: it is not known, or the same day."),
    )
    place = NameField(
        pgettext_lazy("of an event", "place"),
        max_length=200,
        blank=True,
        help_text=_("Of an event: the house or the town; “online” where there is none."),
    )
    address = NameField(
        pgettext_lazy("of an event", "address"),
        max_length=300,
        blank=True,
        help_text=_("Of an event: street, number and town."),
    )
    deadline_at = MomentField(
        _("deadline"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("Of a call: until when one may answer."),
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
    reviewer = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reviewed_announcements",
        verbose_name=_("reviewer"),
        help_text=_("Who of the secretariat reads it before it is published."),
    )
    contact_organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation to contact"),
        help_text=_("Whoever reads it may write to this organisation by a form."),
    )
    clusters = models.ManyToManyField(
        Cluster,
        blank=True,
        related_name="announcements",
        verbose_name=_("clusters"),
        help_text=_("Each names it on its own page."),
    )
    organisations = models.ManyToManyField(
        Organisation,
        blank=True,
        related_name="announcements",
        verbose_name=_("organisations"),
        help_text=_("Each names it on its own page."),
    )
    labels = models.ManyToManyField(
        Label,
        blank=True,
        related_name="announcements",
        verbose_name=_("labels"),
        help_text=_("Shown beside the text as they were then, and as they are today."),
    )
    programmes = models.ManyToManyField(
        Programme,
        blank=True,
        related_name="announcements",
        verbose_name=_("programmes"),
        help_text=_("Programmes in which what it tells took place."),
    )
    statements = models.ManyToManyField(
        Statement,
        blank=True,
        related_name="announcements",
        verbose_name=_("quoted counts"),
        help_text=_("Published counts that the text quotes; shown with their source."),
    )
    topics = models.ManyToManyField(
        Topic,
        blank=True,
        related_name="announcements",
        verbose_name=_("topics"),
        help_text=_("Of the list that the secretariat keeps."),
    )

    # Annotated by `with_changes`.
    changed_at: datetime | None
    corrected_at: datetime | None
    # Annotated by `events`: of all versions the number, of the last of its own columns the moment.
    versions: int
    saved_at: datetime | None

    objects = AnnouncementQuerySet.as_manager()
    history = History(m2m_fields=[clusters, organisations, labels, programmes, statements, topics])

    class Meta:
        ordering = ("-published_at", "-pk")
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = (
            models.UniqueConstraint(
                fields=("source_key",),
                name="announcement_once_per_source",
                condition=~Q(source_key=""),
                violation_error_message=_("It was imported already."),
            ),
            models.CheckConstraint(
                name="announcement_is_published_at_a_moment",
                condition=Q(state__in=UNPUBLISHED) | Q(published_at__isnull=False),
                violation_error_message=_("Give the publication moment of what is published."),
            ),
            models.CheckConstraint(
                name="announcement_withdrawal_has_a_moment_and_a_reason",
                condition=(
                    Q(state=AnnouncementState.WITHDRAWN, withdrawn_at__isnull=False)
                    & ~Q(withdrawal_reason="")
                )
                | (
                    ~Q(state=AnnouncementState.WITHDRAWN)
                    & Q(withdrawn_at__isnull=True, withdrawal_reason="")
                ),
                violation_error_message=_("A withdrawal needs its moment and its reason."),
            ),
            models.CheckConstraint(
                name="announcement_is_archived_at_a_moment",
                condition=Q(state=AnnouncementState.ARCHIVED, archived_at__isnull=False)
                | (~Q(state=AnnouncementState.ARCHIVED) & Q(archived_at__isnull=True)),
                violation_error_message=_("What is archived has the moment when it was."),
            ),
            models.CheckConstraint(
                name="announcement_of_an_event_begins",
                condition=Q(kind=AnnouncementKind.EVENT, begins_at__isnull=False)
                | (
                    ~Q(kind=AnnouncementKind.EVENT)
                    & Q(begins_at__isnull=True, ends_at__isnull=True, place="", address="")
                ),
                violation_error_message=_(
                    "An event needs its start; only an event has start, end, place and address."
                ),
            ),
            models.CheckConstraint(
                name="announcement_event_ends_after_it_begins",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("begins_at")),
                violation_error_message=_("The event ends before it starts."),
            ),
            models.CheckConstraint(
                name="announcement_of_a_call_has_a_deadline",
                condition=Q(kind=AnnouncementKind.CALL, deadline_at__isnull=False)
                | (~Q(kind=AnnouncementKind.CALL) & Q(deadline_at__isnull=True)),
                violation_error_message=_("A call needs its deadline; only a call has one."),
            ),
        )

    def __str__(self) -> str:
        text = self.text()
        return text.title if text else self.public_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError where anything but a step would change a stored state."""
        # An earlier version counts as new, and has the key of the stored row.
        if self.pk is not None and not _is_step.get():
            self.refuse_other_state()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        text = self.text()
        if text is None or self.published_at is None:
            return ""
        return reverse("news:detail", args=[self.year, text.slug])

    def refuse_other_state(self) -> None:
        stored = Announcement.objects.filter(pk=self.pk).values(*WRITTEN_BY_STEPS).first()
        if stored and any(getattr(self, name) != value for name, value in stored.items()):
            raise ValidationError(_("The state of an announcement is changed by its steps only."))

    def keep_state(self) -> None:
        # As it is stored: an earlier version brings back what was written, not what became of it.
        self.refresh_from_db(fields=WRITTEN_BY_STEPS)

    @property
    def year(self) -> int:
        # The year of publication in the portal's legal zone, as in its address.
        assert self.published_at is not None
        return timezone.localtime(self.published_at, timezone.get_default_timezone()).year

    @property
    def updated_at(self) -> datetime | None:
        # Wants `with_changes`. An edit before the publication moment is no change.
        moments = (self.published_at, self.changed_at, self.corrected_at)
        return max(filter(None, moments), default=None)

    def lacks_words(self, languages: Collection[str]) -> bool:
        # Whether a picture or an attachment says nothing of itself in one of these.
        files: Any = (self.pictures, self.attachments)
        return any(rows.without_words(languages).exists() for rows in files)

    def is_public(self, now: datetime) -> bool:
        # Whether it has appeared and is in the lists, as `published`; its texts apart.
        return (
            self.state == AnnouncementState.PUBLISHED
            and self.published_at is not None
            and self.published_at <= now
        )

    def is_scheduled(self, now: datetime) -> bool:
        return self.state == AnnouncementState.PUBLISHED and not self.is_public(now)

    @property
    def cover(self) -> Any:
        """The first picture, if any. Prefetch `pictures` for lists."""
        return next(iter(self.pictures.all()), None)

    def text(self) -> "AnnouncementText | None":
        """The text in the active language, else in another; one that is ready before any draft.

        Prefetch `texts` for lists.
        """
        language = get_language() or "en"
        return min(
            self.texts.all(),
            key=lambda text: (text.state != TextState.READY, text.language != language),
            default=None,
        )


class AnnouncementTextQuerySet(models.QuerySet["AnnouncementText"]):
    def ready(self) -> Self:
        # The only ones that the public sees, once the announcement is published.
        return self.filter(state=TextState.READY)


class AnnouncementText(Addressed):
    """An announcement in one language."""

    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="texts", verbose_name=_("announcement")
    )
    language = models.CharField(_("language"), max_length=2, choices=languages)
    state = models.CharField(
        _("state of the text"),
        max_length=8,
        choices=TextState,
        default=TextState.DRAFT,
        help_text=_("Only a text that is ready is published with the announcement."),
    )
    title = NameField(_("title"), max_length=200, help_text=_("One line; it stands in lists, too."))
    slug = models.SlugField(
        _("page address"),
        max_length=90,
        blank=True,
        help_text=_(
            "The last part of the page’s address; made of the title where it is left empty. "
            "An old one leads on to the new one."
        ),
    )
    lead = LongTextField(
        pgettext_lazy("of a text", "lead"),
        blank=True,
        help_text=_("One or two sentences."),
        max_length=2_000,
    )
    body = LongTextField(
        _("body"),
        help_text=_("Markdown: an empty line between paragraphs, “- ” for a list."),
        max_length=MAX_TEXT,
        validators=[validate_markdown],
    )
    box_title = NameField(
        _("title of the background box"),
        max_length=120,
        blank=True,
        help_text=_("Empty: “Background”."),
    )
    box = LongTextField(
        _("background box"),
        blank=True,
        help_text=_("Markdown."),
        max_length=5_000,
        validators=[validate_markdown],
    )
    contact_role = models.CharField(
        _("contact"), max_length=120, blank=True, help_text=_("A function, never a person.")
    )

    objects = AnnouncementTextQuerySet.as_manager()
    history = History()

    class Meta:
        # By the column: by the relation each query would join the announcements for their order.
        ordering = ("announcement_id", "language")
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

    def clean(self) -> None:
        """A text is not added to a public page whose files have no words in its language."""
        super().clean()
        announcement = self.announcement
        if self.state != TextState.READY or announcement.pk is None:
            return
        if announcement.state in READABLE and announcement.lacks_words([self.language]):
            raise ValidationError({"state": WITHOUT_WORDS})

    def own_addresses(self) -> Q:
        # The texts of an announcement may share one.
        return Q(announcement=self.announcement_id)
