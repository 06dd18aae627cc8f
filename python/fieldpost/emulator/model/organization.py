"""The organisation itself: users, teams, business unit, currency, roles; notes and campaigns."""

from __future__ import annotations

from decimal import Decimal

from .column import Guid, Number
from .declaration import (
    Group,
    base_columns,
    booleans,
    choices,
    integers,
    lookup,
    many,
    moments,
    money,
    states,
    table,
    texts,
)
from .schema import Table

TRILLION = 10**12


def _kept() -> Group:
    """The columns of a row that belongs to the organisation and to nobody in it."""
    owners = {"ownerid", "owninguser", "owningteam", "owningbusinessunit"}
    owned = owners | {f"_{name}_value" for name in owners} | {"exchangerate"}
    return [member for member in base_columns() if getattr(member, "name", "") not in owned]


def _exchange_rate(*, required: bool = False, read_only: bool = True) -> Group:
    low = Decimal("0.0000000001")
    return [
        Number(
            name="exchangerate",
            low=low,
            high=Decimal(10**11),
            places=10,
            required=required,
            read_only=read_only,
        )
    ]


def _system_user() -> Table:
    return table(
        "systemuser",
        "systemusers",
        "systemuserid",
        [
            [Guid(name="ownerid", read_only=True)],
            _kept(),
            _exchange_rate(),
            texts(200, "fullname", read_only=True),
            texts(64, "firstname lastname"),
            texts(50, "middlename nickname homephone"),
            texts(64, "mobilephone"),
            texts(1024, "domainname windowsliveid applicationiduri"),
            texts(100, "internalemailaddress personalemailaddress employeeid jobtitle"),
            texts(128, "title"),
            booleans("isdisabled islicensed isintegrationuser setupuser"),
            [Guid(name="applicationid"), Guid(name="azureactivedirectoryobjectid")],
            choices(range(6), "accessmode", default=0),
            lookup("businessunitid", businessunitid=("businessunit", "business_unit_system_users")),
            lookup("parentsystemuserid", parentsystemuserid=("systemuser", "user_parent_user")),
            many("systemuserroles_association", "role"),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "TransactionCurrency_SystemUser"),
            ),
        ],
        primary_name="fullname",
        base="principal",
        type_code=8,
        full_name=True,
        bulk=False,
    )


def _team() -> Table:
    return table(
        "team",
        "teams",
        "teamid",
        [
            [Guid(name="ownerid", read_only=True)],
            _kept(),
            _exchange_rate(),
            texts(160, "name", required=True),
            texts(2000, "description"),
            texts(100, "emailaddress"),
            booleans("isdefault systemmanaged"),
            choices((0, 1), "teamtype", default=0),
            lookup("businessunitid", businessunitid=("businessunit", "business_unit_teams")),
            lookup(
                "administratorid", administratorid=("systemuser", "lk_teambase_administratorid")
            ),
            many("teammembership_association", "systemuser"),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "TransactionCurrency_Team"),
            ),
        ],
        base="principal",
        type_code=9,
        bulk=False,
    )


def _principal() -> Table:
    """Users and teams together: whoever can own a row."""
    return table(
        "principal",
        "principals",
        "ownerid",
        [[]],
        union=("systemuser", "team"),
        type_code=7,
        bulk=False,
    )


def _business_unit() -> Table:
    return table(
        "businessunit",
        "businessunits",
        "businessunitid",
        [
            _kept(),
            _exchange_rate(),
            texts(160, "name", required=True),
            texts(100, "divisionname emailaddress"),
            booleans("isdisabled"),
            lookup(
                "parentbusinessunitid",
                parentbusinessunitid=("businessunit", "business_unit_parent_business_unit"),
            ),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "TransactionCurrency_BusinessUnit"),
            ),
        ],
        type_code=10,
        bulk=False,
    )


