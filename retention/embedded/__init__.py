"""Real PostgreSQL, Valkey and a mail box from wheels, for whoever named no servers of their own.

Every process that needs them *joins*: it holds a shared lock on `users.lock` for as long as it lives. The first one
starts the *owner*, a process of its own that starts the servers and stops them when the last user is gone, however
it went. So a second terminal joins what runs, Ctrl-C leaves nothing behind, and after a `kill -9` of the owner the next
one adopts its servers or clears them away.
"""

from retention.embedded.joining import Embedded, join, leave, provide
from retention.embedded.places import Unavailable

__all__ = ["Embedded", "Unavailable", "join", "leave", "provide"]
