"""Every refusal of the service that the emulator knows: status, code and words in one place.

Codes and texts follow Microsoft's "Web service error codes" and "Compose HTTP requests and handle
errors" (Dataverse developer guide); where live answers differ from those pages, the live ones win.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from html import escape

DUPLICATE_KEY = "0x80040237"
MISSING_ROW = "0x80040217"
BAD_REQUEST = "0x80060888"
BAD_PAYLOAD = "0x80048d19"

HELP_LINK = "https://go.microsoft.com/fwlink/?linkid=2195293"


class Refusal(Exception):
    """An answer other than success; raising it rolls the request's transaction back.

    `details` are sister properties of the message, sent where the request asks for annotations.
    """

    def __init__(
        self, status: int, code: str, message: str, details: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})


# The address ------------------------------------------------------------------------------------


def unknown_segment(segment: str) -> Refusal:
    """No such entity set, action or function."""
    return Refusal(404, BAD_REQUEST, f"Resource not found for the segment '{segment}'.")


def no_such_resource(url: str) -> Refusal:
    """A function called by the wrong method."""
    return Refusal(404, "", f"No HTTP resource was found that matches the request URI '{url}'.")


def wrong_method(method: str) -> Refusal:
    """A method that this address does not take."""
    return Refusal(405, "", f"The requested resource does not support http method '{method}'.")


def wrong_key(table: str) -> Refusal:
    """A key that the table does not have."""
    resource = f"'Microsoft.Dynamics.CRM.{table}'"
    return Refusal(
        400,
        BAD_REQUEST,
        f"The key in the request URI is not valid for resource {resource}. Ensure that the names "
        "and number of key properties match the declared or alternate key properties for the "
        f"resource {resource}.",
    )


def bad_query(message: str) -> Refusal:
    """A query that cannot be understood."""
    return Refusal(400, BAD_REQUEST, message)


def unknown_property(name: str, table: str) -> Refusal:
    """A query that names a column the table has not."""
    return bad_query(
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def wrong_media_type(media_type: str) -> Refusal:
    """A body that is not called JSON."""
    return Refusal(
        415,
        "",
        f"The request entity's media type '{media_type}' is not supported for this resource.",
    )


# The body ---------------------------------------------------------------------------------------


def bad_payload(entity_set: str, inner: str) -> Refusal:
    """A body that the deserialiser refuses."""
    return Refusal(
        400,
        BAD_PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{entity_set}', For more "
        f"information on this error please follow this help link {HELP_LINK}  ---->  "
        f"InnerException : Microsoft.OData.ODataException: {inner}",
    )


def lookup_as_column() -> Refusal:
    """A lookup that is written as a value."""
    return Refusal(
        400,
        BAD_REQUEST,
        "CRM do not support direct update of Entity Reference properties, Use Navigation "
        "properties instead.",
    )


def deep_update() -> Refusal:
    """A row nested in an update."""
    return Refusal(400, BAD_REQUEST, "Deep update of navigation properties is not allowed.")


def unparsed_reference() -> Refusal:
    """A bind to an address that means nothing."""
    return Refusal(
        400,
        BAD_REQUEST,
        "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the "
        "segment provided in the URL.",
    )


# Rows -------------------------------------------------------------------------------------------


def missing_row(table: str, row_id: str) -> Refusal:
    """No row has this id."""
    return Refusal(404, MISSING_ROW, f"Entity '{table}' With Id = {row_id} Does Not Exist")


def duplicate_key() -> Refusal:
    """A row has this id already."""
    return Refusal(412, DUPLICATE_KEY, "A record with matching key values already exists.")


def stale_version() -> Refusal:
    """The row has changed since the client read it."""
    return Refusal(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def bad_version() -> Refusal:
    """An If-Match that is no version."""
    return Refusal(400, "0x80060883", "The concurrency token in the If-Match header is not valid.")


# Values -----------------------------------------------------------------------------------------


def too_long(column: str, table: str, limit: int) -> Refusal:
    """A text beyond the length of its column."""
    return Refusal(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{table}' "
        f"entity exceeded the maximum allowed length of '{limit}'.",
    )


def out_of_range(code: str, column: str, table: str) -> Refusal:
    """A number beyond the bounds of its column."""
    return Refusal(
        400,
        code,
        f"A validation error occurred. The value of '{column}' on record of type '{table}' is "
        "outside the valid range.",
    )


def unknown_choice(value: int, column: str, table: str, accepted: str) -> Refusal:
    """A number that is not among the options."""
    return Refusal(
        400,
        "0x8004431a",
        f"A validation error occurred. The value {value} of '{column}' on record of type '{table}' "
        f"is outside the valid range. Accepted Values: {accepted}",
    )


def date_out_of_range() -> Refusal:
    """A date that the database cannot keep."""
    return Refusal(
        400,
        "0x80040239",
        "DateTime is less than minimum value supported by CrmDateTime. Actual value, minimum value "
        "supported: 01/01/1753 00:00:00",
    )


def date_in_the_future() -> Refusal:
    """A row that would have been made later than now."""
    return Refusal(400, "0x80040239", "System date cannot be set to a date in the future.")


def closed_by_message(table: str, state: str, message: str) -> Refusal:
    """A state that only a message of the service gives."""
    return Refusal(
        400,
        "0x80100005",
        f"This message can not be used to set the state of {table} to {state}. In order to set "
        f"state of {table} to {state}, use the {message} message instead.",
    )


def wrong_status(status: int, state: str, table: str, row_id: str) -> Refusal:
    """A status reason that belongs to another state."""
    return Refusal(
        400,
        "0x80048408",
        f"{status} is not a valid status code for state code {table.capitalize()}State.{state} on "
        f"{table} with Id {row_id}.",
    )


def missing_required(column: str) -> Refusal:
    """A required column that a create leaves empty."""
    return Refusal(400, "0x80040200", f"Attribute '{column}' cannot be null.")


# Keys -------------------------------------------------------------------------------------------


def missing_key(table: str) -> Refusal:
    """No row has these values of an alternate key."""
    message = f"A record with the specified key values does not exist in {table} entity"
    return Refusal(404, "0x80060891", message)


def key_violated(key: str, values: Mapping[str, object]) -> Refusal:
    """Another row has these values of an alternate key."""
    names = ", ".join(values)
    message = (
        f"Entity Key {key} violated. A record with the same value for {names} already exists. A "
        "duplicate record cannot be created. Select one or more unique values and try again."
    )
    quoted = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
    details = {"Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes": quoted}
    return Refusal(412, "0x80060892", message, details)


def no_optimistic_locking(table: str) -> Refusal:
    """If-Match on a table that keeps no versions for it."""
    message = f"Optimistic concurrency isn't enabled for entity type {table}."
    return Refusal(400, "0x8006088d", message)


def duplicate_detected() -> Refusal:
    """A duplicate rule matched, and the request asked for detection."""
    return Refusal(
        412,
        "0x80040333",
        "A record was not created or updated because a duplicate of the current record already "
        "exists.",
    )


# Rights -----------------------------------------------------------------------------------------


def not_a_member() -> Refusal:
    """The application has no application user in this environment."""
    return Refusal(403, "0x80072560", "The user is not a member of the organization.")


def user_disabled(user: str) -> Refusal:
    """The application user is disabled."""
    return Refusal(403, "0x80040225", f"The specified user(Id = {user}) is disabled.")


def no_roles(user: str) -> Refusal:
    """The application user has no security role."""
    return Refusal(403, "0x80042f09", f"User with SystemUserId={user} has no security roles.")


def no_privilege(user: str, roles: int, privilege: str, table: str, type_code: int) -> Refusal:
    """A role that does not have the privilege."""
    privilege_id = uuid.uuid5(uuid.NAMESPACE_OID, privilege)
    message = (
        f"Principal user (Id={user}, type=8, roleCount={roles}, privilegeCount=612, "
        f"accessMode='4 Non-interactive'), is missing {privilege} privilege (Id={privilege_id}) "
        f"on OTC={type_code} for entity '{table}' (LocalizedName='{table.capitalize()}'). "
        "context.Caller=" + user
    )
    return Refusal(403, "0x80040220", message)


def may_not_impersonate(user: str) -> Refusal:
    """An impersonation that is not allowed or names nobody."""
    message = f"User '{user}' cannot be acted on behalf of."
    return Refusal(403, "0x8004a110", message)


# Custom logic -----------------------------------------------------------------------------------


def plug_in_refused(status: int, code: str, text: str) -> Refusal:
    """A plug-in's own words."""
    details = {"Microsoft.PowerApps.CDS.TraceText": f"[emulator: PlugIn] {text}"}
    return Refusal(status, code, text, details)


def plug_in_too_slow() -> Refusal:
    """A plug-in that ran for more than its two minutes."""
    message = "The plug-in execution exceeded 2 minutes and 20 seconds."
    return Refusal(400, "0x80081111", message)


def refusal_body(refusal: Refusal, *, annotated: bool = False) -> dict[str, dict[str, str]]:
    """The JSON of a refusal; with its details where annotations are asked for."""
    # Half a surrogate pair, quoted from a body, cannot be written as UTF-8.
    message = refusal.message.encode(errors="replace").decode()
    error = {"code": refusal.code, "message": message}
    if annotated:
        standing = {
            "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus": "0",
            "Microsoft.PowerApps.CDS.HelpLink": HELP_LINK,
            "Microsoft.PowerApps.CDS.InnerError.Message": message,
        }
        error |= {f"@{name}": text for name, text in (standing | refusal.details).items()}
    return {"error": error}
