"""A world in which every text, date, number and id is to be found once, and who may find it.

Whether somebody may see a marker is worked out here from the design (section 4), not from what the models declare:
two accounts of the same rules, held against one another. A model or a field that this account does not know of fails
``test_every_field_has_its_place``.
"""

import calendar
import itertools
import random
import re
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pghistory
from django.apps import apps
from django.db import models, transaction

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    ListLine,
    Note,
    OutsideRemit,
    Participation,
    Release,
    ReleaseCitation,
    ReleaseEvent,
    ReleaseEventCitation,
    ReportedFigure,
    Sitting,
)
from tests.conftest import make_user
from tests.rows import LEAST, ask_what_is_deferred
from tracker import publication, review
from tracker.dates import ImpreciseDate
from tracker.models import (
    EDITOR,
    RESEARCHER,
    REVIEWER,
    Case,
    Charge,
    Citation,
    Detention,
    DetentionCitation,
    Episode,
    ExternalIdentifier,
    Facility,
    FacilityCitation,
    Grant,
    Name,
    NotTheSame,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Part,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionCitation,
    ProsecutionDetention,
    Provision,
    Recognition,
    Record,
    Relationship,
    Reviewed,
    Sentence,
    Source,
    Verdict,
    VerdictCitation,
)
from tracker.models.fields import CodedArrayField, CodedField, ImpreciseDateField, KeyField
from tracker.models.identity import in_order

MODELS = [
    model
    for label in ("tracker", "releases")
    for model in apps.get_app_config(label).get_models()
    if issubclass(model, Record | Part)
]

PUBLIC, RESEARCHERS, STAFF, SEALED = range(4)
#: Words of one length, each unlike the others and unlike a marker.
HIDDEN = {"public draft": "Vurholmin", "sealed published": "Trypaksha"}
NOBODY = "Glinvegur"

LEVEL = {"public": PUBLIC, "researcher": RESEARCHERS, "staff": STAFF, "sealed": SEALED}

#: Who may see a column at the most. What is not here does not exist.
_CLAIM = "source locator stated value as_of speaker origin standing reason reasoning disclosure about"
_ALWAYS = "id revision"
_RECORD = "published_at"
_REVIEW = "review_state submitted_by reviewed_by published_at"


def _columns(public="", researcher="", staff=""):
    found = {}
    for level, names in ((PUBLIC, public), (RESEARCHERS, researcher), (STAFF, staff)):
        found |= dict.fromkeys(names.split(), level)
    return found


def _citation(own):
    return _columns(f"{_ALWAYS} {_CLAIM} {own}", "quote credibility")


