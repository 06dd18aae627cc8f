"""The tables of Dynamics 365 Sales that the emulator has, with their usual lengths and choices.

Names and casing are those of the service's ``$metadata``; lengths, ranges and choices are the
defaults of the Common Data Model. An administrator can change the latter, so a real environment may
differ. Left out: yomi names, images, process stages, SLAs, third addresses.
"""

from __future__ import annotations

from .declaration import (
    FAR,
    addresses,
    base_columns,
    booleans,
    choices,
    constant,
    days,
    floats,
    integers,
    lookup,
    moments,
    money,
    numbers,
    states,
    table,
    texts,
)
from .schema import Schema, Table

TRILLION = 10**12
HUNDRED_TRILLION = 10**14
INT32_MAX = 2**31 - 1


def _account() -> Table:
    return table(
        "account",
        "accounts",
        "accountid",
        [
            base_columns(),
            states("Active Inactive", {1: 0, 2: 1}),
            texts(160, "name"),
            texts(100, "emailaddress1 emailaddress2 emailaddress3"),
            texts(50, "telephone1 telephone2 telephone3 fax"),
            texts(20, "accountnumber sic stockexchange"),
            texts(10, "tickersymbol"),
            texts(200, "websiteurl ftpsiteurl"),
            texts(2000, "description"),
            addresses(2),
            money(0, HUNDRED_TRILLION, "revenue creditlimit marketcap"),
            integers(0, 10**9, "numberofemployees sharesoutstanding"),
            choices(range(1, 34), "industrycode"),
            choices(range(1, 13), "customertypecode"),
            choices(range(1, 5), "ownershipcode paymenttermscode"),
            choices(range(1, 4), "preferredappointmenttimecode"),
            choices(range(7), "preferredappointmentdaycode"),
            choices(range(1, 6), "preferredcontactmethodcode", default=1),
            choices((1, 2), "accountcategorycode"),
            choices(
                (1,), "accountclassificationcode accountratingcode businesstypecode", default=1
            ),
            choices((1,), "customersizecode shippingmethodcode territorycode", default=1),
            booleans("creditonhold marketingonly merged donotbulkemail donotbulkpostalmail"),
            booleans("donotemail donotfax donotphone donotpostalmail donotsendmm"),
            booleans("followemail", default=True),
            moments("lastusedincampaign"),
            lookup("primarycontactid", primarycontactid=("contact", "account_primary_contact")),
            lookup("parentaccountid", parentaccountid=("account", "account_parent_account")),
            lookup("originatingleadid", originatingleadid=("lead", "account_originating_lead")),
            lookup("transactioncurrencyid", transactioncurrencyid="transactioncurrency"),
        ],
    )


def _contact() -> Table:
    return table(
        "contact",
        "contacts",
        "contactid",
        [
            base_columns(),
            states("Active Inactive", {1: 0, 2: 1}),
            texts(160, "fullname", read_only=True),
            texts(50, "firstname middlename lastname"),
            texts(100, "nickname salutation jobtitle department"),
            texts(10, "suffix"),
            texts(100, "emailaddress1 emailaddress2 emailaddress3"),
            texts(50, "telephone1 telephone2 telephone3 mobilephone fax pager"),
            texts(50, "business2 callback company home2"),
            texts(50, "assistantphone managerphone employeeid externaluseridentifier governmentid"),
            texts(100, "assistantname managername spousesname"),
            texts(255, "childrensnames"),
            texts(200, "websiteurl ftpsiteurl"),
            texts(2000, "description"),
            addresses(2),
            money(0, HUNDRED_TRILLION, "annualincome creditlimit"),
            integers(0, 10**9, "numberofchildren"),
            days("birthdate anniversary"),
            moments("lastusedincampaign"),
            choices((1, 2), "gendercode"),
            choices(range(1, 5), "familystatuscode paymenttermscode"),
            choices(range(1, 4), "accountrolecode preferredappointmenttimecode"),
            choices(range(7), "preferredappointmentdaycode"),
            choices(range(1, 6), "preferredcontactmethodcode", default=1),
            choices((1,), "customersizecode customertypecode educationcode", default=1),
            choices((1,), "haschildrencode leadsourcecode shippingmethodcode", default=1),
            choices((1,), "territorycode", default=1),
            booleans("creditonhold isbackofficecustomer marketingonly merged"),
            booleans("donotbulkemail donotbulkpostalmail donotemail donotfax donotphone"),
            booleans("donotpostalmail donotsendmm"),
            booleans("followemail", default=True),
            lookup(
                "parentcustomerid",
                parentcustomerid_account=("account", "contact_customer_accounts"),
                parentcustomerid_contact=("contact", "contact_customer_contacts"),
            ),
            lookup("originatingleadid", originatingleadid=("lead", "contact_originating_lead")),
            lookup("transactioncurrencyid", transactioncurrencyid="transactioncurrency"),
        ],
        full_name=True,
    )


