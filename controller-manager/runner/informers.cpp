#include "runner/informers.hpp"

#include <algorithm>

#include "api/catalog.hpp"
#include "api/object.hpp"

namespace coracle::controllers {
namespace {

std::string kind_of(const client::Gvr& gvr) {
  const api::ResourceInfo* info = api::Catalog::builtin().find(gvr.group, gvr.version, gvr.plural);
  return info == nullptr ? std::string() : info->kind;
}

}  // namespace

client::Informer& SharedInformers::get(const client::Gvr& gvr) {
  auto& slot = informers_[{gvr.group, gvr.plural}];
  if (slot) return *slot;
  client::InformerOptions options;
  options.gvr = gvr;
  // The items of a list carry no kind and apiVersion; events and writes need them.
  options.transform = [version = gvr.api_version(), kind = kind_of(gvr)](json::value& object) {
    json::object& root = make_object(object, "");
    if (!root.contains("apiVersion")) root["apiVersion"] = version;
    if (!root.contains("kind") && !kind.empty()) root["kind"] = kind;
    erase_key(api::metadata_of(object), "managedFields");
  };
  slot = std::make_unique<client::Informer>(executor_, api_, rng_.split(), std::move(options));
  add_common_indexes([&](const std::string& name, client::IndexFunction function) {
    slot->add_index(name, std::move(function));
  });
  return *slot;
}

void SharedInformers::start() {
  for (auto& [key, informer] : informers_) informer->start();
}

void SharedInformers::stop() {
  for (auto& [key, informer] : informers_) informer->stop();
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