COLUMNS = {
    Source: _columns(
        f"{_ALWAYS} title publisher kind authors published language url archive_url derived_from disclosure",
        "accessed reliability",
        f"note {_RECORD}",
    ),
    Organisation: _columns(f"{_ALWAYS} kind name country url disclosure", "", f"note {_RECORD}"),
    OrganisationName: _columns(f"{_ALWAYS} organisation text kind language position"),
    OrganisationCitation: _citation("organisation name"),
    Facility: _columns(
        f"{_ALWAYS} kind name number locality country opened closed disclosure", "", f"note {_RECORD}"
    ),
    FacilityCitation: _citation("facility"),
    Provision: _columns(f"{_ALWAYS} law country article title verified disclosure", "", _RECORD),
    Case: _columns(f"{_ALWAYS} title number disclosure", "", f"note {_RECORD}"),
    Person: _columns(
        f"{_ALWAYS} missing pid identification label sex born died citizenships home_town occupations contexts coding_note"
        " summary merged_into disclosure",
        "death_circumstances",
        f"consent consent_by consent_on {_REVIEW}",
    ),
    Name: _columns(f"{_ALWAYS} person text language script kind scheme position search_key sound_key near_keys disclosure"),
    Relationship: _columns(f"{_ALWAYS} person kind other note disclosure"),
    Recognition: _columns(f"{_ALWAYS} missing person body status criteria started ended"),
    ExternalIdentifier: _columns(f"{_ALWAYS} person scheme value"),
    PersonCitation: _citation("person name relationship recognition"),
    Detention: _columns(
        f"{_ALWAYS} missing person started ended end_reason authority allegation confirmed disclosure", "", _REVIEW
    ),
    Placement: _columns(f"{_ALWAYS} missing detention facility custody_type whereabouts started ended"),
    Episode: _columns(f"{_ALWAYS} missing detention kind started ended note disclosure"),
    DetentionCitation: _citation("detention placement episode"),
    Prosecution: _columns(
        f"{_ALWAYS} missing person case kind opened outcome closed summary disclosure", "", _REVIEW
    ),
    ProsecutionDetention: _columns(f"{_ALWAYS} prosecution detention person"),
    Charge: _columns(f"{_ALWAYS} missing prosecution provision paragraph offence stage participation outcome"),
    ProsecutionCitation: _citation("prosecution charge"),
    Verdict: _columns(
        f"{_ALWAYS} missing prosecution instance court pronounced in_force in_absentia outcome disclosure", "", _REVIEW
    ),
    Sentence: _columns(
        f"{_ALWAYS} missing verdict kind years months days regime in_prison_years execution amount unit counted_from"
        " expected_end is_total"
    ),
    VerdictCitation: _citation("verdict sentence"),
    ReleaseEvent: _columns(
        f"{_ALWAYS} missing rid title announced happened legal_bases mechanism country summary disclosure", "", _REVIEW
    ),
    EventRelation: _columns(f"{_ALWAYS} event kind other"),
    Participation: _columns(f"{_ALWAYS} event role organisation name title"),
    Concession: _columns(f"{_ALWAYS} missing event grantor kind measure announced"),
    OutsideRemit: _columns(f"{_ALWAYS} event low high citizenships destinations sex why"),
    ReleaseEventCitation: _citation("event topic relation participation concession outside"),
    Release: _columns(
        f"{_ALWAYS} missing person event detention released_on outcome legal_bases departure conditions disclosure",
        "",
        f"note {_REVIEW}",
    ),
    Leg: _columns(f"{_ALWAYS} missing release position kind countries place happened status authority"),
    ReleaseCitation: _citation("release leg"),
    ReportedFigure: _columns(
        f"{_ALWAYS} {_CLAIM} event subject measure qualifier low high period citizenships destinations sex group"
        " counted_as part_of parts_complete complete_along",
        "quote credibility",
        _REVIEW,
    ),
}  # fmt: skip
del COLUMNS[ReportedFigure]["about"]

#: What a row is as closed as, besides itself: what it lies below, and what it would say nothing true without.
ABOVE = {
    Detention: ["person"],
    Prosecution: ["person"],
    Verdict: ["prosecution"],
    Release: ["person", "event"],
    ReportedFigure: ["event", "source"],
    Relationship: ["person", "other"],
    EventRelation: ["event", "other"],
    Charge: ["prosecution", "provision"],
    Participation: ["event", "organisation"],
    ProsecutionDetention: ["prosecution", "detention"],
    **{
        model: [model.owner, "source", *model.parts]
        for model in MODELS
        if issubclass(model, Citation)
    },
    OrganisationName: ["organisation"],
    Name: ["person"],
    Recognition: ["person", "body"],
    ExternalIdentifier: ["person"],
    Placement: ["detention"],
    Episode: ["detention"],
    Sentence: ["verdict"],
    Concession: ["event"],
    OutsideRemit: ["event"],
    Leg: ["release"],
    Person: ["merged_into"],
    **{model: [] for model in (ReleaseEvent, Source, Organisation, Facility, Provision, Case)},
}  # fmt: skip

#: In the copies of these audiences the column is coarser than what was entered.
COARSER = {(Person, "born"): {PUBLIC}, (Person, "label"): {PUBLIC, RESEARCHERS}}
#: What a citation of such a column would tell.
WORDS = {"stated", "value", "quote", "reasoning"}


# --- Markers


