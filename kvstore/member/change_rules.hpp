// Which membership changes a leader takes: etcd's rules and words. Pure.
//
// A cluster must not lose its majority by a change: a member that was never started counts against
// it, and one that is silent. Members: etcdserverpb.Member as stored; one without a name was never
// started.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "base/status.hpp"
#include "etcd/rpc.pb.h"
#include "member/config.hpp"
#include "raft/types.hpp"

namespace coracle::store {

struct MemberChange {
  enum class Kind { kAdd, kRemove, kPromote };
  Kind kind = Kind::kAdd;
  NodeId id;             // add: chosen by the leader
  Urls peer_urls;        // add
  bool learner = false;  // add
};

struct ClusterView {
  NodeId self;
  const std::map<NodeId, etcdserverpb::Member>& members;
  const std::set<NodeId>& removed;
  std::function<bool(NodeId)> heard_from;  // lately
  std::function<bool(NodeId)> in_sync;     // has nearly all of the leader's log
};

inline constexpr int kLearnersMax = 1;

Status check_change(const ClusterView& cluster, const MemberChange& change);

}  // namespace coracle::store
