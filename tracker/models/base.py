"""What every table has: a random key, a revision, a history; and the three kinds of row: record, part, citation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tracker.models.fields import CodedField, ImpreciseDateField, KeyField, MissingField, Redaction, empties
from tracker.models.rules import Check, CompositeForeignKey, StaleError, immediate
from tracker.vocabularies import Audience, Credibility, Disclosure, ReviewState, Standing, StandingReason

Copied = Mapping[str, tuple[str, ...]]

#: Stands in a copy for every source that is for staff only, so that a reader sees that a fact has one.
HELD = uuid.uuid5(uuid.NAMESPACE_URL, "information held by the organisation")


def _sealable(field: Any) -> bool:
    return Disclosure.SEALED in field.codes


OPEN = (Disclosure.PUBLIC, Disclosure.RESEARCHER, Disclosure.STAFF)


def disclosure(default: Disclosure = Disclosure.PUBLIC, *, sealable: bool = False) -> CodedField:
    """Only persons, sources and events can be sealed, with all that lies below them."""
    return CodedField(
        Disclosure,
        codes=Disclosure.codes() if sealable else OPEN,
        default=default,
        verbose_name=_("disclosure"),
        help_text=_("Who may ever see this. Stricter takes effect at once, wider when a second person publishes it."),
    )


class RowQuerySet(models.QuerySet[Any]):
    def unsealed(self) -> Self:
        """Rows that are not sealed, and neither lie below nor point to anything sealed."""
        return self.visible_to(None)

    def visible_to(self, user: Any) -> Self:
        """What this account may see of the working database; a superuser without a grant sees nothing sealed."""
        rows = self
        for path in self.model.sealed_paths():
            target = self.model
            for name in filter(None, path.split("__")):
                target = target._meta.get_field(name).related_model
            join = f"{path}__" if path else ""
            seen = Q(**{f"{join}disclosure__in": OPEN})
            if path:
                seen |= Q(**{f"{path}__isnull": True})
            if user is not None:
                granted = target._base_manager.using(self.db).filter(grants__user=user)
                seen |= Q(**{f"{join}pk__in": granted.values("pk")})
            rows = rows.filter(seen)
        return rows

    def dated(self, column: str, since: date | None, until: date | None, *, certain: bool) -> Self:
        """Rows whose imprecise date can be, or (``certain``) surely is, within these days, both included.

        Of a row without a date nobody says so.
        """
        rows = self if since is None and until is None else self.filter(**{f"{column}__isnull": False})
        if since is not None:
            rows = rows.filter(**{f"{column}__startswith__gte" if certain else f"{column}__endswith__gt": since})
        if until is not None and certain:
            return rows.filter(**{f"{column}__endswith__lte": until + timedelta(days=1)})
        return rows if until is None else rows.filter(**{f"{column}__startswith__lte": until})

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        """Writes the revision each object was read with, so that a stale one is refused here as well."""
        rows = tuple(objs)
        for row in rows:
            row._require_revision()
        count = super().bulk_update(rows, sorted({*fields, "revision"}), batch_size)
        written = self.model._base_manager.using(self.db).filter(pk__in=[row.pk for row in rows])
        revisions = dict(written.values_list("pk", "revision"))
        for row in rows:
            row.revision = revisions[row.pk]
        return count


class Row(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    revision = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    objects = RowQuerySet.as_manager()

    #: What goes into a copy, by the most open audience that may see it; a column not named here is in no copy.
    copied: ClassVar[Copied] = {}
    #: Columns that ``save`` leaves alone: an object read before a publication knows nothing of it.
    not_saved: ClassVar[tuple[str, ...]] = ()
    #: Foreign keys without which the row would say something else: where the target is hidden, so is the row.
    bound: ClassVar[tuple[str, ...]] = ()
    #: Columns that are copied coarser than they are: column → audience → a function of the value and its row.
    redacted: ClassVar[Mapping[str, Mapping[str, Redaction]]] = {}
    #: Columns that have no place in some rows: column → the condition of these rows. Only what is certain.
    not_applicable: ClassVar[Mapping[str, Q]] = {}
    #: The condition of the rows of a copy of which nothing is told, whatever they hold.
    withheld: ClassVar[Q | None] = None

    class Meta:
        abstract = True

    def _require_revision(self) -> None:
        """Loading it only now would compare the row with itself."""
        if "revision" in self.get_deferred_fields():
            raise StaleError(f"{self._meta.label} {self.pk} was read without its revision")

    @classmethod
    def columns_for(cls, audience: Audience) -> tuple[str, ...]:
        """Names of the fields that this audience's copy holds, besides the id."""
        return tuple(
            name for level, names in cls.copied.items() if Audience(level).level <= audience.level for name in names
        )

    @classmethod
    def emptied_for(cls, audience: Audience) -> set[str]:
        """Columns of which this audience's copy may hold nothing though there is something."""
        return {
            name for name, redactions in cls.redacted.items() if getattr(redactions.get(audience), "emptying", False)
        }

    @classmethod
    def sealed_paths(cls) -> list[str]:
        """Lookups (empty: the row itself) to whatever can be sealed and would seal this row with it."""
        paths = cls._sealed_itself()
        above = {getattr(cls, "owner", ""), *getattr(cls, "below", ())}
        for field in cls._meta.concrete_fields:
            target = field.related_model
            if not (isinstance(target, type) and issubclass(target, Row)) or target is cls:
                continue
            deeper = target.sealed_paths() if field.name in above else target._sealed_itself()
            paths += [f"{field.name}__{path}" if path else field.name for path in deeper]
        # a citation of a part says what the part says; what seals the part's record is asked already
        for name in getattr(cls, "parts", ()):
            part: Any = cls._meta.get_field(name).related_model
            paths += [f"{name}__{path}" for path in part.sealed_paths() if path.split("__")[0] != part.owner]
        return paths

    @classmethod
    def _sealed_itself(cls) -> list[str]:
        """Lookups to the row, where it can be sealed, and to a row of its own kind that it has become a part of."""
        fields = cls._meta.concrete_fields
        if not any(field.name == "disclosure" and _sealable(field) for field in fields):
            return []
        below = getattr(cls, "below", ())
        return ["", *(field.name for field in fields if field.name in below and field.related_model is cls)]

    def save(self, *args: Any, **kwargs: Any) -> None:
        adding = self._state.adding
        self._require_revision()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "revision"}
        elif not adding and self.not_saved:
            names = {field.name for field in self._meta.concrete_fields if not field.primary_key}
            kwargs["update_fields"] = names - set(self.not_saved)
        if not adding and not kwargs.get("force_insert"):
            # a row that somebody deleted meanwhile must not come back by being saved
            kwargs["force_update"] = True
        try:
            super().save(*args, **kwargs)
        except IntegrityError:
            raise
        except DatabaseError as error:
            if adding or error.__cause__ is not None:
                raise
            raise StaleError(f"{self._meta.label} {self.pk} is not there any more") from error
        if not adding:
            # the trigger counted, not we: a save that changed nothing is no new revision
            rows = type(self)._base_manager.using(self._state.db).filter(pk=self.pk)
            self.revision = rows.values_list("revision", flat=True).get()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises ``StaleError`` when somebody has changed the row since it was read."""
        self._require_revision()
        with transaction.atomic(using=self._state.db):
            rows = type(self)._base_manager.using(self._state.db).select_for_update()
            now = rows.filter(pk=self.pk).values_list("revision", flat=True).first()
            if now is not None and now != self.revision:
                raise StaleError(f"{self._meta.label} {self.pk}: revision {self.revision} is not {now}")
            return super().delete(*args, **kwargs)


class Explained(models.Model):
    """A row in which editors can say why a typed column is empty. See ``tracker.models.history.tracked``."""

    missing = MissingField()

    class Meta:
        abstract = True

    def drop_answered(self) -> None:
        """A value answers the question why there is none."""
        answered = [name for name in self.missing if name in empties(type(self)) and not self.is_empty(name)]
        if answered:
            self.missing = {name: reason for name, reason in self.missing.items() if name not in answered}

    def is_empty(self, name: str) -> bool:
        return getattr(self, name) in (None, "", [])

    def clean(self) -> None:
        super().clean()
        self.drop_answered()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if "missing" not in self.get_deferred_fields():
            before = self.missing
            self.drop_answered()
            if self.missing != before and kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "missing"}
        super().save(*args, **kwargs)


class Part(Row):
    """A row that is seen, reviewed and closed with its record, and edited on its record's page."""

    #: the foreign key to the record
    owner: ClassVar[str]

    class Meta:
        abstract = True

    @classmethod
    def open_with(cls, record: Any) -> bool:
        """Whether the record (or a row of its history) lets its parts of this kind be copied."""
        return True

    @property
    def record(self) -> Record:
        record: Record = getattr(self, self.owner)
        return record