class Markers:
    """Gives out what is to be found once, and finds it again in any text."""

    EARLY, LATE = date(1903, 2, 3), date(1960, 2, 3)
    MONTHS = calendar.month_name[1:]
    FORMS = re.compile(
        r"zq[0-9a-f]{5}qz"  # texts
        r"|(?<![0-9])19\d\d-\d\d-\d\d(?![0-9])"
        rf"|(?<![0-9])\d{{1,2}} (?:{'|'.join(MONTHS)}) 19\d\d"
        r"|(?<![0-9A-Za-z.])[1-9]\d{4,5}(?:\.\d\d)?(?![0-9A-Za-z])"
        r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        r"|(?<![0-9A-Za-z-])[0-9a-z]{5}-[0-9a-z]{5}(?![0-9A-Za-z-])"
    )

    def __init__(self):
        self.texts, self.numbers = itertools.count(0x10000), itertools.count(10000)
        self.days = {"early": itertools.count(), "late": itertools.count()}
        #: what stands in a text → its first form
        self.known = {}
        #: first form → row, column, whether it is what was published
        self.of = {}

    def text(self):
        return f"zq{next(self.texts):05x}qz"

    def number(self):
        return next(self.numbers)

    def day(self, of="early"):
        while True:
            # every second: a range ends on the day after
            day = (self.EARLY if of == "early" else self.LATE) + 2 * timedelta(next(self.days[of]))
            # what is known as a year alone is printed as its first and last day
            if (day.month, day.day) not in {(1, 1), (12, 31)}:
                return day

    def forms(self, value):
        """What a value can look like in a page, a file or a table."""
        if isinstance(value, ImpreciseDate):
            value = value.earliest
        if isinstance(value, date):
            return [value.isoformat(), f"{value.day} {self.MONTHS[value.month - 1]} {value.year}"]
        return [self.FORMS.search(str(value))[0]]

    def note(self, row, column, value, *, published=True):
        first, *others = self.forms(value)
        for form in (first, *others):
            assert form not in self.known, form
            self.known[form] = first
        self.of[first] = (row, column, published)

    def found_in(self, text):
        """A marker in any form is its first form."""
        return {self.known[form] for form in self.FORMS.findall(text) if form in self.known}


# --- The world


@dataclass
class Chain:
    """Records of every kind that hang together, at one disclosure and one state of the review."""

    name: str
    state: str = "published"
    #: disclosure → models that get it, from the beginning and after publication
    closed: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)
    consent: str = "not_asked"
    consent_later: str = ""
    #: with a citation of every column
    detailed: bool = False
    #: what its persons are called beside the markers, which sound alike: nobody else is called anything like it
    word: str = ""
    rows: dict = field(default_factory=lambda: defaultdict(list))

    @property
    def is_out(self):
        return self.state in {"published", "edited"}

    def disclosure(self, model):
        wanted = next((level for level, kinds in self.closed.items() if model in kinds), "public")
        return allowed_disclosure(model, wanted)

    @property
    def records(self):
        return [row for model, rows in self.rows.items() if issubclass(model, Reviewed) for row in rows]


def allowed_disclosure(model, wanted):
    codes = model._meta.get_field("disclosure").codes
    return wanted if wanted in codes else "staff"


RECORDS = [model for model in MODELS if issubclass(model, Reviewed)]
SUPPORT = [model for model in MODELS if issubclass(model, Record) and model not in RECORDS]
TOPS = [Person, ReleaseEvent]
PARTS = [
    model
    for model in MODELS
    if issubclass(model, Part) and any(column.name == "disclosure" for column in model._meta.concrete_fields)
]