def _organization() -> Table:
    members = [
        _kept(),
        texts(160, "name"),
        integers(1, 20971520, "maxuploadfilesize"),
        integers(0, 10**9, "languagecode"),
        texts(20, "schemanameprefix"),
    ]
    return table(
        "organization", "organizations", "organizationid", members, fixed=True, type_code=1019
    )


def _role() -> Table:
    members = [_kept(), texts(100, "name"), lookup("businessunitid", businessunitid="businessunit")]
    return table("role", "roles", "roleid", members, type_code=1036, bulk=False)


def _currency() -> Table:
    return table(
        "transactioncurrency",
        "transactioncurrencies",
        "transactioncurrencyid",
        [
            _kept(),
            states("Active Inactive", {1: 0, 2: 1}),
            _exchange_rate(required=True, read_only=False),
            texts(100, "currencyname", required=True),
            texts(5, "isocurrencycode", required=True),
            texts(10, "currencysymbol", required=True),
            integers(0, 4, "currencyprecision"),
        ],
        primary_name="currencyname",
        type_code=9105,
        bulk=False,
    )


def _message() -> Table:
    members = [texts(64, "name"), lookup("organizationid", organizationid="organization")]
    return table("sdkmessage", "sdkmessages", "sdkmessageid", members, fixed=True, type_code=4606)


def _message_filter() -> Table:
    """Which table takes which message: how a client asks whether bulk messages are supported."""
    members = [
        texts(64, "primaryobjecttypecode secondaryobjecttypecode"),
        booleans("iscustomprocessingstepallowed isvisible"),
        lookup("sdkmessageid", sdkmessageid=("sdkmessage", "sdkmessageid_sdkmessagefilter")),
    ]
    return table(
        "sdkmessagefilter",
        "sdkmessagefilters",
        "sdkmessagefilterid",
        members,
        fixed=True,
        type_code=4607,
    )


def _annotation() -> Table:
    noted = {
        f"objectid_{target}": (target, f"{collection}_Annotation")
        for target, collection in (
            ("account", "Account"),
            ("contact", "Contact"),
            ("lead", "Lead"),
            ("opportunity", "Opportunity"),
            ("campaign", "Campaign"),
            ("task", "Task"),
            ("email", "Email"),
            ("phonecall", "PhoneCall"),
            ("appointment", "Appointment"),
        )
    }
    owned = base_columns("owner_annotations")
    return table(
        "annotation",
        "annotations",
        "annotationid",
        [
            [member for member in owned if getattr(member, "name", "") != "exchangerate"],
            texts(500, "subject"),
            texts(100_000, "notetext"),
            texts(1073741823, "documentbody"),
            texts(255, "filename"),
            texts(256, "mimetype"),
            texts(2, "langid"),
            texts(32, "stepid"),
            booleans("isdocument"),
            integers(0, 10**9, "filesize"),
            lookup("objectid", **noted),
        ],
        primary_name="subject",
        type_code=5,
    )


def _campaign() -> Table:
    return table(
        "campaign",
        "campaigns",
        "campaignid",
        [
            base_columns("owner_campaigns"),
            states("Active Inactive", {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 1}),
            texts(128, "name", required=True),
            texts(32, "codename"),
            texts(128, "promotioncodename"),
            texts(100, "emailaddress"),
            texts(256, "message"),
            texts(2000, "description objective"),
            booleans("istemplate"),
            integers(0, 100, "expectedresponse"),
            choices(range(1, 6), "typecode"),
            money(0, TRILLION, "budgetedcost expectedrevenue othercost"),
            money(0, TRILLION, "totalactualcost", read_only=True),
            moments("actualstart actualend proposedstart proposedend"),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "transactioncurrency_campaign"),
            ),
        ],
        type_code=4400,
    )


def organization_tables() -> list[Table]:
    """Everything that is neither sold to nor done."""
    return [
        _system_user(),
        _team(),
        _principal(),
        _business_unit(),
        _organization(),
        _role(),
        _currency(),
        _message(),
        _message_filter(),
        _annotation(),
        _campaign(),
    ]
