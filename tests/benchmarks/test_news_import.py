"""Time and peak memory of taking in 10,000 articles, in a process and a database of its own."""

from pathlib import Path

import pytest

from tests.benchmarks.test_import import run

ARTICLES = 10_000
MOST_MEGABYTES = 200
ITEM = """<item><title>Article {n} of the cluster</title>
<link>https://old.example.org/{year}/article-{n}/</link>
<guid isPermaLink="false">https://old.example.org/?p={n}</guid>
<content:encoded><![CDATA[{body}]]></content:encoded>
<excerpt:encoded><![CDATA[A sentence or two about article {n}.]]></excerpt:encoded>
<wp:post_date_gmt>{year}-03-04 10:00:00</wp:post_date_gmt><wp:post_name>article-{n}</wp:post_name>
<wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
<category domain="category" nicename="awards"><![CDATA[Awards]]></category></item>
"""
PARAGRAPH = (
    "<!-- wp:paragraph --><p>The cluster has <strong>received</strong> its label, and tells of it "
    'in a few sentences, with a <a href="/about/">link</a> or two. Its members met in the town, '
    "and talked about what is next.</p><!-- /wp:paragraph -->\n"
)
BODY = PARAGRAPH * 5 + "<ul><li>One point</li><li>Another point</li></ul>"


@pytest.mark.benchmark
def test_import_of_many_articles_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    with path.open("w", encoding="utf-8") as file:
        namespaces = " ".join(
            [
                'xmlns:content="http://purl.org/rss/1.0/modules/content/"',
                'xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"',
                'xmlns:wp="http://wordpress.org/export/1.2/"',
            ]
        )
        file.write(f'<rss version="2.0" {namespaces}><channel><language>en</language>\n')
        for n in range(ARTICLES):
            file.write(ITEM.format(n=n, year=2005 + n % 20, body=BODY))
        file.write("</channel></rss>")
    run(tmp_path, "migrate", "--verbosity", "0")
    topic = "from news.models import Topic; "
    topic += "Topic.objects.create(slug='awards', name_en='Awards', name_it='Premi')"
    run(tmp_path, "shell", "--verbosity", "0", "--command", topic)
    idle, _megabytes = run(tmp_path, "import_news", "--help")

    for label in ("first", "second"):
        seconds, megabytes = run(tmp_path, "import_news", str(path))
        print(
            f"{ARTICLES:,} articles, {label} run: {seconds:.1f} s of CPU, "
            f"{ARTICLES / (seconds - idle):.0f} a second; {megabytes:.0f} MB"
        )
        assert megabytes < MOST_MEGABYTES
