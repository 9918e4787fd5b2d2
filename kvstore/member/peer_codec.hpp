// Raft messages to and from their bytes (proto/raft/peer.proto). Pure.
// InstallSnapshot travels as the header of a stream of its own, not as a Message.
#pragma once

#include "base/status.hpp"
#include "member/change_rules.hpp"
#include "raft/messages.hpp"
#include "raft/peer.pb.h"

namespace coracle::store {

void encode(const raft::Message& message, Message* out);
// InvalidArgument for what no member of this version sends.
Result<raft::Message> decode(const Message& message);

void encode(const raft::InstallSnapshot& order, std::uint64_t cluster, SnapshotHeader* out);
raft::InstallSnapshot decode(const SnapshotHeader& header);

// A change that a member passes on to the leader.
void encode(const MemberChange& change, ChangeRequest* out);
Result<MemberChange> decode(const ChangeRequest& request);

void encode(const raft::Membership& membership, Membership* out);
raft::Membership decode(const Membership& membership);

}  // namespace coracle::store
