#include "certificates/request.hpp"

#include "base/encoding.hpp"

namespace coracle::controllers::csr {
namespace {

std::string decoded(const json::value& request, std::string_view path) {
  const auto bytes = base64_decode(get_string(request, path));
  return bytes.ok() ? *bytes : std::string();
}

}  // namespace

bool is(const json::value& request, std::string_view verdict) {
  const json::value* found = condition(request, verdict);
  return found != nullptr && get_string(*found, "status", "True") == "True";
}

bool is_issued(const json::value& request) {
  return !get_string(request, "status.certificate").empty();
}

std::vector<std::string> usages_of(const json::value& request) {
  std::vector<std::string> usages;
  for (const json::value& usage : get_array(request, "spec.usages")) {
    if (usage.is_string()) usages.emplace_back(usage.get_string());
  }
  return usages;
}

std::string pem_of(const json::value& request) { return decoded(request, "spec.request"); }

std::string certificate_of(const json::value& request) {
  return decoded(request, "status.certificate");
}

void add_verdict(json::value& request, const char* type, const char* reason,
                 const std::string& message, WallTime now) {
  json::value& conditions = make_object(request, "status")["conditions"];
  if (!conditions.is_array()) conditions.emplace_array();
  conditions.get_array().push_back(json::object{{"type", type},
                                                {"status", "True"},
                                                {"reason", reason},
                                                {"message", message},
                                                {"lastUpdateTime", format_time(now)},
                                                {"lastTransitionTime", format_time(now)}});
}

}  // namespace coracle::controllers::csr
