"""The client certificate of a token request, in the form that requests takes."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

from ..client_certificate import ClientCertificate


def show_certificate(session: Any, client: ClientCertificate | None) -> None:
    """Have https requests of the session show it to whoever asks; raises ConfigError as `read`."""
    if client is None:
        return
    from requests.adapters import HTTPAdapter

    context = _context(client)

    class Showing(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **options)

        def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=context, **options)

    session.mount("https://", Showing())


def _context(client: ClientCertificate) -> ssl.SSLContext:
    """ssl reads certificates from files alone: these are ours, and gone at once."""
    from urllib3.util.ssl_ import create_urllib3_context

    certificate, key, password = client.read()
    context = create_urllib3_context()
    with tempfile.TemporaryDirectory(prefix="fieldpost-") as folder:  # nobody else's: 0700
        paths = Path(folder, "cert.pem"), Path(folder, "key.pem")
        for path, text in zip(paths, (certificate, key), strict=True):
            path.touch(mode=0o600)
            path.write_text(text)
        context.load_cert_chain(*paths, password=str(password) or None)
    return context
