"""Whatever a text says, its file says it, too."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from news.inout.frontmatter import as_file, read_file

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(
    st.sampled_from("ab-:#|>'\"\\\n\r\t {}[]!&*%@`~?,=\u2028\x85\ufeff") | CHARACTERS, min_size=1
)
WORDS = st.sampled_from(["null", "no", "2015-09-08", "1e3", "---", "---\na", "...", "a\n---\n"])


@given(title=TEXTS | WORDS, lead=TEXTS | WORDS, body=TEXTS | WORDS)
def test_file_is_read_back_as_it_was_written(title: str, lead: str, body: str) -> None:
    front = {"title": title, "lead": lead, "topics": [title, lead], "corrections": [
        {"text_en": lead, "text_it": title}
    ]}  # fmt: skip
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.md").write_bytes(as_file(front, body).encode())

        assert read_file(folder, folder / "a.md", []) == (front, body)