class Record(Row):
    """A row with a page, a disclosure, a history and citations of its own.

    ``published_at`` is the moment whose state the copies show (None: they do not hold the record). Read
    ``tracker.publication`` before writing it.
    """

    disclosure = disclosure()
    published_at = models.DateTimeField(null=True, editable=False)

    #: Foreign keys to the records this one lies below: it is as closed as the most closed of them.
    below: ClassVar[tuple[str, ...]] = ()
    bookkeeping: ClassVar[tuple[str, ...]] = ("published_at",)
    not_saved = bookkeeping

    class Meta:
        abstract = True

    @classmethod
    def part_models(cls) -> list[type[Part]]:
        """The models of this record's parts, citations last (they point to the other parts)."""
        parts = [
            relation.related_model
            for relation in cls._meta.related_objects
            if issubclass(relation.related_model, Part) and relation.field.name == relation.related_model.owner
        ]
        return sorted(parts, key=lambda model: issubclass(model, Citation))

    @classmethod
    def citation_model(cls) -> type[Citation]:
        """Raises ``LookupError`` for a record that is not cited (a source, a reported figure)."""
        for model in cls.part_models():
            if issubclass(model, Citation):
                return model
        raise LookupError(cls._meta.label)

    @classmethod
    def closure_of(cls, row: Any) -> Disclosure:
        """How closed a row of this model is by itself; ``row`` may be a row of its history."""
        return Disclosure(row.disclosure)

    @classmethod
    def leads_on(cls, row: Any) -> tuple[str, ...] | None:
        """The only columns a copy holds of a row that merely leads to another record, and has no parts there.

        None for a row that speaks for itself; ``row`` may be a row of its history.
        """
        return None

    def closure(self) -> Disclosure:
        """How closed this record is: by itself or by a record it lies below, the strictest of them."""
        closed = self.closure_of(self)
        for name in self.below:
            parent = getattr(self, name)
            if parent is not None:
                closed = max(closed, parent.closure(), key=lambda disclosure: disclosure.level)
        return closed


