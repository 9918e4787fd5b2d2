// Maintenance.Snapshot: the replicated state as a file, in pieces (docs/formats/snapshot.md).
// The state is that of this member, whoever leads, at the revision it had when the call came.
#pragma once

#include <memory>
#include <vector>

#include "member/member.hpp"
#include "net/grpc_server.hpp"
#include "server/state_copy.hpp"

namespace coracle::store {

// Who copies this member's state. Owned by the strand.
class StateCopies {
 public:
  // ResourceExhausted when too many are at it.
  Result<std::shared_ptr<StateCopy>> open(Member& member);
  void revoke_all();

 private:
  static constexpr size_t kCopiesMax = 4;
  std::vector<std::weak_ptr<StateCopy>> copies_;
};

// One call. The state is read beside the strand, a part when the last one is on its way.
std::shared_ptr<net::GrpcServerStream> stream_snapshot(Member& member, StateCopies& copies,
                                                       std::shared_ptr<net::GrpcReply> reply);

}  // namespace coracle::store
