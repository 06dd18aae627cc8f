"""The standard Sales tables: set names, keys, and the navigation between them.

Source: the service's own metadata document (CSDL) of Dynamics 365 Sales. Names are case sensitive
and irregular, so they are listed, never built. What an environment adds is in its schema.
"""

from __future__ import annotations

from typing import Any, NamedTuple

# Tables whose rows only others make: administrators, the service itself. No row there has an id
# that is derived from a business key, so a key that has the form of an id is one.
OTHERS = frozenset(
    (
        *("businessunit", "fieldsecurityprofile", "languagelocale", "mailbox", "organization"),
        *("owner", "principal", "publisher", "role", "solution", "systemuser", "team"),
        *("timezonedefinition", "transactioncurrency", "workflow"),
    )
)


class Navigation(NamedTuple):
    """What lies behind a navigation property, and the property that leads back."""

    tables: tuple[str, ...]
    collection: bool = False
    partner: str = ""

    @property
    def target(self) -> str | None:
        """The table behind it, where there is one only."""
        return self.tables[0] if len(self.tables) == 1 else None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Navigation:
        """From what the core reads."""
        tables = document.get("tables") or [document["table"]]
        return cls(tuple(tables), "collection" in document, document.get("partner", ""))

    def document(self) -> dict[str, Any]:
        """As the core reads it."""
        to: dict[str, Any] = {"tables": list(self.tables)}
        if len(self.tables) == 1:
            to = {"table": self.tables[0]}
        if self.collection:
            to["collection"] = True
        if self.partner:
            to["partner"] = self.partner
        return to


class Table(NamedTuple):
    """set: entity set in addresses; key: primary key column; navigation by property name.

    columns: how values become what the column takes, as cpp/src/protocol/dynamics/tables.h says.
    """

    set: str
    key: str
    navigation: dict[str, Navigation]
    columns: dict[str, Any] = {}  # noqa: RUF012

    def document(self) -> dict[str, Any]:
        """As the core reads it."""
        navigation = {name: one.document() for name, one in self.navigation.items()}
        return {
            "set": self.set,
            "key": self.key,
            "navigation": navigation,
            "columns": self.columns,
        }


def one(table: str, partner: str = "") -> Navigation:
    """A row of a table."""
    return Navigation((table,), False, partner)


def many(table: str, partner: str = "") -> Navigation:
    """Rows of a table; without a partner of a many-to-many relationship."""
    return Navigation((table,), True, partner)


OWNER = Navigation(("systemuser", "team"))

