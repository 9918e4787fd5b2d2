// How a kubeconfig names things: lists of {name, cluster|context|user}. Internal to
// kubeconfig*.cpp.
#pragma once

#include <string>
#include <utility>

#include "base/json.hpp"

namespace coracle::client {

inline constexpr const char* kSections[] = {"clusters", "contexts", "users"};
inline constexpr std::pair<const char*, const char*> kPathFields[] = {
    {"clusters", "certificate-authority"},
    {"users", "client-certificate"},
    {"users", "client-key"},
    {"users", "tokenFile"},
};

// "clusters" -> "cluster".
std::string inner_name(const std::string& section);
// The list of a section, made when it is missing.
json::array& entry_array(json::value& tree, const std::string& section);
// The object inside a named entry, or nullptr.
json::object* inner_object(json::value& named, const std::string& section);
const json::object* find_entry(const json::value& tree, const std::string& section,
                               const std::string& name);
json::object* find_entry(json::value& tree, const std::string& section, const std::string& name);

}  // namespace coracle::client
