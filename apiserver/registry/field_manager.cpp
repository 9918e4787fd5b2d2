#include "apiserver/registry/field_manager.hpp"

#include <algorithm>
#include <deque>

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "api/validate.hpp"
#include "apiserver/registry/managed_fields.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

using api::FieldChanges;
using api::FieldSet;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::string_view kBeforeApply = "before-first-apply";
constexpr size_t kAnnotationsMax = 256 << 10;

const json::value& empty_object() {
  static const json::value kEmpty = json::object();
  return kEmpty;
}

// The difference of two objects in whatever version an owner's fields are of.
class Comparison {
 public:
  Comparison(const FieldWriter& writer, const api::ResourceInfo& given, const json::value& before,
             const json::value& after)
      : writer_(writer), given_(given), before_(before), after_(after) {}

  // nullptr when the version is no longer served.
  const FieldChanges* in(const std::string& api_version) {
    for (const auto& [version, changes] : known_) {
      if (version == api_version) return changes ? &*changes : nullptr;
    }
    known_.emplace_back(api_version, compare(api_version));
    const auto& changes = known_.back().second;
    return changes ? &*changes : nullptr;
  }
  // What in() gave for this version changed or set; gone from there.
  FieldSet take_set(const std::string& api_version) {
    for (auto& [version, changes] : known_) {
      if (version == api_version && changes) return std::move(changes->set);
    }
    return {};
  }

 private:
  std::optional<FieldChanges> compare(const std::string& api_version) const {
    const api::ResourceInfo* info = &given_;
    if (api_version != given_.api_version) {
      const api::GroupVersion gv = api::split_api_version(api_version);
      info = writer_.catalog.find_kind(gv.group, gv.version, given_.kind);
      if (info == nullptr || info->storage_prefix != given_.storage_prefix) return std::nullopt;
    }
    FieldChanges changes;
    if (info == &given_) {
      changes = api::compare_fields(before_, after_, *info->schema);
    } else {
      json::value before = before_, after = after_;
      if (before.is_object() && !before.get_object().empty()) {
        api::convert_object(given_, *info, before);
      }
      api::convert_object(given_, *info, after);
      changes = api::compare_fields(before, after, *info->schema);
    }
    api::strip_unowned(changes.set);
    api::strip_unowned(changes.gone);
    return changes;
  }

  const FieldWriter& writer_;
  const api::ResourceInfo& given_;
  const json::value& before_;
  const json::value& after_;
  std::deque<std::pair<std::string, std::optional<FieldChanges>>> known_;  // stable addresses
};

FieldOwner updater(const FieldWriter& writer, std::string_view manager) {
  FieldOwner out;
  out.manager = manager;
  out.api_version = writer.info.api_version;
  out.subresource = writer.subresource;
  out.time = writer.time;
  return out;
}

// Takes what changed from everybody but `except`.
void take_changes(FieldOwners& owners, Comparison& comparison, const FieldOwner* except) {
  for (FieldOwner& owner : owners) {
    if (&owner == except) continue;
    const FieldChanges* changes = comparison.in(owner.api_version);
    if (changes == nullptr) {
      owner.fields.clear();
      continue;
    }
    api::subtract_fields(owner.fields, changes->set);
    api::subtract_fields(owner.fields, changes->gone);
  }
}

// `next` may say who owns it; else it is as before. nullopt: nobody does, by wish.
std::optional<FieldOwners> owners_before(const FieldWriter& writer, const json::value* current,
                                         const json::value& next) {
  if (writer.subresource.empty()) {
    if (is_owner_reset(next)) return std::nullopt;
    std::optional<FieldOwners> given = parse_owners(next);
    if (given && !given->empty()) return given;
  }
  std::optional<FieldOwners> owners;
  if (current != nullptr) owners = parse_owners(*current);
  return owners ? std::move(owners) : FieldOwners();
}

struct Conflict {
  const FieldOwner* owner;
  std::string path;
};

