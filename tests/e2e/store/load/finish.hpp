// What is looked at when a run is over: nothing acknowledged is lost, all members hold the same,
// all watchers saw the same.
#pragma once

#include <memory>
#include <vector>

#include "base/json.hpp"
#include "store_load/client.hpp"
#include "store_load/watcher.hpp"

namespace coracle::load {

// `last` is a revision that every member must come to. Adds to run->faults; the run's figures.
json::object finish(Run* run, std::int64_t last,
                    const std::vector<std::unique_ptr<Client>>& clients,
                    const std::vector<std::unique_ptr<Watcher>>& watchers);

}  // namespace coracle::load
