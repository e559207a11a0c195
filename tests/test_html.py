"""The notebooks as HTML (nbconvert): every picture has its alternative text, headings come in order."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from rnn_from_scratch.cli import main
from rnn_from_scratch.course import ReleaseError
from rnn_from_scratch.course.pages import with_alternative_texts, write_pages

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = [path.stem for path in sorted((FOLDER / "solutions").glob("*.ipynb"))]
NOBODYS = "No description has been provided"  # what nbconvert puts where it finds nothing
ALT = 'A line that rises to "one" & then falls < again.'


class Page(HTMLParser):
    """The pictures' texts, and the levels of the headings."""

    def __init__(self, html):
        super().__init__()
        self.alts, self.levels = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append(dict(attrs).get("alt") or "")
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.levels.append(int(tag[1]))


def check(html, pictures):
    page = Page(html)
    assert len(page.alts) == pictures
    assert all(len(alt) >= 20 and not alt.startswith(NOBODYS) for alt in page.alts), page.alts
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(page.levels)), page.levels


def pictures(node):
    kinds = [kind for cell in node.cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    return sum(kind.startswith("image/") for kind in kinds)


def basic(node):
    """Export without a page's frame and without code, which hold no picture and no heading and take the time."""
    from nbconvert import HTMLExporter

    return HTMLExporter(template_name="basic", exclude_input=True).from_notebook_node(node)[0]


def drawn(alt=ALT, heading="# Title"):
    output = nbformat.v4.new_output("display_data", data={"image/png": "AA\nAA"})
    cell = nbformat.v4.new_code_cell("x", outputs=[output], metadata={"alt": alt} if alt else {})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(heading), cell])


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_its_text_and_headings_are_in_order(name):
    node = nbformat.read(FOLDER / "solutions" / f"{name}.ipynb", 4)  # its release has no picture or heading more
    check(basic(with_alternative_texts(node, name)), pictures(node))
    released = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    assert pictures(with_alternative_texts(released, name)) == 0
    assert pictures(released) <= pictures(node)


def test_a_page_as_one_reads_it(tmp_path, capsys):
    (path,) = write_pages(tmp_path, FOLDER, ["01"], progress=lambda line: None)
    node = nbformat.read(FOLDER / "01_one_recurrent_step.ipynb", 4)
    assert path == tmp_path / "01_one_recurrent_step.html"
    check(path.read_text(encoding="utf-8"), pictures(node))
    assert pictures(node) == 3
    assert main(["course", "html", str(tmp_path / "more"), "02", "--solutions", "--folder", str(FOLDER)]) == 0
    assert "1 page written" in capsys.readouterr().out
    assert "1 / 8, 2 / 8, 5 / 8" in words(tmp_path / "more" / "02_losses.html")


def words(path):
    return re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))


def test_these_tests_see_what_is_missing():
    node = drawn()
    before = nbformat.writes(node)
    html = basic(with_alternative_texts(node))
    check(html, 1)
    assert Page(html).alts == [ALT]
    assert "base64,AAAA" in html
    assert nbformat.writes(node) == before
    with pytest.raises(ReleaseError, match="05_x: a picture has no alternative text"):
        with_alternative_texts(drawn(alt=""), "05_x")
    with pytest.raises(AssertionError):
        check(basic(drawn(alt="")), 1)
    for heading in ("## Title", "# Title\n\n### Too deep", "# Title\n\n# Again"):
        with pytest.raises(AssertionError):
            check(basic(with_alternative_texts(drawn(heading=heading))), 1)