STATES: Mapping[str, tuple[str, ...]] = {
    ReviewState.DRAFT: (ReviewState.SUBMITTED, ReviewState.WITHDRAWN),
    ReviewState.SUBMITTED: (ReviewState.DRAFT, ReviewState.PUBLISHED, ReviewState.WITHDRAWN),
    ReviewState.PUBLISHED: (ReviewState.DRAFT, ReviewState.SUBMITTED, ReviewState.WITHDRAWN),
    ReviewState.WITHDRAWN: (ReviewState.DRAFT, ReviewState.SUBMITTED),
}


def _impossible_steps() -> str:
    steps = []
    for before, afters in STATES.items():
        after = ", ".join(f"'{state}'" for state in afters)
        steps.append(f"(OLD.review_state = '{before}' AND NEW.review_state IN ({after}))")
    allowed = " OR ".join(steps)
    return f"NEW.review_state <> OLD.review_state AND NOT ({allowed})"


class Reviewed(Record):
    """A record that somebody submits and somebody else publishes."""

    review_state = CodedField(ReviewState, default=ReviewState.DRAFT, editable=False, verbose_name=_("review state"))
    submitted_by = models.ForeignKey(
        "tracker.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    reviewed_by = models.ForeignKey(
        "tracker.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    #: columns that say how far the review is, and nothing about the world
    review_columns: ClassVar[tuple[str, ...]] = ("review_state", "submitted_by", "reviewed_by", "published_at")
    not_saved = review_columns

    class Meta:
        abstract = True
        constraints = [
            Check(
                name="%(class)s_reviewer_is_not_submitter",
                condition=Q(reviewed_by__isnull=True)
                | Q(submitted_by__isnull=True)
                | ~Q(reviewed_by=models.F("submitted_by")),
                sentence=_("Whoever submitted this cannot publish it: a second person has to look at it."),
            ),
            Check(
                # a copy knows no accounts, and no moment of publication either
                name="%(class)s_published_by_two",
                condition=~Q(review_state=ReviewState.PUBLISHED)
                | Q(published_at__isnull=True)
                | Q(submitted_by__isnull=False, reviewed_by__isnull=False),
                sentence=_("Publishing takes two: one who submits and another who publishes."),
            ),
        ]
        triggers = [
            immediate(
                "review_takes_its_steps",
                _impossible_steps(),
                _("This cannot be done from the state it is in. Reload the page to see where it stands."),
                operation=pgtrigger.Update,
            ),
            immediate(
                "published_is_withdrawn_first",
                "OLD.published_at IS NOT NULL",
                _("This is published. Withdraw it before deleting it."),
                operation=pgtrigger.Delete,
            ),
        ]


def at_most_one(parts: Iterable[str]) -> Q:
    """At most one of these foreign keys is set."""
    names = list(parts)
    one = Q()
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            one &= Q(**{f"{first}__isnull": True}) | Q(**{f"{second}__isnull": True})
    return one


#: Somebody else's word for what the record holds otherwise.
DISPUTED = (Standing.REJECTED, Standing.UNRESOLVED)


class Claim(Row):
    """What makes a statement citable: who says so, where, in which words, and what we think of it."""

    source = models.ForeignKey(
        "tracker.Source", on_delete=models.PROTECT, related_name="%(class)ss", verbose_name=_("source")
    )
    locator = models.CharField(
        blank=True,
        default="",
        verbose_name=_("locator"),
        help_text=_("Where in the source: paragraph 3, line 12, 01:35."),
    )
    stated = models.TextField(
        blank=True,
        default="",
        verbose_name=_("as stated"),
        help_text=_("The source's own words for the value, in short."),
    )
    value = models.CharField(
        blank=True,
        default="",
        verbose_name=_("reads as"),
        help_text=_("The value as our files would print it: 2021-03-05, LT;PL, confirmed."),
    )
    speaker = models.CharField(
        blank=True,
        default="",
        verbose_name=_("speaker"),
        help_text=_("Whom the source quotes, with title. Never a person of this database by link."),
    )
    origin = models.ForeignKey(
        "tracker.Source",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss_repeating",
        verbose_name=_("origin"),
        help_text=_("The source whose word this passage repeats. Passages of one origin count once."),
    )
    quote = models.TextField(blank=True, default="", verbose_name=_("quote"))
    credibility = CodedField(Credibility, blank=True, verbose_name=_("credibility"))
    standing = CodedField(Standing, default=Standing.ACCEPTED, verbose_name=_("standing"))
    reason = CodedField(StandingReason, blank=True, verbose_name=_("reason"))
    reasoning = models.TextField(
        blank=True,
        default="",
        verbose_name=_("reasoning"),
        help_text=_("Why it stands as it does, in a sentence. Shown with the citation."),
    )
    disclosure = disclosure()

    copied = {
        "public": (
            "source", "locator", "stated", "value", "as_of", "speaker", "origin", "standing", "reason", "reasoning",
            "disclosure",
        ),
        "researcher": ("quote", "credibility"),
    }  # fmt: skip
    not_applicable = {"reason": Q(standing=Standing.ACCEPTED)}

    class Meta:
        abstract = True
        constraints = [
            Check(
                name="%(class)s_rejected_has_reason",
                condition=~Q(standing=Standing.REJECTED) | ~Q(reason="") | ~Q(reasoning=""),
                sentence=_("A rejected citation needs a reason: choose one, or say why in a sentence."),
                field="reason",
            ),
        ]

    @property
    def independent_origin(self) -> uuid.UUID:
        """Passages with the same one count once: the origin, else what the whole text repeats, else the source."""
        if self.origin_id:
            return self.origin_id
        return self.source.derived_from_id or self.source_id


class Citation(Claim, Part):
    """What a source says about one record: the record as a whole, a field of it, a part, or a field of a part.

    A concrete class has the foreign key to its record (``owner``) and a nullable one to each kind of part.
    """

    about = models.CharField(
        blank=True,
        default="",
        verbose_name=_("about"),
        help_text=_("The field it supports; empty for the record, or the part, as a whole."),
    )
    as_of = ImpreciseDateField(
        verbose_name=_("as of"), help_text=_("The day it speaks of: “still jailed on 22 November” stays true.")
    )
    withheld = Q(source=HELD)
    #: foreign keys to the parts of the record, at most one of them set
    parts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.bound = cls.parts

    class Meta(Claim.Meta):
        abstract = True
        indexes = [
            models.Index(fields=["source"]),
            # few among very many, and asked for in lists
            models.Index(name="%(class)s_disputed", fields=["standing"], condition=Q(standing__in=DISPUTED)),
        ]

    def __str__(self) -> str:
        return f"{self.about_label} – {self.source}"

    @property
    def part(self) -> Part | None:
        for name in self.parts:
            if getattr(self, f"{name}_id"):
                part: Part = getattr(self, name)
                return part
        return None

    @classmethod
    def fields_of(cls, model: type[models.Model]) -> dict[str, str]:
        """What a citation can be about in a row of this model: field name → label."""
        hidden = {"id", "revision", "disclosure", "position", "pid", "rid", "missing", *Reviewed.review_columns}
        hidden |= {getattr(model, "owner", ""), *KeyField.names_in(model)}
        return {
            field.name: str(getattr(field, "verbose_name", field.name))
            for field in model._meta.concrete_fields
            if field.name not in hidden
        }

    def _cited_model(self) -> Any:
        part = self.part
        return type(part) if part else self._meta.get_field(self.owner).related_model

    @property
    def about_label(self) -> str:
        part, model = self.part, self._cited_model()
        field = self.fields_of(model).get(self.about, self.about) if self.about else ""
        return ": ".join(filter(None, [str(part) if part else "", field])) or str(_("the record as a whole"))

    def clean(self) -> None:
        super().clean()
        model = self._cited_model()
        if self.about and self.about not in self.fields_of(model):
            raise ValidationError(
                {
                    "about": _("%(model)s has no field “%(field)s”. Choose one of: %(fields)s.")
                    % {
                        "model": model._meta.verbose_name,
                        "field": self.about,
                        "fields": ", ".join(self.fields_of(model)),
                    }
                }
            )


def citation_rules(owner: str, parts: Mapping[str, str]) -> list[Any]:
    """Constraints of a concrete citation: about one part at most (name → table), and that of the same record."""
    constraints: list[Any] = [
        CompositeForeignKey(
            name=f"%(class)s_{part}_is_of_the_same_record",
            columns=(f"{part}_id", f"{owner}_id"),
            to=table,
            to_columns=("id", f"{owner}_id"),
            sentence=_("A citation is about a part of its own record."),
            field="about",
        )
        for part, table in parts.items()
    ]
    if len(parts) > 1:
        constraints.append(
            Check(
                name="%(class)s_about_one_part",
                condition=at_most_one(parts),
                sentence=_("A citation is about one part at most: enter it once for each."),
                field="about",
            )
        )
    return constraints


def citable(owner: str) -> models.UniqueConstraint:
    """What the citations of a part point to: the part together with its record."""
    return models.UniqueConstraint(fields=["id", owner], name="%(class)s_of_record")


def position() -> models.PositiveSmallIntegerField[int, int]:
    return models.PositiveSmallIntegerField(
        verbose_name=_("position"), default=1, db_default=1, help_text=_("1 is the first.")
    )


def ends_after_start(start: str, end: str) -> Q:
    """An end *can* be after its start: the bare ranges are never compared (design: imprecise dates)."""
    return (
        Q(**{f"{start}__isnull": True})
        | Q(**{f"{end}__isnull": True})
        | Q(**{f"{end}__endswith__gt": models.F(f"{start}__startswith")})
    )


__all__ = [
    "HELD", "Callable", "Citation", "Claim", "Explained", "Part", "Record", "Reviewed", "Row", "RowQuerySet", "Self",
]  # fmt: skip
