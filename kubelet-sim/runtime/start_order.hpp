// What a container is started with, and its text for the starter
// (kubelet-sim/lab-image/config.hpp). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kubelet/pod_route.hpp"

namespace coracle::kubelet {

struct BindMount {
  std::string source;  // outside
  std::string target;  // inside, absolute
  bool read_only = false;
};

struct StartOrder {
  bool isolate = true;
  std::string root, hostname, address;
  std::vector<BindMount> binds;
  bool read_only_root = false, tty = false;
  std::int64_t uid = 0, gid = 0;
  std::vector<std::int64_t> groups;
  // Of the machine's ids that stand for the container's 0..count-1; count 0: one id, this user's.
  std::int64_t first_outside_id = 0, outside_ids = 0;
  std::uint64_t capabilities = ~0ull;
  std::string working_dir = "/";
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> args;
  int share_pid = 0;  // be among the processes and users of this process
  int join_pid = 0;   // enter a running container instead
  AskRoute route;     // of its connections; none: each is made. Not part of the text
};

std::string encode(const StartOrder& order);

// The outside number of a container's user or group.
inline std::int64_t outside_id(const StartOrder& order, std::int64_t inside) {
  return order.first_outside_id + (inside < order.outside_ids ? inside : order.outside_ids);
}

}  // namespace coracle::kubelet
