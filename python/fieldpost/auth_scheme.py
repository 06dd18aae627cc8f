"""The `auth` and `signing` of a destination file as typed values: one model for each scheme."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from . import config_values
from .config_values import Header, SecretRef, Text, Url

Secret = Annotated[SecretRef, BeforeValidator(config_values.secret_reference)]
Parameters = Annotated[dict[Text, Any], BeforeValidator(config_values.parameters)]
Grant = Literal["client_credentials", "authorization_code", "refresh_token"]


class Part(BaseModel):
    """A part of the destination file: unknown keys are mistakes, values are never quoted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, protected_namespaces=()
    )


class OAuth2Auth(Part):
    """OAuth 2.0; which keys a grant needs is told by auth_rules.py.

    client_auth tells where the client's secret travels; a certificate takes its place.
    token_params are added to every token request, authorize_params to the address a person opens.
    tokens: "keyring", or the path of a file; None: a file in the user's state folder, except for
    client_credentials, whose tokens then stay in memory.
    """

    type: Literal["oauth2"]
    grant: Grant = "client_credentials"
    token_url: Url = Field(repr=False)
    authorize_url: Url | None = Field(default=None, repr=False)
    device_url: Url | None = Field(default=None, repr=False)
    redirect_url: Annotated[Text, BeforeValidator(config_values.redirect_url)] = "http://localhost"
    client_id: Text
    client_secret: Secret | None = None
    certificate: Secret | None = None
    certificate_password: Secret | None = None
    refresh_token: Secret | None = None
    scope: Annotated[Text | None, BeforeValidator(config_values.scope)] = None
    client_auth: Literal["body", "basic"] = "body"
    token_params: Parameters = Field(default={}, repr=False)
    authorize_params: dict[Text, Text] = {}
    token_prefix: Header = "Bearer"
    tokens: Text | None = None


class BearerAuth(Part):
    """A token that somebody else keeps fresh."""

    type: Literal["bearer"]
    token: Secret


class BasicAuth(Part):
    """HTTP Basic: a user name and a password."""

    type: Literal["basic"]
    username: Text
    password: Secret


class ApiKeyAuth(Part):
    """A key in a header of its own."""

    type: Literal["api_key"]
    header: Header
    value: Secret


class AzureIdentityAuth(Part):
    """A credential of the azure-identity library, by the name of its class."""

    type: Literal["azure_identity"]
    credential: Annotated[Text, BeforeValidator(config_values.credential_name)] = (
        "DefaultAzureCredential"
    )
    scope: Text
    arguments: Parameters = Field(default={}, repr=False)


class NoAuth(Part):
    """No credentials."""

    type: Literal["none"]


Auth = Annotated[
    OAuth2Auth | BearerAuth | BasicAuth | ApiKeyAuth | AzureIdentityAuth | NoAuth,
    Field(discriminator="type"),
]


class Signing(Part):
    """What signs each request, so that who receives it knows the sender; both may be given."""

    standard_webhooks: Secret | None = None
    segment: Secret | None = None
