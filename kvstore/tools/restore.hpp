// Restoring: the data folder of one member of a NEW cluster, made from a saved snapshot. Each
// member restores the same file with its own name and the same --initial-cluster and token.
//
// The keys, their versions and revisions, and the leases are those of the snapshot; members and
// alarms are not. The state counts as log entry 1 of term 1, which no log holds, so a member that
// joins later gets the state and not an empty beginning.
//
// Errors: FailedPrecondition when the folder is there already; DataLoss as disk/snapshot_file.hpp
//         says; what the system denies. Nothing is left behind then but what was there before.
#pragma once

#include <string>

#include "disk/snapshot_file.hpp"
#include "member/config.hpp"

namespace coracle::store {

// Reads a snapshot file part by part.
Result<disk::SnapshotSummary> read_snapshot(const std::string& path, bool skip_hash,
                                            const disk::SnapshotDecoder::Visit& visit);

// `member` says name, data_dir, advertise_peer, initial_cluster and cluster_token.
Result<disk::SnapshotSummary> restore_snapshot(const std::string& path, bool skip_hash,
                                               const MemberConfig& member);

}  // namespace coracle::store
