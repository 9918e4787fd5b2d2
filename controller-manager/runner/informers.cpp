#include "runner/informers.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "controllers/custom_kinds.hpp"

namespace coracle::controllers {

client::Informer& SharedInformers::get(const client::Gvr& gvr) {
  auto& slot = informers_[{gvr.group, gvr.plural}];
  if (!slot) slot = make(gvr);
  return *slot;
}

std::unique_ptr<client::Informer> SharedInformers::make(const client::Gvr& gvr) {
  client::InformerOptions options;
  options.gvr = gvr;
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
  custom = {kind.gvr, make(kind.gvr)};
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
