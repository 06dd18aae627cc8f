#!/usr/bin/env bash
# The example DAG in a current Airflow, twice over the same events, against the emulator; then tasks
# that a scheduler ends in mid run.
# Called by `./dev airflow` from the repository's root; .venv is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=$PWD/.venv-airflow
BUILD=$PWD/build/airflow
WORK=$BUILD/work   # of this run only
EVENTS=500

say() { printf 'airflow: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command for at most so many seconds; its output is shown where it fails.
quietly() {
  local seconds=$1 log=$2; shift 2
  timeout --kill-after=10 "$seconds" "$@" >"$log" 2>&1 && return 0
  local status=$?
  tail -n 40 "$log" >&2
  [ $status -ne 124 ] || die "not done after $seconds s: $*"
  die "failed ($status), see $log: $*"
}

# --- the environment: uv, Airflow, fieldpost

pip_index() { .venv/bin/python -m pip config get global.index-url 2>/dev/null || true; }

install_airflow() {
  [ ! -e "$VENV/.airflow" ] || return 0
  say "making $(basename "$VENV") with a current Airflow"
  rm -rf "$VENV"
  quietly 120 "$BUILD/venv.log" .venv/bin/python -m venv "$VENV"
  quietly 300 "$BUILD/uv.log" "$VENV/bin/python" -m pip install --disable-pip-version-check uv
  quietly 600 "$BUILD/install.log" "$VENV/bin/uv" pip install --python "$VENV/bin/python" apache-airflow
  touch "$VENV/.airflow"
}

install_fieldpost() {
  local sources=(cpp python CMakeLists.txt pyproject.toml) stamp=$VENV/.fieldpost
  if [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" -newer "$stamp" -type f \
      -not -path '*/__pycache__/*' -print -quit)" ]; then return 0; fi
  say "building fieldpost and installing it beside Airflow"
  rm -rf "$BUILD/wheel"
  touch "$stamp.begun"   # what changes during the build is built the next time
  quietly 900 "$BUILD/wheel.log" .venv/bin/python -m pip wheel --disable-pip-version-check \
    --no-build-isolation --no-deps -Cbuild-dir="$BUILD/core" -w "$BUILD/wheel" .
  quietly 300 "$BUILD/install.log" "$VENV/bin/uv" pip install --python "$VENV/bin/python" \
    --reinstall-package fieldpost "$(echo "$BUILD"/wheel/fieldpost-*.whl)[emulator]"
  quietly 60 "$BUILD/check.log" "$VENV/bin/uv" pip check --python "$VENV/bin/python"
  mv "$stamp.begun" "$stamp"
}

# --- the scene: an emulator, a destination, events, an empty Airflow

emulator=
stop_emulator() {
  [ -n "$emulator" ] || return 0
  kill "$emulator" 2>/dev/null || true
  wait "$emulator" 2>/dev/null || true
  emulator=
}
trap stop_emulator EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_emulator() {
  timeout --kill-after=10 900 "$VENV/bin/fieldpost" emulator >"$WORK/emulator.json" 2>"$WORK/emulator.log" &
  emulator=$!
  local tries
  for tries in $(seq 150); do
    [ -z "$(head -n 1 "$WORK/emulator.json")" ] || return 0
    kill -0 "$emulator" 2>/dev/null || break
    sleep 0.2
  done
  cat "$WORK/emulator.log" >&2
  die "the emulator did not start"
}

emulator_says() { "$VENV/bin/python" -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())[sys.argv[2]])' "$WORK/emulator.json" "$1"; }

write_recipe() {
  quietly 60 "$WORK/init.log" "$VENV/bin/fieldpost" init dynamics365 "$WORK"
  sed -i "s|https://your-org.crm.dynamics.com|$(emulator_says url)|
          s|token_url: .*|token_url: $(emulator_says token_url)|" "$WORK/dynamics.yaml"
  "$VENV/bin/python" -c 'import sys; from pathlib import Path; from fieldpost.cli.events import write_events
write_events(Path(sys.argv[1]), int(sys.argv[2]))' "$WORK/events.ndjson" $EVENTS
  mkdir "$WORK/dags"
  cp docs/airflow/dynamics_accounts.py "$WORK/dags/"
}

