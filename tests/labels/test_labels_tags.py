import pytest

from labels.templatetags.labels_tags import source_links

LINK = '<a href="{}" rel="nofollow noopener external">{}</a>'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        pytest.param(
            "https://example.org/a?b=c",
            LINK.format("https://example.org/a?b=c", "https://example.org/a?b=c"),
            id="address",
        ),
        pytest.param(
            "www.example.org", LINK.format("https://www.example.org", "www.example.org"), id="host"
        ),
        pytest.param(
            "example.org; a list",
            LINK.format("https://example.org", "example.org") + "; a list",
            id="two sources",
        ),
        pytest.param("example.org 2269", "example.org 2269", id="a host and a number"),
        pytest.param("vol. 2.5", "vol. 2.5", id="words"),
        pytest.param("2.5", "2.5", id="a number"),
        pytest.param("javascript:alert(1)", "javascript:alert(1)", id="script"),
        pytest.param("<b>", "&lt;b&gt;", id="markup"),
        pytest.param(
            'example.org/"><b>',
            LINK.format(
                "https://example.org/&quot;&gt;&lt;b&gt;", "example.org/&quot;&gt;&lt;b&gt;"
            ),
            id="markup in an address",
        ),
    ],
)
def test_source_links(source: str, html: str) -> None:
    assert source_links(source) == html
