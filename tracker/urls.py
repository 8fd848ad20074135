"""The composition root: the only file that knows every page."""

from django.contrib import admin
from django.urls import path

from releases import views as releases
from tracker.views import accounts, data, lists, overview, persons, sources

urlpatterns = [
    path("", overview.home, name="home"),
    path("charts/<slug:which>.svg", overview.chart, {"ending": "svg"}, name="chart_svg"),
    path("charts/<slug:which>.csv", overview.chart, {"ending": "csv"}, name="chart_csv"),
    path("events/", releases.events, name="events"),
    path("events/<slug:rid>/", releases.event, name="event"),
    path("events/<slug:rid>/history/", releases.event_history, name="event_history"),
    path("persons/", persons.persons, name="persons"),
    path("persons/<slug:pid>/", persons.person, name="person"),
    path("persons/<slug:pid>/history/", persons.person_history, name="person_history"),
    path("detentions/", lists.detentions, name="detentions"),
    path("sentences/", lists.sentences, name="sentences"),
    path("releases/", releases.releases, name="releases"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<uuid:pk>/", sources.source, name="source"),
    path("sources/<uuid:pk>/history/", sources.source_history, name="source_history"),
    path("data/", data.data, name="data"),
    path("data/CODEBOOK.md", data.codebook, name="codebook"),
    path("data/versions.csv", data.data_releases_csv, name="data_releases_csv"),
    path("data/versions/<str:version>/", data.data_release, name="data_release"),
    path("data/versions/<str:version>/<str:name>", data.data_release_file, name="data_release_file"),
    path("data/package.zip", data.package_zip, name="package"),
    path("data/<slug:name>.csv", data.table_csv, name="table_csv"),
    path("login/", accounts.login, name="login"),
    path("logout/", accounts.logout, name="logout"),
    path("admin/", admin.site.urls),
]
