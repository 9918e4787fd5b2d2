#include "driver/surroundings.hpp"

#include <algorithm>

#include "api/object.hpp"

namespace coracle::scheduler {
namespace {

void keep_selector(std::map<std::string, api::LabelSelector>& map, const std::string& key,
                   const json::value* object, bool plain_map) {
  map.erase(key);
  if (object == nullptr) return;
  const json::value* selector = find(*object, "spec.selector");
  if (selector == nullptr || !selector->is_object() || selector->as_object().empty()) return;
  if (plain_map) {
    map.emplace(key, api::LabelSelector::from_map(selector->as_object()));
  } else if (auto parsed = api::LabelSelector::from_object(selector); parsed.ok()) {
    map.emplace(key, std::move(*parsed));
  }
}

auto keep_in(std::map<std::string, SharedObject>& objects) {
  return [&objects](const std::string& key, const client::ObjectPtr& object) {
    objects.erase(key);
    if (object != nullptr) objects.emplace(key, object);
  };
}

}  // namespace

Surroundings::Surroundings(Executor& executor, client::Api& api, Rng rng, Snapshot& world,
                           std::function<void(Change)> changed)
    : changed_(std::move(changed)) {
  claims_ = watch(executor, api, rng.split(), {"", "v1", "persistentvolumeclaims"}, event::kClaim,
                  [&world](const std::string& key, const client::ObjectPtr& object) {
                    world.claims.erase(key);
                    world.storage.claims.erase(key);
                    if (object == nullptr) return;
                    world.claims.emplace(key, parse_claim(*object));
                    world.storage.claims.emplace(key, object);
                  });
  volumes_ =
      watch(executor, api, rng.split(), {"", "v1", "persistentvolumes", false}, event::kVolume,
            [&world](const std::string& name, const client::ObjectPtr& object) {
              world.volumes.erase(name);
              world.storage.volumes.erase(name);
              if (object == nullptr) return;
              if (auto disk = parse_volume(*object)) world.volumes.emplace(name, *disk);
              world.storage.volumes.emplace(name, object);
            });
  classes_ = watch(executor, api, rng.split(), {"storage.k8s.io", "v1", "storageclasses", false},
                   event::kStorageClass, keep_in(world.storage.classes));
  watch(executor, api, rng.split(), {"storage.k8s.io", "v1", "csinodes", false}, event::kCsi,
        keep_in(world.storage.csi_nodes));
  watch(executor, api, rng.split(), {"storage.k8s.io", "v1", "csidrivers", false}, event::kCsi,
        keep_in(world.storage.csi_drivers));
  watch(executor, api, rng.split(), {"storage.k8s.io", "v1", "csistoragecapacities"}, event::kCsi,
        keep_in(world.storage.capacities));
  watch(executor, api, rng.split(), {"", "v1", "namespaces", false}, event::kNamespace,
        [&world](const std::string& key, const client::ObjectPtr& object) {
          world.set_namespace(key, object == nullptr ? nullptr : &api::labels_of(*object));
        });
  watch(executor, api, rng.split(), {"scheduling.k8s.io", "v1alpha2", "podgroups"},
        event::kPodGroup, [&world](const std::string& key, const client::ObjectPtr& object) {
          if (object == nullptr) {
            world.groups.remove(key);
          } else {
            world.groups.set(key, PodGroups::parse(*object));
          }
        });
  watch(executor, api, rng.split(), {"policy", "v1", "poddisruptionbudgets"}, 0,
        [&world](const std::string& key, const client::ObjectPtr& object) {
          world.budgets.erase(key);
          if (object != nullptr) world.budgets.emplace(key, parse_budget(*object));
        });
  watch(executor, api, rng.split(), {"", "v1", "services"}, 0,
        [&world](const std::string& key, const client::ObjectPtr& object) {
          const size_t slash = key.find('/');
          keep_selector(world.workloads.services[key.substr(0, slash)], key.substr(slash + 1),
                        object.get(), true);
        });
  watch(executor, api, rng.split(), {"apps", "v1", "replicasets"}, 0,
        [&world](const std::string& key, const client::ObjectPtr& object) {
          keep_selector(world.workloads.controllers, "ReplicaSet/" + key, object.get(), false);
        });
  watch_devices(executor, api, rng, world);
}

void Surroundings::watch_devices(Executor& executor, client::Api& api, Rng rng, Snapshot& world) {
  const std::string group = "resource.k8s.io";
  devices_ = {
      watch(executor, api, rng.split(), {group, "v1", "resourceclaims"}, event::kDeviceClaim,
            [&world](const std::string& key, const client::ObjectPtr& object) {
              world.devices.set_claim(key, object);
            }),
      watch(executor, api, rng.split(), {group, "v1", "resourceslices", false}, event::kDevices,
            [&world](const std::string& name, const client::ObjectPtr& object) {
              world.devices.set_slice(name, object);
            }),
      watch(executor, api, rng.split(), {group, "v1", "deviceclasses", false}, event::kDevices,
            keep_in(world.devices.classes))};
  for (client::Informer* informer : devices_) {
    informer->when_synced([this, &world] { devices_known(world); });
  }
}

void Surroundings::devices_known(Snapshot& world) {
  world.devices.known = std::all_of(devices_.begin(), devices_.end(),
                                    [](const auto* informer) { return informer->has_synced(); });
  if (world.devices.known) changed_({.events = event::kDeviceClaim | event::kDevices});
}

client::Informer* Surroundings::watch(Executor& executor, client::Api& api, Rng rng,
                                      client::Gvr gvr, Events events, Set set) {
  // What is needed of an object is kept by `set`.
  auto informer = std::make_unique<client::Informer>(
      executor, api, rng, client::InformerOptions{.gvr = std::move(gvr), .stub = client::stub_of});
  const auto take = [this, set, events](const client::ObjectPtr& object, bool gone) {
    const std::string key = client::object_key(*object);
    set(key, gone ? nullptr : object);
    Change change{.events = events};
    if (events == event::kClaim || events == event::kDeviceClaim) change.claim = key;
    if (events != 0) changed_(change);
  };
  informer->add_handler({[take](const auto& object, bool) { take(object, false); },
                         [take](const auto&, const auto& object) { take(object, false); },
                         [take](const auto& object, bool) { take(object, true); }});
  informers_.push_back(std::move(informer));
  return informers_.back().get();
}

void Surroundings::start() {
  for (auto& informer : informers_) informer->start();
}

void Surroundings::when_synced(std::function<void()> work) {
  claims_->when_synced([this, work = std::move(work)] {
    volumes_->when_synced([this, work] { classes_->when_synced(work); });
  });
}

}  // namespace coracle::scheduler
