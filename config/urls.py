"""Every address of the portal: pages carry their language, what machines read does not."""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe

from clusters.urls import machine_urlpatterns as cluster_machine_urlpatterns
from clusters.views.accounts import passkey_remove
from config.privacy.views import account_data
from config.site import errors, health, machine, pages
from config.site.media import media
from config.site.sitemaps import SITEMAPS
from labels.urls import machine_urlpatterns as label_machine_urlpatterns
from news.urls import machine_urlpatterns as news_machine_urlpatterns

# Of django-allauth only what the portal uses.
account_urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("login/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("login/second-factor/", second_factor.authenticate, name="mfa_authenticate"),
    path("logout/", account.logout, name="account_logout"),
    path("off/", account.account_inactive, name="account_inactive"),
    # allauth’s pages lead here; it answers that accounts are made by invitation.
    path("sign-up/", account.signup, name="account_signup"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("again/password/", account.reauthenticate, name="account_reauthenticate"),
    path("again/code/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("again/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/app/add/", app.activate_totp, name="mfa_activate_totp"),
    path("second-factor/app/remove/", app.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("second-factor/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("second-factor/passkeys/<int:pk>/edit/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    # The portal’s own: allauth’s would remove the last factor, too.
    path("second-factor/passkeys/<int:pk>/remove/", passkey_remove, name="mfa_remove_webauthn"),
    path(
        "second-factor/recovery-codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"
    ),
    path(
        "second-factor/recovery-codes/new/",
        codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "second-factor/recovery-codes/download/",
        codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]

handler400 = errors.bad_request
handler500 = errors.server_error

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path(
        "sitemap.xml",
        require_safe(sitemap),
        {"sitemaps": SITEMAPS, "content_type": "application/xml; charset=utf-8"},
        name="sitemap",
    ),
    path("opensearch.<slug:language>.xml", machine.opensearch, name="opensearch"),
    path("robots.txt", machine.robots, name="robots"),
    path(".well-known/security.txt", machine.security_txt, name="security_txt"),
    # Not by the web server: what is not public is sent to nobody else, and nothing that editors
    # upload may run as a page of this site.
    path("media/<path:path>", media, name="media"),
    *cluster_machine_urlpatterns,
    *label_machine_urlpatterns,
    *news_machine_urlpatterns,
    # Also with a line break in it, which `<path:>` would not take.
    re_path(r"^api/(?P<path>[\s\S]*)$", pages.api, name="api"),
    *i18n_patterns(
        path("", pages.home, name="home"),
        path("search/", pages.search, name="search"),
        path("about/", pages.about, name="about"),
        path("accessibility/", pages.accessibility, name="accessibility"),
        path("privacy/", pages.privacy, name="privacy"),
        path("data/", pages.data, name="data"),
        path("corrections/", pages.corrections, name="corrections"),
        path("account/data/", account_data, name="account_data"),
        path("account/", include(account_urlpatterns)),
        path("", include("clusters.urls")),
        path("", include("labels.urls")),
        path("", include("news.urls")),
    ),
]
