"""PostgreSQL as Django knows it, with an embedded server that starts at the first connection."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base, client, features

from tracker.database import embedded
from tracker.database.creation import DatabaseCreation


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (embedded.OLDEST_MAJOR,)


class DatabaseClient(client.DatabaseClient):
    connection: "DatabaseWrapper"

    def runshell(self, parameters: Iterable[str]) -> None:
        # The server stays as long as this process waits for psql.
        self.connection.find_server()
        super().runshell(parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures

    def get_connection_params(self) -> dict[str, Any]:
        if sentence := self.settings_dict.get("MALFORMED"):
            raise ImproperlyConfigured(sentence)
        return super().get_connection_params()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if "EMBEDDED" not in self.settings_dict:
            return super().get_new_connection(conn_params)
        self.find_server()
        try:
            return super().get_new_connection(conn_params | {"host": self.settings_dict["HOST"]})
        except self.Database.OperationalError:
            # It may just have been killed and be starting again.
            self.find_server(suspect=True)
            return super().get_new_connection(conn_params | {"host": self.settings_dict["HOST"]})

    def find_server(self, *, suspect: bool = False) -> None:
        if data := self.settings_dict.get("EMBEDDED"):
            try:
                self.settings_dict["HOST"] = embedded.ensure(data, suspect=suspect)
            except embedded.EmbeddedServerError as error:
                raise self.Database.OperationalError(str(error)) from error
