"""The standard Sales tables: set names, keys, and the navigation between them.

Source: the service's own metadata document (CSDL) of Dynamics 365 Sales. Names are case sensitive
and irregular, so they are listed, never built.
"""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """set: entity set in addresses; key: primary key column; navigation: name -> table."""

    set: str
    key: str
    navigation: dict[str, str]


TABLES: dict[str, Table] = {
    "account": Table(
        "accounts",
        "accountid",
        {
            "Account_Annotation": "annotation",
            "Account_Tasks": "task",
            "account_master_account": "account",
            "account_parent_account": "account",
            "accountleads_association": "lead",
            "contact_customer_accounts": "contact",
            "lead_customer_accounts": "lead",
            "lead_parent_account": "lead",
            "masterid": "account",
            "opportunity_customer_accounts": "opportunity",
            "opportunity_parent_account": "opportunity",
            "originatingleadid": "lead",
            "parentaccountid": "account",
            "primarycontactid": "contact",
        },
    ),
    "annotation": Table(
        "annotations",
        "annotationid",
        {
            "objectid_account": "account",
            "objectid_contact": "contact",
            "objectid_lead": "lead",
            "objectid_opportunity": "opportunity",
            "objectid_task": "task",
        },
    ),
    "contact": Table(
        "contacts",
        "contactid",
        {
            "Contact_Annotation": "annotation",
            "Contact_Tasks": "task",
            "account_primary_contact": "account",
            "contact_customer_contacts": "contact",
            "contact_master_contact": "contact",
            "contactleads_association": "lead",
            "lead_customer_contacts": "lead",
            "lead_parent_contact": "lead",
            "masterid": "contact",
            "opportunity_customer_contacts": "opportunity",
            "opportunity_parent_contact": "opportunity",
            "originatingleadid": "lead",
            "parentcustomerid_account": "account",
            "parentcustomerid_contact": "contact",
        },
    ),
    "lead": Table(
        "leads",
        "leadid",
        {
            "Lead_Annotation": "annotation",
            "Lead_Tasks": "task",
            "account_originating_lead": "account",
            "accountleads_association": "account",
            "contact_originating_lead": "contact",
            "contactleads_association": "contact",
            "customerid_account": "account",
            "customerid_contact": "contact",
            "lead_master_lead": "lead",
            "masterid": "lead",
            "opportunity_originating_lead": "opportunity",
            "parentaccountid": "account",
            "parentcontactid": "contact",
            "qualifyingopportunityid": "opportunity",
        },
    ),
    "opportunity": Table(
        "opportunities",
        "opportunityid",
        {
            "Opportunity_Annotation": "annotation",
            "Opportunity_Tasks": "task",
            "customerid_account": "account",
            "customerid_contact": "contact",
            "lead_qualifying_opportunity": "lead",
            "originatingleadid": "lead",
            "parentaccountid": "account",
            "parentcontactid": "contact",
        },
    ),
    "task": Table(
        "tasks",
        "activityid",
        {
            "Task_Annotation": "annotation",
            "regardingobjectid_account_task": "account",
            "regardingobjectid_contact_task": "contact",
            "regardingobjectid_lead_task": "lead",
            "regardingobjectid_opportunity_task": "opportunity",
        },
    ),
}
