"""Very many persons with little more than names, for searching and matching: see ``World`` for fuller lives.

Given names are real ones, from ``tracker/names/given_names.csv``. Surnames are invented: syllables drawn at random,
with every ending of the region's surnames; some are borne by thousands, most by a few, as everywhere.
"""

import csv
import random
import re
from datetime import date
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from tests.benchmarks.world import BEGINNING, NAMES, NULL, TODAY, World, keys, words
from tracker.models import Detention, Name, Person, Placement, User
from tracker.names import romanisation

SURNAMES = 40_000
GIVEN_NAMES = NAMES / "given_names.csv"

# What syllables are made of, in Belarusian and in Russian
_ONSETS = [
    part.split("/")
    for part in words(
        """
        б/б в/в г/г д/д ж/ж з/з к/к л/л м/м н/н п/п р/р с/с т/т ф/ф х/х ц/ц ч/ч ш/ш бр/бр вр/вр гл/гл гр/гр др/др кл/кл
        кр/кр пл/пл пр/пр сл/сл см/см ст/ст стр/стр тр/тр хл/хл хр/хр шп/шп шч/щ ск/ск св/св дв/дв жд/жд мл/мл
        """
    )
]
_VOWELS = [part.split("/") for part in words("а/а а/а а/о о/о о/о у/у у/у э/е ы/ы")]
_CODAS = [
    part.split("/")
    for part in words(
        """
        б/б в/в г/г д/д ж/ж з/з к/к л/л м/м н/н п/п р/р с/с т/т х/х ц/ц ч/ч ш/ш бл/бл рб/рб йк/йк лт/лт рн/рн мк/мк нк/нк
        нч/нч рд/рд рк/рк рж/рж сн/сн ст/ст ўк/вк ўч/вч шк/шк жн/жн
        """
    )
]
# What may not be written after what
_SPELLING = [
    [
        pair.split("/")
        for pair in words("гы/гі кы/кі хы/хі рі/ры чі/чы жі/жы ші/шы ці/цы ді/дзі ті/ці рю/ру чю/чу жю/жу шю/шу")
    ],
    [pair.split("/") for pair in words("гы/ги кы/ки хы/хи ры/ри жы/жи чы/чи шы/ши щы/щи чю/чу жю/жу шю/шу щю/щу")],
]
# What a surname ends in, for men and for women, in Belarusian and Russian; how many in a hundred
_ENDINGS = [
    (int(line.split()[0]), [half.split() for half in line.split(maxsplit=1)[1].split("|")])
    for line in """
    14 овіч ович | овіч ович
    6 евіч евич | евіч евич
    12 енка енко | енка енко
    12 ук ук | ук ук
    5 юк юк | юк юк
    10 оў ов | ова ова
    6 аў ов | ава ова
    4 еў ев | ева ева
    7 ін ин | іна ина
    7 скі ский | ская ская
    4 іцкі ицкий | іцкая ицкая
    4 ік ик | ік ик
    2 ец ец | ец ец
    2 ейка ейко | ейка ейко
    2 ка ко | ка ко
    1 ыш ыш | ыш ыш
    1 ель ель | ель ель
    1 ман ман | ман ман
    """.strip().splitlines()
]
# The most frequent first; all others follow as they stand in the file
_FREQUENT = {
    "m": words(
        "aliaksandr siarhei mikalai uladzimir andrei ivan dzmitryi dzmitry viktar aliaksei yury ihar vasil anatol"
        " pavel piotr yauhen mikhail vital dzianis maksim artsiom kiryl stanislau ruslan"
    ),
    "f": words(
        "volha natallia alena tatsiana iryna sviatlana maryia hanna katsiaryna yuliia valiantsina halina liudmila"
        " anastasiia nina tamara larysa viktoryia nadzeia maryna"
    ),
}
_FATHERS = [
    line.split()
    for line in """
    Іванавіч Иванович Іванаўна Ивановна
    Мікалаевіч Николаевич Мікалаеўна Николаевна
    Аляксандравіч Александрович Аляксандраўна Александровна
    Уладзіміравіч Владимирович Уладзіміраўна Владимировна
    Віктаравіч Викторович Віктараўна Викторовна
    Анатольевіч Анатольевич Анатольеўна Анатольевна
    Сяргеевіч Сергеевич Сяргееўна Сергеевна
    Васільевіч Васильевич Васільеўна Васильевна
    Пятровіч Петрович Пятроўна Петровна
    Міхайлавіч Михайлович Міхайлаўна Михайловна
    Паўлавіч Павлович Паўлаўна Павловна
    Рыгоравіч Григорьевич Рыгораўна Григорьевна
    Сцяпанавіч Степанович Сцяпанаўна Степановна
    Леанідавіч Леонидович Леанідаўна Леонидовна
    Андрэевіч Андреевич Андрэеўна Андреевна
    """.strip().splitlines()
]


def _falling(count, *, shift, steepness):
    """Cumulative weights for ``rng.choices``: the first is most frequent, as Zipf and Mandelbrot have it."""
    return list(accumulate((rank + shift) ** -steepness for rank in range(count)))


def _spell(stem, ending, rules):
    word = stem + ending
    for wrong, right in rules:
        word = word.replace(wrong, right)
    return re.sub(r"(.)\1+", r"\1", word)


