"""Charts as SVG text: numbers and labels in, a picture out that needs no script and no style sheet.

Colours and sizes are attributes, so that a file that was saved looks right by itself; each part has a class as well,
by which the style sheet of a page that holds the picture adapts it to dark mode and to paper. What is shown is said in
the description, too, and nothing is told by colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import count
from typing import Final

WIDTH: Final = 480
_SIZE: Final = 13  # of the letters
_INK, _SOFT, _LINE, _PAPER = "#1d1c1a", "#5a564e", "#dcd6ca", "#fdfcf9"
_CERTAIN, _OTHERS = "#1d4a5c", "#a2703a"
#: One after the other: what lies beside one another differs in lightness, not in hue alone.
SHADES: Final = ("#1d4a5c", "#d9a066", "#7fa8b8", "#8c2f1f", "#b9b2a4")
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"


#: Where a number stands
Place = Callable[[float], float]


@dataclass(frozen=True)
class Words:
    """What a picture is called, what it shows in a few sentences, and a name for its parts that no other one has."""

    name: str
    title: str
    description: str


@dataclass(frozen=True)
class Point:
    """What somebody else says of a day: the lowest and highest it can be. ``mark`` is printed beside it."""

    day: date
    low: int | None
    high: int | None
    mark: str


def ticks(most: int) -> list[int]:
    """Round numbers from 0 to the first that is not below ``most``: at most six, at least two."""
    step = next(factor * 10**power for power in count() for factor in (1, 2, 5) if most <= 5 * factor * 10**power)
    return [step * number for number in range(max(1, -(-most // step)) + 1)]


def over_time(
    words: Words,
    days: Sequence[date],
    certain: Sequence[int],
    possible: Sequence[int],
    points: Sequence[Point],
    legend: tuple[str, str, str],
) -> str:
    """A band above a line: how many are certain, how many more possible, on days that are joined by straight lines."""
    height, right, top, bottom = 300, 16, 44, 28
    numbers = [number for point in points for number in (point.low, point.high) if number is not None]
    scale = ticks(max([sure + more for sure, more in zip(certain, possible, strict=True)] + numbers, default=0))
    left = _wide(f"{scale[-1]:,}") + 10
    first, last = days[0].toordinal(), days[-1].toordinal()

    def x(day: date) -> float:
        return left + (day.toordinal() - first) / max(1, last - first) * (WIDTH - left - right)

    def y(number: float) -> float:
        return height - bottom - number / scale[-1] * (height - top - bottom)

    places = [x(day) for day in days] if len(days) > 1 else [left, WIDTH - right]
    sure = list(certain) if len(days) > 1 else list(certain) * 2
    both = [one + more for one, more in zip(certain, possible, strict=True)] * (1 if len(days) > 1 else 2)
    below = [(place, y(number)) for place, number in zip(places, sure, strict=True)]
    above = [(place, y(number)) for place, number in zip(places, both, strict=True)]
    floor = [(places[-1], y(0)), (places[0], y(0))]
    parts = [_scale(scale, y, left, WIDTH - right)]
    parts += [
        f'<path class="possible" d="{_path([*above, *reversed(below)])}Z" fill="{_CERTAIN}" fill-opacity="0.3"/>',
        f'<path class="certain" d="{_path([*below, *floor])}Z" fill="{_CERTAIN}" fill-opacity="0.85"/>',
        f'<path class="edge" d="{_path(above)}" fill="none" stroke="{_CERTAIN}" stroke-dasharray="3 2"/>',
    ]
    parts += _years(days, x, y(0))
    for point in points:
        # of the same day one mark stands to the left, the next to the right
        same = [other for other in points if abs(x(other.day) - x(point.day)) < 6]
        side = -1 if len(same) > 1 and same.index(point) % 2 == 0 else min(1, len(same) - 1)
        parts.append(_point(point, min(max(x(point.day), left + 4), WIDTH - right - 4), y, side))
    keys = [
        (f'class="certain" fill="{_CERTAIN}" fill-opacity="0.85"', legend[0]),
        (f'class="possible" fill="{_CERTAIN}" fill-opacity="0.3"', legend[1]),
    ]
    if points:
        keys.append((f'class="said" fill="{_OTHERS}"', legend[2]))
    return _svg(words, height, [*parts, *_legend(keys)])


def columns(words: Words, months: Sequence[date], series: Sequence[tuple[str, Sequence[int], int]]) -> str:
    """A column for each month, in which the series stand on top of one another, each in one of the ``SHADES``."""
    rows = 1 + int(sum(26 + _wide(name) for name, _values, _shade in series) // (WIDTH - 40))
    height, right, top, bottom = 250 + 18 * rows, 16, 22 + 18 * rows, 28
    totals = [sum(values[number] for _name, values, _shade in series) for number in range(len(months))]
    scale = ticks(max(totals, default=0))
    left = _wide(f"{scale[-1]:,}") + 10
    step = (WIDTH - left - right) / max(1, len(months))
    width = min(step * 0.8, 36)

    def y(number: float) -> float:
        return height - bottom - number / scale[-1] * (height - top - bottom)

    parts = [_scale(scale, y, left, WIDTH - right)]
    for number in range(len(months)):
        from_ = 0
        for _name, values, shade in series:
            if values[number]:
                upper = y(from_ + values[number])
                parts.append(
                    f'<rect {_shade(shade)} x="{left + step * (number + 0.5) - width / 2:.1f}" y="{upper:.1f}"'
                    f' width="{width:.1f}" height="{y(from_) - upper:.1f}"/>'
                )
                from_ += values[number]

    def x(day: date) -> float:
        return left + step * (0.5 + (day.year - months[0].year) * 12 + day.month - months[0].month)

    parts += _years(months, x, y(0))
    keys = [(_shade(shade), name) for name, _values, shade in series]
    return _svg(words, height, [*parts, *_legend(keys)])


def bars(words: Words, rows: Sequence[tuple[str, int, int]], legend: tuple[str, str] | None = None) -> str:
    """A bar for each row, with its label above it: how many are certain, and how many more possible."""
    told = [f"{sure:,} + {more:,}" if more else f"{sure:,}" for _label, sure, more in rows]
    step, top, right = 40, 30 if legend else 8, 8 + max(map(_wide, told), default=0)
    height = top + step * len(rows) + 6
    most = max([sure + more for _label, sure, more in rows], default=0) or 1
    parts = []
    for number, (label, sure, more) in enumerate(rows):
        upper = top + step * number
        wide, wider = (value / most * (WIDTH - right) for value in (sure, sure + more))
        parts.append(_text(0, upper + 13, label, "ink", _INK, limit=62))
        if sure:
            parts.append(
                f'<rect class="certain" x="0" y="{upper + 18}" width="{wide:.1f}" height="14" fill="{_CERTAIN}"'
                ' fill-opacity="0.85"/>'
            )
        if more:
            parts.append(
                f'<rect class="possible" x="{wide:.1f}" y="{upper + 18}" width="{wider - wide:.1f}" height="14"'
                f' fill="{_CERTAIN}" fill-opacity="0.3"/>'
            )
        parts.append(_text(wider + 5, upper + 30, told[number], "quiet", _SOFT))
    keys = []
    if legend:
        keys = [
            (f'class="certain" fill="{_CERTAIN}" fill-opacity="0.85"', legend[0]),
            (f'class="possible" fill="{_CERTAIN}" fill-opacity="0.3"', legend[1]),
        ]
    return _svg(words, height, [*parts, *_legend(keys)])


def framed(picture: str, heading: str, lines: Sequence[str]) -> str:
    """For a picture that leaves its page: with what it shows above it, and whose it is below."""
    width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', picture)[0]
    whole = int(width) + 32, int(height) + 64 + 18 * len(lines)
    below = [_text(16, int(height) + 66 + 18 * place, line, "quiet", _SOFT) for place, line in enumerate(lines)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole[0]} {whole[1]}" width="{whole[0]}"'
        f' height="{whole[1]}" font-family="{_FONT}"><rect width="{whole[0]}" height="{whole[1]}" fill="{_PAPER}"/>'
        f'<text x="16" y="28" fill="{_INK}" font-size="17" font-weight="600">{escape(heading)}</text>'
        f'<g transform="translate(16 44)">{picture}</g>{"".join(below)}</svg>'
    )


# --- Parts


def _wide(text: str) -> float:
    """About how wide a text is, rather too much than too little."""
    return 0.62 * _SIZE * len(text)


def _svg(words: Words, height: int, parts: Sequence[str]) -> str:
    name = escape(words.name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="{name}-title {name}-description" font-family="{_FONT}">'
        f'<title id="{name}-title">{escape(words.title)}</title>'
        f'<desc id="{name}-description">{escape(words.description)}</desc>'
        f'<rect class="paper" width="{WIDTH}" height="{height}" fill="{_PAPER}"/>{"".join(parts)}</svg>'
    )


def _text(
    x: float, y: float, text: str, kind: str, fill: str, anchor: str = "start", *, limit: int = 80, halo: bool = False
) -> str:
    shown = text if len(text) <= limit else f"{text[: limit - 1]}…"
    around = f' stroke="{_PAPER}" stroke-width="3" paint-order="stroke"' if halo else ""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-size="{_SIZE}"'
        f' text-anchor="{anchor}"{around}>{escape(shown)}</text>'
    )


def _shade(number: int) -> str:
    return f'class="shade-{number}" fill="{SHADES[number]}"'


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _scale(scale: Sequence[int], y: Place, left: float, right: float) -> str:
    return "".join(
        f'<path class="grid" d="M{left} {y(number):.1f}H{right}" stroke="{_LINE}"/>'
        + _text(left - 6, y(number) + 4, f"{number:,}", "quiet", _SOFT, "end")
        for number in scale
    )


def _years(days: Sequence[date], x: Callable[[date], float], y: float) -> list[str]:
    """Marks below the picture: the years, or the months where there are few; as many as have room."""
    if (days[-1].year - days[0].year) * 12 + days[-1].month - days[0].month < 24:
        marks = [(day, f"{day.year}-{day.month:02}") for day in days]
    else:
        years = range(days[0].year + (days[0].month > 1), days[-1].year + 1)
        marks = [(max(date(year, 1, 1), days[0]), str(year)) for year in years]
    every = -(-len(marks) // (5 if len(marks) and len(marks[0][1]) > 4 else 9))
    parts = []
    for number, (day, label) in enumerate(marks):
        if (len(marks) - 1 - number) % max(1, every) == 0:
            place = x(day)
            anchor = "end" if place > WIDTH - 40 else "middle"
            parts.append(f'<path class="axis" d="M{place:.1f} {y:.1f}v5" stroke="{_SOFT}"/>')
            parts.append(_text(place + (6 if anchor == "end" else 0), y + 19, label, "quiet", _SOFT, anchor))
    return parts


def _point(point: Point, x: float, y: Place, side: int) -> str:
    """A dot; a stroke from the lowest to the highest it can be; an arrow where there is no highest or lowest."""
    known = [number for number in (point.low, point.high) if number is not None]
    if not known:
        return ""
    at = y(sum(known) / len(known))
    parts = []
    if len(known) == 1:
        away = -1 if point.high is None else 1
        parts.append(
            f'<path class="said-line" d="M{x:.1f} {at:.1f}v{away * 13}m-4 {-away * 5}l4 {away * 5}l4 {-away * 5}"'
            f' fill="none" stroke="{_OTHERS}" stroke-width="1.5"/>'
        )
    elif point.low != point.high:
        upper, lower = y(point.high or 0), y(point.low or 0)
        parts.append(
            f'<path class="said-line" d="M{x - 4:.1f} {upper:.1f}h8m-4 0V{lower:.1f}m-4 0h8" fill="none"'
            f' stroke="{_OTHERS}" stroke-width="1.5"/>'
        )
    parts.append(
        f'<circle class="said halo" cx="{x:.1f}" cy="{at:.1f}" r="4" fill="{_OTHERS}" stroke="{_PAPER}"'
        ' stroke-width="1.5"/>'
    )
    top = y(point.high) - 5 if point.high is not None else at - 18
    place, height = (x + 9 * side, at + 4) if side else (x, top)
    anchor = {-1: "end", 0: "middle", 1: "start"}[side]
    parts.append(_text(place, height, point.mark, "ink halo", _INK, anchor, halo=True))
    return "".join(parts)


def _legend(keys: Sequence[tuple[str, str]]) -> list[str]:
    parts, x, y = [], 0.0, 4.0
    for look, name in keys:
        wide = 26 + _wide(name)
        if x and x + wide > WIDTH:
            x, y = 0.0, y + 18
        parts.append(f'<rect {look} x="{x:.1f}" y="{y:.1f}" width="11" height="11"/>')
        parts.append(_text(x + 16, y + 10, name, "ink", _INK))
        x += wide
    return parts
