"""Freezing a version of the data, and issuing one again without what was withdrawn since.

Nobody writes to the copy meanwhile. What is withdrawn while a version is made waits for it, and then takes it along:
a version that is there holds nothing that its audience may not see.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from tracker import clocks, comparing, package
from tracker.comparing import Changes
from tracker.models import Act, DataChunk, DataRelease, User
from tracker.models.data_releases import CHANGES, CHUNK, PACKAGE
from tracker.publication import COPIES
from tracker.vocabularies import ActKind, Audience

VERSION = re.compile(r"[1-9][0-9]{3}\.([1-9]|1[0-2])\.[1-9][0-9]{0,3}")


class Refused(Exception):
    """A version that cannot be frozen as it was asked for. Its message is for whoever asked."""


def freeze(audience: Audience, *, by: User, version: str = "") -> DataRelease:
    """The data as they stand, under the next version, or the one given. Raises ``Refused``."""
    if audience not in COPIES:
        raise Refused(_("Versions are frozen for %(names)s: staff see what nobody has checked.") % {"names": _names()})
    if not by.is_reviewer:
        raise Refused(_("Only a reviewer freezes a version."))
    if version and not VERSION.fullmatch(version):
        raise Refused(_("“%(version)s” is no version. Write year, month and number: 2025.12.1.") % {"version": version})
    with _alone(audience):
        releases = DataRelease.objects.using(audience)
        due = releases.due().newest_first().first()
        if due:
            raise Refused(_("Version %(version)s has to be issued again first: manage.py reissue.") % {"version": due})
        if version and releases.filter(version=version).exists():
            raise Refused(_("There is a version %(version)s already.") % {"version": version})
        return _issue(audience, by=by, version=version)


def reissue(audience: Audience, *, by: User | None = None) -> list[DataRelease]:
    """Every version that lost something, again without it: the first one first, since each is compared with it."""
    with _alone(audience):
        due = list(DataRelease.objects.using(audience).due().order_by("moment"))
        return [_issue(audience, by=by, of=release) for release in due]


def next_version(audience: Audience, day: datetime) -> str:
    month = f"{day.year}.{day.month}."
    taken = DataRelease.objects.using(audience).filter(version__startswith=month, reissue_of=None)
    return f"{month}{max((int(one.version.rsplit('.')[-1]) for one in taken), default=0) + 1}"


@cache
def software() -> str:
    """Changes with every line of the code: what one of them made, only the same one makes again byte for byte."""
    digest = hashlib.sha256()
    for app in ("tracker", "releases"):
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            digest.update(f"{path.relative_to(settings.BASE_DIR).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _names() -> str:
    return ", ".join(COPIES)


@contextmanager
def _alone(audience: Audience) -> Iterator[None]:
    """The lock of publication (``tracker.publication.writing``), over several transactions."""
    with connections[audience].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('publication'))")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('publication'))")


def _issue(audience: Audience, *, by: User | None, version: str = "", of: DataRelease | None = None) -> DataRelease:
    then = of.moment if of else None
    with tempfile.TemporaryDirectory(prefix="version-") as name:
        folder = Path(name)
        path, before, listed = (folder / file for file in (PACKAGE, f"before-{PACKAGE}", CHANGES))
        with clocks.standing(audience, then, was_known=True) as moment:
            version = _again(of) if of else version or next_version(audience, moment)
            previous = _previous(audience, moment)
            if previous is None:
                changes: Changes = {"since": "", "tables": []}
            else:
                # what changed stands in the package itself, and is read from one that does not say it yet
                _write(path, audience, version=version, moment=moment, changes="")
        if previous is not None:
            with before.open("wb") as file:
                file.writelines(previous.content(PACKAGE))
            with listed.open("wb") as file:
                changes = comparing.compare(before, path, file, since=previous.version, using=audience)
        with clocks.standing(audience, then, was_known=True):
            told = _told(version, moment, changes, of)
            files = _write(path, audience, version=version, moment=moment, changes=told)
        return _keep(
            DataRelease(
                version=version,
                reissue_of=(of.reissue_of or of) if of else None,
                moment=moment,
                software=software(),
                files=files,
                changes=changes,
            ),
            audience,
            {PACKAGE: path, CHANGES: listed if previous else None},
            by=by,
        )


def _again(of: DataRelease) -> str:
    first = (of.reissue_of or of).version
    number = int(of.version.removeprefix(first).removeprefix("-r") or 0)
    return f"{first}-r{number + 1}"


def _previous(audience: Audience, moment: datetime) -> DataRelease | None:
    """The version of before as it is handed out now: its first issue, or the last one again."""
    before = DataRelease.objects.using(audience).standing().filter(moment__lt=moment)
    return before.newest_first().first()


def _told(version: str, moment: datetime, changes: Changes, of: DataRelease | None) -> str:
    """CHANGES.md."""
    with translation.override("en"):
        lines = [f"# Changes in version {version}", "", f"The data as of {moment.date().isoformat()}."]
        if of is not None:
            lines += [
                f"Issued again on {datetime.now(UTC).date().isoformat()} in place of {of.version} (SHA-256"
                f" {of.sha256}), without what was withdrawn since."
            ]
        lines += [f"Made by software {software()}; the same software makes the same bytes.", ""]
        if changes["since"]:
            lines += [f"Since version {changes['since']}:", ""]
            lines += [f"- {sentence}" for sentence in comparing.sentences(changes)]
        else:
            lines += ["The first version."]
        return "\n".join(lines) + "\n"


def _keep(
    release: DataRelease, audience: Audience, contents: dict[str, Path | None], *, by: User | None
) -> DataRelease:
    """The version with its files in the copy, and the act in the working database."""
    path = contents[PACKAGE]
    assert path is not None
    with path.open("rb") as file:
        release.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    release.size = path.stat().st_size
    with transaction.atomic():
        Act.objects.create(
            context=uuid.uuid4(), kind=ActKind.FREEZE, by=by, why=f"{release.version} ({audience})", records=0
        )
        with transaction.atomic(using=audience):
            release.frozen_at = _clock(audience)
            release.save(using=audience, force_insert=True)
            for name, content_of in contents.items():
                if content_of is None:
                    continue
                with content_of.open("rb") as file:
                    for position, content in enumerate(_chunks(file)):
                        DataChunk.objects.using(audience).create(
                            release=release, name=name, position=position, content=content
                        )
            there = hashlib.sha256()
            for content in release.content(PACKAGE):
                there.update(content)
            if there.hexdigest() != release.sha256:
                raise Refused(_("The database did not keep the file as it was given. Nothing was frozen."))
    return release


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while content := file.read(CHUNK):
        yield content


def _clock(audience: Audience) -> datetime:
    with connections[audience].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _write(path: Path, audience: Audience, *, version: str, moment: datetime, changes: str) -> list[dict[str, Any]]:
    """The package of a moment that is open; what is in it."""
    written = package.write(path, audience, moment, version=version, changes=changes)
    return [asdict(file) for file in written.files]