TABLES: dict[str, Table] = {
    "account": Table(
        "accounts",
        "accountid",
        {
            "Account_Annotation": many("annotation", "objectid_account"),
            "Account_Appointments": many("appointment", "regardingobjectid_account_appointment"),
            "Account_Email_EmailSender": many("email", "emailsender_account"),
            "Account_Email_SendersAccount": many("email", "sendersaccount"),
            "Account_Emails": many("email", "regardingobjectid_account_email"),
            "Account_Phonecalls": many("phonecall", "regardingobjectid_account_phonecall"),
            "Account_Tasks": many("task", "regardingobjectid_account_task"),
            "account_activity_parties": many("activityparty", "partyid_account"),
            "account_master_account": many("account", "masterid"),
            "account_parent_account": many("account", "parentaccountid"),
            "accountleads_association": many("lead"),
            "contact_customer_accounts": many("contact", "parentcustomerid_account"),
            "lead_customer_accounts": many("lead", "customerid_account"),
            "lead_parent_account": many("lead", "parentaccountid"),
            "masterid": one("account", "account_master_account"),
            "opportunity_customer_accounts": many("opportunity", "customerid_account"),
            "opportunity_parent_account": many("opportunity", "parentaccountid"),
            "originatingleadid": one("lead", "account_originating_lead"),
            "ownerid": OWNER,
            "parentaccountid": one("account", "account_parent_account"),
            "preferredsystemuserid": one("systemuser"),
            "primarycontactid": one("contact", "account_primary_contact"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "activityparty": Table(
        "activityparties",
        "activitypartyid",
        {
            "activityid_appointment": one("appointment", "appointment_activity_parties"),
            "activityid_email": one("email", "email_activity_parties"),
            "activityid_phonecall": one("phonecall", "phonecall_activity_parties"),
            "activityid_task": one("task", "task_activity_parties"),
            "partyid_account": one("account", "account_activity_parties"),
            "partyid_campaign": one("campaign", "campaign_activity_parties"),
            "partyid_contact": one("contact", "contact_activity_parties"),
            "partyid_lead": one("lead", "lead_activity_parties"),
            "partyid_opportunity": one("opportunity", "opportunity_activity_parties"),
            "partyid_systemuser": one("systemuser"),
        },
    ),
    "annotation": Table(
        "annotations",
        "annotationid",
        {
            "objectid_account": one("account", "Account_Annotation"),
            "objectid_appointment": one("appointment", "Appointment_Annotation"),
            "objectid_campaign": one("campaign", "Campaign_Annotation"),
            "objectid_contact": one("contact", "Contact_Annotation"),
            "objectid_email": one("email", "Email_Annotation"),
            "objectid_lead": one("lead", "Lead_Annotation"),
            "objectid_opportunity": one("opportunity", "Opportunity_Annotation"),
            "objectid_phonecall": one("phonecall", "PhoneCall_Annotation"),
            "objectid_task": one("task", "Task_Annotation"),
            "ownerid": OWNER,
        },
    ),
    "appointment": Table(
        "appointments",
        "activityid",
        {
            "Appointment_Annotation": many("annotation", "objectid_appointment"),
            "appointment_activity_parties": many("activityparty", "activityid_appointment"),
            "ownerid": OWNER,
            "ownerid_appointment": OWNER,
            "regardingobjectid_account": one("account"),
            "regardingobjectid_account_appointment": one("account", "Account_Appointments"),
            "regardingobjectid_campaign": one("campaign"),
            "regardingobjectid_campaign_appointment": one("campaign", "Campaign_Appointments"),
            "regardingobjectid_contact": one("contact"),
            "regardingobjectid_contact_appointment": one("contact", "Contact_Appointments"),
            "regardingobjectid_lead": one("lead"),
            "regardingobjectid_lead_appointment": one("lead", "Lead_Appointments"),
            "regardingobjectid_opportunity": one("opportunity"),
            "regardingobjectid_opportunity_appointment": one(
                "opportunity", "Opportunity_Appointments"
            ),
            "transactioncurrencyid": one("transactioncurrency"),
            "transactioncurrencyid_appointment": one("transactioncurrency"),
        },
    ),
    "campaign": Table(
        "campaigns",
        "campaignid",
        {
            "Campaign_Annotation": many("annotation", "objectid_campaign"),
            "Campaign_Appointments": many("appointment", "regardingobjectid_campaign_appointment"),
            "Campaign_Emails": many("email", "regardingobjectid_campaign_email"),
            "Campaign_Phonecalls": many("phonecall", "regardingobjectid_campaign_phonecall"),
            "Campaign_Tasks": many("task", "regardingobjectid_campaign_task"),
            "campaign_Teams": many("team", "regardingobjectid_campaign"),
            "campaign_activity_parties": many("activityparty", "partyid_campaign"),
            "campaign_leads": many("lead", "campaignid"),
            "campaign_opportunities": many("opportunity", "campaignid"),
            "campaigncampaign_association": many("campaign"),
            "campaigncampaign_association_referenced": many("campaign"),
            "ownerid": OWNER,
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "contact": Table(
        "contacts",
        "contactid",
        {
            "Contact_Annotation": many("annotation", "objectid_contact"),
            "Contact_Appointments": many("appointment", "regardingobjectid_contact_appointment"),
            "Contact_Email_EmailSender": many("email", "emailsender_contact"),
            "Contact_Emails": many("email", "regardingobjectid_contact_email"),
            "Contact_Phonecalls": many("phonecall", "regardingobjectid_contact_phonecall"),
            "Contact_Tasks": many("task", "regardingobjectid_contact_task"),
            "account_primary_contact": many("account", "primarycontactid"),
            "contact_activity_parties": many("activityparty", "partyid_contact"),
            "contact_customer_contacts": many("contact", "parentcustomerid_contact"),
            "contact_master_contact": many("contact", "masterid"),
            "contactleads_association": many("lead"),
            "lead_customer_contacts": many("lead", "customerid_contact"),
            "lead_parent_contact": many("lead", "parentcontactid"),
            "masterid": one("contact", "contact_master_contact"),
            "opportunity_customer_contacts": many("opportunity", "customerid_contact"),
            "opportunity_parent_contact": many("opportunity", "parentcontactid"),
            "originatingleadid": one("lead", "contact_originating_lead"),
            "ownerid": OWNER,
            "parentcustomerid_account": one("account", "contact_customer_accounts"),
            "parentcustomerid_contact": one("contact", "contact_customer_contacts"),
            "preferredsystemuserid": one("systemuser"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "email": Table(
        "emails",
        "activityid",
        {
            "Email_Annotation": many("annotation", "objectid_email"),
            "email_activity_parties": many("activityparty", "activityid_email"),
            "email_email_parentactivityid": many("email", "parentactivityid"),
            "emailsender_account": one("account", "Account_Email_EmailSender"),
            "emailsender_contact": one("contact", "Contact_Email_EmailSender"),
            "emailsender_lead": one("lead", "Lead_Email_EmailSender"),
            "emailsender_systemuser": one("systemuser"),
            "ownerid": OWNER,
            "ownerid_email": OWNER,
            "parentactivityid": one("email", "email_email_parentactivityid"),
            "regardingobjectid_account": one("account"),
            "regardingobjectid_account_email": one("account", "Account_Emails"),
            "regardingobjectid_campaign": one("campaign"),
            "regardingobjectid_campaign_email": one("campaign", "Campaign_Emails"),
            "regardingobjectid_contact": one("contact"),
            "regardingobjectid_contact_email": one("contact", "Contact_Emails"),
            "regardingobjectid_lead": one("lead"),
            "regardingobjectid_lead_email": one("lead", "Lead_Emails"),
            "regardingobjectid_opportunity": one("opportunity"),
            "regardingobjectid_opportunity_email": one("opportunity", "Opportunity_Emails"),
            "sendersaccount": one("account", "Account_Email_SendersAccount"),
            "transactioncurrencyid": one("transactioncurrency"),
            "transactioncurrencyid_email": one("transactioncurrency"),
        },
    ),
    "lead": Table(
        "leads",
        "leadid",
        {
            "Lead_Annotation": many("annotation", "objectid_lead"),
            "Lead_Appointments": many("appointment", "regardingobjectid_lead_appointment"),
            "Lead_Email_EmailSender": many("email", "emailsender_lead"),
            "Lead_Emails": many("email", "regardingobjectid_lead_email"),
            "Lead_Phonecalls": many("phonecall", "regardingobjectid_lead_phonecall"),
            "Lead_Tasks": many("task", "regardingobjectid_lead_task"),
            "account_originating_lead": many("account", "originatingleadid"),
            "accountleads_association": many("account"),
            "campaignid": one("campaign", "campaign_leads"),
            "contact_originating_lead": many("contact", "originatingleadid"),
            "contactleads_association": many("contact"),
            "customerid_account": one("account", "lead_customer_accounts"),
            "customerid_contact": one("contact", "lead_customer_contacts"),
            "lead_Teams": many("team", "regardingobjectid_lead"),
            "lead_activity_parties": many("activityparty", "partyid_lead"),
            "lead_master_lead": many("lead", "masterid"),
            "masterid": one("lead", "lead_master_lead"),
            "opportunity_originating_lead": many("opportunity", "originatingleadid"),
            "ownerid": OWNER,
            "parentaccountid": one("account", "lead_parent_account"),
            "parentcontactid": one("contact", "lead_parent_contact"),
            "qualifyingopportunityid": one("opportunity", "lead_qualifying_opportunity"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "opportunity": Table(
        "opportunities",
        "opportunityid",
        {
            "Opportunity_Annotation": many("annotation", "objectid_opportunity"),
            "Opportunity_Appointments": many(
                "appointment", "regardingobjectid_opportunity_appointment"
            ),
            "Opportunity_Emails": many("email", "regardingobjectid_opportunity_email"),
            "Opportunity_Phonecalls": many("phonecall", "regardingobjectid_opportunity_phonecall"),
            "Opportunity_Tasks": many("task", "regardingobjectid_opportunity_task"),
            "campaignid": one("campaign", "campaign_opportunities"),
            "customerid_account": one("account", "opportunity_customer_accounts"),
            "customerid_contact": one("contact", "opportunity_customer_contacts"),
            "lead_qualifying_opportunity": many("lead", "qualifyingopportunityid"),
            "Opportunity_OpportunityClose": many("opportunityclose", "opportunityid"),
            "opportunity_OpportunityCloses": many(
                "opportunityclose", "regardingobjectid_opportunity_opportunityclose"
            ),
            "opportunity_Teams": many("team", "regardingobjectid_opportunity"),
            "opportunity_activity_parties": many("activityparty", "partyid_opportunity"),
            "originatingleadid": one("lead", "opportunity_originating_lead"),
            "ownerid": OWNER,
            "parentaccountid": one("account", "opportunity_parent_account"),
            "parentcontactid": one("contact", "opportunity_parent_contact"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "opportunityclose": Table(
        "opportunitycloses",
        "activityid",
        {
            "opportunityclose_activity_parties": many("activityparty"),
            "opportunityid": one("opportunity", "Opportunity_OpportunityClose"),
            "ownerid": OWNER,
            "ownerid_opportunityclose": OWNER,
            "regardingobjectid_opportunity_opportunityclose": one(
                "opportunity", "opportunity_OpportunityCloses"
            ),
            "transactioncurrencyid": one("transactioncurrency"),
            "transactioncurrencyid_opportunityclose": one("transactioncurrency"),
        },
    ),
    "phonecall": Table(
        "phonecalls",
        "activityid",
        {
            "PhoneCall_Annotation": many("annotation", "objectid_phonecall"),
            "ownerid": OWNER,
            "ownerid_phonecall": OWNER,
            "phonecall_activity_parties": many("activityparty", "activityid_phonecall"),
            "regardingobjectid_account": one("account"),
            "regardingobjectid_account_phonecall": one("account", "Account_Phonecalls"),
            "regardingobjectid_campaign": one("campaign"),
            "regardingobjectid_campaign_phonecall": one("campaign", "Campaign_Phonecalls"),
            "regardingobjectid_contact": one("contact"),
            "regardingobjectid_contact_phonecall": one("contact", "Contact_Phonecalls"),
            "regardingobjectid_lead": one("lead"),
            "regardingobjectid_lead_phonecall": one("lead", "Lead_Phonecalls"),
            "regardingobjectid_opportunity": one("opportunity"),
            "regardingobjectid_opportunity_phonecall": one("opportunity", "Opportunity_Phonecalls"),
            "transactioncurrencyid": one("transactioncurrency"),
            "transactioncurrencyid_phonecall": one("transactioncurrency"),
        },
    ),
    "systemuser": Table(
        "systemusers",
        "systemuserid",
        {
            "parentsystemuserid": one("systemuser"),
            "teammembership_association": many("team"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "task": Table(
        "tasks",
        "activityid",
        {
            "Task_Annotation": many("annotation", "objectid_task"),
            "ownerid": OWNER,
            "ownerid_task": OWNER,
            "regardingobjectid_account": one("account"),
            "regardingobjectid_account_task": one("account", "Account_Tasks"),
            "regardingobjectid_campaign": one("campaign"),
            "regardingobjectid_campaign_task": one("campaign", "Campaign_Tasks"),
            "regardingobjectid_contact": one("contact"),
            "regardingobjectid_contact_task": one("contact", "Contact_Tasks"),
            "regardingobjectid_lead": one("lead"),
            "regardingobjectid_lead_task": one("lead", "Lead_Tasks"),
            "regardingobjectid_opportunity": one("opportunity"),
            "regardingobjectid_opportunity_task": one("opportunity", "Opportunity_Tasks"),
            "task_activity_parties": many("activityparty", "activityid_task"),
            "transactioncurrencyid": one("transactioncurrency"),
            "transactioncurrencyid_task": one("transactioncurrency"),
        },
    ),
    "team": Table(
        "teams",
        "teamid",
        {
            "administratorid": one("systemuser"),
            "regardingobjectid_campaign": one("campaign", "campaign_Teams"),
            "regardingobjectid_lead": one("lead", "lead_Teams"),
            "regardingobjectid_opportunity": one("opportunity", "opportunity_Teams"),
            "teammembership_association": many("systemuser"),
            "transactioncurrencyid": one("transactioncurrency"),
        },
    ),
    "transactioncurrency": Table(
        "transactioncurrencies",
        "transactioncurrencyid",
        {},
    ),
}
