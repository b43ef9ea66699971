"""python-statemachine, as its documentation keeps a state: in a field of a model, here a column whose row is locked."""

import sys
from dataclasses import dataclass

import psycopg
from statemachine import State, StateMachine
from turns import serve


@dataclass
class Order:
    """What the machine keeps its state in."""

    number: str
    state: str


class Way(StateMachine):
    """The way of a grievance: six actions, one of them a way back."""

    assigning = State(initial=True)
    signing = State()
    handling = State()
    reviewing = State()
    calling = State()
    rating = State()
    closed = State(final=True)

    accept = assigning.to(signing)
    sign = signing.to(handling)
    finish = handling.to(reviewing)
    approve = reviewing.to(calling)
    send_back = reviewing.to(handling)
    call_back = calling.to(rating)
    rate = rating.to(closed)


def main(url: str, count: int) -> None:
    """Store so many rows that wait to be signed for, and sign as many as is asked."""
    names = [f"M{n}" for n in range(count)]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE orders (number text PRIMARY KEY, state text NOT NULL)")
        connection.cursor().executemany("INSERT INTO orders VALUES (%s, 'signing')", [(name,) for name in names])
        connection.commit()

        def sign(name: str) -> None:
            row = connection.execute(
                "SELECT state FROM orders WHERE number = %s FOR UPDATE", [name], prepare=True
            ).fetchone()
            assert row is not None
            order = Order(name, row[0])
            Way(order).sign()
            connection.execute("UPDATE orders SET state = %s WHERE number = %s", [order.state, name], prepare=True)
            connection.commit()

        serve(sign, names)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
