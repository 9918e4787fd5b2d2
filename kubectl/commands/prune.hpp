// apply --prune: what was applied once and is not among the files now is deleted.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "kubectl/write.hpp"

namespace coracle::kubectl {

// What this run applied.
struct Applied {
  std::set<std::string> uids, namespaces;

  void add(const Target& target, const json::value& now);
};

struct PruneRequest {
  std::string selector;              // "": all
  std::vector<std::string> allowed;  // "apps/v1/Deployment", "core/v1/Pod"; none: kubectl's list
  DryRun dry_run = DryRun::kNone;
};

// Looks at the namespaces of what was applied, and at kinds of the whole cluster; goes by the
// annotation of the last applied configuration. The first failure ends it.
Status prune_others(Session& session, WriteReport& report, const Applied& applied,
                    const PruneRequest& request);

}  // namespace coracle::kubectl
