"""The numbers of Microsoft Entra ID's refusals (AADSTS…): why, the cure, and who can do it.

One table for hints of a sign-in, of `test-connection`, and for docs/auth.md, which is written from
it. Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and the words
of the service itself.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Who(enum.StrEnum):
    """Who can end a refusal."""

    AUTHOR = "author"  # of the destination file
    ENTRA = "administrator of Entra"
    DYNAMICS = "administrator of the environment"
    OPERATOR = "operator"  # of the machine and its network
    PERSON = "person"  # who signs in
    WAIT = "nobody"  # it passes


class EntraCode(NamedTuple):
    """One number: its cause and its cure in a few words each, and who acts."""

    number: int
    who: Who
    cause: str
    cure: str

    @property
    def hint(self) -> str:
        """For people: who acts, why it failed, what to do."""
        return f"{self.who}: {self.cause}; {self.cure}"

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        return self.who is Who.WAIT


_A, _E, _D, _O, _P, _W = (
    *(Who.AUTHOR, Who.ENTRA, Who.DYNAMICS),
    *(Who.OPERATOR, Who.PERSON, Who.WAIT),
)
_SECRET = "make a new client secret in the app registration and put its value there"
_APP_ID = "compare client_id and the tenant in token_url with the app registration"
_CONCRETE = "put the directory id of your tenant into token_url"
_SCOPE = "write scope: the environment's address and /.default"
_ADMIT = "allow the application, or exempt it from the policy"
_AGAIN = "sign in again: fieldpost connect"
_CLOUD = "take the sign-in host of the environment's own cloud for token_url"
_AS_APP = "sign in as an application (client_credentials), or again as a person"
_CLOCK = "set the clock of this machine"
_UPLOAD = "upload the certificate's public part to the app registration"
_CERTIFICATE = "make a new certificate, and upload its public part to the app registration"
_REDIRECT = "register redirect_url with the application"

CODES = (
    # The application and its tenant
    EntraCode(700016, _A, "this tenant has no such application", _APP_ID),
    EntraCode(70001, _A, "this tenant has no such application, or it is disabled", _APP_ID),
    EntraCode(90002, _A, "there is no such tenant", "correct the tenant in token_url"),
    EntraCode(900023, _A, "the tenant is neither a GUID nor a domain", _CONCRETE),
    EntraCode(90019, _A, "the address names no tenant", _CONCRETE),
    EntraCode(50059, _A, "the address names no tenant", _CONCRETE),
    EntraCode(50194, _A, "the application is of one tenant, and the address of all", _CONCRETE),
    EntraCode(9001023, _A, "this grant does not work with common or consumers", _CONCRETE),
    EntraCode(9002346, _A, "the application is for personal accounts", "register one of a tenant"),
    EntraCode(9002331, _A, "the application is for personal accounts", "register one of a tenant"),
    EntraCode(9002332, _A, "the application is for work accounts", _CONCRETE),
    EntraCode(
        7000112,
        _E,
        "the application is disabled",
        "enable it (Enterprise applications, Properties: enabled for users to sign in)",
    ),
    EntraCode(
        7000229,
        _E,
        "the application has no service principal in this tenant",
        "make one: consent to the application, or `az ad sp create --id CLIENT_ID`",
    ),
    EntraCode(
        500011,
        _A,
        "this tenant has no such environment",
        f"{_SCOPE}; perhaps the tenant in token_url is another one's",
    ),
    EntraCode(
        500014,
        _E,
        "the service principal of the environment's service is disabled",
        "enable Dataverse among the enterprise applications, and look at its licences",
    ),
    EntraCode(500021, _E, "access to this tenant is restricted by the network", _ADMIT),
    EntraCode(900382, _A, "the application is of another cloud", _CLOUD),
    EntraCode(900432, _A, "the application is of another cloud", _CLOUD),
    EntraCode(900439, _A, "the application is of another cloud", _CLOUD),
    EntraCode(900384, _A, "the sign-in is of another cloud than the environment", _CLOUD),
    # Its secret or certificate
    EntraCode(
        7000215,
        _A,
        "the client secret is wrong",
        "give its value, which is shown once, not its id",
    ),
    EntraCode(7000222, _E, "the client secret has expired", _SECRET),
    EntraCode(
        7000218,
        _A,
        "neither a secret nor an assertion arrived",
        "look at client_secret and client_auth",
    ),
    EntraCode(
        7000216,
        _A,
        "neither a secret nor an assertion arrived",
        "look at client_secret and client_auth",
    ),
    EntraCode(700025, _A, "the application is public and takes no secret", "leave it out"),
    EntraCode(
        70002, _A, "the client's credentials are wrong", "compare them with the app registration"
    ),
    EntraCode(
        700027,
        _E,
        "the certificate is not registered for this application, or its key does not fit",
        _UPLOAD,
    ),
    EntraCode(700030, _E, "the certificate's subject is not allowed", _UPLOAD),
    EntraCode(7000213, _E, "the certificate's chain is not trusted", _UPLOAD),
    EntraCode(7000214, _E, "the certificate is revoked or not trusted", _CERTIFICATE),
    EntraCode(1000502, _E, "the certificate is out of its time", _CERTIFICATE),
    EntraCode(50012, _A, "the certificate or the secret was not accepted", _UPLOAD),
    EntraCode(50013, _A, "the assertion was not accepted", _UPLOAD),
    EntraCode(700021, _A, "the signed assertion names another client", _APP_ID),
    EntraCode(
        700023,
        _A,
        "the signed assertion is meant for another token endpoint",
        "write token_url as Entra's page of endpoints has it",
    ),
    EntraCode(700024, _O, "the assertion's time does not fit", _CLOCK),
    EntraCode(500133, _O, "the assertion's time does not fit", _CLOCK),
    EntraCode(
        700213,
        _E,
        "no federated credential of the application fits",
        "compare its issuer, subject and audience",
    ),
    # The request
    EntraCode(70011, _A, "the scope is malformed", _SCOPE),
    EntraCode(1002012, _A, "client credentials need a scope that ends in /.default", _SCOPE),
    EntraCode(
        900144,
        _A,
        "a parameter is missing",
        "the v2.0 endpoint wants scope, the older one token_params: {resource: …}",
    ),
    EntraCode(
        90014,
        _A,
        "a parameter is missing",
        "the v2.0 endpoint wants scope, the older one token_params: {resource: …}",
    ),
    EntraCode(901002, _A, "the v2.0 endpoint takes no resource", f"{_SCOPE} in its place"),
    EntraCode(9002313, _A, "the request is malformed", "look at token_url, client_id and scope"),
    EntraCode(90023, _A, "the request is malformed", "look at token_url, client_id and scope"),
    EntraCode(70003, _A, "the endpoint does not offer this grant", "look at grant and token_url"),
    EntraCode(900561, _A, "the address is not for tokens", "token_url ends in /oauth2/v2.0/token"),
    EntraCode(1002016, _O, "the TLS of this machine is too old", "bring it up to date"),
    # Policies and consent
    EntraCode(65001, _E, "nobody has consented to the application", "grant admin consent"),
    EntraCode(65004, _P, "the consent was declined", _AGAIN),
    EntraCode(
        65005,
        _E,
        "the application does not ask for the permission that is used",
        "add the permission of Dynamics CRM, and grant admin consent",
    ),
    EntraCode(90094, _E, "the permission needs an administrator's consent", "grant admin consent"),
    EntraCode(90095, _E, "the permission needs an administrator's consent", "grant admin consent"),
    EntraCode(50105, _E, "the account has no role in the application", "assign it to the account"),
    EntraCode(501051, _E, "the application has no role in the other", "assign it"),
    EntraCode(53000, _E, "a policy wants a compliant device", _ADMIT),
    EntraCode(53001, _E, "a policy wants a device of the domain", _ADMIT),
    EntraCode(53003, _E, "a Conditional Access policy forbids it", _ADMIT),
    EntraCode(53011, _E, "the account is blocked as risky", "look at Identity Protection"),
    EntraCode(530003, _E, "a policy wants a managed device", _ADMIT),
    EntraCode(50131, _E, "a Conditional Access policy forbids it", _ADMIT),
    # A person's account
    EntraCode(50011, _E, "the redirect address is not registered", _REDIRECT),
    EntraCode(500112, _A, "the redirect address is another one than before", "give one only"),
    EntraCode(500113, _E, "the application has no redirect address", _REDIRECT),
    EntraCode(50020, _A, "the account is not of this tenant", "sign in with one of the tenant"),
    EntraCode(50034, _P, "this tenant has no such account", "sign in with one of the tenant"),
    EntraCode(50053, _E, "the account is locked, or the network address blocked", "unlock it"),
    EntraCode(50055, _P, "the password has expired", "set a new one, then sign in again"),
    EntraCode(50056, _P, "the password is missing or wrong", _AGAIN),
    EntraCode(50057, _E, "the account is disabled", "enable it"),
    EntraCode(50126, _P, "the user name or the password is wrong", _AGAIN),
    EntraCode(50074, _P, "the account needs a second factor", _AS_APP),
    EntraCode(50076, _P, "the account needs a second factor", _AS_APP),
    EntraCode(50079, _P, "the account has to register a second factor", _AS_APP),
    EntraCode(50158, _P, "the account needs another proof", _AS_APP),
    EntraCode(500121, _P, "the second factor was not given", _AGAIN),
    # What was granted before
    EntraCode(50058, _P, "nobody is signed in", _AGAIN),
    EntraCode(50078, _P, "the second factor has expired", _AGAIN),
    EntraCode(50132, _P, "the session has ended", _AGAIN),
    EntraCode(50133, _P, "the session has ended: the password was changed", _AGAIN),
    EntraCode(50148, _P, "the code's verifier does not fit", _AGAIN),
    EntraCode(50173, _P, "the grant was taken back: the password was changed", _AGAIN),
    EntraCode(54005, _P, "the code is used up", _AGAIN),
    EntraCode(70000, _P, "the grant is used up, or of another client", _AGAIN),
    EntraCode(70008, _P, "the grant has expired", _AGAIN),
    EntraCode(70043, _P, "the grant has expired by a policy", _AGAIN),
    EntraCode(700082, _P, "the grant has expired: it was not used for long", _AGAIN),
    EntraCode(700084, _P, "the grant of a single page application has expired", _AGAIN),
    EntraCode(700003, _P, "the device of the grant is gone", _AGAIN),
    EntraCode(700005, _A, "the code is of another tenant", _CONCRETE),
    # What passes
    EntraCode(50196, _W, "the same request came too often", "it goes on after some minutes"),
    EntraCode(90033, _W, "Entra is ill", "it is tried again"),
    EntraCode(90036, _W, "Entra is ill", "it is tried again"),
    EntraCode(90055, _W, "Entra throttles the tenant", "it is tried again, slowly"),
    EntraCode(90024, _W, "Entra is busy", "it is tried again"),
    EntraCode(90051, _W, "Entra is ill", "it is tried again"),
    EntraCode(1000000, _W, "Entra is ill", "it is tried again"),
)
BY_NUMBER = {one.number: one for one in CODES}
