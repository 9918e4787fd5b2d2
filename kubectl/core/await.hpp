// Waiting for an object to become something: list it, then watch it.
#pragma once

#include <functional>
#include <string>

#include "kubectl/session.hpp"

namespace coracle::kubectl {

// Shows `look` the object as it is (nullptr: it is not there) and again after each change, until it
// says true. DeadlineExceeded at `deadline` (none: no limit); server failures end it too.
Status await_object(Session& session, const Resource& resource, const std::string& ns,
                    const std::string& name, std::optional<TimePoint> deadline,
                    const std::function<bool(const json::value* object)>& look);

}  // namespace coracle::kubectl
