// MemberConfig: what a member has to be told. Ids follow from it, so that all members of a new
// cluster agree on them without asking each other. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "disk/segment_format.hpp"
#include "mvcc/watch_types.hpp"

namespace coracle::store {

using Urls = std::vector<std::string>;

inline constexpr std::size_t kRequestBytesMax = 1536 << 10;  // of a proposal, etcd's default

// A member as the cluster that is joined tells of it.
struct KnownMember {
  std::uint64_t id = 0;
  std::string name;
  Urls peer_urls, client_urls;
  bool learner = false;
};

struct MemberConfig {
  std::string name = "default";
  std::string data_dir;  // for messages too
  Urls advertise_client, advertise_peer;
  std::map<std::string, Urls> initial_cluster;  // name -> peer URLs
  std::string cluster_token = "etcd-cluster";
  bool joins_existing = false;
  bool teaching = false;  // the knobs of classroom.hpp may be turned
  // Who this member is. Zero: that follows from the rest. A folder that is not empty knows it, and
  // a member that joins is told, with the members there are.
  disk::Identity identity;
  std::vector<KnownMember> known_members;
  Duration heartbeat = std::chrono::milliseconds(100);
  Duration election = std::chrono::milliseconds(1000);
  std::int64_t snapshot_count = 10000;
  std::int64_t quota_bytes = std::int64_t(2) << 30;
  Duration progress_interval = std::chrono::minutes(10);
  // Bounds that tests make small.
  std::size_t flush_bytes = 48 << 20;  // of log, before the state is flushed and the log is cut
  std::size_t compact_keys = 2000;     // looked at in one piece of a compaction
  mvcc::WatchLimits watch;

  // The longest a write or linearizable read waits for the cluster.
  Duration request_timeout() const { return std::chrono::seconds(5) + 2 * election; }
};

std::uint64_t member_id(const Urls& peer_urls, const std::string& token);
// Of a member that is added later: the same addresses may come again, the id does not.
std::uint64_t added_member_id(const Urls& peer_urls, const std::string& token, WallTime now);
disk::Identity identity_of(const MemberConfig& config);

}  // namespace coracle::store
