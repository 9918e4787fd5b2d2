// The two halves of the PersistentVolume controller. Pure.
#pragma once

#include <vector>

#include "api/volume_match.hpp"
#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::storage {

void sync_claim(const World& world, const ObjectPtr& claim, Plan* plan);
void sync_volume(const World& world, const ObjectPtr& volume, Instant now, Plan* plan);

// The objects of a cache, in the order of their names.
std::vector<const json::value*> all_of(const World& world, const client::Gvr& gvr);
// The StorageClass that the claim names; null: none, or not there.
ObjectPtr class_of(const World& world, const json::value& claim);
bool waits_for_consumer(const World& world, const json::value& claim);
bool has_annotation(const json::value& object, const char* key);
std::string recycler_pod_name(const json::value& volume);

}  // namespace coracle::controllers::storage
