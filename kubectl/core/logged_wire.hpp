// A Wire that tells what passes over it, as kubectl's -v does: from 6 on each request with its
// status and time, from 8 on headers and bodies too (1,024 bytes; 10,240 at 9, all above that).
// Tokens are not shown.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "kubectl/wire.hpp"

namespace coracle::kubectl {

inline constexpr int kTellRequests = 6, kTellBodies = 8;

std::unique_ptr<Wire> make_logged_wire(std::unique_ptr<Wire> wire, int level, std::string server,
                                       std::ostream& out);

}  // namespace coracle::kubectl
