// What a member's data folder holds, for storectl. Nothing is changed. A stopped member's state may
// be older than its log (which it replays when it starts); a running one's certainly is.
#pragma once

#include <functional>
#include <string>

#include "base/status.hpp"
#include "storectl/version_row.hpp"

namespace coracle::store {

// Every stored version, by revision.
Status for_each_version(const std::string& dir,
                        const std::function<void(const VersionRow&)>& visit);
// "applied index=..", and the names and sizes of the other small facts.
Status print_meta(const std::string& dir);
// The log: a line for each segment, hard state and entry. Also of a member that runs.
Status print_log(const std::string& dir, bool as_json);
// A sentence when the log goes on behind the state, or "".
std::string behind_the_log(const std::string& dir);

}  // namespace coracle::store
