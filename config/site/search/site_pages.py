"""The pages of the portal that are no record, found by words of either language."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clusters.http.links import Link
from clusters.names import normal_name

MOST_FOUND = 3
# Said of any page, and of none.
FILLERS = "how to the a an what is are do i get of come si il lo la un che cosa di"


class SitePage(NamedTuple):
    name: str
    title: Any
    words: str
    arguments: Sequence[str] = ()


# The first of two that have the words is told first.
PAGES = (
    SitePage(
        "labels:scheme",
        _("How the label works"),
        "esca label labels excellence levels bronze silver gold rules criteria indicators obtain "
        "apply become certification costs steps renewal process "
        "livelli regole criteri indicatori ottenere ottenerlo candidarsi certificazione "
        "eccellenza rinnovo funziona works marchio etichetta",
    ),
    SitePage(
        "labels:verify",
        _("Verify a label"),
        "verify check valid validity certificate certificates number authentic fake claim label "
        "verifica verificare valido certificato certificati numero autentico",
    ),
    SitePage(
        "api",
        _("The API"),
        "api json rest openapi developers programmatic sviluppatori dati interrogare",
        ("v1/docs",),
    ),
    SitePage(
        "data",
        _("Data"),
        "data dataset download csv xlsx spreadsheet json licence license open dati scaricare "
        "foglio calcolo excel licenza aperti",
    ),
    SitePage(
        "labels:figures",
        _("Figures"),
        "figures statistics chart charts trend years holders cifre statistiche grafici andamento "
        "anni",
    ),
    SitePage(
        "clusters:programme_compare",
        _("Programmes side by side"),
        "programmes compare comparison policy required programmi confronto confrontare politiche",
    ),
    SitePage("clusters:map", _("Map"), "map mappa cartina where dove"),
    SitePage(
        "news:follow",
        _("Follow the news"),
        "follow subscribe feed rss atom calendar mail newsletter digest seguire iscriversi "
        "calendario notizie avvisi",
    ),
    SitePage("corrections", _("Corrections"), "corrections errors mistakes correzioni errori"),
    SitePage(
        "about",
        _("About"),
        "about help contact who portal register sources informazioni aiuto contatti chi portale "
        "registro fonti esca",
    ),
    SitePage("accessibility", _("Accessibility"), "accessibility wcag accessibilità"),
    SitePage("privacy", _("Privacy"), "privacy cookies gdpr personal dati personali"),
    SitePage(
        "account_login",
        _("For teams: sign in"),
        "sign in login account team password accedere accesso entrare",
    ),
)


def pages_matching(words: str) -> Sequence[Link]:
    """Those that have all words or their beginnings, in their order."""
    asked = [word for word in normal_name(words).split() if word not in FILLERS.split()]
    if not asked:
        return ()
    found = [page for page in PAGES if all(page_has_word(page, word) for word in asked)]
    return [
        Link(str(page.title), reverse(page.name, args=page.arguments))
        for page in found[:MOST_FOUND]
    ]


def page_has_word(page: SitePage, word: str) -> bool:
    return any(known.startswith(word) for known in normal_name(page.words).split())
