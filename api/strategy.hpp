// strategy: the steps of a write, in order, for any kind: decode -> default -> prepare -> validate.
// The apiserver calls them; nothing here reads a clock (uid, creationTimestamp, resourceVersion and
// generated names are the caller's). Pure.
#pragma once

#include <vector>

#include "api/catalog.hpp"
#include "api/field_error.hpp"
#include "api/hooks.hpp"
#include "base/json.hpp"

namespace coracle::api {

// What a write may touch.
enum class WriteTarget { kObject, kStatus, kMetadataOnly };

// Static defaults, then the kind's computed ones. Also for objects read from the store, when they
// were written by others.
void default_object(const ResourceInfo& info, const HookTable& hooks, json::value& object);

// What the server gives a new object; empty: left out.
struct Birth {
  std::string uid, created;
};
// Create: status removed (where it is a subresource), generation = 1 (where the kind counts),
// deletion fields, selfLink and uid from the client dropped, the server's own set.
void prepare_create(const ResourceInfo& info, const HookTable& hooks, json::value& object,
                    const Birth& birth = {});

// Update: kObject keeps the old status, kStatus keeps everything but status and metadata's
// labels, annotations, finalizers, owner references (as upstream: metadata of the old, status of
// the new; managedFields are the new). System metadata always comes from `old` (uid,
// creationTimestamp, deletion fields, selfLink). generation = old + 1 when anything outside
// metadata and status changed.
void prepare_update(const ResourceInfo& info, const HookTable& hooks, WriteTarget target,
                    json::value& object, const json::value& old);

// Metadata, structure, then the kind's hook; an error of the hook replaces a structural one of the
// same field. Empty = good.
FieldErrors validate_create(const ResourceInfo& info, const HookTable& hooks,
                            const json::value& object);
FieldErrors validate_update(const ResourceInfo& info, const HookTable& hooks, WriteTarget target,
                            const json::value& object, const json::value& old);

// Whether two bodies are the same write: equal but for resourceVersion and managedFields' times.
// A write that changes nothing keeps its resourceVersion and makes no event.
bool same_object(const json::value& a, const json::value& b);

// Converts between versions of one storage prefix (core/v1 Event <-> events.k8s.io/v1 Event);
// apiVersion and kind become those of `to`. No-op when they are the same shape.
void convert_object(const ResourceInfo& from, const ResourceInfo& to, json::value& object);

// autoscaling/v1 Scale of an object with scale paths, and back: only replicas are written.
Result<json::value> scale_of(const ResourceInfo& info, const json::value& object);
Status apply_scale(const ResourceInfo& info, const json::value& scale, json::value& object);

}  // namespace coracle::api
