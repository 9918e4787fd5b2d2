#include "apiserver/registry/managed_fields.hpp"

#include <algorithm>
#include <tuple>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr size_t kUpdatersMax = 10;
constexpr std::string_view kAncient = "ancient-changes";

std::optional<FieldOwner> parse_owner(const json::value& entry) {
  FieldOwner owner;
  const std::string_view operation = get_string(entry, "operation");
  if (operation != "Apply" && operation != "Update") return std::nullopt;
  if (get_string(entry, "fieldsType") != "FieldsV1") return std::nullopt;
  const json::value* fields = find_keys(entry, {"fieldsV1"});
  if (fields != nullptr && !api::is_field_set(*fields)) return std::nullopt;
  owner.manager = get_string(entry, "manager");
  owner.applier = operation == "Apply";
  owner.api_version = get_string(entry, "apiVersion");
  owner.subresource = get_string(entry, "subresource");
  owner.time = get_string(entry, "time");
  if (fields != nullptr) owner.fields = fields->get_object();
  return owner;
}

json::value entry_of(FieldOwner owner) {
  json::object entry;
  entry.reserve(7);
  entry["manager"] = owner.manager;
  entry["operation"] = owner.applier ? "Apply" : "Update";
  entry["apiVersion"] = owner.api_version;
  if (!owner.time.empty()) entry["time"] = owner.time;
  entry["fieldsType"] = "FieldsV1";
  entry["fieldsV1"] = std::move(owner.fields);
  if (!owner.subresource.empty()) entry["subresource"] = owner.subresource;
  return entry;
}

// Times are UTC and of one width: they order as text.
auto order_of(const FieldOwner& o) {
  return std::tie(o.time, o.manager, o.api_version, o.subresource);
}

// The oldest updaters of each version become one, until there are few enough.
void cap_updaters(FieldOwners& owners) {
  size_t count = 0;
  for (const FieldOwner& owner : owners) count += owner.applier ? 0 : 1;
  while (count > kUpdatersMax) {
    std::vector<FieldOwner*> updaters;
    for (FieldOwner& owner : owners) {
      if (!owner.applier) updaters.push_back(&owner);
    }
    std::sort(updaters.begin(), updaters.end(), [](const FieldOwner* a, const FieldOwner* b) {
      return std::make_tuple(a->time, a->id()) < std::make_tuple(b->time, b->id());
    });
    FieldOwner* first = nullptr;
    FieldOwner* second = nullptr;
    for (size_t i = 0; i < updaters.size() && second == nullptr; ++i) {
      for (size_t j = 0; j < i && second == nullptr; ++j) {
        if (updaters[j]->api_version != updaters[i]->api_version) continue;
        first = updaters[j];
        second = updaters[i];
      }
    }
    if (second == nullptr) return;  // each of another version
    api::add_fields(second->fields, first->fields);
    second->manager = kAncient;
    second->subresource.clear();
    std::erase_if(owners, [first](const FieldOwner& owner) { return &owner == first; });
    --count;
  }
}

}  // namespace

bool FieldOwner::same_as(const FieldOwner& other) const {
  return manager == other.manager && applier == other.applier && subresource == other.subresource &&
         (applier || api_version == other.api_version);
}

std::string FieldOwner::id() const {
  std::string out = "{\"manager\":" + quoted(manager);
  out += applier ? ",\"operation\":\"Apply\"" : ",\"operation\":\"Update\"";
  if (!applier) out += ",\"apiVersion\":" + quoted(api_version);
  if (!subresource.empty()) out += ",\"subresource\":" + quoted(subresource);
  return out + "}";
}

std::string FieldOwner::text() const {
  std::string out = quoted(manager);
  if (!subresource.empty()) out += " with subresource " + quoted(subresource);
  return applier ? out : out + " using " + api_version;
}

std::optional<FieldOwners> parse_owners(const json::value& object) {
  FieldOwners out;
  for (const json::value& entry : get_array(object, "metadata.managedFields")) {
    std::optional<FieldOwner> owner = parse_owner(entry);
    if (!owner) return std::nullopt;
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const FieldOwner& other) { return other.same_as(*owner); });
    if (same == out.end()) {
      out.push_back(*std::move(owner));
    } else {
      *same = *std::move(owner);
    }
  }
  return out;
}

bool is_owner_reset(const json::value& object) {
  const json::array& list = get_array(object, "metadata.managedFields");
  return list.size() == 1 && list[0].is_object() && list[0].get_object().empty();
}

void store_owners(json::value& object, FieldOwners owners) {
  std::erase_if(owners, [](const FieldOwner& owner) { return owner.fields.empty(); });
  cap_updaters(owners);
  std::sort(owners.begin(), owners.end(), [](const FieldOwner& a, const FieldOwner& b) {
    if (a.applier != b.applier) return a.applier;
    return order_of(a) < order_of(b);
  });
  json::object& metadata = api::metadata_of(object);
  if (owners.empty()) {
    erase_key(metadata, "managedFields");
    return;
  }
  json::array list;
  list.reserve(owners.size());
  for (FieldOwner& owner : owners) list.push_back(entry_of(std::move(owner)));
  metadata["managedFields"] = std::move(list);
}

std::string manager_of_agent(std::string_view user_agent) {
  std::string out;
  for (const char c : user_agent.substr(0, user_agent.find('/'))) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) continue;
    if (out.size() == kFieldManagerMax) break;
    out += c;
  }
  // Not in the middle of a character.
  if (out.size() == kFieldManagerMax) {
    size_t end = out.size();
    while (end > 0 && (static_cast<unsigned char>(out[end - 1]) & 0xc0) == 0x80) --end;
    if (end > 0 && static_cast<unsigned char>(out[end - 1]) >= 0xc0) out.resize(end - 1);
  }
  return out.empty() ? "unknown" : out;
}

}  // namespace coracle::apiserver
