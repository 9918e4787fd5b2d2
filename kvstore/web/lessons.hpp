// The knobs under POST /debug/raft/, for a member that was started with --teaching.
// Thread: is_lesson anywhere; turn_knob on the member's strand.
#pragma once

#include <string_view>

#include "member/member.hpp"
#include "net/http.hpp"

namespace coracle::store {

//   /debug/raft/pause, /resume, /campaign
//   /debug/raft/step?what=tick|message
//   /debug/raft/cut?peer=NAME, /heal[?peer=NAME]
//   /debug/raft/timing?heartbeat=500ms&election=5s     one of them alone keeps the other
bool is_lesson(std::string_view path);
// FailedPrecondition without --teaching; NotFound, InvalidArgument for what makes no sense.
Status turn_knob(Member& member, std::string_view path, const net::Query& query);

}  // namespace coracle::store
