"""A statement-heavy script, as `proxydb run` meets them: short statements, and a page of JSON from their rows.

``python run_workload.py TARGET ROUNDS [opentelemetry]``: a round looks a customer up, lists orders, asks for the item
of each of three, and books a new order in a transaction.
"""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

CUSTOMERS, ITEMS, ORDERS = 2000, 500, 20_000
SCHEMA = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, orders INTEGER, spent REAL)",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)",
    "CREATE TABLE orders (id {key}, customer INTEGER, item INTEGER, quantity INTEGER, price REAL)",
    "CREATE INDEX orders_customer ON orders (customer)",
)
KEYS = {"?": "INTEGER PRIMARY KEY", "%s": "BIGSERIAL PRIMARY KEY"}


def connect(target: str) -> tuple[Any, str]:
    """A connection of the plain driver, and its placeholder."""
    if "=" in target:
        import psycopg

        return psycopg.connect(target), "%s"
    import sqlite3

    connection = sqlite3.connect(target)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection, "?"


def fill(target: str) -> None:
    """Make the tables."""
    connection, mark = connect(target)
    random = Random(7)
    cursor = connection.cursor()
    for statement in SCHEMA:
        cursor.execute(statement.format(key=KEYS[mark]))
    many = {
        "customers (id, name, orders, spent)": [(n, f"customer {n}", 0, 0.0) for n in range(CUSTOMERS)],
        "items (id, name, price)": [(n, f"item {n}", random.random() * 100) for n in range(ITEMS)],
        "orders (customer, item, quantity, price)": [
            (random.randrange(CUSTOMERS), random.randrange(ITEMS), 1 + n % 5, 9.5) for n in range(ORDERS)
        ],
    }
    for table, rows in many.items():
        marks = ", ".join([mark] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    connection.commit()
    connection.close()


def work(connection: Any, mark: str, rounds: int) -> float:
    """Run the rounds; what was spent, so that nothing can be left out."""
    customer_by_id = f"SELECT id, name, orders, spent FROM customers WHERE id = {mark}"
    last_orders = f"SELECT id, item, quantity, price FROM orders WHERE customer = {mark} ORDER BY id DESC LIMIT 20"
    item_by_id = f"SELECT id, name, price FROM items WHERE id = {mark}"
    book = f"INSERT INTO orders (customer, item, quantity, price) VALUES ({', '.join([mark] * 4)})"
    count = f"UPDATE customers SET orders = orders + 1, spent = spent + {mark} WHERE id = {mark}"
    random, cursor, spent = Random(11), connection.cursor(), 0.0
    for _ in range(rounds):
        number, item = random.randrange(CUSTOMERS), random.randrange(ITEMS)
        customer = cursor.execute(customer_by_id, (number,)).fetchone()
        orders = cursor.execute(last_orders, (number,)).fetchall()
        lines = [{"id": order[0], "item": order[1], "total": order[2] * order[3]} for order in orders]
        for line in lines[:3]:
            line["item"] = cursor.execute(item_by_id, (line["item"],)).fetchone()[1]
        price = cursor.execute(item_by_id, (item,)).fetchone()[2]
        cursor.execute(book, (number, item, 1, price))
        cursor.execute(count, (price, number))
        connection.commit()
        page = json.dumps({"customer": customer[1], "spent": customer[3], "orders": lines})
        spent += price + len(page)
    return spent


def traced(connection: Any, system: str) -> Any:
    """The connection, instrumented by OpenTelemetry, with a tracer that samples everything and exports nothing."""
    from opentelemetry.instrumentation.dbapi import instrument_connection
    from opentelemetry.sdk.trace import TracerProvider

    return instrument_connection(__name__, connection, system, tracer_provider=TracerProvider())


def main() -> None:
    """Run the script."""
    target, rounds, *options = sys.argv[1:]
    connection, mark = connect(target)
    if "opentelemetry" in options:
        connection = traced(connection, "sqlite" if mark == "?" else "postgresql")
    print(f"{work(connection, mark, int(rounds)):.2f}")
    connection.close()


if __name__ == "__main__":
    main()
