"""Pages with a language before them, and machine addresses without."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter
from django.views.decorators.http import require_safe

from news import views
from news.feeds import AnnouncementFeed


class YearConverter(IntConverter):
    regex = "[1-2][0-9]{3}"


register_converter(YearConverter, "year")

app_name = "news"

urlpatterns = [
    path("news/", views.announcement_list, name="list"),
    path("news/<year:year>/", views.announcement_year, name="year"),
    path("news/<year:year>/<slug:slug>/", views.announcement_detail, name="detail"),
    path("news/<year:year>/<slug:slug>/contact/", views.announcement_contact, name="contact"),
    path("news/<year:year>/<slug:slug>/report/", views.announcement_report, name="report"),
]

machine_urlpatterns = [path("news.atom", require_safe(AnnouncementFeed()), name="news_feed")]
