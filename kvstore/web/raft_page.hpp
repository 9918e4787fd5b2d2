// The pages under /debug/raft: what goes on inside a member, as JSON and as server-sent events.
// Thread: the member's strand (they read the member); what they return may leave it.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.hpp"
#include "member/member.hpp"

namespace coracle::store {

json::object raft_page(Member& member);

// What happened after event `*number`, as server-sent events, and the state if it is not
// `*last_state`. Both are moved on.
std::string raft_events(Member& member, std::uint64_t* number, std::string* last_state);

// The member's name, or its id in hex.
std::string name_of(Member& member, NodeId id);
// By name or by id in hex. NotFound.
Result<NodeId> find_member(Member& member, const std::string& text);

}  // namespace coracle::store