def _surnames():
    """(be, ru) for men and for women, each once; always the same ones."""
    rng = random.Random("surnames")
    weights = [weight for weight, _forms in _ENDINGS]
    made = {}
    while len(made) < SURNAMES:
        syllables = 1 + (rng.random() < 0.6)
        parts = [rng.choice(column) for _ in range(syllables) for column in (_ONSETS, _VOWELS)] + [rng.choice(_CODAS)]
        forms = rng.choices(_ENDINGS, weights)[0][1]
        stems = ["".join(column).capitalize() for column in zip(*parts, strict=True)]
        spelt = [tuple(map(_spell, stems, endings, _SPELLING)) for endings in forms]
        made.setdefault(spelt[0][0], spelt)
    return list(made.values())


def _given_names(sex):
    """Groups of forms: Belarusian and Russian formal ones, and what else a Belarusian may be called by."""
    groups = {}
    with GIVEN_NAMES.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if line["sex"] == sex and line["language"] in ("be", "ru"):
                group = groups.setdefault(line["name"], {"be": [], "ru": [], "other": []})
                formal = line["kind"] == "formal"
                group[line["language"] if formal else "other"].append(line["form"])
    order = {name: rank for rank, name in enumerate(_FREQUENT[sex])}
    usable = [name for name, group in groups.items() if group["be"] and group["ru"]]
    usable.sort(key=lambda name: order.get(name, len(order)))
    return [groups[name] for name in usable]


@lru_cache(maxsize=500_000)
def _latin(word, language, scheme):
    return romanisation.romanise(word, language, scheme)


def latin(text, language, scheme):
    return " ".join(_latin(word, language, scheme) for word in text.split())


class Crowd(World):
    """Some two and a half names a person: 400,000 persons have a million."""

    files = (*World.files, Path(__file__))

    def __init__(self, persons, seed):
        super().__init__(persons, seed)
        self.tables = {model: self.tables[model] for model in (User, Person, Name, Detention, Placement)}
        self.surnames = _surnames()
        self.given = {sex: _given_names(sex) for sex in "mf"}
        self.surname_weights = _falling(SURNAMES, shift=40, steepness=0.9)
        self.given_weights = {sex: _falling(len(self.given[sex]), shift=8, steepness=1.9) for sex in "mf"}

    def stages(self):
        return [("accounts", 1, self._accounts), ("persons", self.persons, self._person)]

    def _person(self, number):
        person = self.key("person", number)
        woman = self.chance() < 0.25
        review, below = self.review(sealed=0.005)
        born = date(1945, 1, 1).toordinal() + self.between(0, 22_000)
        self.tables[Person].add(
            person,
            self.short("person", number),
            "identified",
            "",
            "female" if woman else "male",
            self.blur(born, unknown=0.3),
            NULL,
            "",
            "{BY}" if self.chance() < 0.9 else "{UA}",
            "", "{}", "{}", "", "", "not_asked", "", NULL, NULL,
            *review,
        )  # fmt: skip
        for position, (text, *about) in enumerate(self.spellings(woman), 1):
            self.tables[Name].add(self.new(), person, text, *about, str(position), *keys(text))
        if self.chance() < 0.5:
            self._held(person, below)

    def _held(self, person, review):
        detention, start = self.new(), self.between(BEGINNING, TODAY - 400)
        end = start + self.between(3, 390) if self.chance() < 0.6 else None
        ended = self.blur(end) if end else NULL
        reason = "released" if end else ""
        self.tables[Detention].add(detention, person, self.blur(start), ended, reason, "", "", NULL, *review)
        self.tables[Placement].add(self.new(), detention, NULL, "sizo", "acknowledged", self.blur(start), ended)

    def spellings(self, woman):
        """(text, language, script, kind, scheme) of somebody's names, the legal one first; one to seven of them."""
        rng, chance = self.rng, self.chance
        sex = "f" if woman else "m"
        (forms,) = rng.choices(self.surnames, cum_weights=self.surname_weights)
        (given,) = rng.choices(self.given[sex], cum_weights=self.given_weights[sex])
        be, ru = forms[woman]
        father = rng.choice(_FATHERS)[2 if woman else 0 :] if chance() < 1 / 3 else ["", ""]
        first, russian = rng.choice(given["be"]), rng.choice(given["ru"])
        found = [(f"{first} {father[0]} {be}" if father[0] else f"{first} {be}", "be", "Cyrl", "legal", "original")]
        if chance() < 0.6:
            found.append((f"{ru} {russian} {father[1]}".strip(), "ru", "Cyrl", "legal", "original"))
        if chance() < 0.4:
            found.append((latin(f"{first} {be}", "be", "by_passport"), "en", "Latn", "romanised", "by_passport"))
        if chance() < 0.35:
            found.append((latin(f"{russian} {ru}", "ru", "bgn_pcgn"), "en", "Latn", "media", "from_russian"))
        if chance() < 0.1 and given["other"]:
            found.append((f"{rng.choice(given['other'])} {be}", "be", "Cyrl", "diminutive", ""))
        if chance() < 0.03:
            found.append((latin(f"{first} {be}", "be", "lacinka"), "be", "Latn", "romanised", "lacinka"))
        if chance() < 0.02:
            wrong = rng.choice(self.surnames)[woman][1]
            found.append((latin(f"{russian} {wrong}", "ru", "bgn_pcgn"), "en", "Latn", "erroneous", "media"))
        return found
