"""Choosing one of very many: as one types, and without scripts too."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

#: so many answers fit into a list that can be looked through
MANY = 20


class SearchSelect(AutocompleteSelect):
    """Django's autocomplete, which without scripts is an empty list; then there is a text to search for beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.searched = ""
        self.found: list[Any] = []
        self.too_many = False
        #: rows read already, by key: what they are called costs no query for each
        self.known: dict[str, Any] = {}

    @property
    def problem(self) -> str:
        """What is to be done about a text that does not name exactly one row; empty when there is nothing."""
        if not self.searched or len(self.found) == 1:
            return ""
        if not self.found:
            return _("Nothing is found for “%(text)s”.") % {"text": self.searched}
        if self.too_many:
            return _("More than %(number)d are found for “%(text)s”: be more precise.") % {
                "number": MANY,
                "text": self.searched,
            }
        return _("Several are found for “%(text)s”: choose one from the list.") % {"text": self.searched}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        text = str(data.get(f"{name}-search", "")).replace("\0", "").strip()
        if not text or (value and text == data.get(f"{name}-searched")):
            return value  # the list that the last search left has been chosen from
        if text != self.searched:
            request: Any = None  # none of our searches asks for it
            page = self.admin_site.get_model_admin(self.field.remote_field.model)
            rows, _doubles = page.get_search_results(request, self.choices.queryset.all(), text)
            found = list(rows[: MANY + 1])
            self.searched, self.found, self.too_many = text, found[:MANY], len(found) > MANY
        return str(self.found[0].pk) if len(self.found) == 1 else ""

    def _is_a_key(self, key: Any) -> bool:
        """Whether it can be one at all; what is none is told beside the field, and cannot be looked up."""
        try:
            self.field.remote_field.model._meta.pk.to_python(key or None)
        except ValidationError:
            return False
        return True

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        value = [key for key in value if self._is_a_key(key)]
        chosen = [key for key in map(str, value) if key and key != "None"]
        if len(chosen) == 1 and chosen[0] in self.known:
            label = self.choices.field.label_from_instance(self.known[chosen[0]])
            options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
            groups: Any = [(None, [*options, self.create_option(name, chosen[0], label, True, len(options))], 0)]
        else:
            groups = super().optgroups(name, value, attr)
        if len(self.found) > 1:
            options = groups[0][1]
            options += [
                self.create_option(name, row.pk, self.choices.field.label_from_instance(row), False, len(options))
                for row in self.found
            ]
        return groups

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        select = super().render(name, value, attrs, renderer)
        if (attrs or {}).get("id", "").startswith("initial-"):
            return select
        return format_html(
            '{}<noscript><input type="text" name="{}-search" value="{}" class="search-text" aria-label="{}"'
            ' placeholder="{}"><input type="hidden" name="{}-searched" value="{}"></noscript>',
            select,
            name,
            self.searched,
            _("Search text"),
            _("or search, and save"),
            name,
            self.searched,
        )


def search_of(widget: Any) -> SearchSelect | None:
    """The search inside a widget, be it wrapped or not."""
    inner = widget.widget if isinstance(widget, RelatedFieldWidgetWrapper) else widget
    return inner if isinstance(inner, SearchSelect) else None
