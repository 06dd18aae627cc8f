"""Functions and actions: those of the service itself, and those bound to rows.

Sources: "Web API Function Reference" and "Web API Action Reference". Only those that clients of the
API commonly call; the rest is unknown here, and refused as an unknown segment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from .address import Segment
from .answer import Answer, document
from .model import OTHERS, VERBS, Collection, Table, privilege_id, privilege_name
from .query import literal_of
from .records import BUSINESS_UNIT, ORGANIZATION, Condition, RowKey, row_key
from .refusal import Refusal, bad_payload, no_such_resource, unknown_segment
from .service import Call

VERSION = "9.2.24112.00000"
NONE = Condition(None, None)


class Operations:
    """Answers for one request; call inside a transaction."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def unbound(self, segment: Segment) -> Answer:
        """A function or action of the service itself."""
        call, method = self._call, self._call.request.method
        if segment.name in FUNCTIONS:
            if method != "GET":
                raise no_such_resource(f"{call.service.base}/{call.request.path}")
            return FUNCTIONS[segment.name](call, self._arguments(segment))
        if segment.name in ACTIONS:
            if method != "POST":
                raise no_such_resource(f"{call.service.base}/{call.request.path}")
            body = call.body(segment.name) if call.request.body.strip() else {}
            return ACTIONS[segment.name](call, body)
        if not call.service.switches.V13:
            raise Refusal(
                404, "0x8006088a", f"Resource not found for the segment '{segment.name}'."
            )
        raise unknown_segment(segment.name)

    def bound(self, table: Table, key: RowKey | None, segment: Segment) -> Answer:
        """A function or action bound to a row or a set."""
        name = segment.name.removeprefix("Microsoft.Dynamics.CRM.")
        call = self._call
        if key is not None and (table.name, name) in BOUND:
            if (call.request.method == "GET") != (name in BOUND_FUNCTIONS):
                raise no_such_resource(f"{call.service.base}/{call.request.path}")
            body = call.body(table.entity_set) if call.request.body.strip() else {}
            return BOUND[table.name, name](call, key, {**self._arguments(segment), **body})
        raise unknown_segment(segment.name)

    def _arguments(self, segment: Segment) -> dict[str, Any]:
        options = dict(parse_qsl(self._call.request.query))
        aliases = {name: value for name, value in options.items() if name.startswith("@")}
        return {name: literal_of(value, aliases) for name, value in segment.arguments().items()}


Arguments = dict[str, Any]


def _who_am_i(call: Call, arguments: Arguments) -> Answer:
    ids = {
        "BusinessUnitId": call.user.business_unit,
        "UserId": call.user.id,
        "OrganizationId": ORGANIZATION,
    }
    return document(200, {"@odata.context": call.context("WhoAmIResponse"), **ids})


def _version(call: Call, arguments: Arguments) -> Answer:
    context = call.context("RetrieveVersionResponse")
    return document(200, {"@odata.context": context, "Version": VERSION})


def _current_organization(call: Call, arguments: Arguments) -> Answer:
    url = call.service.base.partition("/api/data")[0]
    endpoints = ("WebApplication", "OrganizationService", "OrganizationDataService")
    detail = {
        "OrganizationId": ORGANIZATION,
        "FriendlyName": "emulator",
        "OrganizationVersion": VERSION,
        "EnvironmentId": ORGANIZATION,
        "UrlName": "emulator",
        "UniqueName": "emulator",
        "State": "Enabled",
        "OrganizationType": "Developer",
        "Endpoints": {
            "Count": len(endpoints),
            "IsReadOnly": True,
            "Keys": list(endpoints),
            "Values": [f"{url}/"] * len(endpoints),
        },
    }
    context = call.context("RetrieveCurrentOrganizationResponse")
    return document(200, {"@odata.context": context, "Detail": detail})


