// Cells of the kinds that extend or guard the API itself.
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

const json::value* condition(const json::value& object, std::string_view type) {
  for (const json::value& one : get_array(object, "status.conditions")) {
    if (get_string(one, "type") == type) {
      return &one;
    }
  }
  return nullptr;
}

// "24h", "10m": the two largest units, as kubectl words durations.
json::value request_duration(const json::value& object, WallTime now) {
  const std::int64_t seconds = get_int(object, "spec.expirationSeconds", -1);
  if (seconds < 0) {
    return cells::text(cells::kNone);
  }
  return cells::text(cells::age(format_time(now - std::chrono::seconds(seconds)), now));
}

// "Approved,Issued", "Denied", "Pending".
json::value request_condition(const json::value& object, WallTime) {
  std::string text;
  const auto append = [&](std::string_view word) {
    text += (text.empty() ? "" : ",") + std::string(word);
  };
  if (condition(object, "Approved") != nullptr) {
    append("Approved");
  } else if (condition(object, "Denied") != nullptr) {
    append("Denied");
  } else {
    append("Pending");
  }
  if (condition(object, "Failed") != nullptr) {
    append("Failed");
  }
  if (!get_string(object, "status.certificate").empty()) {
    append("Issued");
  }
  return cells::text(text);
}

json::value distinguisher(const json::value& object, WallTime) {
  return cells::string_at(object, "spec.distinguisherMethod.type", cells::kNone);
}

json::value missing_level(const json::value& object, WallTime) {
  const json::value* dangling = condition(object, "Dangling");
  return cells::text(dangling == nullptr ? std::string_view("?") : get_string(*dangling, "status"));
}

json::value level_number(const json::value& object, std::string_view path) {
  return cells::text_or(cells::scalar_text(find(object, path)), cells::kNone);
}

json::value level_shares(const json::value& object, WallTime) {
  const bool exempt = get_string(object, "spec.type") == "Exempt";
  return level_number(object, exempt ? "spec.exempt.nominalConcurrencyShares"
                                     : "spec.limited.nominalConcurrencyShares");
}

json::value level_queues(const json::value& object, WallTime) {
  return level_number(object, "spec.limited.limitResponse.queuing.queues");
}

json::value level_hand_size(const json::value& object, WallTime) {
  return level_number(object, "spec.limited.limitResponse.queuing.handSize");
}

json::value level_queue_length(const json::value& object, WallTime) {
  return level_number(object, "spec.limited.limitResponse.queuing.queueLengthLimit");
}

json::value webhook_count(const json::value& object, WallTime) {
  return static_cast<std::int64_t>(get_array(object, "webhooks").size());
}

json::value service_of(const json::value& object, WallTime) {
  const json::value* service = find(object, "spec.service");
  if (service == nullptr || !service->is_object()) {
    return cells::text("Local");
  }
  return cells::text(std::string(get_string(*service, "namespace")) + "/" +
                     std::string(get_string(*service, "name")));
}

// "True", "False (MissingEndpoints)".
json::value available(const json::value& object, WallTime) {
  const json::value* found = condition(object, "Available");
  if (found == nullptr) {
    return cells::text("Unknown");
  }
  const std::string status(get_string(*found, "status"));
  const std::string reason(get_string(*found, "reason"));
  return cells::text(status == "True" || reason.empty() ? status : status + " (" + reason + ")");
}

const json::value& healthy(const json::value& object) {
  static const json::value kNothing = json::object();
  for (const json::value& one : get_array(object, "conditions")) {
    if (get_string(one, "type") == "Healthy") {
      return one;
    }
  }
  return kNothing;
}

json::value component_status(const json::value& object, WallTime) {
  const std::string_view status = get_string(healthy(object), "status");
  return cells::text(status == "True" ? "Healthy" : status == "False" ? "Unhealthy" : "Unknown");
}

json::value component_message(const json::value& object, WallTime) {
  return cells::text(get_string(healthy(object), "message"));
}

json::value component_error(const json::value& object, WallTime) {
  return cells::text(get_string(healthy(object), "error"));
}

constexpr ColumnHook kColumns[] = {
    {"csr.duration", request_duration},
    {"csr.condition", request_condition},
    {"flowschema.distinguisher", distinguisher},
    {"flowschema.missing", missing_level},
    {"prioritylevel.shares", level_shares},
    {"prioritylevel.queues", level_queues},
    {"prioritylevel.handSize", level_hand_size},
    {"prioritylevel.queueLength", level_queue_length},
    {"webhooks.count", webhook_count},
    {"apiservice.service", service_of},
    {"apiservice.available", available},
    {"componentstatus.status", component_status},
    {"componentstatus.message", component_message},
    {"componentstatus.error", component_error},
};

}  // namespace

std::span<const ColumnHook> extension_columns() { return kColumns; }

}  // namespace coracle::api
