// The ids of the rows that an event creates: the same on every machine and in every run.
//
// row_id: uuid5(fieldpost's namespace, the four texts, each as "<bytes>:<text>"), so that no two
// lists of texts join to the same name. `path` is the place of the node in the body: "$",
// "$.primarycontactid", "$.opportunity_customer_accounts[0].Opportunity_Tasks[0]".
// The form is a promise: changing it would create every row again.
#pragma once

#include <string>
#include <string_view>

namespace fieldpost {

std::string row_id(std::string_view destination, std::string_view subscription,
                   std::string_view event_id, std::string_view path);

// The id of the row that a business key means, of any event and in any destination that points at
// the same environment: uuid5(fieldpost's namespace, environment, table and key in the same form).
// `environment` is its address ("https://org.crm.dynamics.com"). Keys that differ only in white
// space around them, in letter case or in the composition of their characters are one key.
std::string key_id(std::string_view environment, std::string_view table, std::string_view key);

// What a request is known by in the service's log.
std::string request_id(std::string_view root_id);

}  // namespace fieldpost
