#include "apiserver/registry/selection.hpp"

#include <algorithm>

namespace coracle::apiserver {

namespace {

// events.k8s.io/v1 names of fields that are stored under core/v1's names.
std::string stored_field(const Context& c, const std::string& field) {
  if (c.resource == c.storage) return field;
  if (field.starts_with("regarding.")) return "involvedObject." + field.substr(10);
  if (field == "reportingController") return "reportingComponent";
  return field;
}

}  // namespace

Outcome<Selection> Selection::parse(const Context& c) {
  Selection out;
  out.scope_.ns = c.info.ns;
  const net::Query& query = c.request.query;
  auto labels = api::LabelSelector::parse(query.get("labelSelector"));
  if (!labels.ok()) return api::bad_request_error(labels.status().message());
  out.labels_ = *std::move(labels);
  auto fields = api::FieldSelector::parse(query.get("fieldSelector"));
  if (!fields.ok()) return api::bad_request_error(fields.status().message());
  out.fields_ = *std::move(fields);
  const auto& paths = c.cache->shape().field_paths;
  for (const api::FieldRequirement& want : out.fields_.requirements()) {
    FieldTest test{0, want.equals, want.value};
    const std::string field = stored_field(c, want.field);
    const auto at = std::find(paths.begin(), paths.end(), field);
    if (field == "metadata.name") {
      test.index = kName;
      if (want.equals) out.scope_.name = want.value;
    } else if (field == "metadata.namespace") {
      test.index = kNamespace;
      if (want.equals && out.scope_.ns.empty() && c.resource->namespaced) {
        out.scope_.ns = want.value;
      }
    } else if (at != paths.end()) {
      test.index = static_cast<int>(at - paths.begin());
      if (want.equals && field == "spec.nodeName") out.scope_.node = want.value;
    } else if (paths.empty()) {
      return api::bad_request_error("\"" + want.field +
                                    "\" is not a known field selector: only \"metadata.name\", "
                                    "\"metadata.namespace\"");
    } else {
      return api::bad_request_error("field label not supported: " + want.field);
    }
    out.tests_.push_back(std::move(test));
  }
  if (!c.info.name.empty()) {  // the old /watch/ paths name one object
    out.scope_.name = c.info.name;
    out.tests_.push_back({kName, true, c.info.name});
  }
  return out;
}

bool Selection::matches(const CachedObject& object) const {
  for (const FieldTest& test : tests_) {
    const std::string_view have = test.index == kName ? object.name()
                                  : test.index == kNamespace
                                      ? object.ns()
                                      : object.field(static_cast<std::size_t>(test.index));
    if ((have == test.value) != test.equals) return false;
  }
  return labels_.is_everything() || labels_.matches(object.labels());
}

}  // namespace coracle::apiserver
