"""Pages with a language before them, and machine addresses without."""

from django.urls import path

from labels import views

app_name = "labels"

urlpatterns = [
    path("labels/", views.label_list, name="list"),
    path("labels/how-it-works/", views.label_scheme, name="scheme"),
    path("labels/<slug:public_id>/", views.label_detail, name="detail"),
    path("labels/<slug:public_id>/report/", views.label_report, name="report"),
    path("verify/", views.label_verify, name="verify"),
]

machine_urlpatterns = [
    path("labels/<slug:public_id>.json", views.label_json, name="label_json"),
]
