#include "apiserver/registry/scale_owners.hpp"

#include <algorithm>

#include "api/strategy.hpp"
#include "apiserver/registry/managed_fields.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kScaleVersion = "autoscaling/v1";

// ".spec.replicas" as the set of that one field.
api::FieldSet only_field(const std::string& path) {
  api::FieldSet out;
  json::object* at = &out;
  for (const std::string& name : split(path, '.')) {
    if (!name.empty()) at = &(*at)["f:" + name].emplace_object();
  }
  return out;
}

bool owns(const FieldOwner& owner, const api::FieldSet& field) {
  return !api::common_fields(owner.fields, field).empty();
}

bool same_name(const FieldOwner& a, const FieldOwner& b) {
  return a.manager == b.manager && a.applier == b.applier && a.subresource == b.subresource;
}

}  // namespace

Outcome<json::value> apply_scale_configuration(const FieldWriter& writer,
                                               const json::value& current,
                                               const ApplyRequest& request) {
  const api::Schema* schema = writer.catalog.body_schema(kScaleVersion, "Scale");
  auto scale = api::scale_of(writer.storage, current);
  if (!scale.ok() || schema == nullptr) return api::internal_api_error(scale.status().message());
  api::ResourceInfo info;
  info.group = "autoscaling";
  info.version = "v1";
  info.kind = "Scale";
  info.api_version = kScaleVersion;
  info.schema = schema;
  const api::FieldSet replicas = only_field(writer.storage.scale->spec_replicas);
  const api::FieldSet in_scale = only_field(".spec.replicas");
  FieldOwners owners = parse_owners(current).value_or(FieldOwners()), shown;
  for (const FieldOwner& owner : owners) {
    if (!owns(owner, replicas)) continue;
    shown.push_back(owner);
    shown.back().api_version = kScaleVersion;
    shown.back().fields = in_scale;
  }
  store_owners(*scale, shown);
  const FieldWriter as_scale{writer.catalog, info, info, writer.manager, "scale", writer.time};
  TRY_OUTCOME(const json::value next, apply_configuration(as_scale, &*scale, request));
  json::value object = current;
  const Status applied = api::apply_scale(writer.storage, next, object);
  if (!applied.ok()) return api::bad_request_error(applied.message());
  for (FieldOwner& owner : owners) api::subtract_fields(owner.fields, replicas);
  for (FieldOwner& owner : parse_owners(next).value_or(FieldOwners())) {
    if (!owns(owner, in_scale)) continue;
    const auto there = std::find_if(owners.begin(), owners.end(), [&](const FieldOwner& other) {
      return same_name(other, owner);
    });
    if (there == owners.end()) {
      owner.api_version = writer.info.api_version;
      owner.fields = replicas;
      owners.push_back(std::move(owner));
    } else {
      api::add_fields(there->fields, replicas);
      there->time = owner.time;
    }
  }
  store_owners(object, std::move(owners));
  return object;
}

}  // namespace coracle::apiserver
