"""The coded values of the database, each with the line that stands in the codebook.

Codes are stable: they stand in the files that researchers keep. A label may be reworded and translated,
a code may not. `OTHER` is never enough by itself: a record that uses it says in a note what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Self

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    # The type exists for checkers only; at run time lazy strings are proxies.
    from django.utils.functional import _StrPromise as StrPromise


class Vocabulary(StrEnum):
    """A closed list of codes. A member is the string of its code, so it can be stored and compared as it is."""

    label: StrPromise
    definition: StrPromise

    def __new__(cls, code: str, *words: StrPromise) -> Self:
        # Label and definition are not parameters of their own: to a type checker the call `Sex("female")`,
        # which looks a member up, is a call of this method.
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.definition = words
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, StrPromise]]:
        """Pairs of code and label for a Django field, in the order of the definition."""
        return [(member.value, member.label) for member in cls]

    @classmethod
    def codes(cls) -> tuple[str, ...]:
        return tuple(member.value for member in cls)


class Ladder(Vocabulary):
    """A vocabulary whose order means something. Codes compare as strings, so rungs are compared by `level`."""

    @property
    def level(self) -> int:
        """The rung, from 0."""
        return list(type(self)).index(self)


@unique
class Precision(Vocabulary):
    """How exactly a date is known. It is read off the date, never entered."""

    DAY = "day", _("Day"), _("That very day.")
    MONTH = "month", _("Month"), _("Some day within that calendar month.")
    YEAR = "year", _("Year"), _("Some day within that calendar year.")
    INTERVAL = "interval", _("Interval"), _("Some day from the earliest to the latest, both included.")


# --- Persons and names


@unique
class Identification(Vocabulary):
    IDENTIFIED = "identified", _("Identified"), _("It is known who the person is.")
    PARTLY_IDENTIFIED = (
        "partly_identified",
        _("Partly identified"),
        _("Something that singles the person out is known, such as a relation to somebody named, but no full name."),
    )
    UNIDENTIFIED = (
        "unidentified",
        _("Unidentified"),
        _("A source speaks of one particular person and does not say who."),
    )


@unique
class Sex(Vocabulary):
    FEMALE = "female", _("Female"), _("The sources speak of a woman or a girl.")
    MALE = "male", _("Male"), _("The sources speak of a man or a boy.")
    OTHER = "other", _("Other"), _("The person is described in another way, which a note gives.")
    UNKNOWN = "unknown", _("Unknown"), _("No source says or lets one conclude.")


@unique
class NameKind(Vocabulary):
    LEGAL = "legal", _("Legal name"), _("As in the person's documents or in a court's papers.")
    ROMANISED = "romanised", _("Romanised"), _("Put into Latin letters by a scheme, from another script.")
    MEDIA = "media", _("Used by media"), _("As newspapers and agencies spell it, by no particular scheme.")
    PEN = "pen", _("Pen name"), _("A name under which the person writes, performs or is known online.")
    RELIGIOUS = "religious", _("Religious name"), _("A name taken or given in a religious community.")
    FORMER = "former", _("Former name"), _("A name the person no longer bears, such as a maiden name.")
    DIMINUTIVE = "diminutive", _("Diminutive"), _("A short or familiar form of the given name.")
    ERRONEOUS = (
        "erroneous",
        _("Erroneous"),
        _("Printed for this person by mistake; kept so that the source can be found."),
    )


@unique
class NameScheme(Vocabulary):
    ORIGINAL = "original", _("Original spelling"), _("Not transliterated: written in the script of its own language.")
    LACINKA = "lacinka", _("Łacinka"), _("The traditional Belarusian Latin alphabet.")
    BY_2007 = "by_2007", _("Belarusian, 2007"), _("The Belarusian instruction for place names as amended in 2007.")
    BY_PASSPORT = "by_passport", _("Belarusian passport"), _("As printed in a Belarusian passport.")
    BGN_PCGN = "bgn_pcgn", _("BGN/PCGN"), _("The romanisation of the American and British boards on geographic names.")
    FROM_RUSSIAN = (
        "from_russian",
        _("From the Russian form"),
        _("Put into Latin letters from the Russian form of the name."),
    )
    UA_2010 = "ua_2010", _("Ukrainian, 2010"), _("The table of the Ukrainian government of 27 January 2010.")
    MEDIA = "media", _("Media usage"), _("As media spell it; no scheme that could be named.")


@unique
class Language(Vocabulary):
    """Language tags of BCP 47."""

    BE = "be", _("Belarusian"), _("Belarusian (BCP 47).")
    RU = "ru", _("Russian"), _("Russian (BCP 47).")
    UK = "uk", _("Ukrainian"), _("Ukrainian (BCP 47).")
    PL = "pl", _("Polish"), _("Polish (BCP 47).")
    LT = "lt", _("Lithuanian"), _("Lithuanian (BCP 47).")
    LV = "lv", _("Latvian"), _("Latvian (BCP 47).")
    EN = "en", _("English"), _("English (BCP 47).")
    DE = "de", _("German"), _("German (BCP 47).")
    FR = "fr", _("French"), _("French (BCP 47).")
    ES = "es", _("Spanish"), _("Spanish (BCP 47).")
    CS = "cs", _("Czech"), _("Czech (BCP 47).")
    IT = "it", _("Italian"), _("Italian (BCP 47).")
    ET = "et", _("Estonian"), _("Estonian (BCP 47).")
    NL = "nl", _("Dutch"), _("Dutch (BCP 47).")
    SV = "sv", _("Swedish"), _("Swedish (BCP 47).")
    UND = "und", _("Undetermined"), _("The language has not been determined, or is none of the listed (BCP 47).")


@unique
class Script(Vocabulary):
    """Script codes of ISO 15924."""

    CYRL = "Cyrl", _("Cyrillic"), _("Cyrillic letters (ISO 15924).")
    LATN = "Latn", _("Latin"), _("Latin letters (ISO 15924).")
    ARAB = "Arab", _("Arabic"), _("Arabic letters (ISO 15924).")
    ARMN = "Armn", _("Armenian"), _("Armenian letters (ISO 15924).")
    GEOR = "Geor", _("Georgian"), _("Georgian letters (ISO 15924).")
    GREK = "Grek", _("Greek"), _("Greek letters (ISO 15924).")
    HEBR = "Hebr", _("Hebrew"), _("Hebrew letters (ISO 15924).")
    ZYYY = "Zyyy", _("Undetermined"), _("No letters, or letters of a script that is not listed (ISO 15924).")


@unique
class Occupation(Vocabulary):
    JOURNALIST = "journalist", _("Journalist"), _("Works for a news medium, employed or freelance.")
    BLOGGER = "blogger", _("Blogger"), _("Publishes on a channel or page of their own.")
    HUMAN_RIGHTS_DEFENDER = (
        "human_rights_defender",
        _("Human rights defender"),
        _("Works or volunteers to protect the rights of others."),
    )
    LAWYER = "lawyer", _("Lawyer"), _("Advocate or other legal professional.")
    POLITICIAN = "politician", _("Politician"), _("Held or sought political office, or led a party or campaign.")
    ACTIVIST = "activist", _("Activist"), _("Took part in public campaigns without holding or seeking office.")
    TRADE_UNIONIST = "trade_unionist", _("Trade unionist"), _("Leads, works for or is active in a trade union.")
    ACADEMIC = "academic", _("Academic"), _("Researches or teaches at a university or institute.")
    TEACHER = "teacher", _("Teacher"), _("Teaches at a school, college or course.")
    STUDENT = "student", _("Student"), _("Attends a school, college or university.")
    MEDICAL_WORKER = "medical_worker", _("Medical worker"), _("Doctor, nurse or other medical staff.")
    IT_SPECIALIST = "it_specialist", _("IT specialist"), _("Works in information technology.")
    ENTREPRENEUR = "entrepreneur", _("Entrepreneur"), _("Owns or manages a business, or is self-employed.")
    WORKER = "worker", _("Worker"), _("Employed in industry, building, transport, farming or services.")
    ARTIST = "artist", _("Artist"), _("Writer, musician, actor, film maker, designer or other artist.")
    ATHLETE = "athlete", _("Athlete"), _("Competes or coaches in sports.")
    CLERGY = "clergy", _("Clergy"), _("Minister of a religious community or member of an order.")
    MILITARY = "military", _("Military"), _("Serves or served in armed forces.")
    LAW_ENFORCEMENT = (
        "law_enforcement",
        _("Law enforcement"),
        _("Serves or served in the police, prosecution or security services."),
    )
    CIVIL_SERVANT = (
        "civil_servant",
        _("Civil servant"),
        _("Works or worked for a state body other than the armed forces and law enforcement."),
    )
    PENSIONER = "pensioner", _("Pensioner"), _("Retired from work.")
    UNEMPLOYED = "unemployed", _("Unemployed"), _("Without work at the time of the arrest.")
    OTHER = "other", _("Other"), _("An occupation that is not listed; a note says which.")


@unique
class PersecutionContext(Vocabulary):
    """What the persecution is about, in the words of the organisation: not an admission that an accusation is true."""

    ELECTION_2020 = (
        "election_2020",
        _("Election of 2020"),
        _("Candidacy, campaigning or observing in the presidential election of 2020."),
    )
    PROTEST_2020 = (
        "protest_2020",
        _("Protests of 2020"),
        _("Taking part in the protests that followed the election of 2020."),
    )
    OTHER_PROTEST = "other_protest", _("Other protests"), _("Taking part in protests before or after those of 2020.")
    COMMENTARY_ONLINE = (
        "commentary_online",
        _("Comments online"),
        _("Comments, posts, messages or subscriptions on the internet."),
    )
    DONATIONS = "donations", _("Donations"), _("Giving money to solidarity funds, media or others declared extremist.")
    SUPPORT_FOR_UKRAINE = (
        "support_for_ukraine",
        _("Support for Ukraine"),
        _("Statements, donations or acts in support of Ukraine or against the war."),
    )
    FOREIGN_INTELLIGENCE_ACCUSATION = (
        "foreign_intelligence_accusation",
        _("Accused of foreign intelligence"),
        _("Accused of espionage, agent activity or treason for another state's service."),
    )
    JOURNALISM = "journalism", _("Journalism"), _("Reporting, or working with a medium declared extremist.")
    HUMAN_RIGHTS_WORK = (
        "human_rights_work",
        _("Human rights work"),
        _("Documenting violations or helping those who suffered them."),
    )
    LEGAL_DEFENCE = (
        "legal_defence",
        _("Legal defence"),
        _("Defending clients in cases that the authorities hold to be political."),
    )
    TRADE_UNION_WORK = (
        "trade_union_work",
        _("Trade union work"),
        _("Strikes, independent unions or complaints about labour conditions."),
    )
    RELIGIOUS_ACTIVITY = (
        "religious_activity",
        _("Religious activity"),
        _("Belief, worship or the statements of clergy."),
    )
    CULTURE_AND_LANGUAGE = (
        "culture_and_language",
        _("Culture and language"),
        _("Publishing, teaching or performing, for national culture or language."),
    )
    ARMED_FORMATION_ACCUSATION = (
        "armed_formation_accusation",
        _("Accused of an armed formation"),
        _("Accused of joining, or wanting to join, an armed formation or hostilities abroad."),
    )
    RAIL_SABOTAGE_ACCUSATION = (
        "rail_sabotage_accusation",
        _("Accused of railway sabotage"),
        _("Accused of damaging railways, or of reporting or planning it."),
    )
    HAJUN_CASE = "hajun_case", _("Hajun case"), _("Sending information to the monitoring project Belaruski Hajun.")
    EMIGRE_INITIATIVE = (
        "emigre_initiative",
        _("Initiative in exile"),
        _("Taking part in, or contact with, an initiative or body in exile."),
    )
    RELATIVE_OF_PERSECUTED = (
        "relative_of_persecuted",
        _("Relative of somebody persecuted"),
        _("Persecuted because of a relative's acts."),
    )
    OTHER = "other", _("Other"), _("A context that is not listed; a note says which.")


@unique
class RelationshipKind(Vocabulary):
    SPOUSE = "spouse", _("Spouse"), _("Married to the other person.")
    PARENT_OF = "parent_of", _("Parent of"), _("Father or mother of the other person; read backwards it is child of.")
    SIBLING = "sibling", _("Sibling"), _("Brother or sister of the other person.")
    PARTNER = "partner", _("Partner"), _("Lives with the other person, or is engaged to them, without being married.")
    OTHER = "other", _("Other"), _("Related in another way; a note says how.")


@unique
class Consent(Vocabulary):
    """What the person, or who may speak for them, wants published."""

    MAY_BE_PUBLISHED = "may_be_published", _("May be published"), _("Agreed that name and case be published.")
    NAME_WITHHELD = "name_withheld", _("Name withheld"), _("Agreed that the case be published without the name.")
    NOT_AT_ALL = "not_at_all", _("Not at all"), _("Asked that nothing be published.")
    NOT_ASKED = "not_asked", _("Not asked"), _("Nobody has asked the person or their family.")


# --- Organisations and facilities


@unique
class OrganisationKind(Vocabulary):
    STATE_BODY = (
        "state_body",
        _("State body"),
        _("Government, ministry, security service or other civil authority of a state."),
    )
    MILITARY = "military", _("Military"), _("Armed forces, a part of them, or military intelligence.")
    COURT = "court", _("Court"), _("A court of law.")
    MEDIA = "media", _("Media"), _("A newspaper, agency, broadcaster, channel or publisher.")
    NGO = "ngo", _("Non-governmental organisation"), _("An organisation of civil society, registered or not.")
    INTERNATIONAL = (
        "international",
        _("International organisation"),
        _("A body of several states, or of an organisation of states."),
    )
    POLITICAL = "political", _("Political organisation"), _("A party, a campaign, or a body in exile.")
    RELIGIOUS = "religious", _("Religious organisation"), _("A church, a religious community or its authority.")
    OTHER = "other", _("Other"), _("An organisation of a kind that is not listed; a note says which.")


@unique
class OrganisationNameKind(Vocabulary):
    OFFICIAL = "official", _("Official name"), _("The name by which it calls itself in its own language.")
    FORMER = "former", _("Former name"), _("An official name no longer in use.")
    ABBREVIATION = "abbreviation", _("Abbreviation"), _("A short form made of initials or parts of the name.")
    TRANSLATION = "translation", _("Translation"), _("The name in another language, official or not.")
    VARIANT = "variant", _("Variant"), _("Any other way in which sources write the name.")


# --- Detention


@unique
class Custody(Vocabulary):
    CLOSED = "closed", _("Closed"), _("The person cannot leave the place.")
    OPEN = "open", _("Open"), _("The person lives in a facility and may leave it to work.")
    HOME = "home", _("At home"), _("The person is confined to their home.")

    def types(self) -> tuple[CustodyType, ...]:
        return tuple(kind for kind in CustodyType if kind.custody is self)


@unique
class Certainty(Vocabulary):
    """How sure it is that somebody is held."""

    CERTAIN = "certain", _("Certain"), _("Whatever the imprecise dates turn out to be.")
    POSSIBLE = "possible", _("Possible"), _("Nothing that is known excludes it.")


@unique
class CustodyType(Vocabulary):
    """Where somebody is held. Going from closed to home is a placement, never the end of the detention."""

    IVS = "ivs", _("Temporary holding (IVS)"), _("Police cells for the first days after an arrest.")
    CIP = "cip", _("Administrative arrest (CIP)"), _("A centre where administrative arrest is served.")
    SIZO = "sizo", _("Remand prison (SIZO)"), _("Remand before and during trial, until the verdict is in force.")
    COLONY = "colony", _("Penal colony"), _("A correctional colony in which a prison sentence is served.")
    PRISON = "prison", _("Prison"), _("Cells under prison regime, by sentence or as a punishment from a colony.")
    COLONY_SETTLEMENT = (
        "colony_settlement",
        _("Colony settlement"),
        _("A colony without guarded perimeter, where inmates live under supervision."),
    )
    IUOT = (
        "iuot",
        _("Open-type facility (“khimiya”)"),
        _("An open correctional facility in which restriction of liberty is served."),
    )
    HOME_RESTRICTION = (
        "home_restriction",
        _("Restriction at home (“home khimiya”)"),
        _("Restriction of liberty served at home."),
    )
    HOUSE_ARREST = "house_arrest", _("House arrest"), _("House arrest before or during trial.")
    PSYCHIATRIC = (
        "psychiatric",
        _("Psychiatric institution"),
        _("Compulsory treatment or examination in a psychiatric institution."),
    )
    MEDICAL = "medical", _("Medical institution"), _("A prison hospital, or another hospital under guard.")
    JUVENILE = "juvenile", _("Juvenile colony"), _("An educational colony for those convicted as minors.")
    LTP = (
        "ltp",
        _("Compulsory work and treatment (LTP)"),
        _("A facility for compulsory labour and treatment for alcohol or drugs."),
    )
    IMMIGRATION = "immigration", _("Immigration detention"), _("Held for deportation or for a check of status.")
    IN_TRANSIT = "in_transit", _("In transit"), _("Being moved between facilities.")
    UNDISCLOSED = "undisclosed", _("Undisclosed"), _("Held at a place that the authorities do not name.")
    ABROAD = "abroad", _("Abroad"), _("Held in another country, such as awaiting extradition.")

    @property
    def custody(self) -> Custody:
        match self:
            case CustodyType.IUOT | CustodyType.COLONY_SETTLEMENT:
                return Custody.OPEN
            case CustodyType.HOME_RESTRICTION | CustodyType.HOUSE_ARREST:
                return Custody.HOME
            case _:
                return Custody.CLOSED


@unique
class EpisodeKind(Vocabulary):
    PUNISHMENT_CELL = (
        "punishment_cell",
        _("Punishment cell"),
        _("Disciplinary isolation (ShIZO) or a cell-type room (PKT)."),
    )
    PRISON_REGIME = "prison_regime", _("Prison regime"), _("Moved to prison regime as a punishment.")
    HOSPITAL = "hospital", _("Hospital"), _("Treated in a hospital while held.")
    HUNGER_STRIKE = "hunger_strike", _("Hunger strike"), _("Refused food in protest.")
    INCOMMUNICADO = "incommunicado", _("Incommunicado"), _("No letters, calls, visits or lawyer.")


@unique
class Regime(Vocabulary):
    GENERAL = "general", _("General"), _("General regime of a colony.")
    ENHANCED = "enhanced", _("Enhanced"), _("Enhanced regime of a colony.")
    STRICT = "strict", _("Strict"), _("Strict regime of a colony.")
    SPECIAL = "special", _("Special"), _("Special regime of a colony.")
    PRISON = "prison", _("Prison"), _("Prison regime.")
    EDUCATIONAL_COLONY = "educational_colony", _("Educational colony"), _("Regime of an educational colony for minors.")
    UNSPECIFIED = "unspecified", _("Unspecified"), _("The sources do not say.")


@unique
class DetentionEnd(Vocabulary):
    RELEASED = "released", _("Released"), _("Left custody alive and lawfully, on whatever basis.")
    DIED = "died", _("Died"), _("Died while deprived of liberty.")
    ESCAPED = "escaped", _("Escaped"), _("Left without being released.")
    UNKNOWN = "unknown", _("Unknown"), _("The detention ended, nobody says how.")


@unique
class DeathCircumstances(Vocabulary):
    IN_CUSTODY = "in_custody", _("In custody"), _("Died in a place of detention.")
    IN_HOSPITAL_UNDER_GUARD = (
        "in_hospital_under_guard",
        _("In hospital under guard"),
        _("Died in a hospital while still held."),
    )
    OF_ILLNESS_FROM_CUSTODY = (
        "of_illness_from_custody",
        _("Of an illness from custody"),
        _("Died after release of an illness contracted or neglected in custody."),
    )
    AT_LIBERTY = "at_liberty", _("At liberty"), _("Died at liberty, with no known link to custody.")
    UNKNOWN = "unknown", _("Unknown"), _("How the person died is not known.")


@unique
class Whereabouts(Vocabulary):
    ACKNOWLEDGED = "acknowledged", _("Acknowledged"), _("The authorities say where the person is.")
    ACKNOWLEDGED_INCOMMUNICADO = (
        "acknowledged_incommunicado",
        _("Acknowledged, incommunicado"),
        _("The authorities say where the person is and let nobody reach them."),
    )
    DENIED = "denied", _("Denied"), _("The authorities deny holding the person or refuse to say where.")
    UNKNOWN = "unknown", _("Unknown"), _("It is not known whether the authorities acknowledge the place.")


# --- Proceedings


@unique
class ProvisionLaw(Vocabulary):
    CRIMINAL_CODE = "criminal_code", _("Criminal Code"), _("Criminal Code of the Republic of Belarus.")
    ADMINISTRATIVE_CODE = (
        "administrative_code",
        _("Administrative Code"),
        _("Code of Administrative Offences of the Republic of Belarus."),
    )
    CRIMINAL_PROCEDURE_CODE = (
        "criminal_procedure_code",
        _("Criminal Procedure Code"),
        _("Criminal Procedure Code of the Republic of Belarus."),
    )


@unique
class ProsecutionKind(Vocabulary):
    CRIMINAL = "criminal", _("Criminal"), _("Under the criminal code.")
    ADMINISTRATIVE = "administrative", _("Administrative"), _("Under the code of administrative offences.")
    EXTRADITION_OR_DEPORTATION = (
        "extradition_or_deportation",
        _("Extradition or deportation"),
        _("To hand the person over to another country or to remove them from it."),
    )


@unique
class ProsecutionEnd(Vocabulary):
    CONVICTED = "convicted", _("Convicted"), _("Ended with a finding of guilt.")
    ACQUITTED = "acquitted", _("Acquitted"), _("Ended with an acquittal.")
    DISCONTINUED = "discontinued", _("Discontinued"), _("Dropped before a verdict.")
    CLOSED_BY_DEATH = "closed_by_death", _("Closed by death"), _("Closed because the person died.")
    PENDING = "pending", _("Pending"), _("Still going on.")
    UNKNOWN = "unknown", _("Unknown"), _("Whether or how it ended is not known.")


@unique
class Instance(Vocabulary):
    FIRST = "first", _("First instance"), _("The first trial.")
    APPEAL = "appeal", _("Appeal"), _("Against a verdict not yet in force.")
    CASSATION = "cassation", _("Cassation"), _("On points of law, against a verdict in force.")
    SUPERVISORY = (
        "supervisory",
        _("Supervisory review"),
        _("By a president of a court or a prosecutor, after the verdict is in force."),
    )
    RETRIAL = "retrial", _("Retrial"), _("Another first trial after a verdict was quashed.")


@unique
class VerdictOutcome(Vocabulary):
    CONVICTED = "convicted", _("Convicted"), _("Found guilty in the first instance or a retrial.")
    UPHELD = "upheld", _("Upheld"), _("The earlier verdict stands unchanged.")
    REDUCED = "reduced", _("Reduced"), _("The penalty was made milder.")
    INCREASED = "increased", _("Increased"), _("The penalty was made harsher.")
    QUASHED = "quashed", _("Quashed"), _("The earlier verdict was set aside.")
    ACQUITTED = "acquitted", _("Acquitted"), _("Found not guilty.")
    PENDING = "pending", _("Pending"), _("Not decided yet.")
    UNKNOWN = "unknown", _("Unknown"), _("What was decided is not known.")


@unique
class ChargeStage(Vocabulary):
    COMPLETED = "completed", _("Completed"), _("The offence is said to have been completed.")
    ATTEMPT = "attempt", _("Attempt"), _("An attempt (article 14 of the criminal code).")
    PREPARATION = "preparation", _("Preparation"), _("Preparation (article 13 of the criminal code).")


@unique
class ChargeParticipation(Vocabulary):
    PERPETRATOR = "perpetrator", _("Perpetrator"), _("Said to have committed the act in person.")
    ORGANISER = "organiser", _("Organiser"), _("Said to have organised or led it.")
    ACCOMPLICE = "accomplice", _("Accomplice"), _("Said to have aided or incited it.")
    GROUP_BY_PRIOR_AGREEMENT = (
        "group_by_prior_agreement",
        _("Group by prior agreement"),
        _("Said to have acted in a group that agreed beforehand."),
    )
    UNSPECIFIED = "unspecified", _("Unspecified"), _("The sources do not say.")


@unique
class ChargeOutcome(Vocabulary):
    PENDING = "pending", _("Pending"), _("Not decided yet.")
    CONVICTED = "convicted", _("Convicted"), _("Found guilty on this charge.")
    ACQUITTED = "acquitted", _("Acquitted"), _("Found not guilty on this charge.")
    DROPPED = "dropped", _("Dropped"), _("Withdrawn before a decision.")
    REQUALIFIED = "requalified", _("Requalified"), _("Replaced by a charge under another provision.")


@unique
class SentenceKind(Vocabulary):
    IMPRISONMENT = "imprisonment", _("Imprisonment"), _("Deprivation of liberty in a colony or prison, for a term.")
    ARREST = (
        "arrest",
        _("Arrest"),
        _("Short strict confinement under the criminal code, or administrative arrest in days."),
    )
    RESTRICTION_WITH_FACILITY = (
        "restriction_with_facility",
        _("Restriction of liberty in a facility (“khimiya”)"),
        _("Restriction of liberty with assignment to an open-type facility."),
    )
    RESTRICTION_WITHOUT_FACILITY = (
        "restriction_without_facility",
        _("Restriction of liberty at home (“home khimiya”)"),
        _("Restriction of liberty without assignment to a facility."),
    )
    RESTRICTION_UNSPECIFIED = (
        "restriction_unspecified",
        _("Restriction of liberty, unspecified"),
        _("Restriction of liberty; the sources do not say whether in a facility."),
    )
    FINE = "fine", _("Fine"), _("Money to be paid to the state.")
    CIVIL_DAMAGES = "civil_damages", _("Civil damages"), _("Money to be paid to those held to be victims.")
    DEPRIVATION_OF_RANK = "deprivation_of_rank", _("Deprivation of rank"), _("Loss of a military or special rank.")
    CORRECTIVE_LABOUR = (
        "corrective_labour",
        _("Corrective labour"),
        _("Work with a part of the pay kept by the state, for a term."),
    )
    COMMUNITY_SERVICE = "community_service", _("Community service"), _("Unpaid work.")
    DEPRIVATION_OF_RIGHTS = (
        "deprivation_of_rights",
        _("Deprivation of rights"),
        _("A ban on holding certain offices or on certain activities, for a term."),
    )
    CONFISCATION = "confiscation", _("Confiscation"), _("Loss of property to the state.")
    COMPULSORY_TREATMENT = (
        "compulsory_treatment",
        _("Compulsory treatment"),
        _("Compulsory medical or psychiatric treatment, without a term."),
    )
    LIFE = "life", _("Life imprisonment"), _("Imprisonment for life; it has no term.")
    DEATH = "death", _("Death"), _("The death penalty; it has no term.")

    @classmethod
    def with_term(cls) -> tuple[SentenceKind, ...]:
        """The kinds that have a term in years, months and days."""
        # Tuples, here and below: a set has another order in every process, and constraints are made of them.
        return (
            cls.IMPRISONMENT,
            cls.ARREST,
            cls.RESTRICTION_WITH_FACILITY,
            cls.RESTRICTION_WITHOUT_FACILITY,
            cls.RESTRICTION_UNSPECIFIED,
            cls.CORRECTIVE_LABOUR,
            cls.DEPRIVATION_OF_RIGHTS,
        )

    @classmethod
    def with_amount(cls) -> tuple[SentenceKind, ...]:
        """The kinds that have an amount, in a currency or in base units."""
        return cls.FINE, cls.CIVIL_DAMAGES


@unique
class Execution(Vocabulary):
    IMMEDIATE = "immediate", _("Immediate"), _("To be served from the verdict's entry into force.")
    SUSPENDED = "suspended", _("Suspended"), _("Not to be served unless the person breaks conditions.")
    DEFERRED = "deferred", _("Deferred"), _("To be served later, such as after a child has grown up.")


@unique
class RecognitionStatus(Vocabulary):
    POLITICAL_PRISONER = (
        "political_prisoner",
        _("Political prisoner"),
        _("The body holds the person to be a political prisoner."),
    )
    PRISONER_OF_CONSCIENCE = (
        "prisoner_of_conscience",
        _("Prisoner of conscience"),
        _("The body holds the person to be a prisoner of conscience."),
    )
    ARBITRARY_DETENTION = (
        "arbitrary_detention",
        _("Arbitrary detention"),
        _("The body holds the detention to be arbitrary."),
    )
    POSTHUMOUS = "posthumous", _("Posthumous"), _("Recognised as a political prisoner after death.")
    WITHDRAWN = "withdrawn", _("Withdrawn"), _("The body took an earlier recognition back.")
    NOT_RECOGNISED = "not_recognised", _("Not recognised"), _("The body decided not to recognise the person.")


@unique
class RecognitionCriterion(Vocabulary):
    """The grounds of Resolution 1900 (2012), paragraph 3, of the Parliamentary Assembly of the Council of Europe."""

    PACE_A = (
        "pace_a",
        _("PACE a: fundamental freedoms violated"),
        _("Detained in violation of the European Convention on Human Rights, above all of its fundamental freedoms."),
    )
    PACE_B = (
        "pace_b",
        _("PACE b: no offence"),
        _("Detained for purely political reasons, without connection to any offence."),
    )
    PACE_C = (
        "pace_c",
        _("PACE c: out of proportion"),
        _("For political motives, length or conditions of the detention are clearly out of proportion to the offence."),
    )
    PACE_D = (
        "pace_d",
        _("PACE d: discriminatory"),
        _("For political motives, detained in a discriminatory manner compared with others."),
    )
    PACE_E = (
        "pace_e",
        _("PACE e: unfair proceedings"),
        _("Detained after proceedings that were clearly unfair, apparently for political motives of the authorities."),
    )


# --- Releases


@unique
class LegalBasis(Vocabulary):
    """Why somebody could leave. One release may have several."""

    PARDON = "pardon", _("Pardon"), _("An act of clemency for named people, by the head of state.")
    AMNESTY = "amnesty", _("Amnesty"), _("An act of clemency for a class of people, by law.")
    EXCHANGE = "exchange", _("Exchange"), _("Handed over in return for people held by another side.")
    NON_CUSTODIAL_SENTENCE = (
        "non_custodial_sentence",
        _("Non-custodial sentence"),
        _("Sentenced to a penalty that is not served in custody."),
    )
    AWAITING_EXECUTION = (
        "awaiting_execution",
        _("Awaiting execution of the sentence"),
        _("Let go until a restriction of liberty begins."),
    )
    TERM_COVERED_BY_REMAND = (
        "term_covered_by_remand",
        _("Term covered by remand"),
        _("The sentence was already served on remand."),
    )
    SENTENCE_SUSPENDED = "sentence_suspended", _("Sentence suspended"), _("The sentence was suspended or deferred.")
    EXPIRY_OF_TERM = "expiry_of_term", _("Expiry of the term"), _("The sentence was served in full.")
    EARLY_CONDITIONAL = "early_conditional", _("Early conditional release"), _("Released on parole.")
    REPLACED_BY_MILDER = (
        "replaced_by_milder",
        _("Replaced by a milder penalty"),
        _("The rest of the sentence was replaced by a milder penalty."),
    )
    MEDICAL = "medical", _("Medical grounds"), _("Released because of an illness.")
    ACQUITTAL = "acquittal", _("Acquittal"), _("Found not guilty.")
    CASE_CLOSED = "case_closed", _("Case closed"), _("The proceedings were discontinued.")
    MEASURE_CHANGED = (
        "measure_changed",
        _("Preventive measure changed"),
        _("Released from remand on bail, recognisance or to house arrest."),
    )
    APPEAL = "appeal", _("Appeal"), _("Freed by the decision of a higher court.")
    UNKNOWN = "unknown", _("Unknown"), _("No source says.")


@unique
class Mechanism(Vocabulary):
    """How a release event came about, as reported."""

    UNILATERAL = "unilateral", _("Unilateral"), _("The holding side acted alone.")
    NEGOTIATED = "negotiated", _("Negotiated"), _("Agreed with another state or a mediator.")
    CONCESSION_LINKED = (
        "concession_linked",
        _("Linked to a concession"),
        _("Reported together with a concession by another side."),
    )
    EXCHANGE = "exchange", _("Exchange"), _("People were released on both sides.")
    RETURN = "return", _("Return"), _("People were returned to their own country, with none going the other way.")


@unique
class ReleaseOutcome(Vocabulary):
    ANNOUNCED = "announced", _("Announced"), _("Somebody said that the person is or will be released.")
    CONFIRMED = "confirmed", _("Confirmed"), _("A source says that the person is out.")
    REFUSED_AND_RETURNED = (
        "refused_and_returned",
        _("Refused and returned"),
        _("The person refused to leave and was taken back into custody."),
    )
    REFUTED = "refuted", _("Refuted"), _("The person turned out not to have been released.")


@unique
class Departure(Vocabulary):
    STAYED = "stayed", _("Stayed"), _("Remained in the country.")
    LEFT_VOLUNTARILY = "left_voluntarily", _("Left voluntarily"), _("Left the country by their own decision.")
    EXPELLED = "expelled", _("Expelled"), _("Was taken out of the country, with no choice given.")
    UNKNOWN = "unknown", _("Unknown"), _("No source says.")


@unique
class ReleaseCondition(Vocabulary):
    MUST_LEAVE = "must_leave", _("Must leave"), _("Released on condition of leaving the country.")
    ENTRY_BAN = "entry_ban", _("Entry ban"), _("May not return to the country.")
    SUPERVISION = "supervision", _("Supervision"), _("Under preventive supervision after release.")
    ADMISSION_OF_GUILT = "admission_of_guilt", _("Admission of guilt"), _("Had to admit guilt.")
    PETITION_COERCED = "petition_coerced", _("Petition coerced"), _("Was made to ask for clemency.")
    PASSPORT_SEIZED = "passport_seized", _("Passport seized"), _("Was left without a passport.")
    TEMPORARY_DOCUMENT = (
        "temporary_document",
        _("Temporary document"),
        _("Was given a temporary document for the way out."),
    )


@unique
class LegKind(Vocabulary):
    HANDOVER = "handover", _("Handover"), _("From custody to the authority that received the person.")
    ONWARD = "onward", _("Onward journey"), _("From where the person was handed over to somewhere else.")


@unique
class LegStatus(Vocabulary):
    PLANNED = "planned", _("Planned"), _("Announced, not known to have taken place.")
    COMPLETED = "completed", _("Completed"), _("A source says that the person arrived.")
    REFUSED = "refused", _("Refused"), _("The person refused to go, or was not let in.")


@unique
class EventRole(Vocabulary):
    REQUESTER = "requester", _("Requester"), _("Asked for the release.")
    MEDIATOR = "mediator", _("Mediator"), _("Negotiated between the sides.")
    RECEIVING_AUTHORITY = "receiving_authority", _("Receiving authority"), _("Received the people who were released.")
    OPERATIONAL_LEAD = "operational_lead", _("Operational lead"), _("Led the handover on site.")
    HOST = "host", _("Host"), _("Took people in after the handover.")
    GRANTOR = "grantor", _("Grantor"), _("Granted the release, such as by a pardon.")


@unique
class EventRelationKind(Vocabulary):
    PART_OF = "part_of", _("Part of"), _("This event is a part of the other.")
    MAY_INCLUDE_SAME_PEOPLE = (
        "may_include_same_people",
        _("May include the same people"),
        _("Some people may be counted in both events."),
    )
    FOLLOWS = "follows", _("Follows"), _("This event is reported as a continuation of the other.")


@unique
class ConcessionMeasure(Vocabulary):
    """What another side gave, reported as linked to a release: never a statement of cause."""

    SANCTIONS_LIFTED = "sanctions_lifted", _("Sanctions lifted"), _("A sanction was ended.")
    SANCTIONS_EASED = (
        "sanctions_eased",
        _("Sanctions eased"),
        _("A sanction was narrowed or suspended, or exceptions were made."),
    )
    DIPLOMATIC = (
        "diplomatic",
        _("Diplomatic step"),
        _("A visit, a call, an embassy reopened or another diplomatic step."),
    )
    OTHER = "other", _("Other"), _("A measure that is not listed; a note says which.")


@unique
class FigureSubject(Vocabulary):
    """What the counted people did, or what was done with them."""

    ANNOUNCED = (
        "announced",
        _("Announced"),
        _("People whose release was announced, whether or not they came out."),
    )
    RELEASED = "released", _("Released"), _("People released from custody.")
    PARDONED = "pardoned", _("Pardoned"), _("People granted a pardon.")
    EXCHANGED = "exchanged", _("Exchanged"), _("People handed over in an exchange.")
    SERVED_IN_FULL = "served_in_full", _("Served in full"), _("People released because their term had ended.")
    HANDED_OVER = "handed_over", _("Handed over"), _("People handed over to the authorities of another country.")
    PLANNED_ONWARD = "planned_onward", _("Planned onward"), _("People who are to travel on to another country.")
    ARRIVED = "arrived", _("Arrived"), _("People who arrived in a country.")
    DIED = "died", _("Died"), _("People who died.")
    NAMED = "named", _("Named"), _("People whose names were made public.")
    REMAINING_IN_CUSTODY = "remaining_in_custody", _("Remaining in custody"), _("People still held.")
    RECOGNISED = "recognised", _("Recognised"), _("People recognised as political prisoners.")


@unique
class FigureMeasure(Vocabulary):
    PEOPLE = "people", _("People"), _("The number counts people.")
    AGE_IN_YEARS = "age_in_years", _("Age in years"), _("The numbers are the lowest and the highest age of the people.")
    SENTENCE_IN_YEARS = (
        "sentence_in_years",
        _("Sentence in years"),
        _("The numbers are the shortest and the longest sentence."),
    )


@unique
class FigureDimension(Vocabulary):
    """Along what a number is divided into its parts. The codes are the names of the columns of a figure."""

    DESTINATIONS = "destinations", _("By destination"), _("By where the people were taken.")
    CITIZENSHIPS = "citizenships", _("By citizenship"), _("By citizenship; somebody with two counts in one part only.")
    SEX = "sex", _("By sex"), _("By sex: men and women.")
    GROUP = "group", _("By group"), _("By groups as the sources word them.")


@unique
class Qualifier(Vocabulary):
    EXACTLY = "exactly", _("Exactly"), _("The number itself.")
    ABOUT = (
        "about",
        _("About"),
        _("Every number that rounds to it at the place of its last non-zero digit: about 100 is 50 to 149."),
    )
    AT_LEAST = "at_least", _("At least"), _("The number or more.")
    MORE_THAN = "more_than", _("More than"), _("More than the number.")
    UP_TO = "up_to", _("Up to"), _("From none to the number.")
    WORDED = "worded", _("Worded"), _("A word such as “several”: no numbers, so never compared.")


# --- Sources and citations


@unique
class SourceKind(Vocabulary):
    NEWS = "news", _("News"), _("An article, broadcast or post of a news medium.")
    AGENCY = "agency", _("News agency"), _("A text of a news agency.")
    OFFICIAL_STATEMENT = (
        "official_statement",
        _("Official statement"),
        _("A statement of a state or an international body, published or reported."),
    )
    COURT_RECORD = (
        "court_record",
        _("Court record"),
        _("A verdict, a protocol or another paper of a court; staff only unless decided otherwise."),
    )
    LEGAL_ACT = "legal_act", _("Legal act"), _("A law, decree, regulation or list issued under one.")
    NGO_REPORT = "ngo_report", _("NGO report"), _("A report, list or statement of a non-governmental organisation.")
    INTERVIEW = (
        "interview",
        _("Interview"),
        _("What somebody told the organisation; staff only unless decided otherwise."),
    )
    SOCIAL_POST = (
        "social_post",
        _("Social media post"),
        _("A post on social media by somebody other than a news medium."),
    )
    STATE_MEDIA = "state_media", _("State media"), _("A medium controlled by the state that holds the people.")
    LETTER = "letter", _("Letter"), _("A letter or message to the organisation; staff only unless decided otherwise.")

    @classmethod
    def confidential(cls) -> tuple[SourceKind, ...]:
        """The kinds that are for staff by default: there the informant is in most danger."""
        return cls.LETTER, cls.INTERVIEW, cls.COURT_RECORD


@unique
class Reliability(Vocabulary):
    """Reliability of a source, in the Admiralty system (NATO STANAG 2511)."""

    A = (
        "A",
        _("A: completely reliable"),
        _("No doubt about authenticity, trustworthiness or competence; always reliable so far."),
    )
    B = "B", _("B: usually reliable"), _("Minor doubts; mostly right so far.")
    C = "C", _("C: fairly reliable"), _("Some doubts; right at times.")
    D = "D", _("D: not usually reliable"), _("Significant doubts; right at times.")
    E = "E", _("E: unreliable"), _("Lacks authenticity, trustworthiness or competence; wrong so far.")
    F = "F", _("F: cannot be judged"), _("There is no basis for judging the source.")


@unique
class Credibility(Vocabulary):
    """Credibility of a piece of information, in the Admiralty system (NATO STANAG 2511)."""

    CONFIRMED = "1", _("1: confirmed"), _("Confirmed by other independent sources and consistent with what is known.")
    PROBABLE = "2", _("2: probably true"), _("Not confirmed, but logical and consistent with what is known.")
    POSSIBLE = "3", _("3: possibly true"), _("Not confirmed, reasonably logical, agrees with some of what is known.")
    DOUBTFUL = "4", _("4: doubtful"), _("Not confirmed, possible but not logical, nothing else on the subject.")
    IMPROBABLE = "5", _("5: improbable"), _("Not confirmed, not logical, contradicted by what is known.")
    CANNOT_BE_JUDGED = "6", _("6: cannot be judged"), _("There is no basis for judging the information.")


@unique
class Standing(Vocabulary):
    """What the editors hold of what a source says."""

    ACCEPTED = "accepted", _("Accepted"), _("The record follows it.")
    REJECTED = "rejected", _("Rejected"), _("Held to be wrong, for the reason given.")
    SUPERSEDED = "superseded", _("Superseded"), _("Was right on its day; something later replaced it.")
    UNRESOLVED = "unresolved", _("Unresolved"), _("Sources disagree and nobody has decided.")


@unique
class StandingReason(Vocabulary):
    """Why a citation is not accepted."""

    TYPO = "typo", _("Typing error"), _("A slip of the pen in the source.")
    TRANSLITERATION = "transliteration", _("Transliteration"), _("Another spelling of the same name.")
    MISIDENTIFIED = "misidentified", _("Misidentified"), _("The source takes one person or body for another.")
    STALE = "stale", _("Stale"), _("The source repeats what was no longer true.")
    ROUNDED = "rounded", _("Rounded"), _("The source gives a rounded number.")
    SCOPE = "scope", _("Scope"), _("The source speaks of another group, place or time.")
    ARITHMETIC = "arithmetic", _("Arithmetic"), _("The source adds or subtracts wrongly.")
    ATTRIBUTION = "attribution", _("Attribution"), _("The source puts the words into the wrong mouth.")


@unique
class CitationTopic(Vocabulary):
    """What a citation about a group speaks of when it is no count."""

    ALLEGATION = "allegation", _("Allegation"), _("What the people are accused of: not a statement that it is true.")
    ILLNESS = "illness", _("Illness"), _("The state of health of people in the group.")
    ASSISTANCE = "assistance", _("Assistance"), _("Help that was given or promised.")
    PURPOSE = "purpose", _("Purpose"), _("Why it was done, in the words of who did it.")
    CHARACTERISATION = (
        "characterisation",
        _("Characterisation"),
        _("What the source calls the event, such as an exchange or a return."),
    )
    CONDITION = "condition", _("Condition"), _("A condition of the release.")
    PLAN = "plan", _("Plan"), _("What is to happen next.")
    COMPOSITION = "composition", _("Composition"), _("Who is in the group, without a count.")
    OTHER = "other", _("Other"), _("A topic that is not listed; a note says which.")


# --- Review and publication


@unique
class Disclosure(Ladder):
    """Who may see something, from open to closed."""

    PUBLIC = "public", _("Public"), _("Everybody may see it.")
    RESEARCHER = "researcher", _("Researchers"), _("Registered researchers and staff may see it.")
    STAFF = "staff", _("Staff"), _("Only staff may see it.")
    SEALED = "sealed", _("Sealed"), _("Only those named on the record may see it.")

    def visible_to(self, audience: Audience) -> bool:
        """Whether the audience as a whole may see it: sealed things are visible to none, not even to staff."""
        return self.level <= audience.level


@unique
class Audience(Ladder):
    """Who reads. Levels are those of Disclosure."""

    PUBLIC = "public", _("Public"), _("Whoever visits the site.")
    RESEARCHER = "researcher", _("Researchers"), _("Registered researchers.")
    STAFF = "staff", _("Staff"), _("Those who work on the database.")


@unique
class ReviewState(Vocabulary):
    DRAFT = "draft", _("Draft"), _("Being worked on.")
    SUBMITTED = "submitted", _("Submitted"), _("Waits for a second person.")
    PUBLISHED = "published", _("Published"), _("Checked by a second person and published.")
    WITHDRAWN = "withdrawn", _("Withdrawn"), _("Taken back after publication.")


@unique
class Missing(Vocabulary):
    """Why a cell of an export is empty."""

    NOT_RECORDED = "not_recorded", _("Not recorded"), _("Nobody has entered it.")
    UNKNOWN = "unknown", _("Unknown"), _("Nobody knows.")
    NOT_STATED = "not_stated", _("Not stated"), _("The sources are silent.")
    NOT_APPLICABLE = "not_applicable", _("Not applicable"), _("There can be none here.")
    WITHHELD = "withheld", _("Withheld"), _("We do not tell; it never depends on there being a value.")

    @classmethod
    def stored(cls) -> tuple[Missing, ...]:
        """What somebody can know, and enter. The others follow from nothing being stored."""
        return cls.UNKNOWN, cls.NOT_STATED, cls.NOT_APPLICABLE


# --- Lists of the released, and the sittings in which they are logged


@unique
class ListVerdict(Vocabulary):
    """What a machine may say of a name on a list."""

    SAME = (
        "same",
        _("same"),
        _("One candidate is far ahead, nothing disagrees, and more than the name agrees."),
    )
    CHOOSE = "choose", _("choose"), _("There are candidates, and somebody has to look.")
    NEW = "new", _("new"), _("Nobody recorded has a name like it.")


@unique
class LineDecision(Vocabulary):
    """What somebody decided about a line of a list."""

    PERSON = "person", _("This person"), _("The line is about a person of the database.")
    NEW = "new", _("New person"), _("The line is about somebody who is not recorded yet.")
    UNIDENTIFIED = "unidentified", _("Unidentified"), _("The line is about somebody, and does not tell whom.")
    SKIP = "skip", _("Skip"), _("The line is about nobody, or is not to be logged.")
    LATER = "later", _("Look later"), _("Somebody has looked at the line, and has not decided.")


@unique
class LineWarning(Vocabulary):
    """What speaks against a decision about a line; whoever takes it all the same says so."""

    TWICE = "twice", _("On two lines"), _("Another line, of this list or of another, is about the same person.")
    FREE = "free", _("Released before"), _("The person was released before, and no detention since is recorded.")
    NOT_HELD = "not_held", _("Not in custody"), _("By what is recorded, the person was not in custody on that day.")
    DEAD = "dead", _("Died before"), _("The person died before that day.")
    DIFFERS = "differs", _("Logged otherwise"), _("The person's release in this event is logged, and says otherwise.")


# --- Acts: what was done as a whole, and can be taken back as a whole


@unique
class ActKind(Vocabulary):
    MERGE = "merge", _("Merge"), _("Two records of one person were made one.")
    UNDO = "undo", _("Undoing"), _("Something that had been done as one was taken back.")
    INTAKE = "intake", _("List logged"), _("The lines of a list were logged as releases.")
    IMPORT = "import", _("Import"), _("A spreadsheet was read in.")
    JOURNEY = "journey", _("Journey step"), _("The same step of the way was added to several releases.")
    SUM = "sum", _("Sum recorded"), _("Reported figures were recorded as the parts of another.")
    PUBLISH = "publish", _("Publication"), _("Records were published together.")
    FREEZE = (
        "freeze",
        _("Data release"),
        _("A version of the data was frozen, or issued again without what was withdrawn."),
    )


# Every vocabulary, in the order of the codebook.
ALL: tuple[type[Vocabulary], ...] = (
    Precision,
    Identification,
    Sex,
    NameKind,
    NameScheme,
    Language,
    Script,
    Occupation,
    PersecutionContext,
    RelationshipKind,
    Consent,
    OrganisationKind,
    OrganisationNameKind,
    Certainty,
    Custody,
    CustodyType,
    EpisodeKind,
    Regime,
    DetentionEnd,
    DeathCircumstances,
    Whereabouts,
    ProvisionLaw,
    ProsecutionKind,
    ProsecutionEnd,
    Instance,
    VerdictOutcome,
    ChargeStage,
    ChargeParticipation,
    ChargeOutcome,
    SentenceKind,
    Execution,
    RecognitionStatus,
    RecognitionCriterion,
    LegalBasis,
    Mechanism,
    ReleaseOutcome,
    Departure,
    ReleaseCondition,
    LegKind,
    LegStatus,
    EventRole,
    EventRelationKind,
    ConcessionMeasure,
    FigureSubject,
    FigureMeasure,
    FigureDimension,
    Qualifier,
    SourceKind,
    Reliability,
    Credibility,
    Standing,
    StandingReason,
    CitationTopic,
    Disclosure,
    Audience,
    ReviewState,
    Missing,
    ListVerdict,
    LineDecision,
    LineWarning,
    ActKind,
)


# --- Countries: ISO 3166-1 alpha-2 as django-countries has it, and two codes that people need and it lacks.
# It is imported when first asked: its names are translated, which takes Django's settings; its codes do not.

KOSOVO = "XK"  # user-assigned in ISO 3166-1; the code that the European Union and Unicode use
STATELESS = "XXA"  # ICAO Doc 9303, part 3: a stateless person


def country_codes() -> tuple[str, ...]:
    """All codes that a country column may hold, sorted."""
    from django_countries.data import COUNTRIES

    return tuple(sorted({*COUNTRIES, KOSOVO, STATELESS}))


def country_name(code: str) -> str:
    """The name in the language of the reader. Raises KeyError for a code that is not in `country_codes()`."""
    from django_countries import countries
    from django_countries.data import COUNTRIES

    if code == KOSOVO:
        return gettext("Kosovo")
    if code == STATELESS:
        return gettext("Stateless")
    if code not in COUNTRIES:  # `countries` would take numbers, three letters and lower case as well
        raise KeyError(code)
    return str(countries.name(code))


def country_choices(first: Sequence[str] = ("UA", "LT", "PL")) -> list[tuple[str, str]]:
    """Pairs of code and name: `first` in the order given, then all the others by name."""
    names = {code: country_name(code) for code in country_codes()}
    # Decomposed, so that Åland stands with A.
    by_name = sorted(names, key=lambda code: unicodedata.normalize("NFKD", names[code]))
    return [(code, names[code]) for code in dict.fromkeys([*first, *by_name])]
