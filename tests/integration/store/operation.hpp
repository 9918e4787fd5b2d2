// Operation: one step of a differential run. A run is a list of seeds; each operation is made from
// its own seed and from what is known of the store by then (View). So dropping some of the list
// leaves a list whose other operations still make sense, which is what shrinking needs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "etcd/rpc.pb.h"

namespace coracle::differential {

namespace pb = ::etcdserverpb;

// Calls that are no single message of the API.
struct KeepAlive {
  std::int64_t lease = 0;
};
// A grant whose id the server picks, a look at it, and its revocation.
struct PickedLease {
  std::int64_t ttl = 0;
};
// A short lease with keys dies by itself.
struct ShortLease {
  std::int64_t id = 0;
  std::vector<std::string> keys;
};
struct WatchOpen {
  int stream = 0;
};
struct WatchSend {
  int stream = 0;
  pb::WatchRequest request;
};
struct WatchClose {
  int stream = 0;
};
// Everything written so far has reached every watcher: their responses are compared.
struct Settle {};

using Operation =
    std::variant<Settle, pb::RangeRequest, pb::PutRequest, pb::DeleteRangeRequest, pb::TxnRequest,
                 pb::CompactionRequest, pb::HashKVRequest, pb::LeaseGrantRequest,
                 pb::LeaseRevokeRequest, pb::LeaseTimeToLiveRequest, pb::LeaseLeasesRequest,
                 pb::MemberListRequest, pb::StatusRequest, pb::AlarmRequest,
                 pb::AuthenticateRequest, pb::AuthEnableRequest, pb::AuthDisableRequest,
                 pb::AuthUserListRequest, pb::AuthRoleListRequest, pb::AuthUserGetRequest,
                 KeepAlive, PickedLease, ShortLease, WatchOpen, WatchSend, WatchClose>;

// What an operation may refer to, as the reference's answers told it.
struct View {
  struct Watcher {
    std::int64_t start = 0;
  };
  std::int64_t revision = 1;
  std::int64_t compacted = -1;
  std::set<std::int64_t> leases;
  std::map<int, std::map<std::int64_t, Watcher>> streams;  // open ones, with their watchers
};

std::string kind_of(const Operation& operation);
// For people: long values are cut.
std::string describe(const Operation& operation);

Operation make_operation(std::uint64_t seed, const View& view);

}  // namespace coracle::differential
