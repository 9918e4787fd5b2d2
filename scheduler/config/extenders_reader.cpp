#include "config/extenders_reader.hpp"

#include <fmt/format.h>

#include <limits>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "framework/resource_names.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

constexpr std::int64_t kWeightMax = std::numeric_limits<std::int32_t>::max();

void read_tls(const json::value* raw, const std::string& path, FormErrors& form,
              FieldErrors& errors, const FieldPath& at, ExtenderConfig& out) {
  if (raw == nullptr) return;
  ObjectReader in(*raw, path, form);
  in.read("insecure", &out.insecure);
  in.read("serverName", &out.server_name);
  in.read("caFile", &out.ca_file);
  in.read("certFile", &out.cert_file);
  in.read("keyFile", &out.key_file);
  for (const auto& [name, slot] :
       {std::pair("caData", &out.ca_pem), {"certData", &out.cert_pem}, {"keyData", &out.key_pem}}) {
    std::string encoded;
    if (!in.read(name, &encoded)) continue;
    const auto decoded = base64_decode(encoded);
    if (decoded.ok()) {
      *slot = *decoded;
    } else {
      errors.invalid(at.child(name), encoded, "must be base64");
    }
  }
}

void read_managed(ObjectReader& in, const FieldPath& at, FormErrors& form, FieldErrors& errors,
                  std::set<std::string>& seen, ExtenderConfig& out) {
  size_t i = 0;
  for (const json::value& raw : in.list("managedResources")) {
    const FieldPath path = at.child("managedResources").index(i).child("name");
    ObjectReader one(raw, in.path("managedResources", i++), form);
    std::string name;
    bool ignored = false;
    one.read("name", &name);
    one.read("ignoredByScheduler", &ignored);
    const auto messages = api::check_qualified_name(name);
    errors.invalid_each(path, name, messages);
    if (messages.empty() && !is_vendor_resource(name)) {
      errors.invalid(path, name, "is an invalid extended resource name");
    }
    if (!seen.insert(name).second) {
      errors.invalid(path, name, "duplicate extender managed resource name");
    }
    out.managed_resources.insert(name);
    if (ignored) out.ignored_by_scheduler.insert(name);
  }
}

}  // namespace

std::vector<ExtenderConfig> read_extenders(ObjectReader& document, FormErrors& form,
                                           FieldErrors& errors) {
  std::vector<ExtenderConfig> extenders;
  std::set<std::string> managed;
  int binders = 0;
  size_t i = 0;
  for (const json::value& raw : document.list("extenders")) {
    const FieldPath at = FieldPath("extenders").index(i);
    ObjectReader in(raw, document.path("extenders", i++), form);
    ExtenderConfig& out = extenders.emplace_back();
    in.read("urlPrefix", &out.url_prefix);
    in.read("filterVerb", &out.filter_verb);
    in.read("prioritizeVerb", &out.prioritize_verb);
    in.read("bindVerb", &out.bind_verb);
    in.read("preemptVerb", &out.preempt_verb);
    in.read("weight", &out.weight);
    in.read("enableHTTPS", &out.enable_https);
    in.read("httpTimeout", &out.timeout);
    in.read("nodeCacheCapable", &out.node_cache_capable);
    in.read("ignorable", &out.ignorable);
    if (out.timeout == Duration(0)) out.timeout = std::chrono::seconds(5);
    read_tls(in.find("tlsConfig"), in.path("tlsConfig"), form, errors, at.child("tlsConfig"), out);
    if (!out.prioritize_verb.empty() && out.weight <= 0) {
      errors.invalid(at.child("weight"), out.weight, "must have a positive weight applied to it");
    }
    if (out.weight > kWeightMax) {
      errors.invalid(at.child("weight"), out.weight,
                     fmt::format("not in valid range [1, {}]", kWeightMax));
    }
    if (out.url_prefix.empty()) errors.required(at.child("urlPrefix"));
    binders += out.bind_verb.empty() ? 0 : 1;
    read_managed(in, at, form, errors, managed, out);
  }
  if (binders > 1) {
    errors.invalid(FieldPath("extenders"),
                   fmt::format("found {} extenders implementing bind", binders),
                   "only one extender can implement bind");
  }
  return extenders;
}

}  // namespace coracle::scheduler
