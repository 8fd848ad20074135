"""Logging one release: a person comes out, and the detention that this ends is closed with it.

Only a confirmed release ends a detention, and only when the editor who logs it lets it. Afterwards the two are linked
and never made alike behind anyone's back: ``disagreements`` says where they differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from releases.models import Leg, Release, ReleaseCitation
from tracker import review
from tracker.dates import ImpreciseDate, surely_held
from tracker.models import Citation, Claim, Detention, DetentionCitation, Reviewed
from tracker.vocabularies import DetentionEnd, ReviewState, Standing


class Ending(StrEnum):
    """Which detention a release ends, where none is named."""

    AUTO = "auto"  # the one that it can only be; where there is none, a new one
    NEW = "new"  # one that nobody has recorded yet
    NONE = "none"
    KEEP = "keep"  # whatever the release is linked to, as it is


class Impossible(ValueError):
    """Why the release cannot be logged like this: beside which field to say so, and the release in the way, if any."""

    def __init__(self, field: str, sentence: str, release: Release | None = None) -> None:
        super().__init__(sentence)
        self.field, self.sentence, self.release = field, sentence, release


@dataclass(frozen=True)
class Plan:
    """The detention to link (not saved yet: one to record), and the end to give it, if it is to be closed."""

    detention: Detention | None = None
    ended: ImpreciseDate | None = None


def plan(release: Release, ends: Ending | Detention, others: Mapping[UUID, Release] | None = None) -> Plan:
    """What logging this release would do to detentions; ``release`` may be unsaved. Raises ``Impossible``.

    ``others``: the confirmed releases of whom this is about, by the detention that they end, where they are read.
    """
    if ends is Ending.NONE:
        return Plan()
    if ends is Ending.NEW:
        return _new(release)
    if ends is Ending.KEEP:
        detention = release.detention
    elif ends is Ending.AUTO:
        detention = likely(release)
        if detention is None:
            return _new(release) if release.ends_detention and release.released_on else Plan()
    else:
        assert isinstance(ends, Detention)
        detention = ends
    if detention is None:
        return Plan()
    if detention.person_id != release.person_id:
        raise Impossible("ends", _("This detention is another person's. Choose one of this person's."))
    if not release.ends_detention:
        return Plan(detention)
    if others is None:
        rows = Release.objects.counted().filter(detention=detention).exclude(pk=release.pk)
        other = rows.select_related("person").prefetch_related("person__names").first()
    else:
        other = others.get(detention.pk)
    if other:
        raise Impossible(
            "ends",
            _(
                "Another confirmed release already ends the detention %(span)s. Open that one instead, or choose"
                " another detention."
            )
            % {"span": detention.span},
            other,
        )
    closes = detention.is_open and ends is not Ending.KEEP
    return Plan(detention, end_of(detention, release.released_on) if closes else None)


def likely(release: Release) -> Detention | None:
    """The person's open detention if it can have begun by the release, else the one that ended when it happened."""
    own = [detention for detention in release.person.detentions.all() if _can_be(detention, release.released_on)]
    return next((detention for detention in own if detention.is_open), None) or (own[0] if len(own) == 1 else None)


def _can_be(detention: Detention, released_on: ImpreciseDate | None) -> bool:
    if released_on is None:
        return detention.is_open
    if detention.ended:
        same_days = detention.ended.earliest <= released_on.latest and released_on.earliest <= detention.ended.latest
        return same_days and detention.end_reason in {"", DetentionEnd.RELEASED, DetentionEnd.UNKNOWN}
    return not (detention.started and released_on.surely_before(detention.started))


def end_of(detention: Detention, released_on: ImpreciseDate | None) -> ImpreciseDate:
    """The day of release; of its days, where it is imprecise, none before the last on which the person was held."""
    if released_on is None:
        raise Impossible(
            "released_on",
            _(
                "To end the detention, give the day. Where nobody knows it, give the last day known held and the first"
                " known out (2021-03-05/2021-06-01), or choose below that it ends no detention."
            ),
        )
    if detention.started and released_on.surely_before(detention.started):
        raise Impossible(
            "released_on",
            _("The detention it would end began later, on %(day)s. Correct the day or choose another detention.")
            % {"day": detention.started.edtf},
        )
    if detention.confirmed and released_on.latest < detention.confirmed:
        raise Impossible(
            "released_on",
            _("A source has this person still held on %(day)s. Correct the day or choose another detention.")
            % {"day": detention.confirmed.isoformat()},
        )
    held = [detention.confirmed, detention.started and detention.started.earliest]
    return ImpreciseDate(max([released_on.earliest, *filter(None, held)]), released_on.latest)


def _new(release: Release) -> Plan:
    if not release.ends_detention:
        raise Impossible(
            "ends", _("Only a confirmed release ends a detention. Change the outcome, or choose another answer.")
        )
    detention = Detention(person=release.person, disclosure=release.disclosure)
    return Plan(detention, end_of(detention, release.released_on))


