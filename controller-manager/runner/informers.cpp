#include "runner/informers.hpp"

#include <algorithm>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "base/log.hpp"
#include "controllers/custom_kinds.hpp"

namespace coracle::controllers {
namespace {

std::string kind_of(const client::Gvr& gvr) {
  const api::ResourceInfo* info = api::Catalog::builtin().find(gvr.group, gvr.version, gvr.plural);
  return info == nullptr ? std::string() : info->kind;
}

}  // namespace

client::Informer& SharedInformers::get(const client::Gvr& gvr) {
  auto& slot = informers_[{gvr.group, gvr.plural}];
  if (!slot) slot = make(gvr, kind_of(gvr));
  return *slot;
}

std::unique_ptr<client::Informer> SharedInformers::make(const client::Gvr& gvr, std::string kind) {
  client::InformerOptions options;
  options.gvr = gvr;
  // The items of a list carry no kind and apiVersion; events and writes need them.
  options.transform = [version = gvr.api_version(), kind = std::move(kind)](json::value& object) {
    json::object& root = make_object(object, "");
    if (!root.contains("apiVersion")) root["apiVersion"] = version;
    if (!root.contains("kind") && !kind.empty()) root["kind"] = kind;
    erase_key(api::metadata_of(object), "managedFields");
  };
  auto informer =
      std::make_unique<client::Informer>(executor_, api_, rng_.split(), std::move(options));
  add_common_indexes(gvr, [&](const std::string& name, client::IndexFunction function) {
    informer->add_index(name, std::move(function));
  });
  return informer;
}

void SharedInformers::follow_custom_kinds() {
  get(gvr::kCustomResourceDefinitions)
      .add_handler(
          {[this](const auto& o, bool) { on_definition(client::object_key(*o), o.get()); },
           [this](const auto&, const auto& o) { on_definition(client::object_key(*o), o.get()); },
           [this](const auto& o, bool) { on_definition(client::object_key(*o), nullptr); }});
}

void SharedInformers::on_custom_kind(Told told) {
  for (auto& [name, custom] : custom_) told(custom.gvr, *custom.informer);
  told_.push_back(std::move(told));
}

const client::Informer* SharedInformers::find(const client::Gvr& gvr) const {
  const auto found = informers_.find({gvr.group, gvr.plural});
  if (found != informers_.end()) return found->second.get();
  const auto custom = custom_.find(gvr.plural + "." + gvr.group);
  return custom == custom_.end() ? nullptr : custom->second.informer.get();
}

void SharedInformers::on_definition(const std::string& name, const json::value* definition) {
  const CustomKind kind = definition == nullptr ? CustomKind() : custom_kind_of(*definition);
  const auto had = custom_.find(name);
  if (had != custom_.end()) {
    if (had->second.gvr == kind.gvr) return;
    had->second.informer->stop();
    // Not inside a handler: it may be the last to use what it is told about.
    executor_.post([gone = std::make_shared<Custom>(std::move(had->second))] {});
    custom_.erase(had);
  }
  if (kind.kind.empty()) return;
  if (custom_.size() >= kCustomKindsMax) {
    return log::warn("{} custom kinds are followed, {} is not", custom_.size(), name);
  }
  Custom& custom = custom_[name];
  custom = {kind.gvr, make(kind.gvr, kind.kind)};
  for (const Told& told : told_) told(custom.gvr, *custom.informer);
  custom.informer->start();
}

void SharedInformers::start() {
  for (auto& [key, informer] : informers_) informer->start();
}

void SharedInformers::stop() {
  for (auto& [key, informer] : informers_) informer->stop();
  for (auto& [name, custom] : custom_) custom.informer->stop();
}

bool SharedInformers::has_synced() const {
  return std::all_of(informers_.begin(), informers_.end(),
                     [](const auto& entry) { return entry.second->has_synced(); });
}

void SharedInformers::when_synced(std::function<void()> work) {
  auto left = std::make_shared<size_t>(informers_.size());
  auto then = std::make_shared<std::function<void()>>(std::move(work));
  if (*left == 0) return (*then)();
  for (auto& [key, informer] : informers_) {
    informer->when_synced([left, then] {
      if (--*left == 0) (*then)();
    });
  }
}

}  // namespace coracle::controllers
