"""What each audience would see of a release if it were published as it stands now. Nothing of it stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent
from tracker import publication
from tracker.dates import ImpreciseDate
from tracker.models import Detention, Name, Person, Record, Source
from tracker.review import support_of
from tracker.vocabularies import Audience, Disclosure


@dataclass(frozen=True)
class Seen:
    """The release as one audience would see it; ``hidden`` says why it would see nothing."""

    audience: Audience
    hidden: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    way_out: list[str] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Preview:
    seen: list[Seen]
    #: what has to be published with it or before it
    waits_for: list[Record]


def preview(release: Release) -> Preview:
    """By the rules of publication themselves, in a savepoint that is taken back. ``release`` is saved, if only just."""
    above = [record for record in (release.person, release.event) if record is not None]
    with transaction.atomic():
        # history is stamped by the clock of the database, which this must not fall behind
        moment = timezone.now() + timedelta(minutes=5)
        now: list[Record] = [release, *filter(None, [release.detention])]
        for record in [*now, *(record for record in above if not record.published_at)]:
            type(record)._base_manager.filter(pk=record.pk).update(published_at=moment)
        for model, ids in support_of([*now, *above]).items():
            model._base_manager.filter(pk__in=ids).update(published_at=moment)
        seen = [_seen(release, audience) for audience in reversed(publication.COPIES)]
        transaction.set_rollback(True)
    return Preview(seen, [record for record in above if not record.published_at])


def _seen(release: Release, audience: Audience) -> Seen:
    copy = publication.Copy(audience)
    rows, _scope = copy.plan(Release, [release.pk])
    if release.pk not in rows[Release]:
        return Seen(audience, hidden=_why_hidden(release, audience))
    values = rows[Release][release.pk]
    around: dict[Any, dict[Any, dict[str, Any]]] = {}
    for model, key in ((Person, "person_id"), (ReleaseEvent, "event_id"), (Detention, "detention_id")):
        if values.get(key):
            around.update(copy.rows(model, [values[key]])[0])
    names = {key: source["title"] for key, source in rows[Source].items()}
    facts = [(str(Release._meta.get_field("person").verbose_name), _person(around, values["person_id"]))]
    if values.get("event_id"):
        facts.append((_("event"), around[ReleaseEvent][values["event_id"]]["title"]))
    facts += _facts(Release, values, ("released_on", "outcome", "legal_bases", "departure", "conditions"))
    if values.get("detention_id"):
        detention = around[Detention][values["detention_id"]]
        span = Detention(started=detention["started"], ended=detention["ended"]).span
        facts.append((_("detention"), span))
    steps = sorted(rows[Leg].values(), key=lambda step: step["position"])
    labels = {key: str(Leg(**{**step, "authority_id": None})) for key, step in rows[Leg].items()}
    return Seen(
        audience,
        facts=facts,
        way_out=[_step(step) for step in steps],
        citations=[_citation(citation, labels, names) for citation in rows[ReleaseCitation].values()],
    )


def _why_hidden(release: Release, audience: Audience) -> str:
    for record in (release, release.person, release.event):
        if record is not None and not record.closure().visible_to(audience):
            closed = Disclosure(record.closure()).label
            return _("“%(record)s” is open to: %(closed)s.") % {"record": record, "closed": closed}
    return _("Something it needs is not published.")


def _person(rows: dict[Any, dict[Any, dict[str, Any]]], key: Any) -> str:
    """As the model names somebody, from the names that the copy would hold."""
    person: Any = Person(**{name: rows[Person][key][name] for name in ("id", "label")})
    person._prefetched_objects_cache = {"names": [Name(**name) for name in rows.get(Name, {}).values()]}
    return person.name


def _facts(model: type[models.Model], values: dict[str, Any], names: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for name in names:
        column: Any = model._meta.get_field(name)
        text = _text(column, values[name])
        if text:
            found.append((str(column.verbose_name), text))
    return found


def _text(column: Any, value: Any) -> str:
    if isinstance(value, ImpreciseDate):
        return value.display
    labels = dict(getattr(column, "code_choices", None) or column.flatchoices)
    codes = value if isinstance(value, list) else [value]
    return ", ".join(str(labels.get(code, code)) for code in codes if code)


def _step(values: dict[str, Any]) -> str:
    step = Leg(**{**values, "authority_id": None})
    said = [str(step), step.place, step.happened.display if step.happened else "", step.get_status_display()]
    return ", ".join(filter(None, said))


def _citation(values: dict[str, Any], steps: dict[Any, str], names: dict[Any, str]) -> str:
    part = steps.get(values["leg_id"], "")
    fields = ReleaseCitation.fields_of(Leg if part else Release)
    about = ": ".join(filter(None, [part, fields.get(values["about"], "")])) or _("the record as a whole")
    source = names.get(values["source_id"], "")
    said = ", ".join(filter(None, [source, values.get("locator", ""), values.get("speaker", "")]))
    return f"{about} – {said}"
