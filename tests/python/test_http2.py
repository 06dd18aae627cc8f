"""Requests of HTTP/2 that the other side did not look at are sent again; others are in doubt."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from http2_server import (
    CANCEL,
    CLOSE,
    ENHANCE_YOUR_CALM,
    INTERNAL_ERROR,
    NO_ERROR,
    REFUSED_STREAM,
    Asked,
    Http2Server,
    goaway,
    no_content,
    nonsense,
    reset,
)

import fieldpost as fp
from fieldpost.emulator.certificate import Certificate
from postgres_server import wait_until
from recording_server import RecordingServer

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def deliver(
    folder: Path, url: str, ca_file: Path, count: int, at_once: int = 16, more: str = ""
) -> fp.Report:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {url}/in\nca_file: {ca_file}\n"
        "subscriptions:\n  - {name: all}\n"
        f"delivery: {{max_in_flight: {at_once}, {more}retry: {{wait_initial_s: 0.02}}}}\n"
    )
    events = folder / "events.ndjson"
    events.write_text("".join(f'{{"messageId": "m{n}"}}\n' for n in range(count)))
    return fp.Destination.from_file(path).deliver(events, progress=False)


class Acting:
    """A service that acts on what it answers with 204, and on what `acts` says."""

    def __init__(self, script: Callable[[Asked, str], Sequence[bytes]]) -> None:
        self.acted: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self._script = script

    def __call__(self, asked: Asked) -> Sequence[bytes]:
        name = json.loads(asked.body)["messageId"]
        self.seen[name] += 1
        frames = self._script(asked, name)
        if no_content(asked.stream) in frames:
            self.acted[name] += 1
        return frames


def test_a_refused_stream_is_sent_again(tmp_path: Path) -> None:
    def script(asked: Asked, name: str) -> Sequence[bytes]:
        refuses = service.seen[name] == 1 and int(name[1:]) % 5 == 0
        return [reset(asked.stream, REFUSED_STREAM) if refuses else no_content(asked.stream)]

    service = Acting(script)
    with Http2Server(service) as server:
        report = deliver(tmp_path, server.url, server.ca_file, 60)
    assert report["delivered"] == 60
    assert set(service.acted.values()) == {1} and len(service.acted) == 60
    assert service.seen["m5"] == 2


@pytest.mark.parametrize("code", [NO_ERROR, ENHANCE_YOUR_CALM])
def test_a_stream_above_the_last_of_a_goaway_is_sent_again(tmp_path: Path, code: int) -> None:
    def script(asked: Asked, _name: str) -> Sequence[bytes]:
        if asked.number % 20:
            return [no_content(asked.stream)]
        return [goaway(asked.stream - 2, code), CLOSE]

    service = Acting(script)
    with Http2Server(service) as server:
        report = deliver(tmp_path, server.url, server.ca_file, 200)
    assert report["delivered"] == 200
    assert set(service.acted.values()) == {1} and len(service.acted) == 200


def test_a_stream_up_to_the_last_of_a_goaway_is_in_doubt(tmp_path: Path) -> None:
    def script(asked: Asked, _name: str) -> Sequence[bytes]:
        if asked.connection > 1 or asked.number < 5:
            return [no_content(asked.stream)]
        return [goaway(asked.stream), CLOSE]  # it acted on that one, perhaps

    service = Acting(script)
    with Http2Server(service) as server:
        report = deliver(tmp_path, server.url, server.ca_file, 40, at_once=2)
    assert report["unconfirmed"] == 1, report
    assert report["delivered"] == 39 and set(service.acted.values()) == {1}


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("code", [INTERNAL_ERROR, CANCEL, ENHANCE_YOUR_CALM])
@pytest.mark.parametrize("first", [1, 5])
def test_a_stream_that_ends_for_another_reason_is_in_doubt(
    tmp_path: Path, code: int, closes: bool, first: int
) -> None:
    ended: list[str] = []

    def script(asked: Asked, name: str) -> Sequence[bytes]:
        if asked.connection > 1 or asked.number != first:
            return [no_content(asked.stream)]
        ended.append(name)
        return [reset(asked.stream, code), *([CLOSE] if closes else [])]

    service = Acting(script)
    with Http2Server(service) as server:
        report = deliver(tmp_path, server.url, server.ca_file, 30, at_once=2)
        again = deliver(tmp_path, server.url, server.ca_file, 30, at_once=2)
    assert 1 <= report["unconfirmed"] == again["unconfirmed"], report
    assert all(service.seen[name] == 1 for name in ended)
    assert max(service.acted.values()) == 1


@pytest.mark.parametrize("first", [1, 5])
def test_a_server_that_speaks_nonsense_leaves_a_doubt(tmp_path: Path, first: int) -> None:
    def script(asked: Asked, _name: str) -> Sequence[bytes]:
        confuses = asked.connection == 1 and asked.number == first
        return [nonsense() if confuses else no_content(asked.stream)]

    service = Acting(script)
    with Http2Server(service) as server:
        more = "timeout_s: 3, "  # a libcurl that waits for what it will not listen to
        report = deliver(tmp_path, server.url, server.ca_file, 30, at_once=2, more=more)
    assert report["unconfirmed"] == 1 and report["delivered"] == 29
    assert set(service.seen.values()) == {1}


def test_a_refused_stream_beside_an_end_of_the_connection_is_never_doubled(tmp_path: Path) -> None:
    def script(asked: Asked, _name: str) -> Sequence[bytes]:
        if asked.connection > 2 or asked.number != 3:
            return [no_content(asked.stream)]
        return [reset(asked.stream, REFUSED_STREAM), CLOSE]

    service = Acting(script)
    with Http2Server(service) as server:
        report = deliver(tmp_path, server.url, server.ca_file, 40)
    assert report["delivered"] + report["unconfirmed"] == 40
    assert max(service.acted.values()) == 1


# -- a stock nginx

CONFIG = """\
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream service {{ server 127.0.0.1:{service}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_next_upstream off;
    }}
  }}
}}
"""


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")
def test_a_stock_nginx_that_ends_connections_and_is_reloaded_leaves_nothing_in_doubt(
    tmp_path: Path,
) -> None:
    """It ends each connection after 1,000 requests, and all of them when it is reloaded."""
    count = 8000
    certificate = Certificate()
    with RecordingServer(lambda _: (204, {}, b"")) as service:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        config = CONFIG.format(
            folder=tmp_path,
            port=port,
            service=service.port,
            certificate=certificate.certificate_file,
            key=certificate.key_file,
        )
        (tmp_path / "nginx.conf").write_text(config)
        command = [str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _listens(port))
            done = threading.Event()
            reloads = threading.Thread(target=_reload, args=(nginx, service, count, done))
            reloads.start()
            try:
                url = f"https://localhost:{port}"
                report = deliver(tmp_path, url, certificate.ca_file, count)
            finally:
                done.set()
                reloads.join(30)
        finally:
            nginx.send_signal(signal.SIGTERM)
            nginx.wait(30)
            certificate.close()
        sent = Counter(json.loads(one.body)["messageId"] for one in service.requests)
    assert report["unconfirmed"] == 0 and report["delivered"] == count, report.failures.to_dicts()
    assert len(sent) == count and max(sent.values()) == 1


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _reload(
    nginx: subprocess.Popen[bytes], service: RecordingServer, count: int, done: threading.Event
) -> None:
    """Once a quarter, a half and three quarters of the events are there."""
    for part in (1, 2, 3):
        while len(service.requests) < count * part // 4 and not done.wait(0.01):
            pass
        nginx.send_signal(signal.SIGHUP)
