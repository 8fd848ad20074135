"""Who is held, where and why, and who says so."""

from tracker.models.accounts import EDITOR, RESEARCHER, REVIEWER, Grant, User
from tracker.models.acts import Act
from tracker.models.alphabet import Alphabetical
from tracker.models.base import Citation, Claim, Part, Record, Reviewed, Row, RowQuerySet
from tracker.models.custody import PersonQuerySet, Status
from tracker.models.data_releases import DataChunk, DataRelease
from tracker.models.detentions import Detention, DetentionCitation, Episode, Placement
from tracker.models.downloads import Download
from tracker.models.identity import NotTheSame
from tracker.models.persons import (
    ExternalIdentifier,
    Name,
    Person,
    PersonCitation,
    Recognition,
    Relationship,
)
from tracker.models.prosecutions import (
    Case,
    Charge,
    Prosecution,
    ProsecutionCitation,
    ProsecutionDetention,
    Sentence,
    Verdict,
    VerdictCitation,
)
from tracker.models.sources import (
    Facility,
    FacilityCitation,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Provision,
    Source,
)
from tracker.models.uploads import Upload

__all__ = [
    "EDITOR",
    "RESEARCHER",
    "REVIEWER",
    "Act",
    "Alphabetical",
    "Case",
    "Charge",
    "Citation",
    "Claim",
    "DataChunk",
    "DataRelease",
    "Detention",
    "DetentionCitation",
    "Download",
    "Episode",
    "ExternalIdentifier",
    "Facility",
    "FacilityCitation",
    "Grant",
    "Name",
    "NotTheSame",
    "Organisation",
    "OrganisationCitation",
    "OrganisationName",
    "Part",
    "Person",
    "PersonCitation",
    "PersonQuerySet",
    "Placement",
    "Prosecution",
    "ProsecutionCitation",
    "ProsecutionDetention",
    "Provision",
    "Recognition",
    "Record",
    "Relationship",
    "Reviewed",
    "Row",
    "RowQuerySet",
    "Sentence",
    "Source",
    "Status",
    "Upload",
    "User",
    "Verdict",
    "VerdictCitation",
]