def _opportunity() -> Table:
    return table(
        "opportunity",
        "opportunities",
        "opportunityid",
        [
            base_columns(),
            states("Open Won Lost", {1: 0, 2: 0, 3: 1, 4: 2, 5: 2}),
            texts(300, "name"),
            texts(200, "stepname"),
            texts(100, "emailaddress"),
            texts(2000, "description currentsituation customerneed customerpainpoints"),
            texts(2000, "proposedsolution qualificationcomments quotecomments"),
            money(-TRILLION, TRILLION, "estimatedvalue actualvalue"),
            money(0, TRILLION, "budgetamount discountamount freightamount"),
            money(-FAR, FAR, "totalamount totalamountlessfreight totaltax", read_only=True),
            money(-FAR, FAR, "totaldiscountamount totallineitemamount", read_only=True),
            numbers(0, 100, 2, "discountpercentage"),
            integers(0, 100, "closeprobability"),
            days("estimatedclosedate actualclosedate finaldecisiondate"),
            moments("schedulefollowup_prospect schedulefollowup_qualify scheduleproposalmeeting"),
            choices(range(1, 4), "opportunityratingcode", default=2),
            choices(range(4), "salesstage budgetstatus need"),
            choices(range(5), "timeline purchasetimeframe"),
            choices(range(3), "purchaseprocess"),
            choices(range(2), "initialcommunication"),
            choices(range(38), "pricingerrorcode", default=0),
            choices((1,), "prioritycode salesstagecode", default=1),
            booleans("captureproposalfeedback completefinalproposal completeinternalreview"),
            booleans("confirminterest decisionmaker developproposal evaluatefit filedebrief"),
            booleans("identifycompetitors identifycustomercontacts identifypursuitteam"),
            booleans("isrevenuesystemcalculated presentfinalproposal presentproposal"),
            booleans("pursuitdecision resolvefeedback sendthankyounote"),
            lookup(
                "customerid",
                customerid_account=("account", "opportunity_customer_accounts"),
                customerid_contact=("contact", "opportunity_customer_contacts"),
            ),
            lookup("parentaccountid", parentaccountid=("account", "opportunity_parent_account")),
            lookup("parentcontactid", parentcontactid=("contact", "opportunity_parent_contact")),
            lookup("originatingleadid", originatingleadid=("lead", "opportunity_originating_lead")),
            lookup("transactioncurrencyid", transactioncurrencyid="transactioncurrency"),
        ],
    )


