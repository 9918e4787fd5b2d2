// Joining: who this member is, before it opens its folder.
//
//   a folder with a log      it says so itself
//   --initial-cluster-state existing   the cluster at the peer URLs of --initial-cluster knows
//   new                      that follows from the flags; but if the others say that this member
//   has
//                            been there before, it lost its disk and must not vote again
//
// Blocks, before any strand runs. Errors: the flags do not fit what the others say, or nobody
// answers in time.
#pragma once

#include "base/status.hpp"
#include "server/options.hpp"

namespace coracle::store {

// Fills identity and known_members.
Status find_identity(Options* options);

// The pure part. What a cluster said of itself:
struct ClusterSays {
  std::uint64_t cluster = 0;
  std::vector<KnownMember> members;
};
// `options` joins this cluster: as which member? InvalidArgument when --initial-cluster names other
// members than it has.
Status assign_identity(const ClusterSays& cluster, Options* options);
// FailedPrecondition if the cluster knows a member with this id, or at these peer URLs, that has
// been started.
Status check_not_started(const ClusterSays& cluster, const Options& options);

}  // namespace coracle::store
