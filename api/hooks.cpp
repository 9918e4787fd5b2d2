#include "api/hooks.hpp"

#include <algorithm>
#include <tuple>

#include "base/check.hpp"

namespace coracle::api {

void HookTable::add_kinds(std::span<const KindHooks> hooks) {
  kinds_.insert(kinds_.end(), hooks.begin(), hooks.end());
  std::sort(kinds_.begin(), kinds_.end(), [](const KindHooks& a, const KindHooks& b) {
    return std::tie(a.group, a.kind) < std::tie(b.group, b.kind);
  });
  const auto twice =
      std::adjacent_find(kinds_.begin(), kinds_.end(), [](const KindHooks& a, const KindHooks& b) {
        return a.group == b.group && a.kind == b.kind;
      });
  CHECK_MSG(twice == kinds_.end(), "hooks of " << twice->kind << " are registered twice");
}

void HookTable::add_columns(std::span<const ColumnHook> hooks) {
  columns_.insert(columns_.end(), hooks.begin(), hooks.end());
  std::sort(columns_.begin(), columns_.end(),
            [](const ColumnHook& a, const ColumnHook& b) { return a.name < b.name; });
}

const KindHooks& HookTable::kind(std::string_view group, std::string_view kind) const {
  static const KindHooks kNone{};
  const auto it = std::lower_bound(
      kinds_.begin(), kinds_.end(), std::tie(group, kind),
      [](const KindHooks& h, const auto& key) { return std::tie(h.group, h.kind) < key; });
  return it != kinds_.end() && it->group == group && it->kind == kind ? *it : kNone;
}

const ColumnHook* HookTable::column(std::string_view name) const {
  const auto it =
      std::lower_bound(columns_.begin(), columns_.end(), name,
                       [](const ColumnHook& h, std::string_view key) { return h.name < key; });
  return it != columns_.end() && it->name == name ? &*it : nullptr;
}

}  // namespace coracle::api
