"""How to point any client at an emulator, for whoever reads the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from fieldpost.terminal import line

from .printing import err

_TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")


def show(details: Mapping[str, str | None]) -> None:
    """Addresses, sign-in and trust, as lines to copy; on standard error."""
    for one in lines(details):
        err.print(line(one), soft_wrap=True)


def lines(details: Mapping[str, str | None]) -> list[str]:
    """The same as text."""
    url, ca_file = details["url"], details["ca_file"]
    cacert = f"--cacert {ca_file} " if ca_file else ""
    told = [
        "",
        "A local Dynamics 365 is served. Any client of its Web API needs the values above:",
        f"  environment     {url}",
        f"  Web API         {url}/api/data/v9.2/",
        f"  authority       {url}/{details['tenant']}",
        f"  client id       {details['client_id']}",
        f"  client secret   {details['client_secret']}",
        f"  scope           {details['scope']}",
    ]
    if ca_file:
        told.append("  trust           " + " ".join(f"{name}={ca_file}" for name in _TRUST))
    else:
        told.append("  (a client that insists on https: --tls; on the usual port: --port 443)")
    return [
        *told,
        "A token by hand:",
        f"  curl {cacert}-d grant_type=client_credentials -d client_id={details['client_id']}"
        f" --data-urlencode 'client_secret={details['client_secret']}'"
        f" -d scope={details['scope']} {details['token_url']}",
        f"It breaks on demand by {details['control_url']} (docs/emulator.md). Ctrl-C ends it.",
    ]
