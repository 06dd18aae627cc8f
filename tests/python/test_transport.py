"""How the core connects, over real sockets: HTTP/2, proxies, timeouts."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from proxy_servers import pass_on

import fieldpost as fp
from fieldpost.emulator.certificate import Certificate
from postgres_server import wait_until
from recording_server import RecordingServer

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
CONFIG = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 256; }}
http {{
  log_format told '$server_protocol $connection'; access_log {folder}/access.log told;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ return 204; }}
  }}
}}
"""


class Nginx:
    """HTTP/2 over TLS, answering 204 to everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = Certificate()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        files = self.certificate
        config = CONFIG.format(
            folder=folder, port=self.port, certificate=files.certificate_file, key=files.key_file
        )
        (folder / "nginx.conf").write_text(config)
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> list[list[str]]:
        """(protocol, connection) of each request."""
        self._process.send_signal(signal.SIGQUIT)  # once all requests are logged
        self._process.wait(60)
        self.certificate.close()
        return [line.split() for line in (self.folder / "access.log").read_text().splitlines()]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    if NGINX is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    folder = tmp_path / "nginx"
    folder.mkdir()
    server = Nginx(folder)
    yield server
    server.close()


def write(folder: Path, url: str, delivery: str = "", more: str = "") -> Path:
    path = folder / "hook.yaml"
    path.write_text(
        f"name: hook\nid: hook\ntype: webhook\nurl: {url}/in\nsubscriptions:\n  - {{name: all}}\n"
        "delivery: {retry: {wait_initial_s: 0.01, max_attempts: 2, max_elapsed_s: 2}"
        f"{delivery}}}\n{more}"
    )
    return path


def deliver(path: Path, count: int = 1, **options: Any) -> tuple[fp.Report, dict[str, Any]]:
    events = path.parent / "events.ndjson"
    events.write_text("".join(f'{{"messageId": "m{n}"}}\n' for n in range(count)))
    destination = fp.Destination.from_file(path)
    report = destination.deliver(events, progress=False, **options)
    return report, next(iter(destination.outcomes(event_id="m0")))


def test_over_tls_it_speaks_http_2(tmp_path: Path, nginx: Nginx) -> None:
    more = f"ca_file: {nginx.certificate.ca_file}\n"
    report, _row = deliver(write(tmp_path, f"https://localhost:{nginx.port}", more=more), 200)
    assert report["delivered"] == 200
    requests = nginx.close()
    assert {protocol for protocol, _connection in requests} == {"HTTP/2.0"}
    assert len(requests) == 200
    assert len({connection for _protocol, connection in requests}) <= 16


def test_an_authority_that_is_not_known_pauses(tmp_path: Path, nginx: Nginx) -> None:
    report, row = deliver(write(tmp_path, f"https://localhost:{nginx.port}"))
    assert report.stopped is not None and report.stopped.code == "E502"
    assert row["outcome"] == "waiting"


# -- proxies, which are the environment's

OUTSIDE = "service.invalid"  # nobody can resolve it, so only a proxy gets there


def test_a_proxy_of_the_environment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        path = write(tmp_path, f"http://{OUTSIDE}", more="allow_http: true\n")
        report, _row = deliver(path)
        assert report["delivered"] == 1
        assert [one.path for one in proxy.requests] == [f"http://{OUTSIDE}/in"]


def test_this_machine_is_never_reached_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as proxy, RecordingServer() as service:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        report, _row = deliver(write(tmp_path, service.url))
        assert report["delivered"] == 1
        assert proxy.requests == []


def test_a_host_of_no_proxy_is_reached_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", OUTSIDE)
        _report, row = deliver(write(tmp_path, f"http://{OUTSIDE}", more="allow_http: true\n"))
        assert row["code"] == "E501" and proxy.requests == []


def test_tls_goes_through_a_tunnel_and_still_checks_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nginx: Nginx
) -> None:
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_tunnel, args=(listener, nginx.port, asked), daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        more = f"ca_file: {nginx.certificate.ca_file}\n"
        report, _row = deliver(write(tmp_path, f"https://{OUTSIDE}", more=more))
    assert asked and asked[0].startswith(f"CONNECT {OUTSIDE}:443 ")
    assert report.stopped is not None and report.stopped.code == "E502", "another's certificate"


def test_a_proxy_that_is_named_tunnels_to_this_machine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nginx: Nginx
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("PROXY_PASSWORD", "of-the-proxy")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_tunnel, args=(listener, nginx.port, asked), daemon=True).start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxy = f", proxy: {{url: '{proxy}', username: svc, password: {{env: PROXY_PASSWORD}}}}"
        more = f"ca_file: {nginx.certificate.ca_file}\n"
        report, _row = deliver(write(tmp_path, f"https://localhost:{nginx.port}", proxy, more))
    assert report["delivered"] == 1
    assert asked and asked[0].startswith(f"CONNECT localhost:{nginx.port} ")
    login = base64.b64encode(b"svc:of-the-proxy").decode()
    assert f"Proxy-Authorization: Basic {login}" in asked[0]
    assert nginx.close()[0][0] == "HTTP/2.0"


def _tunnel(listener: socket.socket, port: int, asked: list[str]) -> None:
    """Take one CONNECT, and pass bytes on."""
    client, _address = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        asked.append(client.recv(65536).decode())
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=pass_on, args=(server, client), daemon=True)
        back.start()
        pass_on(client, server)
        back.join(10)


# -- timeouts


class Silent:
    """Takes connections and requests, and says nothing; `trickles` sends a byte now and then."""

    def __init__(self, trickles: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._trickles = trickles
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Silent:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            if self._trickles:
                threading.Thread(target=self._trickle, args=(connection,), daemon=True).start()

    def _trickle(self, connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
            for _ in range(30):
                connection.sendall(b".")
                time.sleep(0.15)
        except OSError:
            return

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # a close alone leaves its thread in accept
        self._listener.close()
        for one in self._open:
            one.close()


def test_a_silent_service_is_left_after_the_whole_time(tmp_path: Path) -> None:
    with Silent() as service:
        began = time.monotonic()
        _report, row = deliver(write(tmp_path, service.url, ", timeout_s: 0.5"))
        assert row["outcome"] == "unconfirmed" and time.monotonic() - began > 0.4
        assert "no whole answer in time" in row["message"]


def test_silence_is_left_sooner_than_an_answer_that_is_slow(tmp_path: Path) -> None:
    with Silent() as service:
        _report, row = deliver(write(tmp_path, service.url, ", read_timeout_s: 1, timeout_s: 120"))
        assert row["outcome"] == "unconfirmed"
        assert "too slow" in row["message"], "silence ended it, not the whole time"
    (tmp_path / "slow").mkdir()
    with Silent(trickles=True) as service:
        path = write(tmp_path / "slow", service.url, ", read_timeout_s: 3, timeout_s: 120")
        assert deliver(path)[1]["outcome"] == "delivered"


def test_nobody_who_answers_a_connection_is_no_delivery(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        try:
            _report, row = deliver(write(tmp_path, url, ", connect_timeout_s: 0.3"))
        finally:
            for one in waiting:
                one.close()
        assert (row["outcome"], row["code"]) == ("expired", "E501")


def test_a_try_that_reaches_nobody_is_none_of_max_attempts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    path = write(tmp_path, f"http://127.0.0.1:{port}")
    _report, row = deliver(path)
    assert (row["outcome"], row["code"]) == ("expired", "E501")
    assert row["attempts"] > 2, "it went on until its time was over"
