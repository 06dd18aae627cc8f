"""The words behind the numbers of choices: "<value> <label>|..." by column, or by table.column.

The defaults of the Common Data Model. A choice that is not here has labels made of its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

WORDS = {
    "accountcategorycode": "1 Preferred Customer|2 Standard",
    "account.customertypecode": (
        "1 Competitor|2 Consultant|3 Customer|4 Investor|5 Partner|6 Influencer|7 Press|8 "
        "Prospect|9 Reseller|10 Supplier|11 Vendor|12 Other"
    ),
    "lead.leadsourcecode": (
        "1 Advertisement|2 Employee Referral|3 External Referral|4 Partner|5 Public "
        "Relations|6 Seminar|7 Trade Show|8 Web|9 Word of Mouth|10 Other"
    ),
    (
        "activitypointer.prioritycode appointment.prioritycode deliveryprioritycode "
        "email.prioritycode phonecall.prioritycode task.prioritycode "
        "opportunityclose.prioritycode"
    ): ("0 Low|1 Normal|2 High"),
    "industrycode": (
        "1 Accounting|2 Agriculture and Non-petrol Natural Resource Extraction|3 "
        "Broadcasting Printing and Publishing|4 Brokers|5 Building Supply Retail|6 Business "
        "Services|7 Consulting|8 Consumer Services|9 Design, Direction and Creative "
        "Management|10 Distributors, Dispatchers and Processors|11 Doctor's Offices and "
        "Clinics|12 Durable Manufacturing|13 Eating and Drinking Places|14 Entertainment "
        "Retail|15 Equipment Rental and Leasing|16 Financial|17 Food and Tobacco Processing|"
        "18 Inbound Capital Intensive Processing|19 Inbound Repair and Services|20 Insurance|"
        "21 Legal Services|22 Non-Durable Merchandise Retail|23 Outbound Consumer Service|24 "
        "Petrochemical Extraction and Distribution|25 Service Retail|26 SIG Affiliations|27 "
        "Social Services|28 Special Outbound Trade Contractors|29 Specialty Realty|30 "
        "Transportation|31 Utility Creation and Distribution|32 Vehicle Retail|33 Wholesale"
    ),
    "ownershipcode": "1 Public|2 Private|3 Subsidiary|4 Other",
    "paymenttermscode": "1 Net 30|2 2% 10, Net 30|3 Net 45|4 Net 60",
    "preferredappointmentdaycode": (
        "0 Sunday|1 Monday|2 Tuesday|3 Wednesday|4 Thursday|5 Friday|6 Saturday"
    ),
    "preferredappointmenttimecode": "1 Morning|2 Afternoon|3 Evening",
    "preferredcontactmethodcode": "1 Any|2 Email|3 Phone|4 Fax|5 Mail",
    "account.statecode campaign.statecode contact.statecode transactioncurrency.statecode": (
        "0 Active|1 Inactive"
    ),
    "opportunity.statecode": "0 Open|1 Won|2 Lost",
    "lead.statecode": "0 Open|1 Qualified|2 Disqualified",
    "email.statecode phonecall.statecode task.statecode": "0 Open|1 Completed|2 Canceled",
    "appointment.statecode": "0 Open|1 Completed|2 Canceled|3 Scheduled",
    "account.statuscode contact.statuscode transactioncurrency.statuscode": "1 Active|2 Inactive",
    "opportunity.statuscode": "1 In Progress|2 On Hold|3 Won|4 Canceled|5 Out-Sold",
    "lead.statuscode": (
        "1 New|2 Contacted|3 Qualified|4 Lost|5 Cannot Contact|6 No Longer Interested|7 Canceled"
    ),
    "task.statuscode": (
        "2 Not Started|3 In Progress|4 Waiting on someone else|5 Completed|6 Canceled|7 Deferred"
    ),
    "email.statuscode": (
        "1 Draft|2 Completed|3 Sent|4 Received|5 Canceled|6 Pending Send|7 Sending|8 Failed"
    ),
    "phonecall.statuscode": "1 Open|2 Made|3 Canceled|4 Received",
    "appointment.statuscode": "1 Free|2 Tentative|3 Completed|4 Canceled|5 Busy|6 Out of Office",
    "campaign.statuscode": (
        "0 Proposed|1 Ready To Launch|2 Launched|3 Completed|4 Canceled|5 Suspended|6 Inactive"
    ),
    "accountrolecode": "1 Decision Maker|2 Employee|3 Influencer",
    "familystatuscode": "1 Single|2 Married|3 Divorced|4 Widowed",
    "gendercode": "1 Male|2 Female",
    "leadqualitycode opportunityratingcode": "1 Hot|2 Warm|3 Cold",
    "pricingerrorcode": (
        "0 None|1 Detail Error|2 Missing Price Level|3 Inactive Price Level|4 Missing "
        "Quantity|5 Missing Unit Price|6 Missing Product|7 Invalid Product|8 Missing Pricing "
        "Code|9 Invalid Pricing Code|10 Missing UOM|11 Product Not In Price Level|12 Missing "
        "Price Level Amount|13 Missing Price Level Percentage|14 Missing Price|15 Missing "
        "Current Cost|16 Missing Standard Cost|17 Invalid Price Level Amount|18 Invalid "
        "Price Level Percentage|19 Invalid Price|20 Invalid Current Cost|21 Invalid Standard "
        "Cost|22 Invalid Rounding Policy|23 Invalid Rounding Option|24 Invalid Rounding "
        "Amount|25 Price Calculation Error|26 Invalid Discount Type|27 Discount Type Invalid "
        "State|28 Invalid Discount|29 Invalid Quantity|30 Invalid Pricing Precision|31 "
        "Missing Product Default UOM|32 Missing Product UOM Schedule |33 Inactive Discount "
        "Type|34 Invalid Price Level Currency|35 Price Attribute Out Of Range|36 Base "
        "Currency Attribute Overflow|37 Base Currency Attribute Underflow"
    ),
    "opportunity.salesstage": "0 Qualify|1 Develop|2 Propose|3 Close",
    "lead.salesstage": "0 Qualify",
    "timeline": "0 Immediate|1 This Quarter|2 Next Quarter|3 This Year|4 Not known",
    "budgetstatus": "0 No Committed Budget|1 May Buy|2 Can Buy|3 Will Buy",
    "initialcommunication": "0 Contacted|1 Not Contacted",
    "need": "0 Must have|1 Should have|2 Good to have|3 No need",
    "purchaseprocess": "0 Individual|1 Committee|2 Unknown",
    "purchasetimeframe": "0 Immediate|1 This Quarter|2 Next Quarter|3 This Year|4 Unknown",
    "typecode": "1 Advertisement|2 Direct Marketing|3 Event|4 Co-branding|5 Other",
    "teamtype": "0 Owner|1 Access",
    "opportunityclose.statuscode": "1 Open|2 Completed|3 Canceled",
    "activitypointer.statuscode": "1 Open|2 Completed|3 Canceled|4 Scheduled",
    "participationtypemask": (
        "1 Sender|2 To Recipient|3 CC Recipient|4 BCC Recipient|5 Required attendee|6 Optional "
        "attendee|7 Organizer|8 Regarding|9 Owner|10 Resource|11 Customer|12 Chat Participant|13 "
        "Related"
    ),
    "new_ticket.statuscode new_reading.statuscode": "1 Active|2 Inactive",
    "new_tier": "100000000 Bronze|100000001 Silver|100000002 Gold",
    "accessmode": (
        "0 Read-Write|1 Administrative|2 Read|3 Support User|4 Non-interactive|5 Delegated Admin"
    ),
}


def _by_name() -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for names, words in WORDS.items():
        labels = {int(number): label for number, _, label in _split(words)}
        found |= dict.fromkeys(names.split(), labels)
    return found


def _split(words: str) -> Iterable[tuple[str, str, str]]:
    return (word.partition(" ") for word in words.split("|"))


LABELS = _by_name()


def labels_of(table: str, column: str, options: Iterable[int]) -> dict[int, str]:
    """A label for each of these numbers."""
    known = LABELS.get(f"{table}.{column}") or LABELS.get(column) or {}
    fallback = "Default Value" if tuple(options) == (1,) else "Option {}"
    return {number: known.get(number, fallback.format(number)) for number in options}
