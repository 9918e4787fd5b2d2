#include "api/schema.hpp"

#include <algorithm>

namespace coracle::api {

const Property* Schema::find(std::string_view property) const {
  const auto it = std::lower_bound(
      properties.begin(), properties.end(), property,
      [](const Property& p, std::string_view name) { return std::string_view(p.name) < name; });
  return it != properties.end() && it->name == property ? &*it : nullptr;
}

const ProtobufField* Schema::find_protobuf(int number) const {
  const auto it = std::lower_bound(protobuf_fields.begin(), protobuf_fields.end(), number,
                                   [](const ProtobufField& f, int n) { return f.number < n; });
  return it != protobuf_fields.end() && it->number == number ? &*it : nullptr;
}

std::string_view Schema::short_name() const {
  const std::string_view whole = name;
  const std::size_t dot = whole.rfind('.');
  return dot == std::string_view::npos ? whole : whole.substr(dot + 1);
}

const Schema* SchemaSet::find(std::string_view definition) const {
  const auto it =
      std::lower_bound(index_.begin(), index_.end(), definition,
                       [](const auto& e, std::string_view name) { return e.first < name; });
  if (it != index_.end() && it->first == definition) return it->second;
  return base_ == nullptr ? nullptr : base_->find(definition);
}

}  // namespace coracle::api
