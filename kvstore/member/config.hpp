// MemberConfig: what a member has to be told. Ids follow from it, so that all members of a new
// cluster agree on them without asking each other. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "disk/segment_format.hpp"

namespace coracle::store {

using Urls = std::vector<std::string>;

inline constexpr std::size_t kRequestBytesMax = 1536 << 10;  // of a proposal, etcd's default

struct MemberConfig {
  std::string name = "default";
  std::string data_dir;  // for messages too
  Urls advertise_client, advertise_peer;
  std::map<std::string, Urls> initial_cluster;  // name -> peer URLs
  std::string cluster_token = "etcd-cluster";
  bool joins_existing = false;
  Duration heartbeat = std::chrono::milliseconds(100);
  Duration election = std::chrono::milliseconds(1000);
  std::int64_t snapshot_count = 10000;
  std::int64_t quota_bytes = std::int64_t(2) << 30;
  Duration progress_interval = std::chrono::minutes(10);

  // The longest a write or linearizable read waits for the cluster.
  Duration request_timeout() const { return std::chrono::seconds(5) + 2 * election; }
};

std::uint64_t member_id(const Urls& peer_urls, const std::string& token);
disk::Identity identity_of(const MemberConfig& config);

}  // namespace coracle::store
