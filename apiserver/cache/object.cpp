#include "apiserver/cache/object.hpp"

#include <algorithm>
#include <cstring>

#include "api/catalog.hpp"
#include "api/selectors.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kMetadata = "\"metadata\":{";
constexpr std::string_view kVersion = "\"resourceVersion\":\"";

// The canonical tree: kind, apiVersion, metadata first, no resourceVersion. For objects another
// server stored.
std::string canonical(const ObjectShape& shape, const json::object& object) {
  json::object out;
  out["kind"] = shape.kind;
  out["apiVersion"] = shape.api_version;
  json::object& metadata = out["metadata"].emplace_object();
  if (const json::value* found = find_member(object, "metadata"); found && found->is_object()) {
    metadata = found->get_object();
    erase_key(metadata, "resourceVersion");
  }
  for (const auto& member : object) {
    if (!out.contains(member.key())) out[member.key()] = member.value();
  }
  return to_json(out);
}

using Offset = std::uint32_t;  // into the packed fields

std::string pack(const ObjectShape& shape, const json::value& tree) {
  const std::size_t count = shape.field_paths.size();
  std::string packed((count + 1) * sizeof(Offset), '\0');
  for (std::size_t i = 0; i <= count; ++i) {
    const auto at = static_cast<Offset>(packed.size());
    std::memcpy(packed.data() + i * sizeof at, &at, sizeof at);
    if (i < count) packed += selectable_field(tree, shape.field_paths[i]);
  }
  packed.shrink_to_fit();
  return packed;
}

bool is_count(std::string_view path) {
  return path == "status.replicas" || path == "status.successful";
}

}  // namespace

ObjectShape shape_of(const api::ResourceInfo& info) {
  ObjectShape shape;
  shape.storage_prefix = info.storage_prefix;
  shape.kind = info.kind;
  shape.api_version = info.api_version;
  shape.namespaced = info.namespaced;
  shape.field_paths = info.selectable_fields;
  return shape;
}

std::string ObjectShape::head() const {
  return "{\"kind\":\"" + kind + "\",\"apiVersion\":\"" + api_version + "\",";
}

const JsonParts& ObjectShape::parts() const {
  if (known_parts) return *known_parts;
  // "source" and "reportingComponent" are looked for in each other's place.
  std::vector<std::string> paths = {"apiVersion", "metadata.resourceVersion", "metadata.labels",
                                    "source", "reportingComponent"};
  paths.insert(paths.end(), field_paths.begin(), field_paths.end());
  known_parts = std::make_shared<const JsonParts>(paths);
  return *known_parts;
}

int ObjectShape::node_field() const {
  const auto at = std::find(field_paths.begin(), field_paths.end(), "spec.nodeName");
  return at == field_paths.end() ? -1 : static_cast<int>(at - field_paths.begin());
}

std::string retail(std::string_view tail, std::int64_t revision) {
  CHECK(tail.starts_with(kMetadata));
  std::string_view rest = tail.substr(kMetadata.size());
  if (rest.starts_with(kVersion)) {  // replaces the one that is there
    const std::size_t end = rest.find('"', kVersion.size());
    CHECK(end != std::string_view::npos);
    rest.remove_prefix(end + 1);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  std::string out;
  out.reserve(tail.size() + kVersion.size() + 24);
  out.append(kMetadata).append(kVersion).append(std::to_string(revision)).append("\"");
  if (!rest.starts_with('}')) out.append(",");
  out.append(rest);
  return out;
}

std::string tail_of(std::string_view head, std::string_view stored, std::int64_t revision) {
  if (!stored.starts_with(head)) return {};
  stored.remove_prefix(head.size());
  return stored.starts_with(kMetadata) ? retail(stored, revision) : std::string();
}

std::string selectable_field(const json::value& object, std::string_view path) {
  if (path == "status.podIPs") {
    const json::array& ips = get_array(object, path);
    return ips.empty() ? std::string() : std::string(get_string(ips[0], "ip"));
  }
  if (path == "source" || path == "reportingComponent") {
    const std::string_view component = get_string(object, "source.component");
    const std::string_view reporter = get_string(object, "reportingComponent");
    if (path == "source") return std::string(component.empty() ? reporter : component);
    return std::string(reporter);
  }
  const json::value* value = find(object, path);
  if (is_count(path) && (value == nullptr || value->is_null())) return "0";
  return api::field_text(object, path);
}

Result<ObjectPtr> CachedObject::parse(const ObjectShape& shape, std::string key,
                                      std::string_view stored, std::int64_t revision,
                                      std::int64_t create_revision, const json::value* known) {
  Result<json::value> parts = known == nullptr ? shape.parts().parse(stored) : json::value();
  const json::value* tree = known != nullptr ? known : parts.ok() ? &*parts : nullptr;
  if (tree == nullptr || !tree->is_object()) {
    return data_loss("stored object " + shape.storage_prefix + "/" + key + " is not a JSON object");
  }
  std::shared_ptr<CachedObject> object(new CachedObject());
  const std::string head = shape.head();
  std::string tail;
  if (find(*tree, "metadata.resourceVersion") == nullptr) tail = tail_of(head, stored, revision);
  if (tail.empty()) {
    const auto whole = parse_json(stored);
    CHECK(whole.ok());
    tail = tail_of(head, canonical(shape, whole->get_object()), revision);
  }
  object->key_ = std::move(key);
  if (shape.namespaced) object->slash_ = object->key_.find('/');
  object->revision_ = revision;
  object->create_revision_ = create_revision;
  object->tail_ = std::make_shared<const std::string>(std::move(tail));
  const std::string_view version = get_string(*tree, "apiVersion");
  if (!version.empty() && version != shape.api_version) {
    object->other_version_ = std::make_shared<const std::string>(version);
  }
  object->fields_ = pack(shape, *tree);
  object->labels_ = get_object(*tree, "metadata.labels");
  return ObjectPtr(std::move(object));
}

ObjectPtr CachedObject::at_revision(std::int64_t revision) const {
  std::shared_ptr<CachedObject> copy(new CachedObject(*this));
  copy->revision_ = revision;
  copy->tree_.reset();
  copy->tail_ = std::make_shared<const std::string>(retail(*tail_, revision));
  return copy;
}

std::shared_ptr<const json::value> CachedObject::kept_tree() const {
  if (tree_) return tree_;
  auto tree = parse_json("{" + *tail_);
  CHECK(tree.ok());  // it was checked when it came
  tree_ = std::make_shared<const json::value>(*std::move(tree));
  return tree_;
}

std::string_view CachedObject::field(std::size_t index) const {
  const auto offset = [this](std::size_t i) {
    Offset at = 0;
    std::memcpy(&at, fields_.data() + i * sizeof at, sizeof at);
    return std::size_t{at};
  };
  CHECK((index + 2) * sizeof(Offset) <= offset(0));
  return std::string_view(fields_).substr(offset(index), offset(index + 1) - offset(index));
}

std::string_view CachedObject::ns() const {
  return slash_ == std::string::npos ? std::string_view()
                                     : std::string_view(key_).substr(0, slash_);
}

std::string_view CachedObject::name() const {
  return slash_ == std::string::npos ? std::string_view(key_)
                                     : std::string_view(key_).substr(slash_ + 1);
}

}  // namespace coracle::apiserver