def log(
    release: Release,
    ends: Ending | Detention = Ending.AUTO,
    *,
    legs: Iterable[Leg] = (),
    citations: Iterable[ReleaseCitation] = (),
) -> Plan:
    """Save a release with its way out, its citations and the detention it ends, all or nothing.

    ``legs`` and ``citations`` refer to ``release``; all may be unsaved. Raises ``Impossible``, or the IntegrityError
    of what the database refuses.
    """
    with transaction.atomic():
        done = plan(release, ends)
        begin(release, done)
        for row in (*legs, *citations):
            row.save()
        finish(release, done)
    return done


def begin(release: Release, done: Plan) -> None:
    """Link and close the detention, and save the release. Inside a transaction; what belongs to it is saved next."""
    detention = done.detention
    if detention and done.ended:
        detention.ended, detention.end_reason = done.ended, DetentionEnd.RELEASED
        detention.save()
    release.detention = detention
    release.save()


def finish(release: Release, done: Plan) -> None:
    """Cite the end of the detention with whoever says so of the release, once its citations are saved.

    Also later, when the release was cited later: a detention that nobody vouches for could not be published with it.
    """
    detention = done.detention
    if detention is None or not release.ends_detention:
        return
    if not done.ended and (detention.citations.exists() or disagreements(release)):
        return
    for end in said_of_the_end(detention, release.citations.order_by("pk")):
        end.save()


def said_of_the_end(detention: Detention, citations: Iterable[ReleaseCitation]) -> list[DetentionCitation]:
    """What the citations of the release that ended it say of the end, once for each passage; not saved yet."""
    said = [citation for citation in citations if citation.standing == Standing.ACCEPTED]
    day = [citation for citation in said if not citation.leg_id and citation.about in {"", "outcome", "released_on"}]
    passages: dict[object, DetentionCitation] = {}
    # whoever gives the day itself speaks first
    for citation in sorted(day or said, key=lambda citation: citation.about != "released_on"):
        passage = citation.source_id, citation.origin_id, citation.locator, citation.speaker, citation.disclosure
        passages.setdefault(passage, _of_the_end(detention, citation))
    return list(passages.values())


def _of_the_end(detention: Detention, citation: Citation) -> DetentionCitation:
    names = {field.name for field in Claim._meta.get_fields()} - {"id", "revision"}
    if citation.about != "released_on":
        names -= {"stated", "value", "quote"}  # words about something else
    values = {name: getattr(citation, name) for name in (*names, "as_of")}
    return DetentionCitation(detention=detention, about="ended", **values)


def is_end_of(release: Release, detention: Detention) -> bool:
    """Whether the end of the detention still is the one that this release gave it."""
    if detention.pk != release.detention_id or detention.end_reason != DetentionEnd.RELEASED:
        return False
    try:
        return detention.ended == end_of(detention, release.released_on)
    except Impossible:
        return False


def in_the_way(detention: Detention, confirmed: date | None = None) -> Detention | None:
    """Another detention of the same person beside which this one could not be open (again), ``confirmed`` or not."""
    held = surely_held(detention.started, None, confirmed or detention.confirmed)
    for other in detention.person.detentions.all():
        if other.pk == detention.pk:
            continue
        span = other.surely_held()
        if other.is_open or (held and span and (span[1] is None or span[1] > held[0])):
            return other
    return None


def disagreements(release: Release) -> list[str]:
    """Where a release and its detention say different things, a sentence each."""
    detention, day = release.detention, release.released_on
    if detention is None:
        return [_("It is linked to no detention.")] if release.ends_detention else []
    if not release.ends_detention:
        others = Release.objects.counted().filter(detention=detention)
        if detention.end_reason == DetentionEnd.RELEASED and not others.exists():
            return [_("The detention is closed as released, and no confirmed release ends it.")]
        return []
    if detention.is_open:
        return [_("The detention is still open, though the release is confirmed.")]
    sentences = []
    if detention.end_reason not in {"", DetentionEnd.RELEASED}:
        reason = DetentionEnd(detention.end_reason).label
        sentences.append(_("The detention ended otherwise: %(reason)s.") % {"reason": reason})
    if day and detention.ended and (day.surely_before(detention.ended) or detention.ended.surely_before(day)):
        sentences.append(
            _("The release is dated %(release)s and the end of the detention %(end)s.")
            % {"release": day.edtf, "end": detention.ended.edtf}
        )
    return sentences


def act(release: Release, step: str) -> list[Reviewed]:
    """What takes this step of the review in one act with a release: the detention it ended, while that is not yet out.

    The detention comes first, since the release refers to it.
    """
    detention = release.detention
    if detention is None or step not in {"submit", "publish", "send_back"}:
        return [release]
    submitted = detention.review_state == ReviewState.SUBMITTED
    if step == "submit":
        with_it = not submitted and (not detention.published_at or bool(review.changed_by([detention])))
    else:
        with_it = submitted
    return [detention, release] if with_it else [release]
