"""What is asked of the crowd: names as people type them and as lists print them, drawn from persons who are there."""

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections

from tests.benchmarks.crowd import latin
from tracker.models.fields import imprecise

#: How many of each kind of search
EACH = 25
LONGEST = "2min"  # one statement: one that does not end must not keep the benchmark for ever


@dataclass(frozen=True)
class Somebody:
    pk: object
    pid: str
    woman: bool
    born: object
    #: text, language, scheme
    names: list[tuple[str, str, str]]

    @property
    def native(self):
        return self.names[0][0]


@contextmanager
def working_on(name, alias="default"):
    """The working database, or a copy, is for now another one on the same server."""
    connection = connections[alias]
    connection.close()
    before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{LONGEST}'")
        yield connection
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def recorded(connection):
    """A list that fills with (seconds, statement, parameters) of what is sent to PostgreSQL meanwhile."""
    sent = []

    def record(execute, statement, params, many, context):
        began = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            sent.append((time.perf_counter() - began, statement, params))

    with connection.execute_wrapper(record):
        yield sent


def explain(say, connection, statement, params):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", params)
        say("\n" + "\n".join(line for (line,) in cursor.fetchall()))


def people(cursor, number, offset=0):
    """Some of those who are not sealed: pids are scattered, so that the first ones are any ones."""
    cursor.execute(
        "SELECT person.id, pid, sex = 'female', born, array_agg(ARRAY[text, language, scheme] ORDER BY position)"
        " FROM (SELECT * FROM tracker_person WHERE disclosure <> 'sealed' ORDER BY pid LIMIT %s OFFSET %s) AS person"
        " JOIN tracker_name ON person_id = person.id GROUP BY 1, 2, 3, 4 ORDER BY pid",
        [number, offset],
    )
    return [
        Somebody(pk, pid, woman, born and imprecise(born), [tuple(name) for name in names])
        for pk, pid, woman, born, names in cursor.fetchall()
    ]


def surname(text, language):
    """In the crowd, Russian lists have the surname first, all others last."""
    words = text.split()
    return words[0] if language == "ru" else words[-1]


def mistyped(rng, word):
    """One letter too many, too few, changed, or two in the wrong order; never the first one."""
    at = rng.randrange(1, len(word) - 1)
    letter = rng.choice(word[1:])
    return rng.choice(
        [
            word[:at] + letter + word[at:],
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


# Endings of men's names, and what becomes of them in the genitive
_GENITIVE = {
    "be": {"скі": "скага", "цкі": "цкага", "оў": "ова", "аў": "ава", "еў": "ева", "ец": "ца", "енка": "енкі",
           "ейка": "ейкі", "ка": "кі", "ій": "ія", "й": "я", "ь": "я", "а": "ы"},
    "ru": {"ский": "ского", "цкий": "цкого", "ец": "ца", "енко": "енко", "ейко": "ейко", "ко": "ко", "й": "я",
           "ь": "я", "а": "ы", "я": "и"},
}  # fmt: skip


def genitive(word, language):
    for ending, other in _GENITIVE[language].items():
        if word.endswith(ending):
            return word.removesuffix(ending) + other
    return word + "а"


def _in_another_script(rng, somebody):
    if all(language in ("be", "ru") and scheme == "original" for _text, language, scheme in somebody.names):
        text, language, _scheme = somebody.names[0]
        return latin(text, language, "by_passport")
    return None


def _as_recorded(rng, somebody):
    return rng.choice(somebody.names)[0]


def _mistyped(rng, somebody):
    text, language, _scheme = rng.choice(somebody.names)
    last = surname(text, language)
    return text.replace(last, mistyped(rng, last))


def _surname(rng, somebody):
    return surname(*rng.choice(somebody.names)[:2])


def _surname_mistyped(rng, somebody):
    return mistyped(rng, _surname(rng, somebody))


def _in_the_genitive(rng, somebody):
    text, language, scheme = rng.choice(somebody.names)
    if somebody.woman or scheme != "original" or language not in _GENITIVE:
        return None
    return " ".join(genitive(word, language) for word in text.split())


def _beginning(rng, somebody):
    return _surname(rng, somebody)[: rng.randint(3, 5)]


def _being_typed(rng, somebody):
    text, language, _scheme = somebody.names[0]
    return f"{text.split()[0]} {surname(text, language)[: rng.randint(2, 5)]}"


def _given_name(rng, somebody):
    return somebody.native.split()[0]


def _pid(rng, somebody):
    return somebody.pid


KINDS = {
    "as recorded": _as_recorded,
    "in another script": _in_another_script,
    "mistyped": _mistyped,
    "in the genitive": _in_the_genitive,
    "surname": _surname,
    "surname, mistyped": _surname_mistyped,
    "beginning of a surname": _beginning,
    "given name, beginning": _being_typed,
    "given name": _given_name,
    "pid": _pid,
}

#: They name nobody: what is found is a tenth of all persons, and none of them is the best
TOO_WIDE = ("given name",)


def searches(cursor, seed):
    """(kind, text, id of somebody whom it should find), ``EACH`` of every kind."""
    rng = random.Random(f"searches/{seed}")
    found = []
    for place, (kind, ask) in enumerate(KINDS.items()):
        asked = ((somebody, ask(rng, somebody)) for somebody in people(cursor, EACH * 20, offset=place * EACH * 20))
        some = [(kind, text, somebody.pk) for somebody, text in asked if text]
        found += some[:EACH]
    return found
