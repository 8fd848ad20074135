"""The composition root: the only file that knows every page."""

from django.contrib import admin
from django.urls import path

from releases import views as releases
from tracker import views

urlpatterns = [
    path("", views.home, name="home"),
    path("events/", releases.events, name="events"),
    path("events/<slug:rid>/", releases.event, name="event"),
    path("persons/", views.persons, name="persons"),
    path("persons/<slug:pid>/", views.person, name="person"),
    path("releases/", releases.releases, name="releases"),
    path("sources/", views.sources, name="sources"),
    path("sources/<uuid:pk>/", views.source, name="source"),
    path("data/", views.data, name="data"),
    path("data/CODEBOOK.md", views.codebook, name="codebook"),
    path("data/<slug:name>.csv", views.table_csv, name="table_csv"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("admin/", admin.site.urls),
]
