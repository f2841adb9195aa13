"""The pictures of an announcement, the first of which is its cover, and its attachments."""

from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Max, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.fields import BoundedIntegerField, NameField
from clusters.models.addresses import slug_for
from clusters.models.history import History
from news.files.documents import DOCUMENTS, MAX_BYTES, OTHER, DocumentKind, kind_of_name
from news.files.renditions import (
    CARD,
    CARD_SIZE,
    OPTIONS,
    rendition_name,
    store_card,
    store_renditions,
    widths_of,
)
from news.models.announcements import READABLE, Announcement

MAX_PICTURES, MAX_ATTACHMENTS = 12, 10


class AnnouncementFileQuerySet(models.QuerySet[Any]):
    def readable(self, now: datetime) -> Self:
        # Those of a page that everybody reads.
        return self.filter(announcement__in=Announcement.objects.readable(now).order_by())

    def without_words(self, languages: Collection[str]) -> Self:
        """Those that lack a text in one of these languages, which publication needs."""
        names = [f"{name}_{code}" for code in languages for name in self.model.words]
        return self.filter(reduce(or_, (Q(**{name: ""}) for name in names), Q(pk__in=[])))


class AnnouncementFile(models.Model):
    """A file of an announcement, in its place among the others, with words in each language."""

    words: ClassVar[tuple[str, ...]]  # names of the texts, each of which ends in its language
    without_words: ClassVar[Any]

    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="%(class)ss", verbose_name=_("announcement")
    )
    position = BoundedIntegerField(
        _("place in the order"),
        most=1_000,
        blank=True,
        help_text=_("The lowest comes first. Empty: behind the others."),
    )

    objects = AnnouncementFileQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A form may leave it empty.
        place: int | None = self.position
        self.position = self.next_position() if place is None else place
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Of what everybody reads, no words are left out."""
        super().clean()
        if self.announcement.pk is None or self.announcement.state not in READABLE:
            return
        languages = self.announcement.texts.ready().values_list("language", flat=True)
        names = (f"{name}_{code}" for code in languages for name in self.words)
        missing = {name: self.without_words for name in names if not getattr(self, name)}
        if missing:
            raise ValidationError(missing)

    def next_position(self) -> int:
        others = type(self)._default_manager.filter(announcement=self.announcement)
        last: int | None = others.aggregate(last=Max("position"))["last"]
        return min((last or 0) + 1, 1_000)

    def words_in(self, name: str, language: str) -> str:
        text: str = getattr(self, f"{name}_{language}", "")
        return text


class Picture(AnnouncementFile):
    """Of several the first is the cover."""

    words = ("alt", "credit")
    without_words = _(
        "It stands on a public page: say in each language that is ready what the picture shows, "
        "and whose it is."
    )

    image = models.ImageField(
        _("picture"),
        upload_to="announcements/",
        db_index=True,
        help_text=_("PNG, JPEG or WebP; stored anew without its metadata."),
    )
    focus_x = BoundedIntegerField(
        _("focal point from the left, in %"),
        most=100,
        default=50,
        help_text=_("What stays in view where lists cut the picture. Click on it to set both."),
    )
    focus_y = BoundedIntegerField(_("focal point from the top, in %"), most=100, default=50)
    alt_en = models.CharField(
        _("what the picture shows (English)"),
        max_length=300,
        blank=True,
        help_text=_("For those who do not see it."),
    )
    alt_it = models.CharField(
        _("what the picture shows (Italian)"),
        max_length=300,
        blank=True,
        help_text=_("For those who do not see it."),
    )
    credit_en = models.CharField(
        _("picture credit (English)"),
        max_length=200,
        blank=True,
        help_text=_("Whose picture it is, and its licence."),
    )
    credit_it = models.CharField(
        _("picture credit (Italian)"),
        max_length=200,
        blank=True,
        help_text=_("Whose picture it is, and its licence."),
    )
    # Of the file; 0 as long as it has no renditions.
    width = BoundedIntegerField(most=100_000, default=0, editable=False)
    height = BoundedIntegerField(most=100_000, default=0, editable=False)

    history = History()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.words_in("alt", get_language() or "en") or str(_("picture"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stores its renditions, too, where the file or the focal point is another."""
        image: Any = self.image
        if image and not image._committed:
            image.save(image.name, image.file, save=False)
        stored = Picture.objects.filter(pk=self.pk).values_list("image", "focus_x", "focus_y")
        before = stored.first() or ("", 0, 0)
        if (image.name, *self.focus) != before and default_storage.exists(image.name):
            if image.name != before[0]:
                self.width, self.height = store_renditions(image.name)
            store_card(image.name, self.focus)
        super().save(*args, **kwargs)

    @property
    def focus(self) -> tuple[int, int]:
        return self.focus_x, self.focus_y

    @property
    def sources(self) -> list[tuple[str, str]]:
        """For each format its media type and its addresses with their widths."""
        widths = widths_of(self.width) if self.width else []
        return [
            (
                f"image/{each}",
                ", ".join(f"{self.rendition_url(width, each)} {width}w" for width in widths),
            )
            for each in (OPTIONS if widths else ())
        ]

    @property
    def card(self) -> dict[str, Any]:
        """For lists: the copy's addresses by format, and its size; empty where there is none."""
        if not self.width:
            return {}
        urls = {each: self.rendition_url(CARD, each) for each in OPTIONS}
        return urls | dict(zip(("width", "height"), CARD_SIZE, strict=True))

    def rendition_url(self, size: int | str, file_format: str) -> str:
        return default_storage.url(rendition_name(str(self.image), size, file_format))


class Attachment(AnnouncementFile):
    """A document to be saved, never shown by the portal."""

    words = ("title",)
    without_words = _("It stands on a public page: give its title in each language that is ready.")

    file = models.FileField(
        _("file"),
        upload_to="attachments/",
        db_index=True,
        help_text=_("PDF, Word, Excel, PowerPoint or OpenDocument, without macros; 10 MB at most."),
    )
    title_en = NameField(_("title (English)"), max_length=200, blank=True)
    title_it = NameField(_("title (Italian)"), max_length=200, blank=True)
    size = BoundedIntegerField(_("size"), most=MAX_BYTES, default=0, editable=False)

    history = History()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        title = self.words_in("title", get_language() or "en")
        return title or self.title_en or self.title_it or str(_("attachment"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        file: Any = self.file
        if file and not file._committed:
            self.size = file.size
        super().save(*args, **kwargs)

    @property
    def kind(self) -> DocumentKind:
        return DOCUMENTS.get(kind_of_name(str(self.file)), OTHER)

    @property
    def saved_as(self) -> str:
        # By its title: what the file was called on somebody’s machine is kept nowhere.
        name = slug_for(self.title_en or self.title_it, fallback="attachment")
        return f"{name}.{kind_of_name(str(self.file))}"
