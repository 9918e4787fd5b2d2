// What older course material types and upstream has removed since, and what does it now. Pure.
#pragma once

#include <string>
#include <string_view>

namespace coracle::kubectl {

// A sentence on the kind's new version; "" for what was never there.
std::string instead_of_version(std::string_view api_version, std::string_view kind);
// On a flag of a command ("run", "--replicas"), "" if it was never there.
std::string instead_of_flag(std::string_view command, std::string_view flag);
std::string instead_of_command(std::string_view command);

}  // namespace coracle::kubectl
