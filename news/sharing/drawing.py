"""A picture of 1200 × 630 pixels drawn of a few words, with the font that the system brings."""

import logging
from collections.abc import Sequence
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from labels.proofs.seal import Seal, visible

SIZE = (1200, 630)
MARGIN, WIDTH = 96, 1008
INK, PAPER, SOFT = "#ffffff", "#10264f", "#b9c6de"
SERIF, SANS = "DejaVuSerif", "DejaVuSans"
# Of the title, the largest first: the size of its letters, the lines that it may take.
TITLE_SIZES = ((58, 3), (46, 4))
TITLE_TOP = 182
# Shapes are drawn so much larger and made smaller, which smooths their edges.
SMOOTH = 4
# No font has a letter for it, so it draws what stands for all that are missing.
NO_LETTER = "\U0010ffff"

Font = ImageFont.FreeTypeFont
logger = logging.getLogger(__name__)


@cache
def font(name: str, size: int) -> Font:
    """Raises OSError where the system has no such font."""
    return ImageFont.truetype(f"{name}.ttf", size)


@cache
def has_fonts() -> bool:
    try:
        for name in (SERIF, SANS):
            font(name, TITLE_SIZES[0][0])
    except OSError:
        logger.warning("DejaVu fonts are missing: no pictures are drawn for announcements.")
        return False
    return True


@cache
def has_letter(name: str, letter: str) -> bool:
    drawn = font(name, 20).getmask
    return letter.isspace() or bytes(drawn(letter)) != bytes(drawn(NO_LETTER))


def drawable(text: str, *names: str) -> tuple[str, str]:
    """The text, and the first of the fonts that has all its letters.

    Where none has, the last one, and the text without those that it lacks: no boxes are drawn.
    """
    seen = visible(text)
    for name in names:
        if all(has_letter(name, letter) for letter in seen):
            return seen, name
    kept = "".join(letter for letter in seen if has_letter(names[-1], letter))
    return " ".join(kept.split()), names[-1]


def wrapped(text: str, with_font: Font, most: int, width: int = WIDTH) -> tuple[list[str], bool]:
    """At most so many lines that fit, and whether that is all; else the last ends in “…”."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        line, rest = split_to_fit(rest, with_font, width)
        lines.append(line)
    if rest:
        line = lines[-1]
        while line and with_font.getlength(f"{line}…") > width:
            line = line[:-1]
        lines[-1] = f"{line.rstrip(' ,;:–-')}…"
    return lines, not rest


def split_to_fit(text: str, with_font: Font, width: int) -> tuple[str, str]:
    # Between words; a word that is longer than the line is cut.
    if with_font.getlength(text) <= width:
        return text, ""
    end = 1
    while end < len(text) and with_font.getlength(text[: end + 1]) <= width:
        end += 1
    space = text.rfind(" ", 0, end + 1)
    cut = space if space > 0 else end
    return text[:cut].rstrip(), text[cut:].lstrip()


def draw_picture(site: str, day: str, title: str, about: str, seal: Seal | None) -> bytes:
    # A PNG; the same words give the same picture. Wants `has_fonts()`.
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    stamp(image, emblem(), (MARGIN, 76))
    write_line(draw, (MARGIN + 74, 82), site, 34, INK, SERIF, SANS)
    write_at_the_right(draw, 90, day, 24)
    write_title(draw, title)
    write_line(draw, (MARGIN, 440), about, 28, SOFT, SANS)
    if seal is not None:
        stamp(image, coin(seal), (MARGIN, 498))
        write_line(draw, (MARGIN + 96, 500), seal.heading, 30, INK, SERIF, SANS, indent=96)
        write_line(draw, (MARGIN + 96, 542), seal.status, 24, SOFT, SANS, indent=96)
    drawn = BytesIO()
    image.save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


def write_line(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    colour: str,
    *names: str,
    indent: int = 0,
) -> None:
    # One line, cut where it is too long.
    shown, name = drawable(text, *names)
    for line in wrapped(shown, font(name, size), 1, WIDTH - indent)[0]:
        draw.text(place, line, colour, font(name, size))


def write_at_the_right(draw: ImageDraw.ImageDraw, top: int, text: str, size: int) -> None:
    shown, name = drawable(text, SANS)
    draw.text((MARGIN + WIDTH, top), shown, SOFT, font(name, size), anchor="ra")


def write_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    shown, name = drawable(title, SERIF, SANS)
    for size, most in TITLE_SIZES:
        lines, is_all = wrapped(shown, font(name, size), most)
        if is_all:
            break
    for number, line in enumerate(lines):
        draw.text((MARGIN, TITLE_TOP + round(number * size * 1.32)), line, INK, font(name, size))


def stamp(image: Image.Image, shape: Image.Image, place: tuple[int, int]) -> None:
    small = shape.reduce(SMOOTH)
    image.paste(small, place, small)


def shape_of(side: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    shape = Image.new("RGBA", (side * SMOOTH, side * SMOOTH))
    return shape, ImageDraw.Draw(shape)


def circle(
    draw: ImageDraw.ImageDraw, centre: Sequence[float], radius: float, **colours: object
) -> None:
    x, y = (value * SMOOTH for value in centre)
    reach = radius * SMOOTH
    draw.ellipse((x - reach, y - reach, x + reach, y + reach), **colours)  # type: ignore[arg-type]


def emblem() -> Image.Image:
    # As templates/components/emblem.html has it: three that are tied, in a ring.
    shape, draw = shape_of(58)
    dots = ((29, 16), (17, 37), (41, 37))
    circle(draw, (29, 29), 28, outline=INK, width=3 * SMOOTH)
    corners = [(x * SMOOTH, y * SMOOTH) for x, y in (*dots, dots[0])]
    draw.line(corners, INK, 3 * SMOOTH)
    for dot in dots:
        circle(draw, dot, 6, fill=INK)
    return shape


def coin(seal: Seal) -> Image.Image:
    # Of metal where the label is valid, else an outline.
    shape, draw = shape_of(76)
    metal = seal.metal
    if metal:
        circle(draw, (38, 38), 37, fill=metal.shine)
        circle(draw, (38, 38), 33, fill=metal.face, outline=metal.dark, width=SMOOTH)
    else:
        circle(draw, (38, 38), 36, outline=SOFT, width=2 * SMOOTH)
    letter = font(SERIF, 40 * SMOOTH)
    middle = (38 * SMOOTH, 38 * SMOOTH)
    draw.text(middle, seal.letter, metal.dark if metal else SOFT, letter, anchor="mm")
    return shape
