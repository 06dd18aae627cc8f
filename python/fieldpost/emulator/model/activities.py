"""Activities: what people do about a row. All share the columns of `activitypointer`.

Names and casing as in `sales.py`. Left out: recurrence, exchange, SLA, process stages.
"""

from __future__ import annotations

from .declaration import (
    Group,
    base_columns,
    booleans,
    choices,
    constant,
    floats,
    integers,
    lookup,
    moments,
    money,
    states,
    table,
    texts,
)
from .schema import Table

INT32_MAX = 2**31 - 1
FOLLOWED = "account contact lead opportunity campaign"
OWN = {"overriddencreatedon", "importsequencenumber"}  # columns of each activity, not of all
KINDS = "task email phonecall appointment opportunityclose"


def _shared(description: int, owned: str | None = None) -> Group:
    """The columns that every activity has."""
    return [
        *base_columns(owned),
        *texts(200, "subject"),
        *texts(description, "description"),
        *moments("scheduledstart scheduledend actualstart actualend senton sortdate"),
        *moments("postponeactivityprocessinguntil deliverylastattemptedon"),
        *integers(0, INT32_MAX, "scheduleddurationminutes actualdurationminutes"),
        *choices(range(3), "prioritycode", default=1),
        *choices(range(3), "deliveryprioritycode"),
        *booleans("isbilled isworkflowcreated leftvoicemail ismapiprivate"),
        *booleans("isregularactivity", default=True),
    ]


def _regarding(kind: str, plural: str) -> Group:
    """What an activity is about: its own names, and those inherited from `activitypointer`."""
    closes = kind == "opportunityclose"  # whose collections begin with a small letter
    targets = FOLLOWED.replace(" contact", "") if closes else FOLLOWED
    own = {
        f"regardingobjectid_{target}_{kind}": (
            target,
            f"{target if closes else target.capitalize()}_{plural}",
        )
        for target in targets.split()
    }
    inherited = {f"regardingobjectid_{target}": target for target in FOLLOWED.split()}
    return lookup("regardingobjectid", **own, **inherited)


def _activity(
    kind: str, plural: str, currency: str, members: list[Group], type_code: int, memo: int
) -> Table:
    own_currency = {f"transactioncurrencyid_{kind}": ("transactioncurrency", currency)}
    return table(
        kind,
        f"{kind}s",
        "activityid",
        [
            _shared(memo),
            constant("activitytypecode", kind),
            texts(250, "category subcategory"),
            *members,
            _regarding(kind, plural),
            lookup(
                "transactioncurrencyid", **own_currency, transactioncurrencyid="transactioncurrency"
            ),
        ],
        primary_name="subject",
        base="activitypointer",
        type_code=type_code,
    )


def _task() -> Table:
    members = [
        states("Open Completed Canceled", {2: 0, 3: 0, 4: 0, 7: 0, 5: 1, 6: 2}),
        integers(0, 100, "percentcomplete"),
    ]
    return _activity("task", "Tasks", "TransactionCurrency_Task", members, 4212, 2000)


def _email() -> Table:
    members = [
        states("Open Completed Canceled", {1: 0, 8: 0, 2: 1, 3: 1, 4: 1, 6: 1, 7: 1, 5: 2}),
        booleans("directioncode", default=True),
        booleans("readreceiptrequested deliveryreceiptrequested"),
        texts(500, "torecipients"),
        texts(250, "sender submittedby"),
        texts(256, "mimetype"),
        texts(320, "messageid inreplyto"),
        texts(50, "trackingtoken"),
        lookup("sendersaccount", sendersaccount=("account", "Account_Email_SendersAccount")),
        lookup(
            "emailsender",
            emailsender_account=("account", "Account_Email_EmailSender"),
            emailsender_contact=("contact", "Contact_Email_EmailSender"),
            emailsender_lead=("lead", "Lead_Email_EmailSender"),
            emailsender_systemuser=("systemuser", "SystemUser_Email_EmailSender"),
        ),
        lookup("parentactivityid", parentactivityid=("email", "email_email_parentactivityid")),
    ]
    return _activity("email", "Emails", "TransactionCurrency_Email", members, 4202, 1073741823)


def _phone_call() -> Table:
    members = [
        states("Open Completed Canceled", {1: 0, 2: 1, 4: 1, 3: 2}),
        booleans("directioncode", default=True),
        texts(200, "phonenumber"),
    ]
    currency = "TransactionCurrency_PhoneCall"
    return _activity("phonecall", "Phonecalls", currency, members, 4210, 2000)


def _appointment() -> Table:
    members = [
        states("Open Completed Canceled Scheduled", {1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3}),
        texts(200, "location"),
        texts(300, "globalobjectid"),
        booleans("isalldayevent isdraft"),
    ]
    currency = "TransactionCurrency_Appointment"
    return _activity("appointment", "Appointments", currency, members, 4201, 1048576)


def _opportunity_close() -> Table:
    """Made by the service when an opportunity is won or lost."""
    members = [
        states("Open Completed Canceled", {1: 0, 2: 1, 3: 2}),
        money(0, 10**12, "actualrevenue"),
        lookup("opportunityid", opportunityid=("opportunity", "Opportunity_OpportunityClose")),
    ]
    currency = "transactioncurrency_opportunityclose"
    return _activity("opportunityclose", "OpportunityCloses", currency, members, 4208, 2000)


def _name(member: object) -> str:
    return str(getattr(member, "name", ""))


def _pointer() -> Table:
    """All activities together, by what they share; it has no rows of its own."""
    regarding = {
        f"regardingobjectid_{target}": (target, f"{target.capitalize()}_ActivityPointers")
        for target in FOLLOWED.split()
    }
    return table(
        "activitypointer",
        "activitypointers",
        "activityid",
        [
            [m for m in _shared(2000, "owner_activitypointers") if _name(m) not in OWN],
            states("Open Completed Canceled Scheduled", {1: 0, 2: 1, 3: 2, 4: 3}),
            texts(64, "activitytypecode", read_only=True),
            lookup("regardingobjectid", **regarding),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=(
                    "transactioncurrency",
                    "TransactionCurrency_ActivityPointer",
                ),
            ),
        ],
        primary_name="subject",
        union=tuple(KINDS.split()),
        type_code=4200,
        bulk=False,
    )


def _party() -> Table:
    """Who takes part in an activity, and as what."""
    people = {
        f"partyid_{target}": (target, f"{target}_activity_parties") for target in FOLLOWED.split()
    }
    people["partyid_systemuser"] = ("systemuser", "system_user_activity_parties")
    activities = {
        f"activityid_{kind}": (kind, f"{kind}_activity_parties") for kind in KINDS.split()
    }
    activities["activityid_activitypointer"] = (
        "activitypointer",
        "activitypointer_activity_parties",
    )
    return table(
        "activityparty",
        "activityparties",
        "activitypartyid",
        [
            lookup("activityid", **activities),
            lookup("partyid", **people),
            choices(range(1, 14), "participationtypemask"),
            texts(320, "addressused"),
            floats(0, 10**9, "effort"),
            booleans("donotemail donotfax donotphone donotpostalmail ispartydeleted"),
            moments("scheduledstart scheduledend"),
            # Parties have versions like every row; this is also what their ETag is made of.
            [member for member in base_columns() if _name(member) == "versionnumber"],
        ],
        type_code=135,
        bulk=False,
    )


def activity_tables() -> list[Table]:
    """Activities, what they share, and who takes part in them."""
    own = [_task(), _email(), _phone_call(), _appointment(), _opportunity_close()]
    return [*own, _pointer(), _party()]
