#include "api/schema.hpp"

#include <algorithm>

namespace coracle::api {

bool Property::is_required_text() const {
  return required && schema->type == SchemaType::kString && schema->well_known == WellKnown::kNone;
}

std::size_t Schema::slot_of(std::string_view property) const {
  // Of one message's names hardly two agree in all of this.
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(property[i]); };
  const std::size_t size = property.size();
  if (size == 0) return 0;
  return (size + at(0) * 5U + at(size / 2) * 17U + at(size - 1) * 3U) & (table_.size() - 1);
}

void Schema::settle() {
  std::size_t slots = 4;
  while (slots < 2 * properties.size()) slots *= 2;
  table_.assign(slots, 0);
  defaulted.clear();
  ruled.clear();
  for (std::size_t i = 0; i < properties.size(); ++i) {
    const Property& property = properties[i];
    std::size_t slot = slot_of(property.name);
    while (table_[slot] != 0) slot = (slot + 1) & (slots - 1);
    table_[slot] = static_cast<std::uint16_t>(i + 1);
    const auto place = static_cast<std::uint16_t>(i);
    if (property.default_value) defaulted.push_back(place);
    if (property.is_required_text() || property.schema->has_rules) ruled.push_back(place);
  }
}

const Property* Schema::find(std::string_view property) const {
  if (table_.empty()) return nullptr;
  std::size_t slot = slot_of(property);
  for (; table_[slot] != 0; slot = (slot + 1) & (table_.size() - 1)) {
    const Property& found = properties[table_[slot] - 1U];
    if (found.name == property) return &found;
  }
  return nullptr;
}

bool Schema::has_own_rules() const {
  return minimum || maximum || min_length || max_length || !enum_values.empty() || !pattern.empty();
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