def _lead() -> Table:
    return table(
        "lead",
        "leads",
        "leadid",
        [
            base_columns(),
            states("Open Qualified Disqualified", {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2}),
            texts(300, "subject"),
            texts(160, "fullname", read_only=True),
            texts(50, "firstname middlename lastname"),
            texts(100, "companyname jobtitle salutation"),
            texts(100, "emailaddress1 emailaddress2 emailaddress3"),
            texts(50, "telephone1 telephone2 telephone3 fax"),
            texts(20, "mobilephone pager sic"),
            texts(200, "websiteurl"),
            texts(2000, "description qualificationcomments"),
            addresses(2, name_limit=100),
            money(0, TRILLION, "estimatedamount budgetamount"),
            money(0, HUNDRED_TRILLION, "revenue"),
            floats(0, 10**9, "estimatedvalue"),
            integers(0, 10**6, "numberofemployees"),
            days("estimatedclosedate"),
            moments("lastusedincampaign schedulefollowup_prospect schedulefollowup_qualify"),
            choices(range(1, 34), "industrycode"),
            choices(range(1, 11), "leadsourcecode"),
            choices(range(1, 4), "leadqualitycode", default=2),
            choices(range(1, 6), "preferredcontactmethodcode", default=1),
            choices(range(4), "budgetstatus need"),
            choices(range(5), "purchasetimeframe"),
            choices(range(3), "purchaseprocess"),
            choices(range(2), "initialcommunication"),
            choices((0,), "salesstage"),
            choices((1,), "prioritycode salesstagecode", default=1),
            booleans("confirminterest decisionmaker evaluatefit merged donotbulkemail"),
            booleans("donotemail donotfax donotphone donotpostalmail donotsendmm"),
            booleans("followemail", default=True),
            lookup(
                "customerid",
                customerid_account=("account", "lead_customer_accounts"),
                customerid_contact=("contact", "lead_customer_contacts"),
            ),
            lookup("parentaccountid", parentaccountid=("account", "lead_parent_account")),
            lookup("parentcontactid", parentcontactid=("contact", "lead_parent_contact")),
            lookup(
                "qualifyingopportunityid",
                qualifyingopportunityid=("opportunity", "lead_qualifying_opportunity"),
            ),
            lookup("transactioncurrencyid", transactioncurrencyid="transactioncurrency"),
        ],
        full_name=True,
    )


def _task() -> Table:
    return table(
        "task",
        "tasks",
        "activityid",
        [
            base_columns(),
            states("Open Completed Canceled", {2: 0, 3: 0, 4: 0, 7: 0, 5: 1, 6: 2}),
            constant("activitytypecode", "task"),
            texts(200, "subject"),
            texts(2000, "description"),
            texts(250, "category subcategory"),
            moments("scheduledstart scheduledend"),
            moments("actualstart actualend"),
            integers(0, INT32_MAX, "scheduleddurationminutes actualdurationminutes"),
            integers(0, 100, "percentcomplete"),
            choices(range(3), "prioritycode", default=1),
            booleans("isbilled isworkflowcreated leftvoicemail"),
            booleans("isregularactivity", default=True),
            lookup(
                "regardingobjectid",
                regardingobjectid_account_task=("account", "Account_Tasks"),
                regardingobjectid_contact_task=("contact", "Contact_Tasks"),
                regardingobjectid_lead_task=("lead", "Lead_Tasks"),
                regardingobjectid_opportunity_task=("opportunity", "Opportunity_Tasks"),
            ),
            lookup("transactioncurrencyid", transactioncurrencyid_task="transactioncurrency"),
        ],
    )


def _system_user() -> Table:
    members = [
        texts(200, "fullname"),
        texts(1024, "domainname"),
        booleans("isdisabled"),
    ]
    return table("systemuser", "systemusers", "systemuserid", members, seeded=True)


def _currency() -> Table:
    members = [
        texts(100, "currencyname"),
        texts(5, "isocurrencycode"),
        texts(10, "currencysymbol"),
        integers(0, 4, "currencyprecision"),
    ]
    return table(
        "transactioncurrency",
        "transactioncurrencies",
        "transactioncurrencyid",
        members,
        seeded=True,
    )


SCHEMA = Schema(
    [_account(), _contact(), _opportunity(), _lead(), _task(), _system_user(), _currency()]
)
