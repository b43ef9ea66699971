"""DBOS, as its documentation has one request handled: a workflow whose step is a transaction of the application's database."""

import sys
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, SQLAlchemyDatasource
from turns import serve

Workflow = Any


def main(url: str, count: int) -> None:
    """Store so many rows that wait to be signed for, and sign as many as is asked, each in a workflow of its own."""
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    DBOS(config={"name": "way", "system_database_url": url, "log_level": "ERROR"})
    engine = sa.create_engine(url)
    names = [f"D{n}" for n in range(count)]
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (number text PRIMARY KEY, state text NOT NULL)"))
        connection.execute(sa.text("INSERT INTO orders VALUES (:n, 'signing')"), [{"n": name} for name in names])
    source = SQLAlchemyDatasource.create(url, engine=engine)
    lock = sa.text("SELECT state FROM orders WHERE number = :n FOR UPDATE")
    write = sa.text("UPDATE orders SET state = :s WHERE number = :n")

    @source.transaction(isolation_level="READ COMMITTED")
    def signed(name: str) -> str:
        session = source.sql_session()
        if session.execute(lock, {"n": name}).scalar_one() != "signing":
            raise ValueError(name)
        session.execute(write, {"n": name, "s": "handling"})
        return "handling"

    @DBOS.workflow()
    def sign(name: str) -> str:
        return str(signed(name))

    DBOS.launch()
    try:
        serve(sign, names)
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
