// object: reading and writing what every object has (apiVersion, kind, metadata), and the checks of
// names. Accessors take any value and answer empty when the member is missing; views live as long
// as the tree. Checks return upstream's messages, none when the text is good. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

struct GroupVersion {
  std::string_view group;  // "" is core
  std::string_view version;
};
// "v1" -> {"", "v1"}; "apps/v1" -> {"apps", "v1"}; more slashes give {"", ""}.
GroupVersion split_api_version(std::string_view api_version);
std::string join_api_version(std::string_view group, std::string_view version);

std::string_view api_version_of(const json::value& object);
std::string_view kind_of(const json::value& object);
std::string_view name_of(const json::value& object);
std::string_view namespace_of(const json::value& object);
std::string_view uid_of(const json::value& object);
std::string_view generate_name_of(const json::value& object);
std::string_view resource_version_of(const json::value& object);
std::string_view creation_timestamp_of(const json::value& object);
std::string_view deletion_timestamp_of(const json::value& object);  // "" = not being deleted
std::int64_t generation_of(const json::value& object);
const json::object& labels_of(const json::value& object);
const json::object& annotations_of(const json::value& object);
// "" when absent.
std::string_view label_of(const json::value& object, std::string_view key);
std::string_view annotation_of(const json::value& object, std::string_view key);
const json::array& owner_references_of(const json::value& object);
const json::array& finalizers_of(const json::value& object);
bool has_finalizer(const json::value& object, std::string_view finalizer);

// The metadata object, made when missing.
json::object& metadata_of(json::value& object);
void set_label(json::value& object, std::string_view key, std::string_view value);
void set_annotation(json::value& object, std::string_view key, std::string_view value);
// Whether something changed; an emptied list or map is removed.
bool add_finalizer(json::value& object, std::string_view finalizer);
bool remove_finalizer(json::value& object, std::string_view finalizer);
bool remove_annotation(json::value& object, std::string_view key);

// {apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true}
json::object controller_reference(const json::value& owner);
json::object owner_reference(const json::value& owner);
// The reference with controller: true, or nullptr.
const json::value* controller_of(const json::value& object);
bool is_owned_by(const json::value& object, std::string_view uid);

using Messages = std::vector<std::string>;
Messages check_dns1123_label(std::string_view value);
Messages check_dns1123_subdomain(std::string_view value);
Messages check_dns1035_label(std::string_view value);
Messages check_qualified_name(std::string_view value);  // label and annotation keys
Messages check_label_value(std::string_view value);
Messages check_path_segment_name(std::string_view value);  // rbac and other loose names
Messages check_port_name(std::string_view value);          // IANA service name
Messages check_port_number(std::int64_t value);
Messages check_config_map_key(std::string_view value);
Messages check_env_var_name(std::string_view value);  // relaxed: printable ASCII but '='
Messages check_percent(std::string_view value);
Messages check_ip(std::string_view value);  // `must be a valid IP address, (e.g. ...)`
bool is_ipv4(std::string_view value);
bool is_ipv6(std::string_view value);
std::string max_length_message(int length);
std::string range_message(std::int64_t low, std::int64_t high);

}  // namespace coracle::api
