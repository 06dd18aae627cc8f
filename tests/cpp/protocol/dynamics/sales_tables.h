// The tables that tests of Dynamics speak of.
#pragma once

#include "fieldpost/json.h"
#include "protocol/dynamics/tables.h"
#include "protocol/reading.h"

namespace fieldpost::dynamics {

inline Json sales_tables() {
  return Json::parse(R"({
    "account": {"set": "accounts", "key": "accountid", "navigation": {
      "primarycontactid": {"table": "contact"},
      "parentaccountid": {"table": "account"},
      "ownerid": {"tables": ["systemuser", "team"]},
      "Account_Tasks": {"table": "task", "collection": true,
                        "partner": "regardingobjectid_account_task"},
      "opportunity_customer_accounts": {"table": "opportunity", "collection": true,
                                        "partner": "customerid_account"},
      "accountleads_association": {"table": "lead", "collection": true}},
     "columns": {
      "industrycode": {"kind": "choice", "labels": {"Accounting": 1, "Agriculture": 2}},
      "preferredcontactmethodcode": {"kind": "choice", "labels": {"Any": 1}, "otherwise": "omit"},
      "customertypecode": {"kind": "choice", "labels": {"Other": 12}, "otherwise": 12},
      "interests": {"kind": "choices", "labels": {"Red": 1, "Blue, dark": 2, "Green": 3}},
      "opened": {"kind": "date", "zone": "Europe/Berlin"},
      "name": {"kind": "text", "max_length": 8, "truncate": true}}},
    "contact": {"set": "contacts", "key": "contactid", "navigation": {
      "parentcustomerid_account": {"table": "account"}}},
    "opportunity": {"set": "opportunities", "key": "opportunityid", "navigation": {
      "Opportunity_Tasks": {"table": "task", "collection": true,
                            "partner": "regardingobjectid_opportunity_task"}}},
    "task": {"set": "tasks", "key": "activityid"},
    "lead": {"set": "leads", "key": "leadid"},
    "email": {"set": "emails", "key": "activityid", "navigation": {
      "email_activity_parties": {"table": "activityparty", "collection": true}}},
    "activityparty": {"set": "activityparties", "key": "activitypartyid"},
    "systemuser": {"set": "systemusers", "key": "systemuserid"},
    "team": {"set": "teams", "key": "teamid"}})");
}

inline const Tables& tables() {
  static const Tables kTables = [] {
    Reading reading;
    Tables read = read_tables(Json{{"tables", sales_tables()}}, reading);
    reading.finish();
    return read;
  }();
  return kTables;
}

}  // namespace fieldpost::dynamics
