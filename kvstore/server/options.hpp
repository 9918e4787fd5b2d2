// What the command line of a member says, checked. Flags and defaults are etcd's.
// Pure but for parse_options, which ends the program (exit 2) at a flag that makes no sense, naming
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/status.hpp"
#include "disk/segment_format.hpp"

namespace coracle::store {

using Urls = std::vector<std::string>;

struct Options {
  std::string name = "default";
  std::string data_dir;
  Urls listen_client, advertise_client, listen_peer, advertise_peer;
  std::map<std::string, Urls> initial_cluster;  // name -> peer URLs
  std::string cluster_token = "etcd-cluster";
  bool joins_existing = false;
  Duration heartbeat = std::chrono::milliseconds(100);
  Duration election = std::chrono::milliseconds(1000);
  std::int64_t snapshot_count = 10000;
  std::int64_t quota_bytes = std::int64_t(2) << 30;
  Duration progress_interval = std::chrono::minutes(10);
  log::Level log_level = log::Level::kInfo;

  // The longest a write or linearizable read waits for the cluster.
  Duration request_timeout() const { return std::chrono::seconds(5) + 2 * election; }
};

Options parse_options(int argc, char** argv);

// "a=http://h:1,a=http://h:2,b=http://h:3"; InvalidArgument says which part is wrong.
Result<std::map<std::string, Urls>> parse_initial_cluster(const std::string& text);
// "http://host:port" -> "host:port". InvalidArgument for another scheme, no port, a path.
Result<std::string> target_of(const std::string& url);

// Ids follow from the addresses and the token, so that all members of a new cluster agree on them.
std::uint64_t member_id(const Urls& peer_urls, const std::string& token);
disk::Identity identity_of(const Options& options);

}  // namespace coracle::store
