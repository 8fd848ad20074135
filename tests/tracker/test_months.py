"""How many are in custody at the end of each month: the file against the querysets, on small worlds drawn at random."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.rows import ask_what_is_deferred, make
from tests.tracker.test_spells import cells, sentenced
from tracker.models import Detention, Organisation, Person, Placement, Recognition
from tracker.vocabularies import Audience, Custody, CustodyType

pytestmark = pytest.mark.django_db

FIRST, ON = date(2023, 1, 1), date(2024, 3, 30)


def month_ends(first, on):
    day = first.replace(day=1)
    while True:
        day = (day + timedelta(days=31)).replace(day=1)
        if day - timedelta(days=1) > on:
            return
        yield day - timedelta(days=1)


class Drawn:
    """A small world: some two dozen persons, most with dates that are not exact."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.bodies = [make(Organisation, name=f"Invented Committee {number}") for number in range(2)]
        for _number in range(14):
            self.person()
        ask_what_is_deferred()

    def day(self, first=0, last=480):
        return FIRST + timedelta(days=self.random.randint(first, last))

    def span(self, day):
        """The day itself, its month, its year or some days around it."""
        around = day - timedelta(days=self.random.randint(0, 40)), day + timedelta(days=self.random.randint(0, 40))
        forms = [day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}", f"{around[0]}/{around[1]}"]
        return self.random.choices(forms, [6, 3, 1, 2])[0]

    def maybe(self, chance, value):
        return value() if self.random.random() < chance else None

    def person(self):
        sex = self.random.choice(["female", "male", ""])
        end = self.day(100)
        died = self.maybe(0.1, lambda: self.span(end))
        person = make(Person, sex=sex, died=died)
        after = 0
        for number in range(self.random.choice([1, 1, 2])):
            first = (self.day(after, after + 200) - FIRST).days
            last = first + self.random.randint(1, 200)
            after = last + self.random.randint(0, 90)
            start, end = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
            ended = self.span(end) if number == 0 and self.random.random() < 0.8 else None
            values = {"started": self.maybe(0.75, lambda day=start: self.span(day)), "ended": ended}
            if self.random.random() < 0.3:
                values["confirmed"] = start + timedelta(days=self.random.randint(0, last - first - 1))
            try:
                self.detention(person, values, first, last)
            except Refused:
                return
            if ended is None:
                break
        for body in self.bodies:
            for _time in range(self.random.choice([0, 1, 2])):
                start = self.day()
                make(
                    Recognition,
                    person=person,
                    body=body,
                    status=self.random.choice(["political_prisoner", "posthumous", "withdrawn", "not_recognised"]),
                    started=self.maybe(0.8, lambda day=start: self.span(day)),
                    ended=self.maybe(0.2, lambda day=start: (day + timedelta(days=100)).isoformat()),
                )

    def detention(self, person, values, first, last):
        detention = made(Detention, person=person, **values)
        for _number in range(self.random.choice([0, 1, 2, 3])):
            began = FIRST + timedelta(days=self.random.randint(first, last - 1))
            made(
                Placement,
                detention=detention,
                custody_type=self.random.choice(["sizo", "colony", "iuot", "house_arrest", "home_restriction", ""]),
                started=self.maybe(0.8, lambda day=began: self.span(day)),
                ended=self.maybe(0.3, lambda: self.span(FIRST + timedelta(days=last - 1))),
                may_be_refused=True,
            )
        if self.random.random() < 0.4:
            for _number in range(self.random.choice([1, 2])):
                kind = self.random.choice(["imprisonment", "imprisonment", "life"])
                end = None if kind == "life" else self.span(self.day(last // 2))
                sentenced(detention, kind=kind, expected_end=end)


class Refused(Exception):
    pass


def made(model, *, may_be_refused=False, **values):
    try:
        with transaction.atomic():
            row = make(model, **values)
            ask_what_is_deferred()
            return row
    except IntegrityError:
        if not may_be_refused:
            raise Refused from None


def custody_class(kind):
    return CustodyType(kind).custody if kind else Custody.CLOSED


def of_person(person, on):
    """The class of somebody who may be in custody, by the querysets."""
    own = Detention.objects.filter(person=person)
    sure = own.surely_held(on).custody(on).first()
    if sure and person.surely:
        return custody_class(sure.custody_type)
    kinds = {custody_class(one.custody_type) for one in own.possibly_held(on).custody(on)}
    return next(kind for kind in (Custody.HOME, Custody.OPEN, Custody.CLOSED) if kind in kinds)


def recognised_by(person, body, on):
    """None, "possibly" or "surely"."""
    rows = list(Recognition.objects.filter(person=person, body=body))
    against = {"withdrawn", "not_recognised"}
    told = set()
    for row in rows:
        if row.status in against:
            continue
        later = [
            one for one in rows
            if one.status in against and not (one.started and row.started and one.started.upper <= row.started.earliest)
        ]  # fmt: skip
        ends = [row.ended, *(one.started for one in later if one.started)]
        if (row.started and row.started.earliest > on) or any(end and end.upper <= on for end in ends):
            continue
        told.add("possibly")
        sure = row.started and row.started.latest <= on and not any(end and end.earliest <= on for end in ends)
        if sure and all(one.started for one in later):
            told.add("surely")
    return "surely" if "surely" in told else "possibly" if told else None


def expected(on, bodies):
    """What the rows of the month should say: (custody, sex, body) → certain, possible."""
    certain, possible = Counter(), Counter()
    for person in Person.objects.counted().in_custody(on):
        kind = of_person(person, on)
        by = [
            (None, True),
            *((body, known == "surely") for body in bodies if (known := recognised_by(person, body, on))),
        ]
        for body, known in by:
            for custody in ("", kind.value):
                key = (custody, person.sex, str(body.pk) if body else "")
                possible[key] += 1
                certain[key] += bool(person.surely and known)
    return {key: (certain[key], number) for key, number in possible.items()}


@pytest.mark.parametrize("seed", range(8))
def test_the_file_says_what_the_querysets_say(seed):
    world = Drawn(seed)
    found = {}
    for row in cells("custody_monthly", ON):
        key = row["custody"], row["sex"], row["body_id"]
        assert key not in found.setdefault(row["day"], {})
        found[row["day"]][key] = int(row["certain"]), int(row["possible"])
        assert row["month"] == row["day"][:7]
        assert row["body"] == next((body.name for body in world.bodies if str(body.pk) == row["body_id"]), "")
    ends = list(month_ends(date.fromisoformat(min(found)), ON))
    assert set(found) <= {day.isoformat() for day in ends}
    days = world.random.sample(ends, 6)
    for day in days:
        assert found.get(day.isoformat(), {}) == expected(day, world.bodies), day


def test_the_worlds_are_worth_comparing():
    """Each case of the rule occurs in some of them."""
    seen = set()
    for seed in range(6):
        world = Drawn(seed)
        for day in list(month_ends(FIRST, ON))[seed % 4 :: 4]:
            for (custody, _sex, body), (certain, possible) in expected(day, world.bodies).items():
                seen |= {
                    (custody, bool(body), certain > 0),
                    (custody, bool(body), "more" if possible > certain else ""),
                }
        if Detention.objects.filter(Detention.objects.run_out(ON)).exists():
            seen.add("run out")
    for custody in ("", "closed", "open", "home"):
        for body in (True, False):
            assert {(custody, body, True), (custody, body, False), (custody, body, "more")} <= seen
    assert "run out" in seen


def test_a_month_that_is_not_over_is_not_in_it(person):
    make(Detention, person=person, started="2024-01-31")
    assert [row["day"] for row in cells("custody_monthly", date(2024, 3, 30)) if not row["custody"]] == [
        "2024-01-31", "2024-02-29",
    ]  # fmt: skip
    assert cells("custody_monthly", date(2024, 3, 31))[-1]["day"] == "2024-03-31"
    assert cells("custody_monthly", date(2024, 1, 30)) == []


def test_nobody_was_ever_held():
    assert cells("custody_monthly") == []


def test_the_first_month_is_that_of_the_first_day_recorded():
    """Who was arrested nobody knows when is not counted back to the beginning of time."""
    make(Detention, ended="2024-02")
    assert [row["month"] for row in cells("custody_monthly", ON) if not row["custody"]] == ["2024-02"]
    make(Detention, started="2023-12-24", ended="2024-01-05")
    rows = [
        (row["month"], row["certain"], row["possible"]) for row in cells("custody_monthly", ON) if not row["custody"]
    ]
    assert rows == [("2023-12", "1", "2"), ("2024-01", "0", "1"), ("2024-02", "0", "1")]


def test_it_can_be_narrowed(person):
    make(Detention, person=person, started="2024-01-01")
    make(Detention, started="2024-01-01")
    found = cells("custody_monthly", ON, Audience.STAFF, Person.objects.filter(pk=person.pk))
    assert {row["possible"] for row in found} == {"1"}
    assert {row["possible"] for row in cells("custody_monthly", ON)} == {"2"}
