#include "apiserver/registry/requestor.hpp"

#include "base/encoding.hpp"
#include "net/csr.hpp"

namespace coracle::apiserver {

namespace {

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

}  // namespace

void stamp_requestor(const Context& c, json::value& object) {
  if (c.storage->kind != "CertificateSigningRequest") return;
  json::object& spec = make_object(object, "spec");
  for (const char* key : {"username", "uid", "groups", "extra"}) erase_key(spec, key);
  spec["username"] = c.user.name;
  if (!c.user.uid.empty()) spec["uid"] = c.user.uid;
  if (!c.user.groups.empty()) spec["groups"] = texts(c.user.groups);
  if (c.user.extra.empty()) return;
  json::object extra;
  for (const auto& [key, values] : c.user.extra) extra[key] = texts(values);
  spec["extra"] = std::move(extra);
}

void check_request_signature(const Context& c, const json::value& object,
                             api::FieldErrors& errors) {
  if (c.storage->kind != "CertificateSigningRequest" || !errors.empty()) return;
  const std::string_view encoded = get_string(object, "spec.request");
  const auto pem = base64_decode(encoded);
  const Status good = pem.ok() ? net::inspect_csr(*pem).status() : pem.status();
  if (!good.ok()) errors.invalid(api::FieldPath("spec").child("request"), encoded, good.message());
}

void keep_but_verdicts(json::value& next, const json::value& current) {
  json::object status = get_object(current, "status");
  const json::value* verdicts = find(next, "status.conditions");
  if (verdicts == nullptr) {
    erase_key(status, "conditions");
  } else {
    status["conditions"] = *verdicts;
  }
  next.as_object()["status"] = std::move(status);
}

api::WriteTarget write_target(const Context& c) {
  const std::string& sub = c.info.subresource;
  return sub == "status" || sub == "approval" ? api::WriteTarget::kStatus
                                              : api::WriteTarget::kObject;
}

}  // namespace coracle::apiserver
