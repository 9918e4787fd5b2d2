// What counts as the same answer: everything but ids, terms, clocks, and the order of what is equal
// under a sort. And the table of what differs between the reference's version and the contract.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "differential/store_client.hpp"

namespace coracle::differential {

// Differences that are known and argued. `explains` looks at one call; null: the rule is applied to
// watch streams (watch_compare.hpp).
struct KnownDifference {
  const char* name;
  const char* reason;
  bool (*explains)(const Operation&, const View&, const Answer& reference, const Answer& ours);
};
const std::vector<KnownDifference>& known_differences();

// Takes away what differs between any two servers.
void canonicalize(const Operation& operation, Answer* answer);
// Of canonical answers: what differs, for people; nothing if they agree. Both may be adjusted where
// a clock is involved.
std::optional<std::string> differ(const Operation& operation, const Answer& reference,
                                  const Answer& ours);
// A short form of a message; and what two differ in.
std::string brief(const google::protobuf::Message& message);
std::string field_differences(const google::protobuf::Message& reference,
                              const google::protobuf::Message& ours);

}  // namespace coracle::differential
