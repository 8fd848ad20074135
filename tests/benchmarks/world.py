"""A made-up country's prisoners, as lines for COPY: the same seed gives the same lines, in constant memory.

Every rule of the database holds by construction: a life is drawn on exact days, in order, and only then is each day
blurred to a range that contains it. So what is surely held of two detentions cannot overlap, no placement lies
surely outside its detention, and no step of a journey before its release.
"""

import random
from datetime import date, timedelta
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import tracker.names
from releases.models import (
    Concession,
    EventRelation,
    Leg,
    OutsideRemit,
    Participation,
    Release,
    ReleaseCitation,
    ReleaseEvent,
    ReleaseEventCitation,
    ReportedFigure,
)
from tests.benchmarks import invented
from tracker.models import (
    Case,
    Charge,
    Detention,
    DetentionCitation,
    Episode,
    ExternalIdentifier,
    Facility,
    FacilityCitation,
    Name,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionCitation,
    ProsecutionDetention,
    Provision,
    Recognition,
    Relationship,
    Sentence,
    Source,
    User,
    Verdict,
    VerdictCitation,
    fields,
)

#: Persons made, held in memory and loaded at a time
BLOCK = 2_000
NULL = r"\N"

BEGINNING, TODAY = date(2020, 5, 1).toordinal(), date(2025, 12, 31).toordinal()

# What COPY reads for each day from 1920 to 2079: the day, and ranges of that day, its month, its year
_FIRST = date(1920, 1, 1).toordinal()
_DAYS = [date.fromordinal(_FIRST + number) for number in range(160 * 365)]
DAY = [day.isoformat() for day in _DAYS]
ON_DAY = [f"[{day},{following})" for day, following in pairwise(DAY)]
IN_MONTH = [f"[{day.replace(day=1)},{(day.replace(day=1) + timedelta(days=31)).replace(day=1)})" for day in _DAYS[:-31]]
IN_YEAR = [f"[{day.year}-01-01,{day.year + 1}-01-01)" for day in _DAYS]


def iso(day):
    return DAY[day - _FIRST]


def exactly(day):
    return ON_DAY[day - _FIRST]


def text(plain):
    """As COPY reads it."""
    return plain.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")


def words(listed):
    return listed.split()


def constant(value):
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list | tuple):
        return text("{" + ",".join(f'"{part}"' for part in value) + "}")
    return text(str(value))


class Table:
    """Lines of one table. Columns that are not named get the default of the model."""

    def __init__(self, model, *names):
        named = [model._meta.get_field(name) for name in names]
        others = [field for field in model._meta.concrete_fields if field not in named]
        self.model = model
        self.columns = [field.column for field in [*named, *others]]
        self.rest = "".join(f"\t{constant(field.get_default())}" for field in others)
        self.names = names
        self.lines = []

    def add(self, *values):
        self.lines.append("\t".join(values) + self.rest)


NAMES = Path(tracker.names.__file__).parent

#: Columns of a name that follow from its text
KEYS = [field for field in Name._meta.concrete_fields if isinstance(field, fields.KeyField)]


def keys(name):
    """The values of ``KEYS`` for a name of this text."""
    return [constant(field.key_of(name)) for field in KEYS]


REVIEW = ("disclosure", "review_state", "submitted_by", "reviewed_by", "published_at")
CLAIM = (
    "source", "stated", "value", "as_of", "locator", "speaker", "origin", "standing", "reason", "reasoning", "quote",
    "disclosure",
)  # fmt: skip