def _total_record_count(call: Call, arguments: Arguments) -> Answer:
    names = [part.strip(" \"'[]") for part in str(arguments.get("EntityNames", "")).split(",")]
    tables = [call.service.schema.tables.get(name) for name in names]
    if not all(tables):
        raise Refusal(400, "0x80041102", "An entity of EntityNames was not found.")
    counts = [call.service.rows.count(table, "1", ()) for table in tables if table]
    collection = {
        "Count": len(names),
        "IsReadOnly": False,
        "Keys": names,
        "Values": counts,
    }
    context = call.context("RetrieveTotalRecordCountResponse")
    return document(200, {"@odata.context": context, "EntityRecordCountCollection": collection})


def _languages(name: str, member: str) -> Callable[[Call, Arguments], Answer]:
    def told(call: Call, arguments: Arguments) -> Answer:
        return document(200, {"@odata.context": call.context(f"{name}Response"), member: [1033]})

    return told


def _formatted_address(call: Call, arguments: Arguments) -> Answer:
    """As addresses are written in the United States, which is how the service writes most."""
    given = {name: str(value or "") for name, value in arguments.items()}
    region = f"{given.get('StateOrProvince', '')} {given.get('PostalCode', '')}".strip()
    city = ", ".join(part for part in (given.get("City", ""), region) if part)
    lines = [given.get("Line1", ""), city, given.get("Country", "")]
    address = "\r\n".join(line for line in lines if line)
    context = call.context("FormatAddressResponse")
    return document(200, {"@odata.context": context, "Address": address})


def _shared(call: Call, body: Arguments) -> Answer:
    """GrantAccess and its kind: the row is there; every role here reaches every row anyway."""
    target = body.get("Target")
    kind = str((target or {}).get("@odata.type", "")).rpartition(".")[2]
    table = call.service.schema.tables.get(kind)
    if table is None or not isinstance(target, dict):
        raise bad_payload("GrantAccess", "'Target' is a row with its type and its id.")
    row_key(str(target.get(table.key)), table).need(call.service.rows)
    return Answer(204)


def _nothing(call: Call, body: Arguments) -> Answer:
    """An action that has no effect that could be seen here."""
    return Answer(204)


_CLOSED_ROW = "opportunityid@odata.bind"


def _closed(state: int) -> Callable[[Call, Arguments], Answer]:
    """WinOpportunity and LoseOpportunity: the opportunity of the body changes its state.

    The activity of the body is made with it, completed.
    """

    def close(call: Call, body: Arguments) -> Answer:
        closing = body.get("OpportunityClose")
        closing = dict(closing) if isinstance(closing, dict) else {}
        bind, nested = closing.get(_CLOSED_ROW), closing.get("opportunityid")
        if isinstance(nested, dict):
            bind = f"/opportunities({nested.get('opportunityid')})"
            del closing["opportunityid"]
        if not isinstance(bind, str):
            raise bad_payload("OpportunityClose", f"'{_CLOSED_ROW}' is missing.")
        opportunities = call.service.schema.tables["opportunity"]
        key = row_key(bind.partition("(")[2].removesuffix(")"), opportunities)
        _open(call, key)
        status = body.get("Status")
        assert opportunities.states
        if status in (None, -1):
            status = opportunities.states.first(state)
        closed = {"actualclosedate": str(closing.get("actualend") or call.commit.moment)[:10]}
        if closing.get("actualrevenue") is not None:
            closed["actualvalue"] = closing["actualrevenue"]
        call.commit.by_message = True
        _patch(call, key, {"statecode": state, "statuscode": status, **closed})
        activity = {**closing, _CLOSED_ROW: bind, "statecode": 1, "statuscode": 2}
        node = call.node(call.service.schema.tables["opportunityclose"], activity, deep=False)
        call.service.writer.create(node, call.commit)
        return Answer(204)

    return close


def _open(call: Call, key: RowKey) -> None:
    """What is closed cannot be closed, or qualified, once more."""
    found = call.service.rows.get(key.table, key.need(call.service.rows), ("statecode",)) or {}
    if found["statecode"]:
        message = f"The {key.table.name} is closed already: its state does not permit this."
        raise Refusal(400, "0x80040233", message)


def _patch(call: Call, key: RowKey, body: Arguments) -> None:
    key.need(call.service.rows)
    node = call.node(key.table, body, deep=False)
    call.service.writer.upsert(node, key, NONE, call.commit)


