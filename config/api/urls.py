"""The addresses under /api/, which `config.api.requests` resolves."""

from django.urls import include, path

from config.api.description import docs, openapi_json
from config.api.requests import api

urlpatterns = [
    path("api/v1/openapi.json", openapi_json, name="openapi_json"),
    path("api/v1/docs", docs, name="api_docs"),
    # Without the root that django-ninja adds at the end.
    path("api/v1/", include(api.urls[0][:-1])),
]