api::ApiError conflict_error_of(const std::vector<Conflict>& conflicts) {
  std::string message = "Apply failed with " + std::to_string(conflicts.size());
  if (conflicts.size() == 1) {
    message += " conflict: conflict with " + conflicts[0].owner->text() + ": " + conflicts[0].path;
  } else {
    message += " conflicts: ";
    const FieldOwner* told = nullptr;
    for (const Conflict& conflict : conflicts) {
      if (told != nullptr) message += "\n";
      if (std::exchange(told, conflict.owner) != conflict.owner) {
        message += "conflicts with " + conflict.owner->text() + ":\n";
      }
      message += "- " + conflict.path;
    }
  }
  api::ApiError error;
  error.http_code = 409;
  json::array causes;
  for (const Conflict& conflict : conflicts) {
    causes.push_back(json::object{{"reason", "FieldManagerConflict"},
                                  {"message", "conflict with " + conflict.owner->text()},
                                  {"field", conflict.path}});
  }
  error.status = json::object{{"kind", "Status"},
                              {"apiVersion", "v1"},
                              {"metadata", json::object()},
                              {"status", "Failure"},
                              {"message", message},
                              {"reason", "Conflict"},
                              {"details", json::object{{"causes", std::move(causes)}}},
                              {"code", 409}};
  return error;
}

// A failure upstream has no reason for: 500 with the bare text.
api::ApiError plain_failure(const std::string& message) {
  api::ApiError error;
  error.http_code = 500;
  error.status =
      json::object{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object()},
                   {"status", "Failure"}, {"message", message}, {"code", 500}};
  return error;
}

std::string kind_text(std::string_view api_version, std::string_view kind) {
  std::string version(api_version);
  if (version.find('/') == std::string::npos) version.insert(0, "/");
  return version + ", Kind=" + std::string(kind);
}

class Applier {
 public:
  Applier(const FieldWriter& writer, const json::value* current, const ApplyRequest& request)
      : writer_(writer),
        schema_(*writer.info.schema),
        request_(request),
        config_(request.config),
        live_(current == nullptr ? json::object() : *current) {}

  Outcome<json::value> run(bool exists) {
    const Outcome<Done> good = check();
    if (!good.ok()) return good.error();
    if (auto parsed = parse_owners(live_)) owners_ = *std::move(parsed);
    if (!live_.is_object()) live_.emplace_object();
    if (json::value* metadata = find_member(live_.get_object(), "metadata")) {
      if (metadata->is_object()) erase_key(metadata->get_object(), "managedFields");
    }
    std::erase_if(owners_, [](const FieldOwner& owner) { return owner.fields.empty(); });
    if (owners_.empty() && exists) own_what_was_there();
    drop_what_is_not_ours();
    const size_t me = my_place();
    const FieldSet last =
        owners_[me].api_version == writer_.info.api_version ? owners_[me].fields : FieldSet();
    owners_[me].api_version = writer_.info.api_version;
    owners_[me].time = writer_.time;
    owners_[me].fields = api::fields_named(config_, schema_);
    json::value merged = live_;
    api::merge_configuration(merged, config_, &schema_);
    if (!last.empty()) prune(merged, last);
    const Status decoded = api::decode_in_place(merged, schema_, nullptr);
    if (!decoded.ok()) {
      return plain_failure("unable to convert unstructured object to " +
                           kind_text(writer_.info.api_version, writer_.info.kind) + ": " +
                           decoded.message());
    }
    api::strip_unowned(owners_[me].fields);
    Comparison comparison(writer_, writer_.info, live_, merged);
    std::vector<Conflict> conflicts = conflicts_with(me, comparison);
    if (!conflicts.empty() && !request_.force) {
      if (writer_.manager == "kubectl") forgive_client_side(conflicts);
      if (!conflicts.empty()) return conflict_error_of(conflicts);
    }
    take_changes(owners_, comparison, &owners_[me]);
    store_owners(merged, std::move(owners_));
    if (writer_.manager == "kubectl") refresh_last_applied(merged);
    return merged;
  }

