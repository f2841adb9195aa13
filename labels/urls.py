"""Pages with a language before them, and machine addresses without."""

from django.urls import path

from labels.figures.page import FILES
from labels.views import figures, machine, notices, pages, proofs, verify

app_name = "labels"

urlpatterns = [
    path("labels/", pages.label_list, name="list"),
    path("labels/how-it-works/", pages.label_scheme, name="scheme"),
    path("labels/<slug:public_id>/", pages.label_detail, name="detail"),
    path("labels/<slug:public_id>/report/", pages.label_report, name="report"),
    path("figures/", figures.figures_page, name="figures"),
    path("notices/<str:token>/", notices.notice, name="notice"),
    path("verify/", verify.label_verify, name="verify"),
]

machine_urlpatterns = [
    *(
        path(f"figures/{name}.csv", figures.figures_csv, {"name": name}, name=f"figures_{name}_csv")
        for name in FILES
    ),
    path("labels.csv", machine.labels_csv, name="labels_csv"),
    path("labels.xlsx", machine.labels_xlsx, name="labels_xlsx"),
    path("labels.json", machine.labels_json, name="labels_json"),
    path("labels.atom", machine.labels_atom, name="labels_atom"),
    path("labels.ics", machine.labels_ics, name="labels_ics"),
    path("clusters.atom", machine.clusters_atom, name="clusters_atom"),
    path("clusters.ics", machine.clusters_ics, name="clusters_ics"),
    path("labels/<slug:public_id>/seal.svg", machine.label_seal, name="label_seal"),
    path("clusters/<slug:public_id>/seal.svg", machine.cluster_seal, name="cluster_seal"),
    path(
        "programmes/<slug:public_id>/requirement.csv",
        machine.programme_requirement,
        name="programme_requirement",
    ),
    path("labels/<slug:public_id>.json", pages.label_json, name="label_json"),
    path(
        "labels/<slug:public_id>/credential.jwt", proofs.label_credential, name="label_credential"
    ),
    path(
        "labels/<slug:public_id>/certificate.<slug:language>.pdf",
        proofs.label_certificate,
        name="label_certificate",
    ),
    path("labels/status/<slug:purpose>.jwt", proofs.label_status_list, name="status_list"),
    path(".well-known/jwks.json", proofs.signing_keys, name="signing_keys"),
]