def chains():
    for disclosure in LEVEL:
        for state in ("draft", "submitted", "published", "edited", "withdrawn"):
            closed = {disclosure: MODELS} if disclosure != "public" else {}
            name = f"{disclosure} {state}"
            yield Chain(name, state, closed, word=HIDDEN.get(name, ""))
    yield Chain("cited in detail", detailed=True)
    for disclosure in ("researcher", "staff", "sealed"):
        yield Chain(f"below a person and an event: {disclosure}", closed={disclosure: TOPS})
        yield Chain(f"from a source: {disclosure}", closed={disclosure: [Source]})
        yield Chain(f"sources that became {disclosure}", later={disclosure: [Source]})
        yield Chain(f"below a person and an event that became {disclosure}", later={disclosure: TOPS})
    for disclosure in ("researcher", "staff"):
        yield Chain(f"parts for {disclosure}", closed={disclosure: PARTS})
        yield Chain(f"parts that became {disclosure}", later={disclosure: PARTS})
        named = [model for model in SUPPORT if model is not Source]
        yield Chain(
            f"with organisations and the like for {disclosure}",
            closed={disclosure: named},
            detailed=disclosure == "staff",
        )
        yield Chain(f"with organisations and the like that became {disclosure}", later={disclosure: named})
    yield Chain("name withheld", consent="name_withheld", detailed=True)
    yield Chain("name withheld later", consent_later="name_withheld")
    yield Chain("not at all", consent_later="not_at_all")


def digits_alone():
    """A key without letters. Whoever looks for a person by a text with letters is shown whose name sounds like it."""
    return uuid.UUID("".join(random.choices("0123456789", k=32)))


