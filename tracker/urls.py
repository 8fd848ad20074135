"""The composition root: the only file that knows every page."""

from django.contrib import admin
from django.urls import path

from releases import views as releases
from tracker.views import accounts, data, overview, persons, sources

urlpatterns = [
    path("", overview.home, name="home"),
    path("charts/<slug:which>.svg", overview.chart, {"ending": "svg"}, name="chart_svg"),
    path("charts/<slug:which>.csv", overview.chart, {"ending": "csv"}, name="chart_csv"),
    path("events/", releases.events, name="events"),
    path("events/<slug:rid>/", releases.event, name="event"),
    path("persons/", persons.persons, name="persons"),
    path("persons/<slug:pid>/", persons.person, name="person"),
    path("releases/", releases.releases, name="releases"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<uuid:pk>/", sources.source, name="source"),
    path("data/", data.data, name="data"),
    path("data/CODEBOOK.md", data.codebook, name="codebook"),
    path("data/<slug:name>.csv", data.table_csv, name="table_csv"),
    path("login/", accounts.login, name="login"),
    path("logout/", accounts.logout, name="logout"),
    path("admin/", admin.site.urls),
]
