"""Every address of the portal: pages carry their language, what machines read does not."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from config import views
from config.sitemaps import SITEMAPS
from labels.urls import machine_urlpatterns as label_machine_urlpatterns
from news.urls import machine_urlpatterns as news_machine_urlpatterns

handler400 = views.bad_request
handler500 = views.server_error

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("media/<path:path>", views.media, name="media"),
    *label_machine_urlpatterns,
    *news_machine_urlpatterns,
    *i18n_patterns(
        path("", views.home, name="home"),
        path("about/", views.about, name="about"),
        path("accessibility/", views.accessibility, name="accessibility"),
        path("privacy/", views.privacy, name="privacy"),
        path("data/", views.data, name="data"),
        path("corrections/", views.corrections, name="corrections"),
        path("account/", include("allauth.account.urls")),
        path("account/second-factor/", include("allauth.mfa.urls")),
        path("", include("clusters.urls")),
        path("", include("labels.urls")),
        path("", include("news.urls")),
    ),
]
