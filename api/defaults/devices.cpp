// Kinds of resource.k8s.io.
#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"

namespace coracle::api::defaults {
namespace {

void set_wanted(json::object& request) {
  set_text_default(request, "allocationMode", "ExactCount");
  if (text(request, "allocationMode") != "ExactCount") return;
  json::value& count = request["count"];
  if (count.is_null() || count == json::value(0)) count = 1;
}

void set_claim_spec(json::object& spec) {
  json::object* devices = child(spec, "devices");
  if (devices == nullptr) return;
  each_object(*devices, "requests", [](json::object& request) {
    if (json::object* exactly = child(request, "exactly")) set_wanted(*exactly);
    each_object(request, "firstAvailable", set_wanted);
  });
}

}  // namespace

void set_resource_claim(json::object& claim) {
  if (json::object* spec = child(claim, "spec")) set_claim_spec(*spec);
}

void set_resource_claim_template(json::object& object) {
  json::object* spec = child(object, "spec");
  json::object* inner = spec == nullptr ? nullptr : child(*spec, "spec");
  if (inner != nullptr) set_claim_spec(*inner);
}

}  // namespace coracle::api::defaults