def _qualify(call: Call, key: RowKey, body: Arguments) -> Answer:
    """A lead becomes what the body asks for: account, contact, opportunity."""
    _open(call, key)
    lead_id = key.need(call.service.rows)
    names = ("subject", "companyname", "firstname", "lastname", "emailaddress1")
    lead = call.service.rows.get(key.table, lead_id, names) or {}
    created: list[Arguments] = []
    origin = {"originatingleadid@odata.bind": f"/leads({lead_id})"}
    account = contact = None
    ties: Arguments = {}
    if body.get("CreateAccount"):
        account = _made(call, "account", {"name": lead["companyname"], **origin}, created)
    if body.get("CreateContact"):
        person = {n: lead[n] for n in ("firstname", "lastname", "emailaddress1")}
        parent = {"parentcustomerid_account@odata.bind": f"/accounts({account})"} if account else {}
        contact = _made(call, "contact", {**person, **origin, **parent}, created)
    if body.get("CreateOpportunity"):
        customer = {}
        if account:
            customer = {"customerid_account@odata.bind": f"/accounts({account})"}
        elif contact:
            customer = {"customerid_contact@odata.bind": f"/contacts({contact})"}
        deal = _made(call, "opportunity", {"name": lead["subject"], **origin, **customer}, created)
        ties["qualifyingopportunityid@odata.bind"] = f"/opportunities({deal})"
    status = body.get("Status")
    state = {"statecode": 1, "statuscode": 3 if status in (None, -1) else status}
    _patch(call, key, {**state, **ties})
    context = f"{call.service.base}/$metadata#Collection(mscrm.crmbaseentity)"
    return document(200, {"@odata.context": context, "value": created})


def _made(call: Call, name: str, body: Arguments, created: list[Arguments]) -> str:
    table = call.service.schema.tables[name]
    row_id = call.service.writer.create(call.node(table, body, deep=True), call.commit)
    kind = f"#Microsoft.Dynamics.CRM.{name}"
    created.append({"@odata.type": kind, table.key: row_id})
    return row_id


def _send_email(call: Call, key: RowKey, body: Arguments) -> Answer:
    _patch(call, key, {"statecode": 1, "statuscode": 3})
    context = call.context("SendEmailResponse")
    return document(200, {"@odata.context": context, "Subject": None})


def _user_privileges(call: Call, key: RowKey, body: Arguments) -> Answer:
    """What the roles of a user allow, by the names of the privileges."""
    denied = call.user.denied if key.row_id == call.user.id else frozenset()
    tables = call.service.schema.tables.values()
    names = dict.fromkeys(privilege_name(verb, table) for table in tables for verb in VERBS)
    granted = [
        {
            "Depth": "Global",
            "PrivilegeId": privilege_id(name),
            "BusinessUnitId": BUSINESS_UNIT,
            "PrivilegeName": name,
            "RecordFilterId": "00000000-0000-0000-0000-000000000000",
        }
        for name in (*names, *OTHERS)
        if name.lower() not in denied
    ]
    context = call.context("RetrieveUserPrivilegesResponse")
    return document(200, {"@odata.context": context, "RolePrivileges": granted})


def _principal_access(call: Call, key: RowKey, body: Arguments) -> Answer:
    context = call.context("RetrievePrincipalAccessResponse")
    rights = "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess"
    return document(200, {"@odata.context": context, "AccessRights": rights})


def _members(add: bool) -> Callable[[Call, RowKey, Arguments], Answer]:
    def change(call: Call, key: RowKey, body: Arguments) -> Answer:
        team_id = key.need(call.service.rows)
        association = key.table.associations["teammembership_association"]
        for member in body.get("Members") or []:
            user_id = str(member.get("systemuserid") or member.get("ownerid"))
            if add:
                call.service.writer.pair(association, team_id, user_id)
            else:
                call.service.writer.remove(association, team_id, user_id, call.commit)
        return Answer(204)

    return change


