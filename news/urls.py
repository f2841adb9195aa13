"""Pages with a language before them, and machine addresses without."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from news.views import machine, pages, sharing, subscriptions


class YearConverter(IntConverter):
    regex = "[1-2][0-9]{3}"


class MonthConverter(IntConverter):
    regex = "0[1-9]|1[0-2]"

    def to_url(self, value: int | str) -> str:
        return f"{int(value):02}"


register_converter(YearConverter, "year")
register_converter(MonthConverter, "month")

app_name = "news"

urlpatterns = [
    path("news/", pages.announcement_list, name="list"),
    path("follow/", pages.follow, name="follow"),
    path("follow/mail/", subscriptions.subscribe, name="subscribe"),
    path(
        "follow/mail/confirm/<str:token>/",
        subscriptions.confirm_subscription,
        name="confirm_subscription",
    ),
    path("follow/mail/<str:token>/", subscriptions.subscription, name="subscription"),
    path("follow/mail/<str:token>/stop/", subscriptions.unsubscribe, name="unsubscribe"),
    path("previews/<str:token>/", pages.announcement_preview, name="preview"),
    path("previews/<str:token>/pictures/<int:key>/", pages.preview_picture, name="preview_picture"),
    path(
        "previews/<str:token>/attachments/<int:key>/",
        pages.preview_attachment,
        name="preview_attachment",
    ),
    path("news/<year:year>/", pages.announcement_year, name="year"),
    path("news/<year:year>/<month:month>/", pages.announcement_month, name="month"),
    path("news/<year:year>/<slug:slug>/", pages.announcement_detail, name="detail"),
    path("news/<year:year>/<slug:slug>.pdf", sharing.announcement_pdf, name="pdf"),
    path("news/<year:year>/<slug:slug>/contact/", pages.announcement_contact, name="contact"),
    path("news/<year:year>/<slug:slug>/report/", pages.announcement_report, name="report"),
]

machine_urlpatterns = [
    path("news.atom", machine.news_atom, name="news_feed"),
    path("news.json", machine.news_json, name="news_json"),
    path("news.ics", machine.news_ics, name="news_ics"),
    path("news/<slug:public_id>/event.ics", machine.event_ics, name="event_ics"),
    path(
        "news/<slug:public_id>/picture.<slug:language>.<slug:version>.png",
        sharing.announcement_picture,
        name="announcement_picture",
    ),
]
