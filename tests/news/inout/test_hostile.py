"""Bad and hostile files: refused or taken item by item, told, and nothing half-written."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from news.markup import render
from news.models import Announcement, AnnouncementText, Attachment, Picture
from tests.factories import make_announcement
from tests.news.inout.run import take
from tests.uploads import pdf_bytes, picture_bytes

pytestmark = pytest.mark.django_db

HEAD = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>' \
    "<link>https://old.example.org/</link><language>en</language>"  # fmt: skip
TAIL = "</channel></rss>"
PUBLISHED = "Tue, 08 Sep 2015 12:38:00 +0000"


def item(
    *, title: str = "A title", guid: str = "urn:1", date: str = f"<pubDate>{PUBLISHED}</pubDate>",
    body: str = "Text.", more: str = "",
) -> str:  # fmt: skip
    return (
        f"<item><title>{title}</title><guid>{guid}</guid>{date}"
        f"<description>{body}</description>{more}</item>"
    )


GOOD = item(guid="urn:good", title="Good")
BOMB = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
)


def with_type(declared: str, title: str = "A") -> bytes:
    return f"<!DOCTYPE rss {declared}>{HEAD}{item(title=title)}{TAIL}".encode()


TYPED = {
    "billion laughs": with_type(f"[{BOMB}]", "&l9;"),
    "bomb in an attribute": with_type(f"[{BOMB}]").replace(b'"2.0"', b'"&l9;"'),
    "quadratic bomb": with_type(f'[<!ENTITY a "{"a" * 50_000}">]', "&a;" * 1_000),
    "file": with_type('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"),
    "relative file": with_type('[<!ENTITY x SYSTEM "secret.txt">]', "&x;"),
    "server": with_type('[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]', "&x;"),
    "external type": with_type('SYSTEM "http://127.0.0.1:9/x.dtd"'),
    "external type of a file": with_type('SYSTEM "file:///etc/passwd"'),
    "public type": with_type('PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:9/x.dtd"'),
    "parameter entity": with_type('[<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]'),
    "parameter entity of a file": with_type('[<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]'),
    "harmless type": with_type("[]"),
    "endless entity": with_type('[<!ENTITY a "&b;"><!ENTITY b "&a;">]', "&a;"),
    "unused entity": with_type('[<!ENTITY nbsp "&#160;">]'),
    "XInclude in a type": with_type('[<!ELEMENT rss ANY>]'),
}  # fmt: skip
DAMAGED = {
    "empty": b"",
    "blank": b"  \n ",
    "no XML": b"Dear readers,",
    "JSON Feed": b'{"version": "https://jsonfeed.org/version/1.1", "items": []}',
    "HTML": b"<html><body><p>News</p></body></html>",
    "other XML": b"<a><b/></a>",
    "no item": f"{HEAD}{TAIL}".encode(),
    "RSS 1.0": b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
    "picture": picture_bytes(),
    "PDF": pdf_bytes(),
    "gzip": bytes.fromhex("1f8b0800000000000003") + b"\0" * 40,
    "NUL": f"{HEAD}<item><title>\0</title></item>{TAIL}".encode(),
    "only NUL": b"\0" * 100,
    "no root closed": HEAD.encode(),
    "undeclared entity": f"{HEAD}{item(title='&nbsp;')}{TAIL}".encode(),
    "unknown encoding": f'<?xml version="1.0" encoding="klingon"?>{HEAD}{GOOD}{TAIL}'.encode(),
    "false encoding": f'<?xml version="1.0" encoding="utf-16"?>{HEAD}{GOOD}{TAIL}'.encode(),
    "latin without a word": f"{HEAD}{item(title='Città')}{TAIL}".encode("latin-1"),
    "byte of no letter": f"{HEAD}{item(title='x')}{TAIL}".encode().replace(b">x<", b">\xff<"),
    "control character": f"{HEAD}{item(title=chr(1))}{TAIL}".encode(),
    "control reference": f"{HEAD}{item(title='&#1;')}{TAIL}".encode(),
    "surrogate reference": f"{HEAD}{item(title='&#xD800;')}{TAIL}".encode(),
    "very deep": f"{HEAD}<item>{'<a>' * 5_000}".encode(),
    "too long a text": f"{HEAD}{item(body='a' * 10_500_000)}{TAIL}".encode(),
}


def write(folder: Path, content: bytes | str) -> Path:
    path = folder / "feed.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("content", TYPED.values(), ids=TYPED.keys())
def test_document_type_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("root:x:0")

    told = take(write(tmp_path, content))

    assert "feed.xml" in told
    assert "declares a document type" in told or "damaged" in told
    assert "root:x" not in told
    assert not Announcement.objects.exists()


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_file_is_told(content: bytes, tmp_path: Path) -> None:
    told = take(write(tmp_path, content))

    assert re.match(r"feed\.xml(, line \d+)?: not taken: (here the file is|there is no item)", told)
    assert told.endswith("error: Not taken: 1; each is told above.\n")
    assert not Announcement.objects.exists()


@pytest.mark.parametrize("cut", range(60, 700, 40))
def test_what_stands_before_the_end_of_a_truncated_file_is_taken(cut: int, tmp_path: Path) -> None:
    whole = HEAD + "".join(item(guid=f"urn:{n}", title=f"Title {n}") for n in range(5)) + TAIL

    told = take(write(tmp_path, whole[:cut]))

    assert Announcement.objects.count() == whole[:cut].count("</item>")
    assert AnnouncementText.objects.count() == Announcement.objects.count()
    assert "the file is damaged or ends too early" in told


DATES = {
    "none": "", "empty": "<pubDate/>", "words": "<pubDate>yesterday</pubDate>",
    "no zone": "<dc:date>2015-09-08T14:38:00</dc:date>", "a day": "<dc:date>2015-09-08</dc:date>",
    "zeros": "<dc:date>0000-00-00T00:00:00Z</dc:date>", "no such day":
    "<pubDate>Tue, 31 Feb 2015 12:00:00 +0000</pubDate>", "far": "<dc:date>9999-12-31T23:59:59Z"
    "</dc:date>", "long ago": "<dc:date>0001-01-01T00:00:00Z</dc:date>", "huge":
    f"<pubDate>{'9' * 5_000}</pubDate>", "before the first": "<dc:date>0001-01-01T00:00:00+14:00"
    "</dc:date>", "no such hour": "<dc:date>2015-09-08T25:00:00Z</dc:date>",
}  # fmt: skip
BAD_ITEMS = {
    **{f"date: {name}": item(date=date) for name, date in DATES.items()},
    "no title": item(title=""),
    "blank title": item(title=" \n "),
    "title of markup": item(title="&lt;script&gt;alert(1)&lt;/script&gt;"),
    "long title": item(title="a" * 201),
    "turned title": item(title="safe \u202e evil"),
    "isolated title": item(title="safe \u2066 evil"),
    "invisible title": item(title="a\u200bb"),
    "private title": item(title="a\ue000b"),
    "no text": item(body=""),
    "text of a script": item(body="<![CDATA[<script>alert(1)</script>]]>"),
    "text of a picture": item(body="<![CDATA[<img src='x.png'>]]>"),
    "long text": item(body="a " * 11_000),
    "huge text": item(body="a" * 600_000),
    "many tags": item(body=f"<![CDATA[{'<b>a</b>' * 20_001}]]>"),
    "deep text": item(body=f"<![CDATA[{'<blockquote>' * 2_000}a]]>"),
    "turned text": item(body="safe \u202e evil"),
    "noncharacter": item(body="a\ufdd0b"),
    "no guid, no link": item(guid=""),
    "long guid": item(guid="a" * 301),
    "turned guid": item(guid="urn:\u202e"),
}


@pytest.mark.parametrize("bad", BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
def test_bad_item_is_told_and_the_others_are_taken(bad: str, tmp_path: Path) -> None:
    told = take(write(tmp_path, f"{HEAD}{GOOD}\n{bad}\n{GOOD.replace('good', 'end')}{TAIL}"))

    assert [*Announcement.objects.order_by("pk").values_list("source_key", flat=True)] == [
        "urn:good", "urn:end",
    ]  # fmt: skip
    assert AnnouncementText.objects.count() == 2
    assert re.search(r"^feed\.xml, line 2( \(.*\))?: not taken: .{10}", told, re.MULTILINE)
    assert told.endswith("error: Not taken: 1; each is told above.\n")


HARMLESS = [
    "<p>a</p><script>alert(1)</script>", "<p onclick=alert(1)>a</p>", "<p>a</p><style>*{}</style>",
    "<a href='javascript:alert(1)'>a</a>", "<a href=' java\nscript:alert(1)'>a</a>",
    "<a href='data:text/html,<script>1</script>'>a</a>", "<a href='vbscript:x'>a</a>",
    "<iframe src='https://evil.example'></iframe><p>a</p>", "<svg onload=alert(1)>a</svg>",
    "<p>a</p><object data=x></object>", "<p>a</p><form><input></form>",
    "<p>a</p><math><mi>b</mi></math>",
    "<p>a</p><meta http-equiv=refresh content='0;url=x'>", "<p>a</p><base href='//evil.example'>",
    "<p style='background:url(//evil.example)'>a</p>", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[a](javascript:alert(1))", "![a](https://evil.example/pixel.png)", "<p>a<!-- > --></p>",
    "<img src=x onerror=alert(1)>a", "<noscript><p title='</noscript><img src=x>'></noscript>a",
    "<p>a</p><template><script>alert(1)</script></template>", "<video src=x autoplay></video>a",
    "<p>a</p><link rel=stylesheet href=//evil.example/x.css>", "<xmp><script>1</script></xmp>a",
]  # fmt: skip


@pytest.mark.parametrize("html", HARMLESS)
def test_hostile_html_is_harmless(html: str, tmp_path: Path) -> None:
    take(write(tmp_path, f"{HEAD}{item(body=f'<![CDATA[{html}]]>')}{TAIL}"))

    page = render(AnnouncementText.objects.get().body)
    assert not re.search(r"<(?!/?(?:p|a|em|strong|h\d|ul|ol|li|br|blockquote)\b)", page)
    assert not re.search(r"<[^>]*(?:\bon\w+\s*=|javascript:|style=|src=)", page)


def test_two_of_one_guid(tmp_path: Path) -> None:
    told = take(write(tmp_path, f"{HEAD}{GOOD}{GOOD}{TAIL}"))

    assert Announcement.objects.count() == 1
    assert "not taken: an item of the same guid, id or address was read before." in told


def test_address_of_another_announcement_is_not_taken_from_it(tmp_path: Path) -> None:
    there = make_announcement(slug="there")
    bad = item(more="<link>https://old.example.org/2015/there/</link>")

    told = take(write(tmp_path, HEAD + bad + TAIL))

    assert there.texts.get().slug == "there"
    assert AnnouncementText.objects.get(title="A title").slug == "a-title"
    assert "its address “there” is that of another; it gets “a-title”" in told


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: f'<?xml version="1.0" encoding="iso-8859-1"?>{text}'.encode("latin-1"),
    ],
    ids=["BOM", "UTF-16", "Latin-1"],
)
def test_encodings_that_say_what_they_are(encode: Callable[[str], bytes], tmp_path: Path) -> None:
    take(write(tmp_path, encode(HEAD + item(title="Città") + TAIL)))

    assert AnnouncementText.objects.get().title == "Città"


def test_language_must_be_known(tmp_path: Path) -> None:
    content = (HEAD + GOOD + TAIL).replace("<language>en<", "<language>tlh<")

    assert "its language is not known: say it with --language." in take(write(tmp_path, content))
    assert "1 created" in take(write(tmp_path, content), language="it")
    assert AnnouncementText.objects.get().language == "it"


OUTSIDE = [
    "../outside.png", "/etc/passwd", "%2e%2e/outside.png", "a/../../outside.png", "link.png",
    "https://evil.example/pixel.png", "file:///etc/passwd", "//evil.example/x.png", "", ".",
    "folder", "a\0b.png", "a" * 5_000, "data:image/png;base64,AAAA", "http://[", "~/x.png",
    "..\\outside.png", "feed.xml/x.png",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_picture_outside_the_folder_is_left_out(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(picture_bytes())
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    body = f"&lt;p&gt;a&lt;/p&gt;&lt;img src='{name.replace(chr(0), '%00')}' alt='x'&gt;"

    told = take(write(folder, HEAD + item(body=body) + TAIL), credit="Ours")

    assert not Picture.objects.exists()
    assert "is not in the folder of the file and is left out." in told
    assert Announcement.objects.get().state == "published"


# Markdown.

FRONT = "title: A title\npublished_at: 2015-09-08T14:38:00+02:00\nlanguage: en\n"
BAD_FRONTS = {
    "no fence": "Text.", "one fence": f"---\n{FRONT}Text.", "empty": "",
    "list": "---\n- a\n---\nText.", "scalar": "---\na\n---\nText.",
    "no YAML": "---\na: [\n---\nText.", "tab": "---\n\ta: b\n---\nText.",
    "object": f"---\n{FRONT}kind: !!python/object/apply:os.system [ls]\n---\nText.",
    "two documents": f"---\n{FRONT}...\n--- a\n---\nText.",
    "deep": f"---\n{FRONT}topics: {'[' * 5_000}\n---\nText.",
    "long": f"---\n{FRONT}place: {'a' * 70_000}\n---\nText.",
    "bomb": "---\na: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    ) + f"topics: *u\n{FRONT}---\nText.",
    "endless": f"---\n{FRONT}topics: &a [*a]\n---\nText.",
    "no title": "---\npublished_at: 2015-09-08T14:38:00+02:00\nlanguage: en\n---\nText.",
    "no date": "---\ntitle: A\nlanguage: en\n---\nText.",
    "no zone": f"---\n{FRONT.replace('+02:00', '')}---\nText.",
    "no language": f"---\n{FRONT.replace('en', 'tlh')}---\nText.",
    "no text": f"---\n{FRONT}---\n \n",
    "title is a list": "---\ntitle: [a]\nlanguage: en\n---\nText.",
    "topics of lists": f"---\n{FRONT}topics: [[a]]\n---\nText.",
    "kind": f"---\n{FRONT}kind: war\n---\nText.", "state": f"---\n{FRONT}state: king\n---\nText.",
    "event without a start": f"---\n{FRONT}kind: event\n---\nText.",
    "call without an end": f"---\n{FRONT}kind: call\n---\nText.",
    "place of news": f"---\n{FRONT}place: Turin\n---\nText.".replace("kind", "x"),
    "withdrawn without a reason": f"---\n{FRONT}state: withdrawn\n---\nText.",
    "number": f"---\n{FRONT}public_id: 1 OR 1=1\n---\nText.",
    "slug": f"---\n{FRONT}slug: ../admin\n---\nText.",
    "organisation": f"---\n{FRONT}contact_organisation: XXXXXXXX\n---\nText.",
    "turned": f"---\n{FRONT}---\nsafe \u202e evil",
    "NUL": f"---\n{FRONT}---\na\0b", "control": f"---\n{FRONT}lead: \"a\\x01b\"\n---\n\x01",
    "long text": f"---\n{FRONT}---\n{'a' * 21_000}",
    "huge": f"---\n{FRONT}---\n{'a' * 500_000}",
    "much markup": f"---\n{FRONT}---\n{'[]() ' * 4_000}",
    "picture outside": f"---\n{FRONT}pictures: [{{file: ../a.png}}]\n---\nText.",
    "picture nowhere": f"---\n{FRONT}pictures: [{{file: a.png}}]\n---\nText.",
    "picture of words": f"---\n{FRONT}pictures: [{{file: a.md}}]\n---\nText.",
    "attachment of words": f"---\n{FRONT}attachments: [{{file: a.md}}]\n---\nText.",
    "picture column": f"---\n{FRONT}pictures: [{{file: a.png, image: /etc/passwd}}]\n---\nText.",
    "focus": f"---\n{FRONT}pictures: [{{file: ok.png, focus_x: 101}}]\n---\nText.",
    "focus of words": f"---\n{FRONT}pictures: [{{file: ok.png, focus_x: x}}]\n---\nText.",
    "correction": f"---\n{FRONT}corrections: [{{text_en: a}}]\n---\nText.",
    "many pictures": f"---\n{FRONT}pictures: [{', '.join(['{file: ok.png}'] * 13)}]\n---\nText.",
}  # fmt: skip


@pytest.mark.parametrize("content", BAD_FRONTS.values(), ids=BAD_FRONTS.keys())
def test_bad_markdown_file_is_told_and_the_others_are_taken(content: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "a.png").write_bytes(picture_bytes())
    (folder / "ok.png").write_bytes(picture_bytes())
    (folder / "a.md").write_text(content)
    (folder / "z.md").write_text(f"---\n{FRONT}---\nText.")

    told = take(folder)

    assert [*Announcement.objects.values_list("source_key", flat=True)] == ["file:z.md"]
    assert Announcement.objects.get().state == "published"
    assert not Picture.objects.exists()
    assert not Attachment.objects.exists()
    assert re.match(rf"{re.escape(str(folder / 'a.md'))}: not taken: .{{10}}", told)
    assert "1 created" in told


@pytest.mark.parametrize(
    "content", [b"---\ntitle: \xff\n---\na", "---\na: b\n---\n".encode("utf-16")]
)
def test_markdown_of_another_encoding_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(content)

    assert "is not UTF-8" in take(tmp_path)


def test_files_of_one_announcement_must_agree(tmp_path: Path) -> None:
    (tmp_path / "en.md").write_text(f"---\n{FRONT}---\nText.")
    (tmp_path / "it.md").write_text(
        f"---\n{FRONT.replace('en', 'it').replace('38', '39')}---\nText."
    )

    assert "en.md and it.md say different things of: published_at." in take(tmp_path)
    assert not Announcement.objects.exists()


def test_file_of_another_program(tmp_path: Path) -> None:
    lines = ["---", "title: Ciao", "date: 2015-09-08T14:38:00Z", "tags: [x]", "layout: post"]
    text = "\r\n".join([*lines, "---", "Text."])
    (tmp_path / "ciao.md").write_bytes(b"\xef\xbb\xbf" + text.encode())

    told = take(tmp_path, language="it")

    assert AnnouncementText.objects.get().body == "Text."
    assert (
        "“layout” is not known and is left out. topics that are not here are left out: x." in told
    )


def test_what_is_told_obeys_no_terminal(tmp_path: Path) -> None:
    topics = 'topics: ["\\e[2J\\u202Ex\\ny"]\n'
    (tmp_path / "a.md").write_text(f"---\n{FRONT}{topics}---\nText.")

    assert "left out: [2Jx y." in take(tmp_path)


def test_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text(f"---\n{FRONT}---\nText.")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").symlink_to(tmp_path / "out.md")

    assert "a.md leads out of the folder" in take(tmp_path / "in")
    assert not Announcement.objects.exists()