 private:
  Outcome<Done> check() const {
    const std::string wanted = kind_text(writer_.info.api_version, writer_.info.kind);
    const std::string given = kind_text(api::api_version_of(config_), api::kind_of(config_));
    if (given != wanted) return api::bad_request_error("invalid object type: " + given);
    const json::value* managed = find(config_, "metadata.managedFields");
    if (managed != nullptr && !managed->is_null()) {
      return api::bad_request_error("metadata.managedFields must be nil");
    }
    const std::vector<std::string> faults = api::check_configuration(config_, schema_);
    if (faults.empty()) return Done{};
    std::string why = faults.size() == 1 ? faults[0] : "errors:";
    for (size_t i = 0; faults.size() > 1 && i < faults.size(); ++i) why += "\n  " + faults[i];
    return plain_failure("failed to create typed patch object (" + request_.ns + "/" +
                         request_.name + "; " + wanted + "): " + why);
  }

  // Upstream's name for whoever made an object that nobody was said to own.
  void own_what_was_there() {
    FieldOwner owner = updater(writer_, kBeforeApply);
    owner.fields = api::compare_fields(empty_object(), live_, schema_).set;
    api::strip_unowned(owner.fields);
    if (writer_.subresource.empty() && writer_.info.has_status) {
      erase_key(owner.fields, "f:status");
    }
    owners_.push_back(std::move(owner));
  }

  // Through /status only the status is written, and never through the object's own door.
  void drop_what_is_not_ours() {
    json::object& members = config_.get_object();
    if (writer_.subresource == "status") {
      json::object kept;
      for (const std::string_view name : {"apiVersion", "kind", "metadata", "status"}) {
        if (json::value* value = find_member(members, name)) kept[name] = std::move(*value);
      }
      members = std::move(kept);
    } else if (writer_.info.has_status) {
      erase_key(members, "status");
    }
  }

  size_t my_place() {
    FieldOwner me = updater(writer_, writer_.manager);
    me.applier = true;
    for (size_t i = 0; i < owners_.size(); ++i) {
      if (owners_[i].same_as(me)) return i;
    }
    owners_.push_back(std::move(me));
    return owners_.size() - 1;
  }

  // Takes out what this manager's last configuration named, this one does not, and nobody owns.
  void prune(json::value& merged, const FieldSet& last) const {
    const FieldSet mine = api::with_parents(last, &schema_);
    json::value pruned = merged;
    api::remove_fields(pruned, mine, &schema_);
    const FieldSet whole = api::with_parents(api::fields_named(merged, schema_), &schema_);
    FieldSet kept = api::with_parents(api::fields_named(pruned, schema_), &schema_);
    for (const FieldOwner& owner : owners_) {
      api::add_fields(kept, api::with_parents(owner.fields, &schema_));
    }
    FieldSet unowned = whole;
    api::subtract_fields(unowned, kept);
    pruned = merged;
    api::remove_fields(pruned, unowned, &schema_);
    FieldSet gone = whole;
    api::subtract_fields(gone, api::with_parents(api::fields_named(pruned, schema_), &schema_));
    api::remove_fields(merged, api::common_fields(gone, mine), &schema_);
  }

  std::vector<Conflict> conflicts_with(size_t me, Comparison& comparison) const {
    std::vector<const FieldOwner*> others;
    for (size_t i = 0; i < owners_.size(); ++i) {
      if (i != me) others.push_back(&owners_[i]);
    }
    std::sort(others.begin(), others.end(),
              [](const FieldOwner* a, const FieldOwner* b) { return a->id() < b->id(); });
    std::vector<Conflict> out;
    for (const FieldOwner* owner : others) {
      const FieldChanges* changes = comparison.in(owner->api_version);
      if (changes == nullptr) continue;
      api::each_field(
          api::common_fields(owner->fields, changes->set),
          [&](const api::FieldNames& path) { out.push_back({owner, api::field_path_text(path)}); });
    }
    return out;
  }

