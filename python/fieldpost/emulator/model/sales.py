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
    days,
    floats,
    integers,
    lookup,
    many,
    moments,
    money,
    numbers,
    states,
    table,
    texts,
)
from .schema import Table

TRILLION = 10**12
HUNDRED_TRILLION = 10**14


def _account() -> Table:
    return table(
        "account",
        "accounts",
        "accountid",
        [
            base_columns("owner_accounts"),
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
            lookup(
                "preferredsystemuserid",
                preferredsystemuserid=("systemuser", "system_user_accounts"),
            ),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "transactioncurrency_account"),
            ),
        ],
        type_code=1,
    )


def _contact() -> Table:
    return table(
        "contact",
        "contacts",
        "contactid",
        [
            base_columns("owner_contacts"),
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
            lookup(
                "preferredsystemuserid",
                preferredsystemuserid=("systemuser", "system_user_contacts"),
            ),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "transactioncurrency_contact"),
            ),
        ],
        primary_name="fullname",
        type_code=2,
        full_name=True,
    )


def _opportunity() -> Table:
    return table(
        "opportunity",
        "opportunities",
        "opportunityid",
        [
            base_columns("owner_opportunitys"),
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
            lookup("campaignid", campaignid=("campaign", "campaign_opportunities")),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "transactioncurrency_opportunity"),
            ),
        ],
        type_code=3,
    )


def _lead() -> Table:
    return table(
        "lead",
        "leads",
        "leadid",
        [
            base_columns("owner_leads"),
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
            lookup("campaignid", campaignid=("campaign", "campaign_leads")),
            many("accountleads_association", "account"),
            many("contactleads_association", "contact"),
            lookup(
                "transactioncurrencyid",
                transactioncurrencyid=("transactioncurrency", "transactioncurrency_lead"),
            ),
        ],
        primary_name="fullname",
        type_code=4,
        full_name=True,
    )


def sales_tables() -> list[Table]:
    """The customers and what is sold to them."""
    return [_account(), _contact(), _opportunity(), _lead()]
