// hooks: what a kind does that its schema cannot say. Plain tables, assembled in one place; no
// self-registering statics. Hooks are pure functions; bad input is a FieldError, never a crash
// (the object passed decoding: types are right, members may be missing).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "api/field_error.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::api {

// Any member may be nullptr. Called by api/strategy.hpp in this order: set_defaults,
// prepare_create | prepare_update, validate.
struct KindHooks {
  std::string_view group;  // "" is core; hooks are for every version with the same shape
  std::string_view kind;
  // After the schema's static defaults. Must be idempotent.
  void (*set_defaults)(json::object& object) = nullptr;
  // After the general rules (status reset, generation = 1, uid given).
  void (*prepare_create)(json::object& object) = nullptr;
  // Before generation is compared; `old` is the stored object. Not for writes to /status.
  void (*prepare_update)(json::object& object, const json::value& old) = nullptr;
  // `old` is nullptr on create. Metadata and the schema were checked already.
  void (*validate)(const json::value& object, const json::value* old,
                   FieldErrors& errors) = nullptr;
  // Writes to /status.
  void (*validate_status)(const json::value& object, const json::value& old,
                          FieldErrors& errors) = nullptr;
  // How metadata.name is checked; default DNS-1123 subdomain.
  std::vector<std::string> (*check_name)(std::string_view name) = nullptr;
  // Texts for Warning headers.
  void (*warnings)(const json::value& object, const json::value* old,
                   std::vector<std::string>& out) = nullptr;
};

// One cell of a table: string, integer or null (prints as <none>... the hook says it itself).
struct ColumnHook {
  std::string_view name;  // "pod.ready"
  json::value (*cell)(const json::value& object, WallTime now) = nullptr;
};

class HookTable {
 public:
  // Later entries of the same kind win over nothing: a kind given twice is a CHECK.
  void add_kinds(std::span<const KindHooks> hooks);
  void add_columns(std::span<const ColumnHook> hooks);
  // A table of empty hooks when the kind has none.
  const KindHooks& kind(std::string_view group, std::string_view kind) const;
  const ColumnHook* column(std::string_view name) const;

 private:
  std::vector<KindHooks> kinds_;     // sorted by group, kind
  std::vector<ColumnHook> columns_;  // sorted by name
};

// All hooks of the built-in kinds. Defined in target api_hooks (folders validation, defaults,
// columns), which links above api; cores of tests may pass an empty HookTable instead.
const HookTable& builtin_hooks();

}  // namespace coracle::api
