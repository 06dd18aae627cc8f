"""$metadata, EntityDefinitions, functions, actions; and that their names are the service's own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
ACCOUNT = "EntityDefinitions(LogicalName='account')"
CRM = "Microsoft.Dynamics.CRM"
# A folder with the metadata of a real environment, where somebody has one.
REFERENCE = Path(os.environ.get("FIELDPOST_CSDL", "../shared/dataverse/csdl"))
CUSTOM = ("new_", "role", "organization", "sdkmessage")


def entity_types(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {str(t.get("Name")): t for t in root.iter(f"{EDM}EntityType")}


def members(types: dict[str, ElementTree.Element], name: str, tag: str) -> dict[str, Any]:
    """Properties of a type and of what it is based on."""
    kind = types[name]
    base = str(kind.get("BaseType") or "").rpartition(".")[2]
    found = members(types, base, tag) if base in types else {}
    return found | {str(m.get("Name")): m for m in kind.findall(EDM + tag)}


@pytest.fixture(name="csdl")
def fixture_csdl(api: Api) -> ElementTree.Element:
    answer = api.get("$metadata", Accept="application/xml")
    assert answer.headers["content-type"] == "application/xml"
    return ElementTree.fromstring(answer.content)


def test_E103_metadata_describes_every_set(api: Api, csdl: ElementTree.Element) -> None:
    types = entity_types(csdl)
    sets = {s.get("Name"): s for s in csdl.iter(f"{EDM}EntitySet")}
    assert sets.keys() == {s["name"] for s in api.row("")["value"]}
    for entity_set in sets.values():
        navigation = members(
            types, str(entity_set.get("EntityType")).rpartition(".")[2], "NavigationProperty"
        )
        for binding in entity_set:
            assert binding.get("Path") in navigation
            assert binding.get("Target") in sets


def test_E103_every_navigation_property_leads_back(csdl: ElementTree.Element) -> None:
    types = entity_types(csdl)
    for name, kind in types.items():
        for navigation in kind.findall(f"{EDM}NavigationProperty"):
            target = str(navigation.get("Type")).removeprefix("Collection(").rstrip(")")
            partner = navigation.get("Partner")
            back = members(types, target.removeprefix("mscrm."), "NavigationProperty")
            assert partner is None or partner in back, (name, navigation.get("Name"))


def test_E103_subtypes_inherit(csdl: ElementTree.Element) -> None:
    types = entity_types(csdl)
    assert types["task"].get("BaseType") == "mscrm.activitypointer"
    assert types["systemuser"].get("BaseType") == "mscrm.principal"
    own = {p.get("Name") for p in types["task"].findall(f"{EDM}Property")}
    assert "subject" not in own
    assert "subject" in members(types, "task", "Property")
    assert types["task"].find(f"{EDM}Key") is None


def test_E103_keys_and_bulk_actions_are_declared(csdl: ElementTree.Element) -> None:
    ticket = entity_types(csdl)["new_ticket"]
    terms = [a.get("Term") for a in ticket.findall(f"{EDM}Annotation")]
    assert terms == ["OData.Community.Keys.V1.AlternateKeys"]
    bound = {
        str(a.find(f"{EDM}Parameter").get("Type"))  # type: ignore[union-attr]
        for a in csdl.iter(f"{EDM}Action")
        if a.get("Name") == "CreateMultiple"
    }
    assert "Collection(mscrm.account)" in bound


def test_E103_a_table_is_defined(api: Api) -> None:
    names = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,TableType,IsActivity"
    row = api.row(f"{ACCOUNT}?$select={names}")
    assert row["@odata.context"].startswith(f"{api.base}/$metadata#EntityDefinitions")
    assert [row[name] for name in names.split(",")] == [
        "account",
        "accounts",
        "accountid",
        "name",
        "Standard",
        False,
    ]
    assert "SchemaName" not in row
    assert api.row(f"EntityDefinitions({row['MetadataId']})")["LogicalName"] == "account"
    refused(api.get("EntityDefinitions(LogicalName='acount')"), 404, "0x80060888")
    refused(api.get(f"{ACCOUNT}?$select=Nome"), 400, "0x80060888", "'Nome'")


def cast(api: Api, kind: str, options: str = "", table: str = "account") -> dict[str, Any]:
    path = f"EntityDefinitions(LogicalName='{table}')/Attributes/{CRM}.{kind}AttributeMetadata"
    return {row["LogicalName"]: row for row in api.row(path + options)["value"]}


def test_E103_columns_tell_what_they_take(api: Api) -> None:
    selected = cast(api, "String", "?$select=LogicalName,MaxLength")
    assert selected["name"]["MaxLength"] == 160
    assert selected["name"].keys() == {"LogicalName", "MaxLength", "MetadataId"}
    assert cast(api, "Memo")["description"]["MaxLength"] == 2000
    assert cast(api, "Integer")["numberofemployees"]["MaxValue"] == 10**9
    assert cast(api, "Money")["revenue"]["MaxValue"] == 1e14
    assert cast(api, "Lookup", table="opportunity")["customerid"]["Targets"] == [
        "account",
        "contact",
    ]
    dates = cast(api, "DateTime", table="contact")
    assert dates["birthdate"]["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert dates["createdon"]["DateTimeBehavior"] == {"Value": "UserLocal"}


def test_E103_choices_have_their_labels(api: Api) -> None:
    options = "?$select=LogicalName&$expand=OptionSet,GlobalOptionSet"
    first = cast(api, "Picklist", options)["industrycode"]["OptionSet"]["Options"][0]
    assert (first["Value"], first["Label"]["UserLocalizedLabel"]["Label"]) == (1, "Accounting")
    status = cast(api, "Status", options, "opportunity")["statuscode"]["OptionSet"]["Options"]
    assert [(o["Value"], o["State"]) for o in status] == [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)]
    assert cast(api, "State", options)["statecode"]["OptionSet"]["Options"][1]["Value"] == 1
    several = cast(api, "MultiSelectPicklist", options, "new_ticket")["new_topics"]
    assert len(several["OptionSet"]["Options"]) == 4
    yes = cast(api, "Boolean", options)["creditonhold"]["OptionSet"]["TrueOption"]
    assert yes["Label"]["UserLocalizedLabel"]["Label"] == "Yes"


def test_E103_no_label_is_made_of_its_number(api: Api) -> None:
    path = "?$select=LogicalName&$expand=OptionSet"
    for table in api.row("EntityDefinitions?$select=LogicalName")["value"]:
        for kind in ("Picklist", "State", "Status", "MultiSelectPicklist"):
            for name, column in cast(api, kind, path, table["LogicalName"]).items():
                options = column["OptionSet"]["Options"]
                labels = [option["Label"]["UserLocalizedLabel"]["Label"] for option in options]
                assert not [one for one in labels if one.startswith("Option ")], (table, name)
    tiers = cast(api, "Picklist", path, "new_ticket")["new_tier"]["OptionSet"]["Options"]
    assert tiers[2]["Label"]["UserLocalizedLabel"]["Label"] == "Gold"


def test_E103_choices_that_tables_share_are_global(api: Api) -> None:
    found = api.row("GlobalOptionSetDefinitions?$select=Name")["value"]
    assert "budgetstatus" in [one["Name"] for one in found]
    one = api.row("GlobalOptionSetDefinitions(Name='need')")
    assert [option["Value"] for option in one["Options"]] == [0, 1, 2, 3]
    assert api.row(f"GlobalOptionSetDefinitions({one['MetadataId']})")["Name"] == "need"
    options = "?$select=LogicalName&$expand=OptionSet,GlobalOptionSet"
    for table in ("lead", "opportunity"):
        shared = cast(api, "Picklist", options, table)["need"]["GlobalOptionSet"]
        assert (shared["IsGlobal"], shared["MetadataId"]) == (True, one["MetadataId"])
    assert cast(api, "Picklist", options)["industrycode"]["GlobalOptionSet"] is None


def test_E103_relationships_name_both_ends(api: Api) -> None:
    rows = api.row(f"{ACCOUNT}/OneToManyRelationships")["value"]
    by_name = {row["ReferencedEntityNavigationPropertyName"]: row for row in rows}
    deal = by_name["opportunity_customer_accounts"]
    assert deal["ReferencingEntityNavigationPropertyName"] == "customerid_account"
    assert deal["ReferencingAttribute"] == "customerid"
    single = api.row(f"{ACCOUNT}/ManyToOneRelationships?$select=ReferencingAttribute")["value"]
    assert "primarycontactid" in {row["ReferencingAttribute"] for row in single}
    many = api.row(f"{ACCOUNT}/ManyToManyRelationships")["value"]
    assert [row["Entity1LogicalName"] for row in many] == ["lead"]


def test_E103_keys_are_listed(api: Api) -> None:
    names = "LogicalName,KeyAttributes,EntityKeyIndexStatus"
    path = f"EntityDefinitions(LogicalName='new_ticket')/Keys?$select={names}"
    keys = {row["LogicalName"]: row for row in api.row(path)["value"]}
    assert keys["new_ticket_key"]["KeyAttributes"] == ["new_key"]
    assert keys["new_ticket_account"]["KeyAttributes"] == ["new_accountid", "new_n"]
    assert {row["EntityKeyIndexStatus"] for row in keys.values()} == {"Active"}
    assert api.row(f"{ACCOUNT}/Keys")["value"] == []


def test_E103_definitions_are_filtered_and_expanded(api: Api) -> None:
    found = api.row("EntityDefinitions?$select=LogicalName&$filter=IsActivity eq true")["value"]
    kinds = {"task", "email", "phonecall", "appointment", "opportunityclose"}
    assert {row["LogicalName"] for row in found} == kinds
    money = f"AttributeType eq {CRM}.AttributeTypeCode'Money'"
    inside = f"$select=LogicalName;$filter={money}"
    row = api.row(f"{ACCOUNT}?$select=LogicalName&$expand=Attributes({inside}),Keys")
    assert {a["LogicalName"] for a in row["Attributes"]} >= {"revenue", "revenue_base"}
    assert row["Keys"] == []


def test_E103_functions_answer(api: Api) -> None:
    assert api.row("WhoAmI()").keys() >= {"BusinessUnitId", "UserId", "OrganizationId"}
    assert api.row("RetrieveVersion()")["Version"].startswith("9.2.")
    kind = f"{CRM}.EndpointAccessType'Default'"
    path = f"RetrieveCurrentOrganization(AccessType=@p)?@p={kind}"
    assert api.row(path)["Detail"]["OrganizationId"] == api.row("WhoAmI")["OrganizationId"]
    api.created("accounts", {})
    counts = api.row("RetrieveTotalRecordCount(EntityNames=['account','contact'])")
    assert counts["EntityRecordCountCollection"]["Values"] == [1, 0]


def test_opportunities_are_won_and_lost(api: Api) -> None:
    deal = api.created("opportunities", {"name": "O"})
    closing = {"subject": "Won", "opportunityid@odata.bind": f"/opportunities({deal})"}
    answer = api.post("WinOpportunity", {"Status": 3, "OpportunityClose": closing})
    assert answer.status_code == 204
    row = api.row(f"opportunities({deal})")
    assert (row["statecode"], row["actualclosedate"]) == (1, row["createdon"][:10])
    again = api.post("WinOpportunity", {"Status": 3, "OpportunityClose": closing})
    refused(again, 400, "0x80040233")
    lost = api.created("opportunities", {"name": "O"})
    closing = {"opportunityid": {"opportunityid": lost}, "actualrevenue": 7.5}
    order = {"Status": 4, "OpportunityClose": {**closing, "actualend": "2024-03-01T10:00:00Z"}}
    assert api.post("LoseOpportunity", order).status_code == 204
    row = api.row(f"opportunities({lost})")
    assert (row["actualvalue"], row["actualclosedate"]) == (7.5, "2024-03-01")
    refused(api.post("LoseOpportunity", {"OpportunityClose": {}}), 400, "0x80048d19")
    assert api.get("WinOpportunity").status_code == 404


def test_a_lead_is_qualified(api: Api) -> None:
    lead = api.created("leads", {"subject": "S", "companyname": "C", "lastname": "L"})
    order = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3}
    answer = api.post(f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead", order)
    assert answer.status_code == 200
    kinds = [row["@odata.type"].rpartition(".")[2] for row in answer.json()["value"]]
    assert kinds == ["account", "contact", "opportunity"]
    assert api.row(f"leads({lead})")["statuscode"] == 3
    [deal] = api.row("opportunities?$expand=customerid_account($select=name)")["value"]
    assert (deal["name"], deal["customerid_account"]["name"]) == ("S", "C")
    qualified = api.row(f"leads({lead})?$select=_qualifyingopportunityid_value")
    assert qualified["_qualifyingopportunityid_value"] == deal["opportunityid"]
    refused(api.post(f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead", order), 400, "0x80040233")
    assert len(api.row("opportunities")["value"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "leads({lead})/Microsoft.Dynamics.CRM.QualifyLead"),
        ("GET", "leads/Microsoft.Dynamics.CRM.CreateMultiple"),
        ("POST", "systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges"),
        ("POST", "WhoAmI"),
        ("GET", "WinOpportunity"),
    ],
)
def test_an_action_called_as_a_function_is_404(api: Api, method: str, path: str) -> None:
    lead = api.created("leads", {"subject": "S", "lastname": "L"})
    user = api.row("WhoAmI")["UserId"]
    refused(api.send(method, path.format(lead=lead, user=user), None), 404, "")
    assert api.row(f"leads({lead})")["statecode"] == 0


def test_E42_an_elastic_table_takes_no_trees(api: Api) -> None:
    words = "Cannot create related entities. Create has to be called individually for each entity."
    body = {"new_name": "R", "new_AccountId": {"name": "A"}}
    refused(api.post("new_readings", body), 400, "0x80040265", words)
    assert api.commits() == []
    assert api.post("new_readings", {"new_name": "R", "partitionid": "p"}).status_code == 204


# The names and types of the service itself ------------------------------------------------------


@pytest.fixture(scope="module", name="reference")
def fixture_reference() -> dict[str, ElementTree.Element]:
    path = REFERENCE / "dynamics365-sales-subset.xml"
    if not path.exists():
        pytest.skip("no metadata of a real environment: FIELDPOST_CSDL names no folder with it")
    return entity_types(ElementTree.parse(path).getroot())


def test_names_and_types_are_those_of_the_service(
    csdl: ElementTree.Element, reference: dict[str, ElementTree.Element]
) -> None:
    types, wrong = entity_types(csdl), []
    ours = [n for n in types if n not in ("crmbaseentity", "expando") and not n.startswith(CUSTOM)]
    assert len(ours) >= 17
    for name in ours:
        known = members(reference, name, "Property")
        for column, found in members(types, name, "Property").items():
            if column not in known or known[column].get("Type") != found.get("Type"):
                wrong.append(f"{name}.{column} {found.get('Type')}")
    assert wrong == []


def test_navigation_is_that_of_the_service(
    csdl: ElementTree.Element, reference: dict[str, ElementTree.Element]
) -> None:
    types, wrong = entity_types(csdl), []
    for name in types:
        if name.startswith(CUSTOM) or name == "expando":
            continue
        known = members(reference, name, "NavigationProperty")
        for member, found in members(types, name, "NavigationProperty").items():
            target = str(found.get("Type")).rstrip(")").rpartition(".")[2]
            if member.startswith(CUSTOM) or target.startswith(CUSTOM) or "new_ticket" in member:
                continue
            for trait in ("Type", "Partner"):
                if found.get(trait) is not None and (
                    member not in known or known[member].get(trait) != found.get(trait)
                ):
                    wrong.append(f"{name}.{member} {trait} {found.get(trait)}")
    assert wrong == []


def test_lengths_ranges_and_choices_are_the_usual_ones(api: Api) -> None:
    path = REFERENCE / "model.json"
    if not path.exists():
        pytest.skip("no facts of a real environment: FIELDPOST_CSDL names no folder with them")
    model, wrong = json.loads(path.read_text()), []
    for table in ("account", "contact", "opportunity", "lead", "task", "email", "campaign"):
        known = model[table]["properties"]
        options = "?$expand=OptionSet"
        for kind in ("String", "Memo", "Integer", "Picklist", "Status", "State"):
            query = options if kind in ("Picklist", "Status", "State") else ""
            for name, row in cast(api, kind, query, table).items():
                facts = known.get(name, {})
                if "maxLength" in facts and facts["maxLength"] != row.get("MaxLength"):
                    wrong.append(f"{table}.{name} {row.get('MaxLength')} {facts['maxLength']}")
                if "options" in facts and "OptionSet" in row:
                    ours = {str(o["Value"]) for o in row["OptionSet"]["Options"]}
                    if ours != facts["options"].keys():
                        wrong.append(f"{table}.{name} {sorted(ours)}")
    assert wrong == []
