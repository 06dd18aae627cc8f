"""The secrets that requests are signed with, read where they are kept when a run begins."""

from __future__ import annotations

import base64
import binascii

from ._core import Dispatcher
from .auth_scheme import Signing
from .config_values import SecretRef
from .errors import ConfigError, Mistake
from .secrets import resolve

_FEWEST, _MOST = 24, 64  # bytes of a Standard Webhooks secret


def sign(dispatcher: Dispatcher, signing: Signing) -> None:
    """Hand the secrets of `signing` to the dispatcher; raises ConfigError where there are none."""
    standard = _key(signing.standard_webhooks) if signing.standard_webhooks else b""
    segment = resolve(signing.segment).encode() if signing.segment else b""
    if standard or segment:
        dispatcher.sign_with(standard, segment)


def _key(ref: SecretRef) -> bytes:
    """The bytes that whsec_… stands for."""
    try:
        key = base64.b64decode(resolve(ref).removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if _FEWEST <= len(key) <= _MOST:
        return key
    told = f"expected whsec_ and the base64 of {_FEWEST} to {_MOST} bytes"
    hint = "whsec_$(openssl rand -base64 32) makes one"
    mistake = Mistake("E184", told, ref.path, ref.line, ref.column, hint)
    raise ConfigError([mistake], ref.document)
