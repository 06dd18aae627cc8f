"""How an environment of Dynamics 365 is addressed: one spelling for ids and memory, and its cloud.

Sources: "Compose HTTP requests and handle errors" and "Discover the URL for your organization" of
Dataverse for the addresses, "National clouds" of Microsoft Entra ID for the hosts of the sign-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, TypeGuard
from urllib.parse import urlsplit

from .config_values import is_loopback


class Cloud(NamedTuple):
    """suffix: of the environments' hosts; sign_in: the hosts that give tokens, the usual first."""

    name: str
    suffix: str
    sign_in: tuple[str, ...]


CLOUDS = (
    Cloud(
        "the public cloud",
        "dynamics.com",
        (
            *("login.microsoftonline.com", "login.windows.net", "login.microsoft.com"),
            *("sts.windows.net", "login-us.microsoftonline.com"),
        ),
    ),
    Cloud("the US government's cloud", "microsoftdynamics.us", ("login.microsoftonline.us",)),
    Cloud("the US Department of Defense's cloud", "appsplatform.us", ("login.microsoftonline.us",)),
    Cloud(
        "the cloud of China",
        "dynamics.cn",
        ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
    ),
    Cloud("the cloud of Germany", "microsoftdynamics.de", ("login.microsoftonline.de",)),
)
# Hosts of the service that are no environment, and what each is.
_OTHERS = (
    (r"make\.(gov\.|high\.)?powerapps\.(com|us|cn)|make\.powerautomate\.com", "the maker portal"),
    (r"apps\.(gov\.|high\.)?powerapps\.(com|us|cn)", "where apps are played"),
    (r"admin\.powerplatform\.(microsoft\.(com|us)|cn)", "the admin center"),
    (r"(admin|port|home|www)\.(crm\d*\.)?dynamics\.(com|cn)", "a portal of Dynamics 365"),
    (r"(global)?disco(\.api)?\.crm\d*\.(dynamics|microsoftdynamics|appsplatform)\.\w+",
     "the discovery service"),
    (r"dev\.crm\d*\.dynamics\.com", "a service of regions"),
    (r"crm\d*\.(dynamics|microsoftdynamics|appsplatform)\.\w+", "a region without its environment"),
    (r".*\.operations\.(\w+\.)?dynamics\.(com|cn)", "an environment of Finance and Operations"),
    (r".*\.powerappsportals\.(com|us|cn)", "a site of Power Pages"),
    (r"api\.(powerplatform|powerapps|flow\.microsoft|bap\.microsoft)\.com",
     "an API of the Power Platform"),
)  # fmt: skip
_SUFFIXES = "|".join(re.escape(one.suffix) for one in CLOUDS)
_ENVIRONMENT = re.compile(rf"(?P<name>[a-z0-9-]+)(\.api)?\.(?P<region>crm\d*\.(?:{_SUFFIXES}))\Z")
_PORTS = {"https": 443, "http": 80}
WHERE = (
    "the environment's page in the Power Platform admin center tells it (Environment URL), such "
    "as https://contoso.crm4.dynamics.com"
)


def spelling(url: str) -> str:
    """The one spelling of an environment's address, whichever of its forms is given.

    In lower case, without path, default port and trailing dot, by the name that people see rather
    than its twin for the API; this machine is 127.0.0.1.
    """
    parts = urlsplit(url.strip())
    host = _host(parts.hostname)
    found = _ENVIRONMENT.match(host)
    if found is not None:
        host = f"{found['name']}.{found['region']}"
    elif host and is_loopback(host):
        host = "127.0.0.1"
    elif ":" in host:
        host = f"[{host}]"
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def former_spelling(url: str) -> str:
    """What ids were made of before there was one spelling."""
    return url.rstrip("/").lower()


def former_spellings(url: str, known: Iterable[str] = ()) -> list[str]:
    """The other spellings of an environment that rows may have been made under.

    known: addresses that somebody remembers, of any environment.
    """
    today = spelling(url)
    alike = [one for one in known if is_address(one) and spelling(one) == today]
    found = dict.fromkeys(former_spelling(one) for one in (url, *alike))
    return [one for one in found if one != today]


def is_same(url: str, other: str) -> bool:
    """Whether two addresses are spellings of one environment."""
    return is_address(other) and spelling(url) == spelling(other)


def cloud_of(host: str) -> Cloud | None:
    """The cloud that an environment's host belongs to; None for a host that is none of theirs."""
    found = _ENVIRONMENT.match(_host(host))
    suffix = found["region"].partition(".")[2] if found is not None else ""
    return next((one for one in CLOUDS if one.suffix == suffix), None)


def sign_in_clouds(host: str) -> list[Cloud]:
    """The clouds whose tokens a host gives; none where it is no host of Microsoft Entra ID."""
    return [one for one in CLOUDS if _host(host) in one.sign_in]


def other_than_environment(url: str) -> str:
    """What an address is of, where it is the service's and no environment's; "" for all others."""
    host = _host(urlsplit(url).hostname)
    return next((told for pattern, told in _OTHERS if re.fullmatch(pattern, host)), "")


def beyond_the_host(url: str) -> bool:
    """Whether an address says more than where the environment is."""
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query or parts.fragment or parts.username)


def _host(host: str | None) -> str:
    return (host or "").lower().rstrip(".")


def is_address(text: object) -> TypeGuard[str]:
    """Whether it is an address of HTTP at all."""
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