def _merged(call: Call, body: Arguments) -> Answer:
    """Merge: the subordinate becomes inactive, and its children go to the target."""
    target, other = body.get("Target"), body.get("Subordinate")
    kind = str((target or {}).get("@odata.type", "")).rpartition(".")[2]
    table = call.service.schema.tables.get(kind)
    if table is None or not isinstance(target, dict) or not isinstance(other, dict):
        raise bad_payload("Merge", "'Target' and 'Subordinate' are rows of one table.")
    kept, merged = (row_key(str(row.get(table.key)), table) for row in (target, other))
    kept_id, merged_id = kept.need(call.service.rows), merged.need(call.service.rows)
    for member in table.collections.values():
        _move(call, table, member, merged_id, kept_id)
    _patch(call, merged, {"statecode": 1, "statuscode": 2})
    content = body.get("UpdateContent")
    if isinstance(content, dict) and len(content) > 1:
        fields = {n: v for n, v in content.items() if n != table.key and "@odata.type" not in n}
        _patch(call, kept, fields)
    return Answer(204)


def _move(call: Call, table: Table, member: Collection, old: str, new: str) -> None:
    target = call.service.schema.tables[member.target]
    if target.union or member.single.read_only:
        return
    for row_id in call.service.rows.ids(
        target, f't0."{member.single.lookup.name}" = ?', (old,), 5000
    ):
        call.service.writer.add(member, table, new, row_id, call.commit)


def _bulk_delete(call: Call, body: Arguments) -> Answer:
    """BulkDelete: rows that a list of ids names. The job is done when the answer leaves."""
    job = call.service.new_id()
    for query in body.get("QuerySet") or []:
        table = call.service.schema.tables.get(str(query.get("EntityName")))
        if table is None:
            raise Refusal(400, "0x80041102", "The entity of a QueryExpression was not found.")
        for row_id in _listed_ids(query, table):
            key = RowKey(table, row_id)
            if key.find(call.service.rows) is not None:
                call.service.writer.delete(table, key, NONE, call.commit)
    context = call.context("BulkDeleteResponse")
    return document(200, {"@odata.context": context, "JobId": job})


def _listed_ids(query: Arguments, table: Table) -> list[str]:
    """The ids of a query whose one condition is that the id equals or is in a list."""
    conditions = (query.get("Criteria") or {}).get("Conditions") or []
    if len(conditions) != 1 or conditions[0].get("AttributeName") != table.key:
        raise Refusal(400, "0x80040203", "Only a condition on the id is supported here.")
    values = conditions[0].get("Values") or []
    return [str(v.get("Value") if isinstance(v, dict) else v).lower() for v in values]


FUNCTIONS: dict[str, Callable[[Call, Arguments], Answer]] = {
    "WhoAmI": _who_am_i,
    "RetrieveVersion": _version,
    "RetrieveCurrentOrganization": _current_organization,
    "RetrieveTotalRecordCount": _total_record_count,
    "FormatAddress": _formatted_address,
    "RetrieveAvailableLanguages": _languages("RetrieveAvailableLanguages", "LocaleIds"),
    "RetrieveProvisionedLanguages": _languages(
        "RetrieveProvisionedLanguages", "RetrieveProvisionedLanguages"
    ),
}
ACTIONS: dict[str, Callable[[Call, Arguments], Answer]] = {
    "WinOpportunity": _closed(1),
    "LoseOpportunity": _closed(2),
    "BulkDelete": _bulk_delete,
    "GrantAccess": _shared,
    "ModifyAccess": _shared,
    "RevokeAccess": _shared,
    "Merge": _merged,
    "PublishXml": _nothing,
    "PublishAllXml": _nothing,
}
BOUND_FUNCTIONS = ("RetrieveUserPrivileges", "RetrievePrincipalAccess")
BOUND: dict[tuple[str, str], Callable[[Call, RowKey, Arguments], Answer]] = {
    ("lead", "QualifyLead"): _qualify,
    ("email", "SendEmail"): _send_email,
    ("systemuser", "RetrieveUserPrivileges"): _user_privileges,
    ("systemuser", "RetrievePrincipalAccess"): _principal_access,
    ("team", "AddMembersTeam"): _members(True),
    ("team", "RemoveMembersTeam"): _members(False),
}
