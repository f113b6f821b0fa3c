from select import POLLIN, poll

from django.db.backends.postgresql import base
from psycopg2 import InterfaceError


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection works. Django asks the server, once per request; we only do if it has sent something.

        A server that ends a connection, for example when it restarts, sends a message or closes the socket.
        """
        waiting = poll()
        try:
            waiting.register(self.connection, POLLIN)
        except (InterfaceError, ValueError):  # psycopg2 knows that the connection is closed
            return False
        return super().is_usable() if waiting.poll(0) else True
