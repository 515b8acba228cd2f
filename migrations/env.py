"""How alembic runs our scripts.

Owns: the connection they run on. Not here: tables. Invariant: inside the program the caller's connection, transaction
and lock are used (`gembill.ledger.migration`); on alembic's own command line the address is given by `-x url=...`.
"""

from alembic import context
from sqlalchemy import Connection

from gembill.ledger import engine as engines
from gembill.ledger.schema import metadata


def run(connection: Connection) -> None:
    """Run what alembic was asked for on this connection."""
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = engines.create(engines.parse(context.get_x_argument(as_dictionary=True)["url"]))
    with engines.writing(database) as opened:
        run(opened)
    database.dispose()
