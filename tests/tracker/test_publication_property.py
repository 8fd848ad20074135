"""Whatever is done in whatever order: the copies hold what a much simpler account of the rules says, and can be
made anew from nothing."""

import copy
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter

import pghistory
import pytest
from django.apps import apps
from django.db import IntegrityError, connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from releases.models import Release, ReleaseEvent, ReportedFigure
from tests.conftest import ALL_DATABASES
from tracker import publication, review
from tracker.dates import ImpreciseDate
from tracker.models import Act, Case, Citation, Detention, Name, Part, Person, Prosecution, Record, Source, User
from tracker.publication import HELD, Refused
from tracker.versions import history_of

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

LEVELS = ["public", "researcher", "staff", "sealed"]
SEALABLE = {Person, ReleaseEvent, Source}
#: the column that says something, and the records above
TEXT = {Person: "summary", Detention: "allegation", ReleaseEvent: "summary", Prosecution: "summary",
        ReportedFigure: "group", Release: None, Source: "title", Case: "title"}  # fmt: skip
ABOVE = {Detention: ["person"], Prosecution: ["person"], Release: ["person", "event"], ReportedFigure: ["source"]}


@dataclass
class Facts:
    """What one version of a record says."""

    text: str = ""
    disclosure: str = "public"
    consent: str = "not_asked"
    #: column → the thing it points to
    to: dict = field(default_factory=dict)
    #: names and citations, by id
    parts: dict = field(default_factory=dict)


@dataclass
class Said:
    text: str
    disclosure: str
    source: object = None


class Thing:
    def __init__(self, row, **to):
        self.row, self.now, self.out, self.changed_by, self.submitted_by = row, Facts(to=to), None, set(), None
        #: the publications that are not taken back, each with what readers saw before it and who had changed it
        self.acts = []
        self.deleted = {}

    def __deepcopy__(self, _memo):
        return self

    @property
    def model(self):
        return type(self.row)

    def closed(self, *, then):
        """By itself, as it was published or as it is now."""
        facts = self.out if then else self.now
        level = LEVELS.index(facts.disclosure)
        return max(level, 2) if facts.consent == "not_at_all" else level

    def open_now(self, level):
        above = (self.now.to.get(name) for name in ABOVE.get(self.model, []))
        return self.closed(then=False) <= level and all(thing is None or thing.open_now(level) for thing in above)

    def shown(self, level):
        if self.out is None or max(self.closed(then=True), self.closed(then=False)) > level:
            return False
        for name in ABOVE.get(self.model, []):
            then, now = self.out.to.get(name), self.now.to.get(name)
            if then is not None and not then.shown(level):
                return False
            if now is not None and now is not then and not now.open_now(level):
                return False
        return True

    def withheld(self):
        return "name_withheld" in {self.out.consent, self.now.consent}


