"""Pages with a language before them, and machine addresses without."""

from django.urls import path

from labels.views import machine as machine_views
from labels.views import notices as notice_views
from labels.views import pages as views
from labels.views import proofs as certificate_views
from labels.views import proofs as credential_views
from labels.views import verify as verify_views

app_name = "labels"

urlpatterns = [
    path("labels/", views.label_list, name="list"),
    path("labels/how-it-works/", views.label_scheme, name="scheme"),
    path("labels/<slug:public_id>/", views.label_detail, name="detail"),
    path("labels/<slug:public_id>/report/", views.label_report, name="report"),
    path("notices/<str:token>/", notice_views.notice, name="notice"),
    path("verify/", verify_views.label_verify, name="verify"),
]

machine_urlpatterns = [
    path("labels.csv", machine_views.labels_csv, name="labels_csv"),
    path("labels.xlsx", machine_views.labels_xlsx, name="labels_xlsx"),
    path("labels.json", machine_views.labels_json, name="labels_json"),
    path("labels.atom", machine_views.labels_atom, name="labels_atom"),
    path("labels.ics", machine_views.labels_ics, name="labels_ics"),
    path("clusters.atom", machine_views.clusters_atom, name="clusters_atom"),
    path("clusters.ics", machine_views.clusters_ics, name="clusters_ics"),
    path("labels/<slug:public_id>/seal.svg", machine_views.label_seal, name="label_seal"),
    path("clusters/<slug:public_id>/seal.svg", machine_views.cluster_seal, name="cluster_seal"),
    path(
        "programmes/<slug:public_id>/requirement.csv",
        machine_views.programme_requirement,
        name="programme_requirement",
    ),
    path("labels/<slug:public_id>.json", views.label_json, name="label_json"),
    path(
        "labels/<slug:public_id>/credential.jwt",
        credential_views.label_credential,
        name="label_credential",
    ),
    path(
        "labels/<slug:public_id>/certificate.<slug:language>.pdf",
        certificate_views.label_certificate,
        name="label_certificate",
    ),
    path(
        "labels/status/<slug:purpose>.jwt", credential_views.label_status_list, name="status_list"
    ),
    path(".well-known/jwks.json", credential_views.signing_keys, name="signing_keys"),
]
