// registration: which APIService objects there should be for the group versions of custom kinds:
// made when a definition is established, gone with it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kAutomanaged = "kube-aggregator.kubernetes.io/automanaged";

struct RegistrationPlan {
  std::vector<json::value> create;
  std::vector<std::string> remove;            // names
  std::map<std::string, json::value> repair;  // name -> spec
};
// `builtin`: names of APIServices for groups that ship with the server, which are not touched.
RegistrationPlan plan_registrations(const std::vector<json::value>& definitions,
                                    const std::map<std::string, json::value>& services,
                                    const std::vector<std::string>& builtin);

}  // namespace coracle::apiserver
