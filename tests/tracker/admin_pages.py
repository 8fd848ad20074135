"""Filling a page of the admin as a browser would: what it holds, and what somebody types over it."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self):
        super().__init__()
        self.form = None
        self.fields = {}
        self.select = None
        self.chosen = None
        self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.form = attrs.get("id", attrs.get("action", ""))
            self.fields.setdefault(self.form, {})
            return
        own = self.fields.get(self.form)
        if own is None:
            return
        name = attrs.get("name")
        if tag == "input" and name and attrs.get("type") not in {"submit", "button"}:
            if attrs.get("type") in {"checkbox", "radio"}:
                own.setdefault(name, [])
                if "checked" in attrs:
                    own[name].append(attrs.get("value", "on"))
            else:
                own.setdefault(name, []).append(attrs.get("value", ""))
        elif tag == "select":
            self.select, self.chosen, self.multiple = name, [], "multiple" in attrs
            self.first = None
        elif tag == "option" and self.select:
            if self.first is None:
                self.first = attrs.get("value", "")
            if "selected" in attrs:
                self.chosen.append(attrs.get("value", ""))
        elif tag == "textarea":
            self.textarea = name
            own[name] = [""]

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "select" and self.select:
            if not self.chosen and not self.multiple and self.first is not None:
                self.chosen = [self.first]
            self.fields[self.form][self.select] = self.chosen
            self.select = None
        elif tag == "textarea":
            # a line break right behind the tag is none of the text
            text = self.fields[self.form][self.textarea][0]
            self.fields[self.form][self.textarea] = [text.removeprefix("\r").removeprefix("\n")]
            self.textarea = None

    def handle_data(self, data):
        if self.textarea:
            text = self.fields[self.form][self.textarea][0] + data
            self.fields[self.form][self.textarea] = [text]


def fields(response, form):
    """Name → values of the form with this id, without the rows that are there for scripts only."""
    parser = _Fields()
    parser.feed(response.content.decode())
    return {name: values for name, values in parser.fields[form].items() if "__prefix__" not in name}


def fill(client, url, typed=None, *, form):
    """GET the page, type over it, and return what would be sent."""
    response = client.get(url)
    assert response.status_code == 200, (response.status_code, getattr(response, "url", ""))
    data = {name: values for name, values in fields(response, form).items() if values}
    data.update(typed or {})
    return data


def save(client, url, typed=None, *, form, button="_continue"):
    return client.post(url, {**fill(client, url, typed, form=form), button: "1"})