  // Fields that kubectl's client-side apply set, and that are still so, kubectl may change.
  void forgive_client_side(std::vector<Conflict>& conflicts) const {
    const auto last = parse_json(api::annotation_of(live_, kLastApplied));
    if (!last.ok() || !last->is_object()) return;
    if (api::api_version_of(*last) != writer_.info.api_version) return;
    FieldSet allowed = api::fields_named(*last, schema_);
    const FieldChanges since = api::compare_fields(*last, live_, schema_);
    api::subtract_fields(allowed, since.set);
    api::subtract_fields(allowed, since.gone);
    std::vector<std::string> paths;
    api::each_field(
        allowed, [&](const api::FieldNames& path) { paths.push_back(api::field_path_text(path)); });
    std::sort(paths.begin(), paths.end());
    std::erase_if(conflicts, [&](const Conflict& conflict) {
      return std::binary_search(paths.begin(), paths.end(), conflict.path);
    });
  }

  // An object that client-side apply knows is kept so that it can go on.
  void refresh_last_applied(json::value& merged) const {
    const json::value* annotations = find(merged, "metadata.annotations");
    if (annotations == nullptr || find_keys(*annotations, {kLastApplied}) == nullptr) return;
    json::value shown = request_.config;
    json::object& metadata = api::metadata_of(shown);
    if (json::value* mine = find_member(metadata, "annotations"); mine && mine->is_object()) {
      erase_key(mine->get_object(), kLastApplied);
    }
    api::set_annotation(merged, kLastApplied, to_json(sorted_keys(shown)) + "\n");
    size_t size = 0;
    for (const auto& member : api::annotations_of(merged)) {
      size += member.key().size();
      if (member.value().is_string()) size += member.value().get_string().size();
    }
    if (size > kAnnotationsMax) api::remove_annotation(merged, kLastApplied);
  }

  const FieldWriter& writer_;
  const api::Schema& schema_;
  const ApplyRequest& request_;
  json::value config_;
  json::value live_;
  FieldOwners owners_;
};

}  // namespace

void track_update(const FieldWriter& writer, const json::value* current, json::value& next) {
  std::optional<FieldOwners> owners = owners_before(writer, current, next);
  const bool untracked = !owners || (owners->empty() && current != nullptr);
  if (untracked) {
    erase_key(api::metadata_of(next), "managedFields");
    return;
  }
  Comparison comparison(writer, writer.storage, current == nullptr ? empty_object() : *current,
                        next);
  const FieldChanges* changes = comparison.in(writer.info.api_version);
  CHECK_MSG(changes != nullptr, "a served version has a schema: " << writer.info.api_version);
  if (!changes->empty()) {
    FieldOwner me = updater(writer, writer.manager);
    // Of nobody else's is anything taken: then it is needed no more.
    if (owners->empty()) {
      me.fields = comparison.take_set(writer.info.api_version);
    } else {
      me.fields = changes->set;
    }
    // A create's status is what the server makes of it.
    if (current == nullptr && writer.info.has_status) erase_key(me.fields, "f:status");
    take_changes(*owners, comparison, nullptr);
    const auto same = std::find_if(owners->begin(), owners->end(),
                                   [&](const FieldOwner& owner) { return owner.same_as(me); });
    if (same == owners->end()) {
      owners->push_back(std::move(me));
    } else if (!me.fields.empty()) {
      api::add_fields(same->fields, me.fields);
      same->time = writer.time;
    }
  }
  store_owners(next, *std::move(owners));
}

Outcome<json::value> apply_configuration(const FieldWriter& writer, const json::value* current,
                                         const ApplyRequest& request) {
  return Applier(writer, current, request).run(current != nullptr);
}

}  // namespace coracle::apiserver