class World:
    def __init__(self, users):
        self.users, self.texts, self.published, self.acts = users, 0, 0, []
        self.sources = [self.thing(Source, title="") for _ in range(3)]
        self.case = self.thing(Case, title="")
        self.persons = [self.thing(Person), self.thing(Person)]
        self.event = self.thing(ReleaseEvent, title="An event")
        self.detentions = [
            self.thing(Detention, person=self.persons[0], started=day(year), ended=day(year + 1))
            for year in (2015, 2018)
        ]
        self.prosecution = self.thing(Prosecution, person=self.persons[0], case=self.case)
        self.release = self.thing(Release, person=self.persons[0], event=self.event)
        self.figures = [
            self.thing(ReportedFigure, source=self.sources[n], subject="released", low=9, high=9) for n in range(2)
        ]
        self.records = [
            *self.persons, self.event, *self.detentions, self.prosecution, self.release, *self.figures,
        ]  # fmt: skip
        for number, record in enumerate(self.records):
            self.cite(record, self.sources[number % 3], users[0])

    def thing(self, model, **values):
        to = {name: value for name, value in values.items() if isinstance(value, Thing)}
        text = self.text()
        if TEXT[model]:
            values[TEXT[model]] = text
        values = {name: value.row if isinstance(value, Thing) else value for name, value in values.items()}
        with self.by(self.users[0]):
            thing = Thing(model.objects.create(**{"disclosure": "public", **values}), **to)
        thing.now.text = text if TEXT[model] else ""
        thing.changed_by = {self.users[0]}
        return thing

    def text(self):
        self.texts += 1
        return f"t{self.texts}t"

    def by(self, user):
        return pghistory.context(user=str(user.pk))

    # What is done. Each is an edit as the admin makes it: saved, and closed at once.

    def save(self, thing, user, *, row=None, **values):
        """Returns False where the database refused it."""
        row = row or thing.row
        try:
            with self.by(user), transaction.atomic():
                row.refresh_from_db()
                before = row.revision
                for name, value in values.items():
                    setattr(row, name, value.row if isinstance(value, Thing) else value)
                row.save()
                publication.close(thing.row)
        except IntegrityError:
            row.refresh_from_db()
            return False
        if row.revision != before:
            thing.changed_by.add(user)
        return True

    def cite(self, record, source, user):
        if record.model is ReportedFigure:
            return
        model, text = record.model.citation_model(), self.text()
        with self.by(user):
            row = model.objects.create(**{model.owner: record.row}, source=source.row, stated=text)
        record.now.parts[row.pk] = Said(text, "public", source)
        record.changed_by.add(user)

    def name(self, person, user):
        text = self.text()
        position = 1 + max((row.position for row in Name.objects.filter(person=person.row)), default=0)
        with self.by(user):
            row = Name.objects.create(person=person.row, text=text, position=position)
        person.now.parts[row.pk] = Said(text, "public")
        person.changed_by.add(user)

    def part(self, record, number):
        keys = sorted(record.now.parts, key=lambda key: record.now.parts[key].text)
        if not keys:
            return None, None
        key = keys[number % len(keys)]
        model = record.model.citation_model() if record.now.parts[key].source else Name
        return key, model.objects.get(pk=key)

    def step(self, what, a, b, c):
        user = self.users[c % 3]
        record = self.records[a % len(self.records)]
        thing = [*self.records, *self.sources, self.case][a % (len(self.records) + 4)]
        person, other = self.persons[a % 2], self.persons[(a + 1) % 2]
        source = self.sources[b % 3]
        match what:
            case "text":
                text = self.text()
                if TEXT[thing.model] and self.save(thing, user, **{TEXT[thing.model]: text}):
                    thing.now.text = text
            case "disclosure":
                level = LEVELS[b % (4 if thing.model in SEALABLE else 3)]
                if self.save(thing, user, disclosure=level):
                    thing.now.disclosure = level
            case "consent":
                consent = ["not_asked", "name_withheld", "not_at_all", "may_be_published"][b % 4]
                if self.save(person, user, consent=consent):
                    person.now.consent = consent
            case "name":
                self.name(person, user)
            case "cite":
                self.cite(record, source, user)
            case "part":
                key, row = self.part(record, b)
                if row is not None:
                    text, level = self.text(), LEVELS[c % 3]
                    column = "text" if isinstance(row, Name) else "stated"
                    if self.save(record, user, row=row, disclosure=level, **{column: text}):
                        said = record.now.parts[key]
                        said.text, said.disclosure = text, level
            case "source":
                key, row = self.part(record, b)
                new = self.sources[c % 3]
                if row is not None and isinstance(row, Citation) and self.save(record, user, row=row, source=new):
                    record.now.parts[key].source = new
            case "delete":
                key, row = self.part(record, b)
                if row is not None:
                    with self.by(user):
                        row.delete()
                    record.deleted[key] = record.now.parts.pop(key)
                    record.changed_by.add(user)
            case "move name":
                key, row = self.part(person, b)
                if isinstance(row, Name):
                    position = 1 + max((row.position for row in Name.objects.filter(person=other.row)), default=0)
                    if self.save(person, user, row=row, person=other, position=position):
                        publication.close(other.row)
                        other.now.parts[key] = person.now.parts.pop(key)
                        other.changed_by.add(user)
            case "move":
                moved = [*self.detentions, self.prosecution, self.release][b % 4]
                if self.save(moved, user, person=person):
                    moved.now.to["person"] = person
            case "link":
                if b % 3 == 0:
                    target = None if c % 2 else self.case
                    if self.save(self.prosecution, user, case=target):
                        self.prosecution.now.to["case"] = target
                elif b % 3 == 1:
                    target = None if c % 2 else self.event
                    if self.save(self.release, user, event=target):
                        self.release.now.to["event"] = target
                else:
                    target = None if c % 2 else self.figures[0]
                    if self.save(self.figures[1], user, part_of=target):
                        self.figures[1].now.to["part_of"] = target
            case "submit":
                self.submit([record], user)
            case "send back":
                with suppress(Refused):
                    review.send_back([record.row], by=user, why="look again")
            case "publish":
                chosen = {record, self.records[b % len(self.records)]}
                if b % 4 == 0:
                    chosen = set(self.records)
                self.submit(chosen, self.users[(c + 1) % 3])
                self.publish([one for one in self.records if one in chosen], user)
            case "withdraw":
                try:
                    publication.withdraw([record.row], by=user)
                except Refused:
                    return
                record.out, record.acts = None, []
            case "take back":
                self.take_back(b, user)

    def submit(self, records, user):
        for record in records:
            try:
                review.submit([record.row], by=user)
            except Refused:
                continue
            record.submitted_by = user

    def publish(self, records, user):
        try:
            publication.publish([record.row for record in records], by=user)
        except Refused:
            return
        self.published += 1
        act = Act.objects.newest_first()[0].context
        self.acts.append(act)
        for record in records:
            assert user is not record.submitted_by
            assert user not in record.changed_by, "somebody published what they changed"
            self.show(record, act)
            along = {said.source for said in record.now.parts.values()} | set(record.now.to.values())
            for thing in along:
                comes_along = thing is not None and thing.model in (Source, Case)
                if (
                    comes_along
                    and act not in map(itemgetter(0), thing.acts)
                    and (thing.out is None or user not in thing.changed_by)
                ):
                    self.show(thing, act)

    def show(self, thing, act):
        thing.acts.append((act, thing.out, thing.changed_by))
        thing.out, thing.changed_by = copy.deepcopy(thing.now), set()

    def take_back(self, number, user):
        """What is left, and why, the plan says: it is asked by itself."""
        act = self.acts[number % len(self.acts)]
        plan = publication.returning(act)
        refused = ""
        try:
            publication.take_back(act, by=user)
        except Refused as error:
            refused = str(error)
        if refused:
            assert "contradict" in refused or not any(record.row in plan.back for record in self.records)
            return
        for thing in [*self.records, *self.sources, self.case]:
            if thing.row in plan.back:
                last, thing.out, changed_by = thing.acts.pop()
                assert last == act, "only what this publication shows goes back"
                thing.changed_by = thing.changed_by | changed_by

    # What readers see

    def seen(self, level):
        """The texts that this audience's copy holds."""
        texts = set()
        for record in self.records:
            if not record.shown(level):
                continue
            if record.model is not ReportedFigure or record.out.to["source"].shown(level):
                texts.add(record.out.text)
            if record.model is ReportedFigure:
                texts.add(record.out.to["source"].out.text)
            linked = record.out.to.get("case")
            if linked is not None and linked.shown(level):
                texts.add(linked.out.text)
            for key, said in record.out.parts.items():
                if self.says(record, key, said, level):
                    texts.add(said.text)
                    if said.source:
                        texts.add(said.source.out.text)
        return texts - {""}

    def says(self, record, key, said, level):
        owner, now = next(
            (one, parts[key]) for one in self.records for parts in (one.now.parts, one.deleted) if key in parts
        )
        if max(LEVELS.index(said.disclosure), LEVELS.index(now.disclosure)) > level:
            return False
        if owner is not record and not owner.open_now(level):
            return False
        if said.source is None:
            withheld = record.withheld() or owner.now.consent == "name_withheld"
            return not withheld
        return said.source.shown(level) and (now.source is said.source or now.source.closed(then=False) <= level)

    def check(self, *, at_length):
        for alias, level in (("public", 0), ("researcher", 1)):
            found, past = texts_in(alias)
            assert found == self.seen(level), alias
            assert past - found <= self.once_public(level), alias
        if at_length:
            assert list(map(str, publication.verify())) == []

    def once_public(self, level):
        """What a copy's past may hold besides its present: earlier texts of what it still shows, or took away when a
        second person published that it is gone."""
        kept = set()
        for text, thing in self.slots.items():
            record, key = thing
            if record.shown(level) and (
                key is None or key not in record.out.parts or self.says(record, key, record.out.parts[key], level)
            ):
                kept.add(text)
        return kept

    @property
    def slots(self):
        return getattr(self, "_slots", {})

    def remember(self):
        """Which thing each text belongs to (texts are never used twice)."""
        slots = self._slots = self.slots
        for thing in [*self.records, *self.sources, self.case]:
            slots.setdefault(thing.now.text, (thing, None))
            for key, said in thing.now.parts.items():
                slots.setdefault(said.text, (thing, key))