class World:
    def __init__(self):
        self.markers = Markers()
        self.alice, self.bob = make_user("alice", EDITOR), make_user("bob", REVIEWER)
        self.charlie = make_user("charlie", RESEARCHER, staff=False)
        self.root = make_user("root", EDITOR)
        self.root.is_superuser = True
        self.root.save()
        self.chains = {chain.name: chain for chain in chains()}
        with transaction.atomic():
            for chain in self.chains.values():
                self._plant(chain)
            self._tie_knots()
            with self._by(self.alice):
                merged = {row: row.merged_into for row in self.rows if getattr(row, "merged_into", None)}
                for row in merged:
                    row.merged_into = None
                for model in LEAST:
                    if model in COLUMNS:
                        model.objects.bulk_create([row for c in self.chains.values() for row in c.rows[model]])
                for row in (*self.grants, *self.own):
                    row.save()
                ask_what_is_deferred()  # nothing new is said of those who are merged
                for row, kept in merged.items():
                    row.merged_into = kept
                    row.save()
        self._publish()
        self.visible = {level: self._visible(level) for level in (PUBLIC, RESEARCHERS, STAFF)}

    def _by(self, user):
        return pghistory.context(user=str(user.pk))

    # Planting

    def _plant(self, chain):
        for model in LEAST:
            if model in COLUMNS:
                for values in self._variants(chain, model):
                    self._add(chain, model, values)

    def _add(self, chain, model, given):
        row = model(id=digits_alone())
        row.chain = chain
        for column in sorted(model._meta.concrete_fields, key=lambda column: column.name != "in_prison_years"):
            if column.name in given:
                setattr(row, column.name, given[column.name])
            else:
                self._fill(chain, row, column)
        if "disclosure" in COLUMNS[model]:
            row.disclosure = given.get("disclosure", chain.disclosure(model))
        for column in model._meta.concrete_fields:
            if column.name in {"id", "pid", "rid"}:
                self.markers.note(row, column.name, getattr(row, column.name))
        chain.rows[model].append(row)
        return row

    def _fill(self, chain, row, column):
        model = type(row)
        if isinstance(column, models.ForeignKey):
            target = column.related_model
            if target is model or target not in COLUMNS or (issubclass(model, Citation) and column.name in model.parts):
                return
            setattr(row, column.name, chain.rows[target][0])
            return
        value = self._value(row, column)
        if value is not None:
            setattr(row, column.name, value)
            self.markers.note(row, column.name, value)
        elif column.name in LEAST[model] and not callable(LEAST[model][column.name]):
            setattr(row, column.name, LEAST[model][column.name])

    def _value(self, row, column):
        """Something that is nowhere else; None for a column that has no room for it."""
        kept = {"id", "revision", "position", "pid", "rid", "about", "missing"}
        if column.name in kept or isinstance(column, CodedField | CodedArrayField | KeyField | models.BooleanField):
            return None
        late = (type(row), column.name) in {(Detention, "ended"), (Person, "died")}
        match column:
            case ImpreciseDateField():
                return ImpreciseDate.from_day(self.markers.day("late" if late else "early"))
            case models.DateTimeField() | models.UUIDField():
                return None
            case models.DateField():
                return self.markers.day()
            case models.DecimalField():
                return Decimal(f"{self.markers.number()}.25")
            case models.IntegerField():
                return self.markers.number()
            case models.URLField():
                return f"https://example.org/{self.markers.text()}"
            case models.CharField() | models.TextField():
                word = row.chain.word if isinstance(row, Person | Name) else ""
                return f"{self.markers.text()} {word}".strip()
        raise TypeError(f"{column}: how is this to be marked?")

    def _variants(self, chain, model):
        """One row of each kind, more where a column excludes another."""
        rows = chain.rows
        if issubclass(model, Citation):
            return list(self._citations(chain, model))
        return {
            Person: [{"consent": chain.consent, "merged_into": None}] * 2,
            ReleaseEvent: [{}, {}],
            Relationship: [{"other": rows[Person][-1], "kind": "spouse"}] if rows[Person] else [],
            EventRelation: [{"other": rows[ReleaseEvent][-1], "kind": "part_of"}] if rows[ReleaseEvent] else [],
            Participation: [{"name": "", "title": "", "role": "mediator"}, {"organisation": None, "role": "mediator"}],
            ReportedFigure: [
                {"subject": "released", "qualifier": "about", "period": None},
                {"subject": "released", "qualifier": "about", "as_of": None},
            ],
            Sentence: [
                {"kind": "imprisonment", "amount": None, "unit": ""},
                {"kind": "fine", "years": None, "months": None, "days": None, "in_prison_years": None},
            ],
        }.get(model, [{}])  # fmt: skip

    def _citations(self, chain, model):
        owner = model._meta.get_field(model.owner).related_model
        yield {}
        targets = [("", owner), *((part, model._meta.get_field(part).related_model) for part in model.parts)]
        for part, target in targets:
            of = {part: chain.rows[target][0]} if part else {}
            if part:
                yield of
            if chain.detailed:
                for name in model.fields_of(target):
                    yield {**of, "about": name}

    def _tie_knots(self):
        """What is open and points to what is sealed, or did so once."""
        open_, shut = self.chains["public published"], self.chains["sealed published"]
        ours, theirs = open_.rows, shut.rows
        tie = self._add(open_, Relationship, {"other": theirs[Person][0], "kind": "partner"})
        self._add(open_, PersonCitation, {"relationship": tie})
        tie = self._add(open_, EventRelation, {"other": theirs[ReleaseEvent][0], "kind": "part_of"})
        self._add(open_, ReleaseEventCitation, {"relation": tie})
        self._add(open_, PersonCitation, {"source": theirs[Source][0]})
        self._add(open_, ReportedFigure, {
            "source": theirs[Source][0], "subject": "released", "qualifier": "about", "period": None,
        })  # fmt: skip
        self._add(open_, PersonCitation, {"origin": theirs[Source][0]})
        self.merged = self._add(open_, Person, {"merged_into": theirs[Person][0]})
        self.redirect = self._add(open_, Person, {"merged_into": ours[Person][0]})
        self.apart = [
            self._tell_apart(open_, *pair) for pair in (ours[Person][:2], [ours[Person][0], theirs[Person][0]])
        ]
        #: what staff keep for themselves → what it hangs on
        self.own = {pair: [pair.person, pair.other] for pair in self.apart} | self._lists_and_notes(ours, theirs)
        self.repeating = self._add(open_, Source, {"derived_from": theirs[Source][0]})
        self._add(open_, PersonCitation, {"source": self.repeating})
        # these pointed to something sealed before; see _publish
        self.once = {
            self._add(open_, Release, {"person": ours[Person][1], "event": theirs[ReleaseEvent][1], "detention": None}): (
                "event", ours[ReleaseEvent][1],
            ),
            self._add(open_, PersonCitation, {"source": theirs[Source][0]}): ("source", ours[Source][0]),
        }  # fmt: skip
        self.grants = [
            Grant(user=self.bob, person=theirs[Person][0]),
            Grant(user=self.bob, source=theirs[Source][0]),
            EventGrant(user=self.bob, event=theirs[ReleaseEvent][0]),
        ]
        for row in [*self.once, *ours[Person][2:], *ours[ReportedFigure][2:]]:
            cited = next((m for m in MODELS if issubclass(m, Citation) and m.owner == row._meta.model_name), None)
            if cited and isinstance(row, Record):
                self._add(open_, cited, {cited.owner: row})

    def _tell_apart(self, chain, one, two):
        pair = NotTheSame(**in_order(one, two), why=self.markers.text(), decided_by=self.alice)
        pair.chain = chain
        self.markers.note(pair, "why", pair.why)
        return pair

    def _lists_and_notes(self, ours, theirs):
        """Of what is open, of what is sealed, and of what is open and rests on what is sealed."""
        (person, shut_person), (event, shut_event), (source, shut_source) = (
            (ours[model][0], theirs[model][0]) for model in (Person, ReleaseEvent, Source)
        )
        own = {}
        for who, where, whence in (
            (person, event, source), (person, shut_event, source), (person, event, shut_source),
            (shut_person, event, source),
        ):  # fmt: skip
            sitting = Sitting(event=where, source=whence, started_by=self.alice, place=self.markers.text())
            line = ListLine(sitting=sitting, number=1, decision="person", person=who, text=self.markers.text())
            line.printed = f"1. {line.text}"
            own[sitting], own[line] = [where, whence], [where, whence, who]
        lines = [(line, above) for line, above in own.items() if isinstance(line, ListLine)]
        for about in (person, shut_person, event, shut_event, *lines):
            row, above = about if isinstance(about, tuple) else (about, [about])
            name = "line" if isinstance(row, ListLine) else row._meta.get_field("notes").field.name
            own[Note(**{name: row}, text=self.markers.text(), due=date(1999, 1, 1), written_by=self.alice)] = above
        for row, above in own.items():
            row.chain = max(above, key=self.closure).chain
            for column in {"place", "text"} & {one.name for one in row._meta.concrete_fields}:
                self.markers.note(row, column, getattr(row, column))
            self.markers.note(row, "id", row.pk)
        return own

    @property
    def notes(self):
        """Those that staff may see, and those that nobody may without a grant."""
        notes = [row for row in self.own if isinstance(row, Note)]
        return [row for row in notes if row.pk in self.visible[STAFF]], [
            row for row in notes if row.pk not in self.visible[STAFF]
        ]

    # Publishing

    def _publish(self):
        for row, (name, target) in self.once.items():
            with self._by(self.alice):
                setattr(row, name, target)
                row.save()
        by_state = {
            state: [row for chain in self.chains.values() if chain.state == state for row in chain.records]
            for state in ("submitted", "published", "edited", "withdrawn")
        }
        out = [row for state in ("published", "edited", "withdrawn") for row in by_state[state]]
        self._cite_the_rest([*by_state["submitted"], *out])
        review.submit([*by_state["submitted"], *out], by=self.alice)
        publication.publish(out, by=self.bob)
        publication.withdraw(by_state["withdrawn"], by=self.alice)
        with self._by(self.alice):
            for chain in self.chains.values():
                if chain.state == "edited":
                    self._edit(chain)
                self._close(chain)

    def _cite_the_rest(self, records):
        """The second person and the second event of each chain are cited as well: else nobody could submit them."""
        with self._by(self.alice):
            for record in records:
                try:
                    model = record.citation_model()
                except LookupError:
                    continue
                cited = record.chain.rows[model]
                if not any(getattr(citation, model.owner) is record for citation in cited):
                    self._add(record.chain, model, {model.owner: record}).save()

    def _edit(self, chain):
        """Another marker in every text, date and number: known to staff, published by nobody."""
        for model, rows in chain.rows.items():
            changed = set()
            for row in rows:
                row.refresh_from_db(fields=["revision"])
                for column in model._meta.concrete_fields:
                    text = isinstance(column, models.CharField | models.TextField)
                    if text and getattr(row, column.attname) and (value := self._value(row, column)) is not None:
                        setattr(row, column.name, value)
                        self.markers.note(row, column.name, value, published=False)
                        changed.add(column.name)
            if changed:
                model.objects.bulk_update(rows, changed)

    def _close(self, chain):
        for wanted, kinds in chain.later.items():
            closed = [row for model in kinds for row in chain.rows[model]]
            for row in closed:
                row.refresh_from_db(fields=["revision"])
                row.disclosure = allowed_disclosure(type(row), wanted)
                row.save()
            for record in {row.record if isinstance(row, Part) else row for row in closed}:
                publication.close(record)
        if chain.consent_later:
            for person in chain.rows[Person]:
                person.refresh_from_db(fields=["revision"])
                person.consent = chain.consent_later
                person.save()
                publication.close(person)

    # Who may see what

    @property
    def rows(self):
        for chain in self.chains.values():
            for rows in chain.rows.values():
                yield from rows

    def closure(self, row):
        """How closed a row is: by itself, by what it lies below, and by what it is about."""
        level = LEVEL[getattr(row, "disclosure", "public")]
        if isinstance(row, Person) and row.consent == "not_at_all":
            level = max(level, STAFF)
        if isinstance(row, Name | ExternalIdentifier) and row.person.consent == "name_withheld":
            level = max(level, STAFF)
        above = [getattr(row, name) for name in ABOVE[type(row)]]
        if isinstance(row, Citation) and row.about:
            target = self.target(row)
            level = max(level, COLUMNS[type(target)][row.about])
            pointed = getattr(target, row.about, None)
            if isinstance(pointed, Record):
                above.append(pointed)
        return max([level, *(self.closure(other) for other in above if other is not None)])

    def target(self, citation):
        return next(filter(None, (getattr(citation, name) for name in (*citation.parts, citation.owner))))

    def _visible(self, level):
        """The rows that this audience may see, by id; staff: those without a grant."""
        if level == STAFF:
            # whoever works here sees a row with all that it points to, or not at all
            own = {row.pk: row for row, above in self.own.items() if max(map(self.closure, above)) < SEALED}
            return own | {
                row.pk: row
                for row in self.rows
                if self.closure(row) < SEALED
                and not (getattr(row, "origin", None) and self.closure(row.origin) == SEALED)
            }
        open_ = {
            row.pk: row
            for row in self.rows
            # what is left with a merged person is told nowhere
            if row.chain.is_out and self.closure(row) <= level and not self._leads_on(getattr(row, "person", None), row)
        }
        while True:
            # what has no review comes along with what needs it, and with nothing else
            needed = {
                target.pk
                for row in open_.values()
                for column in row._meta.concrete_fields
                if isinstance(column, models.ForeignKey)
                and column.name != getattr(row, "owner", "")
                and (target := getattr(row, column.name)) is not None
            }
            kept = {
                pk: row for pk, row in open_.items() if self._support(row) is None or self._support(row).pk in needed
            }
            if len(kept) == len(open_):
                return kept
            open_ = kept

    def _leads_on(self, person, row):
        return isinstance(row, Part) and isinstance(person, Person) and person.merged_into is not None

    def _support(self, row):
        """The record without a review that a row is, or is part of."""
        while isinstance(row, Part):
            row = getattr(row, row.owner)
        return None if isinstance(row, Reviewed) else row

    def may_see(self, marker, level):
        """Whether an audience may find this marker."""
        row, column, published = self.markers.of[marker]
        if row.pk not in self.visible[level]:
            return False
        if level == STAFF:
            return True
        if not published or row in self.own or COLUMNS[type(row)][column] > level:
            return False
        if isinstance(row, Person) and row.merged_into and column not in {"id", "pid"}:
            return False
        if (type(row), column) == (Person, "born"):
            return level != PUBLIC
        if (type(row), column) == (Person, "label"):
            return row.consent != "name_withheld"
        if isinstance(row, Citation) and row.about and column in WORDS:
            return level not in COARSER.get((type(self.target(row)), row.about), set())
        return True

    def allowed(self, level):
        return {marker for marker in self.markers.of if self.may_see(marker, level)}
