"""One field of an Airflow connection. Airflow is imported only when such a secret is read."""

from __future__ import annotations

from typing import Any

_FIELDS = ("password", "login", "host", "schema", "port")


def airflow_field(connection_id: str, field: str) -> str:
    """The field as text: password, login, host, schema, port, or a key of the connection's extra.

    Raises ImportError without Airflow, and what Airflow raises for an unknown connection.
    """
    connection = _connection(connection_id)
    if field in _FIELDS:
        value = getattr(connection, field)
    else:
        value = connection.extra_dejson.get(field.removeprefix("extra."))
    return "" if value is None else str(value)


def _connection(connection_id: str) -> Any:
    try:
        from airflow.sdk import BaseHook  # Airflow 3
    except ImportError:
        from airflow.hooks.base import BaseHook  # Airflow 2
    return BaseHook.get_connection(connection_id)
