"""Filling the copies that readers read: nothing else writes to them.

A copy holds a record when it is published and neither it nor anything it lies below is more closed than the audience,
then *and* now; it shows the record as it stood at ``published_at``, which is read back from history. So an edit
changes no copy, a stricter disclosure works at once, and every copy can be computed anew at any time.

Sources, organisations and the like have no review: they come along with a record that needs them, as they stood when
a second person last published something that uses them.
"""

from tracker.models.base import HELD
from tracker.publication.belonging import COPIES, reviewed_models, support_models
from tracker.publication.content import Copy
from tracker.publication.previewing import Seen, preview
from tracker.publication.steps import close, delete, publish, withdraw
from tracker.publication.taking_back import Return, returning, take_back
from tracker.publication.writing import Difference, repair, verify
from tracker.review import Refused

__all__ = [
    "COPIES",
    "HELD",
    "Copy",
    "Difference",
    "Refused",
    "Return",
    "Seen",
    "close",
    "delete",
    "preview",
    "publish",
    "repair",
    "returning",
    "reviewed_models",
    "support_models",
    "take_back",
    "verify",
    "withdraw",
]
