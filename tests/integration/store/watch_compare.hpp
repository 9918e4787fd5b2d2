// The responses of one watch stream, on both sides, since they were last compared. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "differential/operation.hpp"

namespace coracle::differential {

// Every stream has a watcher of one key, whose events tell how far the stream has come.
inline constexpr std::int64_t kCanaryWatcher = 1'000'000;
inline constexpr const char* kCanaryKey = "canary";

struct StreamExpectation {
  std::int64_t compacted = -1;
  // Of the stream's watchers that began in this piece: where.
  std::map<std::int64_t, std::int64_t> starts;
  // Header revisions of the progress answers that are due, in order.
  std::vector<std::int64_t> progress;
  // Header revisions of the refusals of negative starts, which only we answer.
  std::vector<std::int64_t> refused;
};

// What differs, or what breaks a rule on our side; nothing if all is well.
std::optional<std::string> differ_streams(const StreamExpectation& expected,
                                          std::vector<pb::WatchResponse> reference,
                                          std::vector<pb::WatchResponse> ours);

}  // namespace coracle::differential
