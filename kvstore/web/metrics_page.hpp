// The page at /metrics: a member's figures under etcd's names, in Prometheus' text format.
// Thread: the member's strand (it reads the member); the text may leave it.
#pragma once

#include <string>

#include "member/member.hpp"

namespace coracle::store {

std::string metrics_page(Member& member);

}  // namespace coracle::store