def day(year):
    return ImpreciseDate.from_day(date(year, 6, 1))


COLUMNS = [
    *((model, column) for model, column in TEXT.items() if column),
    (Name, "text"),
    *((model, "stated") for model in apps.get_models() if issubclass(model, Citation)),
]  # fmt: skip


def texts_in(alias):
    found, past = set(), set()
    for model, column in COLUMNS:
        found |= set(model.objects.using(alias).exclude(pk=HELD).values_list(column, flat=True))
        past |= set(
            history_of(model)._base_manager.using(alias).exclude(pgh_obj_id=HELD).values_list(column, flat=True)
        )
    return found - {"", "Information held by the organisation"}, past - {"", "Information held by the organisation"}


def dump(alias):
    rows = {}
    for model in apps.get_models():
        if issubclass(model, Record | Part):
            names = [column.attname for column in model._meta.concrete_fields if column.name != "revision"]
            rows[model] = sorted(map(repr, model.objects.using(alias).values_list(*names)))
    return rows


def empty(alias):
    with connections[alias].cursor() as cursor:
        tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, Record | Part)]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")


ACTS = st.sampled_from(
    ["publish"] * 5
    + ["disclosure"] * 3
    + ["text", "consent", "name", "cite", "part", "part", "source", "delete", "move name", "move", "link"]
    + ["submit", "send back", "withdraw", "take back", "take back"]
)
NUMBER = st.integers(0, 11)


@given(steps=st.lists(st.tuples(ACTS, NUMBER, NUMBER, NUMBER), min_size=8, max_size=24))
@settings(
    max_examples=5,
    derandomize=True,
    phases=[Phase.generate],  # to make an example smaller takes minutes: add Phase.shrink when there is one
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_order(db, steps):
    with ExitStack() as rolled_back:
        for alias in ALL_DATABASES:
            block = transaction.atomic(using=alias)
            block._from_testcase = True  # as of a test: publish opens its outermost transaction inside
            rolled_back.enter_context(block)
            rolled_back.callback(transaction.set_rollback, True, using=alias)
        world = World([User.objects.create(username=name) for name in ("alice", "bob", "carol")])
        world.remember()
        world.step("publish", 0, 0, 1)
        assert world.published, "the first publication is of everything"
        for number, step in enumerate(steps):
            world.step(*step)
            world.remember()
            world.check(at_length=number % 6 == 5)
        world.check(at_length=True)
        for alias in ("public", "researcher"):
            before = dump(alias)
            empty(alias)
            list(publication.repair())
            assert dump(alias) == before