configure() {
  export AIRFLOW_HOME=$WORK/home AIRFLOW__CORE__DAGS_FOLDER=$WORK/dags
  export AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__UNIT_TEST_MODE=False
  export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False SCARF_ANALYTICS=false DO_NOT_TRACK=true
  export FIELDPOST_DESTINATION=$WORK/dynamics.yaml FIELDPOST_EVENTS=$WORK/events.ndjson
  export FIELDPOST_LEDGER=$WORK/shared.ledger.db
  DYNAMICS_CLIENT_ID=$(emulator_says client_id)
  DYNAMICS_CLIENT_SECRET=$(emulator_says client_secret)
  export DYNAMICS_CLIENT_ID DYNAMICS_CLIENT_SECRET
}

# --- what the runs came to, by three books: Airflow's XComs, fieldpost's ledger, the emulator's commits

compare() {
  timeout 60 "$VENV/bin/python" - "$WORK" "$(emulator_says control_url)" <<'PYTHON'
import json
import sqlite3
import sys
import urllib.request
from pathlib import Path

work, control_url = Path(sys.argv[1]), sys.argv[2]


def equal(what, seen, expected):
    if seen != expected:
        sys.exit(f"airflow: {what}: {seen}, expected {expected}")


def is_sign_up(line):
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return event["type"] == "track" and event.get("event") == "Account Created"


def column(database, query):
    with sqlite3.connect(work / database) as db:
        return [json.loads(value) for (value,) in db.execute(query)]


lines = (work / "events.ndjson").read_text(encoding="utf-8").splitlines()
sign_ups = sum(map(is_sign_up, lines))
equal("the events hold sign-ups", sign_ups > 0, True)

runs = column("shared.ledger.db", "SELECT counts FROM runs ORDER BY number")
equal("runs in the ledger", len(runs), 2)
counts = [(run["received"], run["delivered"], run["already_delivered"]) for run in runs]
equal("first run", counts[0], (len(lines), sign_ups, 0))
equal("second run", counts[1], (len(lines), 0, sign_ups))

returned = column("home/airflow.db", "SELECT value FROM xcom WHERE key = 'return_value' ORDER BY timestamp")
returned = [json.loads(one) if isinstance(one, str) else one for one in returned]
# A report names its failures; the ledger keeps their rows instead.
failures = [one.pop("failures") for one in returned]
equal("what the tasks returned", returned, runs)
equal("failures told", [sum(group["count"] for group in groups) for groups in failures],
      [run["invalid"] for run in runs])

with urllib.request.urlopen(f"{control_url}/commits?table=account", timeout=30) as answer:
    accounts = json.load(answer)["commits"]
equal("accounts created", [row["created"] for row in accounts], [1] * sign_ups)
print(f"airflow: first run delivered {counts[0][1]}, second run delivered {counts[1][1]}")
PYTHON
}

mkdir -p "$BUILD"
[ -n "${UV_DEFAULT_INDEX:-}" ] || { index=$(pip_index); [ -z "$index" ] || export UV_DEFAULT_INDEX=$index; }
install_airflow
install_fieldpost
rm -rf "$WORK" && mkdir "$WORK"
start_emulator
write_recipe
configure
say "$("$VENV/bin/airflow" version 2>/dev/null | tail -n 1): two runs of the DAG over the same events"
quietly 180 "$WORK/migrate.log" "$VENV/bin/airflow" db migrate
quietly 180 "$WORK/first.log" "$VENV/bin/airflow" dags test dynamics_accounts 2026-01-05T10:00:00+00:00
quietly 180 "$WORK/second.log" "$VENV/bin/airflow" dags test dynamics_accounts 2026-01-05T11:00:00+00:00
compare
stop_emulator
say "tasks that are ended in mid run"
timeout --kill-after=60 900 "$VENV/bin/python" tests/airflow_end.py "$WORK/ended"
