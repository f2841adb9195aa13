from django.urls import path

from clusters.views import accounts, compare, contact, directory, machine, map, programmes

app_name = "clusters"

urlpatterns = [
    path("account/", accounts.account, name="account"),
    path(
        "account/teams/<slug:slug>/leave/", accounts.account_leave_team, name="account_leave_team"
    ),
    path("invitations/<str:token>/", accounts.invitation_accept, name="invitation_accept"),
    path("confirm/<str:token>/", accounts.confirm_profile, name="confirm_profile"),
    path("clusters/", directory.cluster_list, name="list"),
    path("clusters/compare/", compare.cluster_compare, name="compare"),
    path("clusters/map/", map.map_page, name="map"),
    path("clusters/<slug:slug>/", directory.cluster_detail, name="detail"),
    path("organisations/", directory.organisation_list, name="organisation_list"),
    path("organisations/<slug:slug>/", directory.organisation_detail, name="organisation_detail"),
    path(
        "organisations/<slug:slug>/claim/", accounts.organisation_claim, name="organisation_claim"
    ),
    path("programmes/", directory.programme_list, name="programme_list"),
    path("programmes/compare/", programmes.programme_compare, name="programme_compare"),
    path("programmes/<slug:slug>/", directory.programme_detail, name="programme_detail"),
    path("clusters/<slug:slug>/contact/", contact.cluster_contact, name="cluster_contact"),
    path("clusters/<slug:slug>/report/", contact.cluster_report, name="cluster_report"),
    path(
        "organisations/<slug:slug>/contact/",
        contact.organisation_contact,
        name="organisation_contact",
    ),
    path(
        "organisations/<slug:slug>/report/", contact.organisation_report, name="organisation_report"
    ),
    path("programmes/<slug:slug>/report/", contact.programme_report, name="programme_report"),
]

machine_urlpatterns = [
    path("clusters/compare.csv", compare.compare_csv, name="compare_csv"),
    path("programmes/compare.csv", programmes.programmes_csv, name="programmes_csv"),
    path("clusters.csv", machine.clusters_csv, name="clusters_csv"),
    path("clusters.xlsx", machine.clusters_xlsx, name="clusters_xlsx"),
    path("clusters.json", machine.clusters_json, name="clusters_json"),
    path("clusters.jsonld", machine.clusters_jsonld, name="clusters_jsonld"),
]