def tables():
    """Every table that is filled, in an order in which each row comes after those it points to."""

    def citation(model, *more):
        return Table(model, "id", model.owner, "about", *CLAIM, *model.parts, *more)

    made = [
        Table(User, "id", "username", "password", "date_joined"),
        Table(Source, "id", "title", "publisher", "kind", "authors", "published", "accessed", "language", "url",
              "derived_from", "reliability", "disclosure"),
        Table(Organisation, "id", "name", "kind", "country", "url"),
        Table(OrganisationName, "id", "organisation", "text", "kind", "language", "position"),
        citation(OrganisationCitation),
        Table(Facility, "id", "name", "number", "kind", "locality", "country", "opened"),
        citation(FacilityCitation),
        Table(Provision, "id", "law", "article", "title"),
        Table(Case, "id", "title", "number", "note", "disclosure"),
        Table(ReleaseEvent, "id", "rid", "title", "announced", "happened", "legal_bases", "mechanism", "summary",
              *REVIEW),
        Table(EventRelation, "id", "event", "kind", "other"),
        Table(Participation, "id", "event", "role", "organisation", "name", "title"),
        Table(Concession, "id", "event", "grantor", "kind", "measure", "announced"),
        Table(OutsideRemit, "id", "event", "low", "high", "citizenships", "why"),
        citation(ReleaseEventCitation, "topic"),
        Table(ReportedFigure, "id", "event", "subject", "measure", "qualifier", "low", "high", "period",
              "citizenships", "destinations", "group", "counted_as", "part_of", "parts_complete", *CLAIM, *REVIEW[1:]),
        Table(Person, "id", "pid", "identification", "label", "sex", "born", "died", "death_circumstances",
              "citizenships", "home_town", "occupations", "contexts", "coding_note", "summary", "consent",
              "consent_by", "consent_on", "merged_into", *REVIEW),
        Table(Name, "id", "person", "text", "language", "script", "kind", "scheme", "position",
              *(field.name for field in KEYS)),
        Table(Relationship, "id", "person", "kind", "other", "note"),
        Table(Recognition, "id", "person", "body", "status", "criteria", "started", "ended"),
        Table(ExternalIdentifier, "id", "person", "scheme", "value"),
        citation(PersonCitation),
        Table(Detention, "id", "person", "started", "ended", "end_reason", "authority", "allegation", "confirmed",
              *REVIEW),
        Table(Placement, "id", "detention", "facility", "custody_type", "whereabouts", "started", "ended"),
        Table(Episode, "id", "detention", "kind", "started", "ended", "note"),
        citation(DetentionCitation),
        Table(Prosecution, "id", "person", "case", "kind", "opened", "outcome", "closed", "summary", *REVIEW),
        Table(ProsecutionDetention, "id", "prosecution", "detention", "person"),
        Table(Charge, "id", "prosecution", "provision", "paragraph", "offence", "stage", "participation", "outcome"),
        citation(ProsecutionCitation),
        Table(Verdict, "id", "prosecution", "instance", "court", "pronounced", "in_force", "in_absentia", "outcome",
              *REVIEW),
        Table(Sentence, "id", "verdict", "kind", "years", "months", "days", "regime", "execution", "amount", "unit",
              "counted_from", "expected_end"),
        citation(VerdictCitation),
        Table(Release, "id", "person", "event", "detention", "released_on", "outcome", "legal_bases", "departure",
              "conditions", "note", *REVIEW),
        Table(Leg, "id", "release", "position", "kind", "countries", "place", "happened", "status", "authority"),
        citation(ReleaseCitation),
    ]  # fmt: skip
    return {table.model: table for table in made}


_ARTICLES = words(
    "130 188 191 203-1 228 243 289 290 290-1 293 295-3 309 339 341 342 342-2 356 357 358 358-1 361 361-1 361-2 361-3"
    " 361-4 361-5 363 364 366 367 368 369 369-1 370 373 411 415 421"
)
_TOWNS = words(
    "Мінск Гомель Магілёў Віцебск Гродна Брэст Бабруйск Баранавічы Барысаў Пінск Орша Мазыр Ліда Полацк Слуцк"
)
_PUBLISHERS = ["Invented Times", "Выдуманая газета", "Agency of Examples", "Прыкладны веснік", "Sample Monitor"]
_SOURCE_KINDS = ["news"] * 8 + ["agency"] * 3 + words(
    "official_statement court_record ngo_report ngo_report interview social_post social_post state_media letter"
)  # fmt: skip
_OCCUPATIONS = words(
    "{worker} {worker} {worker} {it_specialist} {it_specialist} {entrepreneur} {entrepreneur} {student} {journalist}"
    " {teacher} {medical_worker} {activist,blogger} {activist} {pensioner} {lawyer} {artist,teacher} {} {} {other}"
)
_CONTEXTS = words(
    "{protest_2020} {protest_2020} {protest_2020} {commentary_online} {commentary_online} {donations} {hajun_case}"
    " {commentary_online,protest_2020} {support_for_ukraine} {journalism} {election_2020,protest_2020} {} {other}"
)
_SUMMARIES = [
    text(summary)
    for summary in (
        "Detained after a search at home; phones and a computer were taken.",
        'Accused of "insulting a representative of the authorities" in a chat, and of three comments.',
        "Знаёмыя расказалі, што абшук доўжыўся шэсць гадзін; адваката не пусцілі.",
        "Arrested at work, in front of colleagues. The family learned of it two days later, from a video.\n\n"
        "The trial was closed to the public; the verdict became known from a list of the ministry.",
        "",
    )
]
_WORDS = [
    text(words)
    for words in (
        "was sentenced today", "асуджаны да пазбаўлення волі", "has been free since Saturday", "", "",
        'the family says: "we know nothing"', "по данным правозащитников, задержан",
    )
]  # fmt: skip
_AUTHORITIES = ["", "", "GUBOPiK", "KGB", "Investigative Committee", "Ministry of the Interior"]
_ALLEGATIONS = ["", "", "gross violation of public order", "Прамая лінія, рэпост, каментар", "funding of extremists"]
_COURTS = [f"Court of district {number}, {town}" for number, town in enumerate(_TOWNS, 1)]
_CITIZENSHIPS = ["{BY}"] * 28 + ["{UA}", "{BY,PL}", "{RU}", "{BY,LT}", "{XXA}"]
_DISCLOSURES = ["public"] * 36 + ["researcher"] * 3 + ["staff"]
_STANDINGS = [("accepted", "", "")] * 27 + [
    ("rejected", "typo", ""), ("superseded", "stale", "A later report is nearer to the event."), ("unresolved", "", ""),
]  # fmt: skip
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def is_merged(number):
    """Whether the person of this number turned out to be the one before."""
    return number % 250 == 249


