"""An example DAG: deliver new sign-ups to Dynamics 365, each of them once.

Copy it into your DAGs folder and change what you like. It runs on Airflow 3 and on 2.10 or newer;
the workers need fieldpost and the environment variables that your destination file names.
docs/airflow/README.md says more.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import fieldpost as fp

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 2 and the first releases of 3
    from airflow.exceptions import AirflowFailException

log = logging.getLogger("airflow.task")


@dag(
    dag_id="dynamics_accounts",
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # What a run may be given under "Trigger DAG w/ config"; these are read when the DAG is parsed.
    params={
        "destination": os.environ.get("FIELDPOST_DESTINATION", "dynamics.yaml"),
        # Path or pattern, such as /data/exports/*.ndjson.gz; empty: `source` of the destination.
        "events": os.environ.get("FIELDPOST_EVENTS", ""),
    },
)
def dynamics_accounts() -> None:
    """One task. A retry is safe: it sends only what no earlier try delivered."""

    @task(
        retries=2,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        multiple_outputs=False,  # one XCom with all counts, not one for each
    )
    def deliver(params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Deliver the events and return the counts, which later tasks find in XCom."""
        given = params or {}  # Airflow fills it in
        try:
            destination = fp.Destination.from_file(given["destination"])
            report = destination.deliver(given["events"] or None, progress=False)
        except fp.ConfigError as error:
            # Somebody has to change the file; the same try would fail in the same way.
            raise AirflowFailException(str(error)) from error
        except fp.AuthError as error:
            if error.unreachable:
                raise  # the sign-in service is down: Airflow tries again
            raise AirflowFailException(str(error)) from error

        for failure in report.failures:
            log.warning("%(source)s:%(line)s %(outcome)s %(code)s %(message)s", failure)
        if report.interrupted:
            # Airflow told the task to end: events on their way are settled, the rest waits.
            raise RuntimeError("interrupted: the next try goes on")
        if report.stopped:
            # Dynamics 365 went away before the end. What was delivered stays so.
            raise RuntimeError(": ".join(report.stopped))
        if report["expired"] and not (report["delivered"] or report["already_delivered"]):
            # It answered, and took nothing for as long as the retry policy allows.
            raise AirflowFailException(f"{report['expired']} events expired; replay them")
        return report.to_dict()

    deliver()


dynamics_accounts()
