"""Run by test_certificates.py in a process that cannot load pango."""

import pytest
from django.test import Client

from clusters.formats.documents import library
from tests.factories import make_label

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "it"])
def test_certificate_leads_to_the_page_to_print(client: Client, language: str) -> None:
    label = make_label()

    response = client.get(f"/labels/{label.public_id}/certificate.{language}.pdf")

    assert library() is None
    assert response.status_code == 302
    assert response["Location"] == f"/{language}/labels/{label.public_id}/"
    assert client.get(response["Location"]).status_code == 200