class World:
    #: Whose contents the rows depend on
    files = (
        Path(__file__),
        Path(invented.__file__),
        Path(fields.__file__),
        *(path for path in sorted(NAMES.iterdir()) if path.suffix in (".py", ".csv") and path.stem != "comparison"),
    )

    def __init__(self, persons, seed):
        if not 1 <= persons <= 1_000_000:
            raise ValueError("From 1 to 1,000,000 persons.")
        self.persons, self.seed = persons, seed
        self.sources = max(12, persons // 3)
        self.cases = max(4, persons // 12)
        self.events = max(4, persons // 500)
        self.organisations, self.facilities = 30, 60
        self.tables = tables()

    def stages(self):
        """What is made, one after the other: a name, how many, and what makes one by its number."""
        return [
            ("registers", 1, self._registers),
            ("sources", self.sources, self._source),
            ("cases", self.cases, self._case),
            ("events", self.events, self._event),
            ("persons", self.persons, self._person),
        ]

    def blocks(self):
        """The lines, table by table, again and again: registers and events first, then some persons at a time."""
        for kind, number, make in self.stages():
            for first in range(0, number, BLOCK):
                self.begin(f"{self.seed}/{kind}/{first}")
                for index in range(first, min(first + BLOCK, number)):
                    make(index)
                yield {table: table.lines for table in self.tables.values() if table.lines}
                for table in self.tables.values():
                    table.lines = []

    def begin(self, seed):
        self.rng = random.Random(seed)
        self.chance = self.rng.random

    # --- Ingredients

    def key(self, kind, number):
        """The id of a row that others point to: known from its number, so that no id is kept in memory."""
        return _uuid(blake2b(f"{self.seed}/{kind}/{number}".encode(), digest_size=16).hexdigest())

    def new(self):
        return _uuid(f"{self.rng.getrandbits(128):032x}")

    def short(self, kind, number):
        """A pid or rid: scattered over all that there can be, and surely no two the same."""
        offset = int(blake2b(f"{self.seed}/{kind}".encode(), digest_size=6).hexdigest(), 16)
        rest = ((number + offset) * 0x2545F4914F6CD1D) % (1 << 50)
        letters = "".join(_LETTERS[(rest >> shift) & 31] for shift in range(0, 50, 5))
        return f"{letters[:5]}-{letters[5:]}"

    def pick(self, values):
        return values[int(self.chance() * len(values))]

    def between(self, first, last):
        """A day, or a number, both ends included."""
        return first + int(self.chance() * (last - first + 1)) if last > first else first

    def blur(self, day, unknown=0.0):
        """A range that contains the day, as exact as sources are."""
        chance = self.chance()
        if chance < unknown:
            return NULL
        chance = self.chance()
        if chance < 0.72:
            return ON_DAY[day - _FIRST]
        if chance < 0.88:
            return IN_MONTH[day - _FIRST]
        if chance < 0.94:
            return IN_YEAR[day - _FIRST]
        first, last = day - self.between(0, 9), day + self.between(0, 30)
        return f"[{DAY[first - _FIRST]},{DAY[last + 1 - _FIRST]})"

    def source(self):
        return self.key("source", self.between(0, self.sources - 1))

    def claim(self, value="", day=None):
        standing, reason, reasoning = self.pick(_STANDINGS)
        return (
            self.source(),
            self.pick(_WORDS),
            value,
            exactly(day) if day and self.chance() < 0.3 else NULL,
            f"paragraph {self.between(1, 30)}" if self.chance() < 0.6 else "",
            "the press service" if self.chance() < 0.1 else "",
            self.source() if self.chance() < 0.1 else NULL,
            standing,
            reason,
            reasoning,
            self.pick(_WORDS),
            self.pick(_DISCLOSURES),
        )

    def cite(self, model, owner, about="", value="", day=None, more=()):
        """``more``: ids of parts, and the topic of an event's citation."""
        extra = more or (NULL,) * len(model.parts)
        self.tables[model].add(self.new(), owner, about, *self.claim(value, day), *extra)

    def review(self, sealed=0.0):
        """Of a record that can be sealed, and of those below it."""
        chance = self.chance()
        disclosure = "public" if chance < 0.93 else "researcher" if chance < 0.97 else "staff"
        chance = self.chance()
        writer = self.between(0, 2)
        editor, reviewer = self.key("user", writer), self.key("user", writer + 3)
        moment = f"{iso(TODAY - self.between(0, 300))} {self.between(8, 20):02}:{self.between(0, 59):02}:00+00"
        if chance < 0.86:
            state = ("published", editor, reviewer, moment)
        elif chance < 0.9:
            state = ("submitted", editor, NULL, NULL)
        elif chance < 0.99:
            state = ("draft", NULL, NULL, NULL)
        else:
            state = ("withdrawn", editor, reviewer, NULL)
        below = (disclosure, *state)
        return (("sealed", *state) if self.chance() < sealed else below), below

    # --- What persons point to

    def _accounts(self, _index):
        for number in range(6):
            kind = "editor" if number < 3 else "reviewer"
            self.tables[User].add(self.key("user", number), f"generated-{kind}-{number}", "!", "2020-01-01 00:00:00+00")

    def _registers(self, index):
        self._accounts(index)
        for number in range(self.organisations):
            organisation = self.key("organisation", number)
            kind = self.pick(["ngo", "ngo", "state_body", "international", "political"])
            country = self.pick(["BY", "UA", "LT", "PL", "US", ""])
            address = f"https://organisation-{number}.example/"
            self.tables[Organisation].add(organisation, f"Invented Committee {number}", kind, country, address)
            for position, language in enumerate(["be", "ru", "en"][: self.between(1, 3)], 1):
                name = self.new()
                self.tables[OrganisationName].add(
                    name, organisation, f"Выдуманы камітэт {number} ({language})", "variant", language, str(position)
                )
                self.cite(OrganisationCitation, organisation, more=(name,))
        for number in range(self.facilities):
            facility = self.key("facility", number)
            kind = self.pick(["colony", "colony", "sizo", "prison", "iuot", "cip", "ivs"])
            town = self.pick(_TOWNS)
            opened = self.blur(date(1960, 1, 1).toordinal() + self.between(0, 9_000), unknown=0.8)
            self.tables[Facility].add(
                facility, f"Invented {kind} No {number % 24 + 1}", str(number % 24 + 1), kind, town, "BY", opened
            )
            if self.chance() < 0.5:
                self.cite(FacilityCitation, facility, "locality", town)
        for number, article in enumerate(_ARTICLES):
            title = text(f"Working title of article {article}")
            self.tables[Provision].add(self.key("provision", number), "criminal_code", article, title)
        for number, article in enumerate(("19.1", "19.11", "24.3", "24.23"), len(_ARTICLES)):
            self.tables[Provision].add(self.key("provision", number), "administrative_code", article, "")

    def _source(self, number):
        kind = self.pick(_SOURCE_KINDS)
        confidential = kind in {"court_record", "interview", "letter"}
        published = self.between(BEGINNING, TODAY)
        self.tables[Source].add(
            self.key("source", number),
            f"{self.pick(['Суд вынес приговор', 'Вызвалены', 'List of prisoners', 'Затрыманні'])}, {iso(published)}",
            "" if confidential else self.pick(_PUBLISHERS),
            kind,
            "Invented Reporter" if self.chance() < 0.3 else "",
            self.blur(published, unknown=0.05),
            iso(TODAY) if self.chance() < 0.4 else NULL,
            self.pick(["be", "ru", "ru", "en", "pl"]),
            "" if confidential else f"https://news.example/{published}/{number}",
            # an earlier one, so that nothing goes round in a circle
            self.key("source", self.between(0, number - 1)) if number and self.chance() < 0.04 else NULL,
            self.pick(["", "", "A", "B", "B", "C", "F"]),
            "sealed" if self.chance() < 0.002 else "staff" if confidential else "public",
        )

    def _case(self, number):
        self.tables[Case].add(
            self.key("case", number),
            f"Case of the {self.pick(['chat', 'march', 'yard', 'factory', 'university'])} No {number}",
            f"{self.between(20, 25)}-{number}" if self.chance() < 0.5 else "",
            "",
            "public" if self.chance() < 0.6 else "staff",
        )

    def event_day(self, number):
        return BEGINNING + 120 + int((number + 0.5) * (TODAY - BEGINNING - 130) / self.events)

    def _event(self, number):
        event, day = self.key("event", number), self.event_day(number)
        basis = self.pick(["pardon", "pardon", "amnesty", "exchange"])
        review, below = self.review(sealed=0.005)
        self.tables[ReleaseEvent].add(
            event,
            self.short("event", number),
            f"Invented {basis} No {number}, {iso(day)}",
            self.blur(day),
            exactly(day),
            f"{{{basis}}}",
            self.pick(["unilateral", "negotiated", "concession_linked", "exchange", "return"]),
            self.pick(_SUMMARIES),
            *review,
        )
        self.cite(ReleaseEventCitation, event, "happened", iso(day), day, (NULL, NULL, NULL, NULL, ""))
        self.cite(ReleaseEventCitation, event, more=(NULL, NULL, NULL, NULL, "illness"))
        if number and (number < 3 or self.chance() < 0.3):
            relation = self.new()
            self.tables[EventRelation].add(relation, event, "follows", self.key("event", number - 1))
            self.cite(ReleaseEventCitation, event, more=(relation, NULL, NULL, NULL, ""))
        for role in ("mediator", "receiving_authority", "grantor"):
            participation = self.new()
            organisation = role == "receiving_authority"
            who = (self.key("organisation", number % self.organisations), "", "") if organisation else (
                NULL, f"Invented Official {number % 50}", "Special Envoy of an invented state"
            )  # fmt: skip
            self.tables[Participation].add(participation, event, role, *who)
            self.cite(ReleaseEventCitation, event, more=(NULL, participation, NULL, NULL, ""))
        if number < 3 or self.chance() < 0.4:
            concession = self.new()
            measure = "sanctions on an invented company lifted, in part"
            self.tables[Concession].add(
                concession, event, "Invented Government", "sanctions_eased", measure, self.blur(day)
            )
            self.cite(ReleaseEventCitation, event, more=(NULL, NULL, concession, NULL, ""))
        if number < 3:
            outside = self.new()
            self.tables[OutsideRemit].add(outside, event, "2", "2", "{UA}", "soldiers, whose exchange others record")
            self.cite(ReleaseEventCitation, event, more=(NULL, NULL, NULL, outside, ""))
        self._figures(event, day, below)

    def _figures(self, event, day, review):
        total, ukraine = self.between(40, 160), self.between(10, 30)

        def figure(
            subject, qualifier, low, high, *, to="{}", citizens="{}", period=NULL, part_of=NULL, measure="people"
        ):
            made = self.new()
            source, stated, value, _as_of, *claim = self.claim()
            self.tables[ReportedFigure].add(
                made, event, subject, measure, qualifier, low, high, period, citizens, to, "", "", part_of,
                "t" if part_of == NULL and qualifier == "exactly" else "f",
                source, stated or "several", value, exactly(day) if period == NULL else NULL, *claim, *review[1:],
            )  # fmt: skip
            return made

        whole = figure("released", "exactly", str(total), str(total))
        figure("handed_over", "exactly", str(ukraine), str(ukraine), to="{UA}", part_of=whole)
        figure("handed_over", "exactly", str(total - ukraine), str(total - ukraine), to="{LT}", part_of=whole)
        figure("released", "worded", NULL, NULL, citizens="{UA}", part_of=whole)
        figure("remaining_in_custody", "at_least", str(self.between(900, 1400)), NULL)
        figure("released", "about", "450", "549", period=f"[{iso(day - 300)},{iso(day + 1)})")
        figure("released", "exactly", "18", "61", measure="age_in_years")

    # --- Persons, with all that lies below them

    def _merged(self, number):
        """Somebody who was the person before: all that they had is that one's now."""
        review, _below = self.review()
        self.tables[Person].add(
            self.key("person", number), self.short("person", number), "identified", "", "", NULL, NULL, "", "{}", "",
            "{}", "{}", "", "", "not_asked", "", NULL, self.key("person", number - 1), *review,
        )  # fmt: skip

    def _person(self, number):
        if is_merged(number):
            self._merged(number)
            return
        person = self.key("person", number)
        woman = self.chance() < 0.25
        review, below = self.review(sealed=0.005)
        chance = self.chance()
        named = chance < 0.97
        died = TODAY - self.between(1, 1500) if self.chance() < 0.01 else None
        occupations, contexts = self.pick(_OCCUPATIONS), self.pick(_CONTEXTS)
        asked = self.chance()
        born = date(1945, 1, 1).toordinal() + self.between(0, 22_000)
        self.tables[Person].add(
            person,
            self.short("person", number),
            "identified" if named else "partly_identified" if chance < 0.99 else "unidentified",
            "" if named else f"somebody from {self.pick(_TOWNS)}, No {number}",
            "female" if woman else "male",
            self.blur(born, unknown=0.1),
            exactly(died) if died else NULL,
            "at_liberty" if died else "",
            self.pick(_CITIZENSHIPS),
            self.pick(_TOWNS) if self.chance() < 0.7 else "",
            occupations,
            contexts,
            "as the source words it: forester" if "other" in occupations + contexts else "",
            self.pick(_SUMMARIES),
            "may_be_published" if asked < 0.2 else "name_withheld" if asked < 0.21 else "not_asked",
            "a relative" if asked < 0.21 else "",
            iso(TODAY - self.between(0, 900)) if asked < 0.21 else NULL,
            NULL,
            *review,
        )
        self.cite(PersonCitation, person)
        self.cite(PersonCitation, person, "born", iso(born), more=(NULL, NULL, NULL))
        if named:
            self._names(person, woman)
        if self.chance() < 0.7:
            self.tables[ExternalIdentifier].add(self.new(), person, "invented-list", str(10_000 + number))
        if self.persons > 1 and self.chance() < 0.05:
            self._relationship(person, number)
        if self.chance() < 0.45:
            self._recognition(person)
        story = self.chance()
        if story < 0.03:
            return  # a relative, who is here only because of somebody else
        if story < 0.07:
            day = self.between(BEGINNING, TODAY - 400)
            self._prosecution(person, below, day, day + 380, detention=None)
            return
        self._custody(person, below, died)

    def _names(self, person, woman):
        for position, (name, *about) in enumerate(invented.spellings(self.rng, woman), 1):
            made = self.new()
            self.tables[Name].add(made, person, name, *about, str(position), *keys(name))
            if self.chance() < 0.3:
                self.cite(PersonCitation, person, value=name, more=(made, NULL, NULL))

    def _relationship(self, person, number):
        other = (number + self.between(1, min(50, self.persons - 1))) % self.persons
        if is_merged(other):
            return
        kind = self.pick(["spouse", "parent_of", "sibling", "other"])
        made = self.new()
        note = "godparent" if kind == "other" else ""
        self.tables[Relationship].add(made, person, kind, self.key("person", other), note)
        self.cite(PersonCitation, person, more=(NULL, made, NULL))

    def _recognition(self, person):
        day = self.between(BEGINNING, TODAY)
        made = self.new()
        over = self.chance() < 0.3
        self.tables[Recognition].add(
            made,
            person,
            self.key("organisation", self.between(0, 4)),
            self.pick(["political_prisoner"] * 12 + ["prisoner_of_conscience", "not_recognised", "withdrawn"]),
            self.pick(["{pace_a}", "{pace_a,pace_c}", "{pace_b,pace_e}", "{}"]),
            self.blur(day),
            self.blur(self.between(day, TODAY)) if over else NULL,
        )
        self.cite(PersonCitation, person, value="political_prisoner", day=day, more=(NULL, NULL, made))

    def _custody(self, person, review, died):
        start = BEGINNING + int(self.chance() ** 1.7 * (TODAY - BEGINNING - 200))
        latest = died or TODAY
        while self.chance() < 0.18 and start + 40 < latest:
            end = start + self.between(1, 15)
            detention = self._detention(person, review, start, end, "released")
            self._placement(detention, "cip", start, end)
            self._prosecution(person, review, start, end, detention, administrative=True)
            start = end + self.between(5, 200)
        if start + 40 >= latest:
            return
        event, end = None, None
        how = self.chance()
        if how < 0.25:
            event = self._event_between(start + 30, latest)
            end = None if event is None else self.event_day(event)
        elif how < 0.6:
            end = start + self.between(40, 1600)
        if died and not end:
            end = died
        if end and end >= latest:
            end = died
        reason = "" if not end else "died" if end == died else "released"
        detention = self._detention(person, review, start, end, reason)
        self._stay(detention, start, end)
        self._prosecution(person, review, start, end or TODAY, detention)
        if reason == "released":
            self._release(person, review, detention, event, end)
        elif self.chance() < 0.02:
            self.tables[Release].add(
                self.new(), person, NULL, detention, NULL, self.pick(["announced", "refuted"]), "{}", "unknown", "{}",
                "", *review,
            )  # fmt: skip

    def _event_between(self, first, last):
        """One at random, by its number, that happens after the one day and before the other; None where none does."""
        numbers = [
            max(0, int((day - BEGINNING - 120) * self.events / (TODAY - BEGINNING - 130) - 0.5))
            for day in (first, last)
        ]
        chosen = self.between(numbers[0] + 1, min(numbers[1], self.events - 1))
        return chosen if chosen < self.events and first < self.event_day(chosen) < last else None

    def _detention(self, person, review, start, end, reason):
        made = self.new()
        last = min(end or TODAY, TODAY)
        self.tables[Detention].add(
            made,
            person,
            self.blur(start, unknown=0.1),
            self.blur(end) if end else NULL,
            reason,
            self.pick(_AUTHORITIES),
            self.pick(_ALLEGATIONS),
            iso(self.between(start, last)) if self.chance() < 0.3 else NULL,
            *review,
        )
        self.cite(DetentionCitation, made, "started", iso(start), start)
        if end and self.chance() < 0.7:
            self.cite(DetentionCitation, made, "ended", iso(end), end)
        return made

    def _placement(self, detention, custody, start, end):
        """``end`` None: it goes on."""
        made = self.new()
        known = custody != "home_restriction" and self.chance() < 0.8
        self.tables[Placement].add(
            made,
            detention,
            self.key("facility", self.between(0, self.facilities - 1)) if known else NULL,
            custody,
            self.pick(["acknowledged", "acknowledged", "", "denied"]),
            self.blur(start, unknown=0.2),
            self.blur(end, unknown=0.2) if end else NULL,
        )
        if self.chance() < 0.3:
            self.cite(DetentionCitation, detention, "facility", day=start, more=(made, NULL))

    def _stay(self, detention, start, end):
        """``end`` None: it goes on."""
        last = end or TODAY
        days = last - start
        moves = [("ivs", 0.0), ("sizo", 0.03)]
        if days > 200:
            moves.append((self.pick(["colony", "colony", "colony", "iuot", "home_restriction"]), 0.4))
        if days > 500 and self.chance() < 0.15:
            moves.append(("prison", 0.7))
        starts = [start + int(days * part) for _custody, part in moves]
        for (custody, _part), arrived, left in zip(moves, starts, [*starts[1:], end], strict=True):
            self._placement(detention, custody, arrived, left)
        if self.chance() < 0.1:
            made, first = self.new(), self.between(start, last)
            kind = self.pick(["punishment_cell", "hospital", "hunger_strike", "incommunicado"])
            self.tables[Episode].add(
                made, detention, kind, self.blur(first), self.blur(self.between(first, last), unknown=0.3),
                self.pick(_WORDS),
            )  # fmt: skip
            self.cite(DetentionCitation, detention, day=first, more=(NULL, made))

    def _prosecution(self, person, review, start, end, detention, *, administrative=False):
        made = self.new()
        trial = end if administrative else self.between(start + 40, max(start + 40, min(end, start + 400)))
        tried = trial < TODAY
        self.tables[Prosecution].add(
            made,
            person,
            self.key("case", self.between(0, self.cases - 1)) if not administrative and self.chance() < 0.4 else NULL,
            "administrative" if administrative else "criminal",
            self.blur(start, unknown=0.3),
            "convicted" if tried else "pending",
            self.blur(trial) if tried and self.chance() < 0.6 else NULL,
            self.pick(_SUMMARIES),
            *review,
        )
        self.cite(ProsecutionCitation, made)
        if detention:
            self.tables[ProsecutionDetention].add(self.new(), made, detention, person)
        for _ in range(1 if administrative else self.pick([1, 1, 1, 2, 2, 3, 4])):
            self._charge(made, administrative, "convicted" if tried else "pending")
        if tried:
            self._verdicts(made, review, start, trial, administrative, detention is None)

    def _charge(self, prosecution, administrative, outcome):
        made = self.new()
        known = self.chance() < 0.9
        index = len(_ARTICLES) + self.between(0, 3) if administrative else self.between(0, len(_ARTICLES) - 1)
        self.tables[Charge].add(
            made,
            prosecution,
            self.key("provision", index) if known else NULL,
            str(self.between(1, 3)) if known and self.chance() < 0.6 else "",
            "" if known else "actions against the public order, as the agency words it",
            self.pick(["", "completed", "attempt"]),
            self.pick(["", "perpetrator", "group_by_prior_agreement"]),
            outcome,
        )
        if self.chance() < 0.3:
            self.cite(ProsecutionCitation, prosecution, "provision", more=(made,))

    def _verdicts(self, prosecution, review, start, trial, administrative, absent):
        made = self.new()
        appealed = not administrative and self.chance() < 0.6
        force = trial + self.between(0, 90) if appealed else trial + 10
        absentia = "t" if absent else "f" if self.chance() < 0.7 else NULL
        self.tables[Verdict].add(
            made, prosecution, "first", self.pick(_COURTS), self.blur(trial), self.blur(force, unknown=0.4), absentia,
            "convicted", *review,
        )  # fmt: skip
        self.cite(VerdictCitation, made, "pronounced", iso(trial), trial)
        if administrative:
            self._sentence(made, "arrest", days=self.between(1, 15), start=start)
        else:
            kind = self.pick(["imprisonment"] * 7 + ["restriction_with_facility", "restriction_without_facility"])
            years = self.between(1, 5 if kind != "imprisonment" else self.pick([3, 5, 8, 15]))
            self._sentence(made, kind, years, self.pick([None, None, None, 6]), start=start)
            if self.chance() < 0.25:
                amount = f"{self.between(1, 400) * 100}.00"
                self.tables[Sentence].add(self.new(), made, "fine", NULL, NULL, NULL, "", "", amount, "BYN", NULL, NULL)
        if appealed:
            appeal = self.new()
            self.tables[Verdict].add(
                appeal, prosecution, "appeal", self.pick(_COURTS), self.blur(force), self.blur(force), NULL,
                self.pick(["upheld", "upheld", "upheld", "upheld", "reduced"]), *review,
            )  # fmt: skip

    def _sentence(self, verdict, kind, years=None, months=None, days=None, *, start):
        made = self.new()
        end = start + 365 * (years or 0) + 30 * (months or 0) + (days or 0)
        term = [NULL if part is None else str(part) for part in (years, months, days)]
        regime = self.pick(["general", "enhanced", "strict", ""]) if kind == "imprisonment" else ""
        self.tables[Sentence].add(
            made, verdict, kind, *term, regime, self.pick(["immediate", ""]), NULL, "", self.blur(start, unknown=0.5),
            self.blur(end, unknown=0.4),
        )  # fmt: skip
        if self.chance() < 0.4:
            about = "years" if years else "days"
            self.cite(VerdictCitation, verdict, about, str(years or days), more=(made,))

    def _release(self, person, review, detention, event, day):
        made = self.new()
        abroad = event is not None and self.chance() < 0.7
        basis = "pardon" if event is not None else self.pick(["expiry_of_term"] * 5 + ["early_conditional", "unknown"])
        self.tables[Release].add(
            made,
            person,
            NULL if event is None else self.key("event", event),
            detention,
            self.blur(day),
            "confirmed",
            f"{{{basis}}}",
            "expelled" if abroad else self.pick(["stayed", "left_voluntarily", "unknown"]),
            self.pick(["{entry_ban,must_leave}", "{passport_seized}", "{}"]) if abroad else "{}",
            "call the family back" if self.chance() < 0.02 else "",
            *review,
        )
        self.cite(ReleaseCitation, made, "released_on", iso(day), day)
        if not abroad:
            return
        first, onward = self.new(), self.between(day, day + 60)
        target = self.pick(["{UA}", "{LT}", "{LT}", "{PL}"])
        organisation = self.key("organisation", self.between(0, self.organisations - 1))
        self.tables[Leg].add(first, made, "1", "handover", target, "", self.blur(day), "completed", organisation)
        self.cite(ReleaseCitation, made, "countries", target[1:3], more=(first,))
        if self.chance() < 0.6:
            status = self.pick(["planned", "completed", "completed", "refused"])
            target = self.pick(["{PL}", "{LT}", "{DE}", "{LT,PL}"])
            self.tables[Leg].add(
                self.new(), made, "2", "onward", target, "", self.blur(onward, unknown=0.5), status, NULL
            )


def _uuid(digits):
    """Of version 4, as PostgreSQL and Python make them."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
