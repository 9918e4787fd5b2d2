#include "apiserver/registry/pod_part.hpp"

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kEphemeral = "ephemeralcontainers";

void copy_member(const json::value& from, std::string_view key, json::object& to) {
  const json::value* found = find_member(from, key);
  if (found == nullptr) {
    to.erase(key);
  } else {
    to[key] = *found;
  }
}

// The part of `from` put into `to`; containers are matched by their names.
void copy_part(const std::string& subresource, const json::value& from, json::value& to) {
  const json::value* spec = find(from, "spec");
  if (spec == nullptr) return;
  json::object& target = make_object(to, "spec");
  if (subresource == kEphemeral) return copy_member(*spec, "ephemeralContainers", target);
  for (const char* list : {"containers", "initContainers"}) {
    json::value* containers = find_member(target, list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json::value& one : containers->get_array()) {
      for (const json::value& wanted : get_array(*spec, list)) {
        if (!one.is_object() || get_string(wanted, "name") != get_string(one, "name")) continue;
        copy_member(wanted, "resources", one.get_object());
        copy_member(wanted, "resizePolicy", one.get_object());
      }
    }
  }
}

}  // namespace

bool is_pod_part(const std::string& subresource) {
  return subresource == kEphemeral || subresource == "resize";
}

json::value only_pod_part(const std::string& subresource, const json::value& next,
                          const json::value& current) {
  json::value out = current;
  copy_part(subresource, next, out);
  for (const char* key : {"resourceVersion", "uid"}) {
    copy_member(*find(next, "metadata"), key, make_object(out, "metadata"));
  }
  return out;
}

json::value with_pod_part(const std::string& subresource, const json::value& current,
                          const json::value& next) {
  json::value out = current;
  copy_part(subresource, next, out);
  return out;
}

void check_pod_part(const std::string& subresource, const json::value& next,
                    const json::value& current, api::FieldErrors& errors) {
  if (subresource != kEphemeral) return;
  const api::FieldPath path = api::FieldPath("spec").child("ephemeralContainers");
  for (const json::value& old : get_array(current, "spec.ephemeralContainers")) {
    const std::string name(get_string(old, "name"));
    const json::value* now = nullptr;
    for (const json::value& one : get_array(next, "spec.ephemeralContainers")) {
      if (get_string(one, "name") == name) now = &one;
    }
    if (now == nullptr) {
      errors.forbidden(path,
                       "existing ephemeral containers " + quoted(name) + " may not be removed\n");
    } else if (*now != old) {
      errors.forbidden(path,
                       "existing ephemeral containers " + quoted(name) + " may not be changed\n");
    }
  }
}

}  // namespace coracle::apiserver
