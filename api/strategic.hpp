// strategic: what applying and making strategic merge patches share. Internal to api. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "base/json.hpp"

namespace coracle::api::strategic {

inline constexpr std::string_view kDirective = "$patch";
inline constexpr std::string_view kRetainKeys = "$retainKeys";
inline constexpr std::string_view kSetOrder = "$setElementOrder/";
inline constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

// How a field merges. Fields the schema does not know merge as maps and replace as lists.
struct FieldMeta {
  const Schema* schema = nullptr;  // of the members of a map, or of the elements of a list
  std::string_view merge_key;
  bool merge = false;  // lists: by key or as a set
  bool replace = false;
  bool retain_keys = false;
};
FieldMeta map_field(const Schema* parent, std::string_view name);
FieldMeta list_field(const Schema* parent, std::string_view name);

// As Go's %v: map[a:1 b:x], [a b].
std::string go_text(const json::value& value);

// `expected a X, but received a Y`, `map: ... does not contain declared merge key: name`
Status bad_type(std::string_view expected, const json::value& actual);
Status no_merge_key(const json::value& item, std::string_view key);

// The position of the element with the key value (or the equal scalar, when key is empty); -1.
int index_of(const json::array& list, const json::value& item, std::string_view key);
// Every element is an object with the key.
Status check_keys(const json::array& list, std::string_view key);
// Elements are objects (true) or scalars (false); mixed lists fail.
Result<bool> holds_objects(const json::array& a, const json::array& b);

// Elements named by the patch in the patch's order, the others between them as the server had them.
json::array order_elements(const json::array& merged, const json::array& patch_order,
                           const json::array& server_order, std::string_view key);

enum class MergeMode {
  kApply,    // onto an object: directives act and vanish, unmatched nulls vanish
  kCombine,  // two patches into one: directives and nulls stay
};
Status merge_map(json::object& original, const json::object& patch, const Schema* schema,
                 MergeMode mode);

struct DiffOptions {
  bool ignore_changes = false;
  bool ignore_deletions = false;
  bool set_element_order = false;
};
Result<json::object> diff_maps(const json::object& original, const json::object& modified,
                               const Schema* schema, const DiffOptions& options);

// Whether two patches of one object want different things.
bool have_conflicts(const json::value& left, const json::value& right, const Schema* schema);

}  // namespace coracle::api::strategic
