#include "controllers/int_or_percent.hpp"

#include "base/strings.hpp"

namespace coracle::controllers {

std::int64_t resolve_int_or_percent(const json::value* value, std::int64_t total, bool round_up,
                                    std::int64_t fallback) {
  if (value == nullptr) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (!value->is_string()) return fallback;
  std::string_view text(value->get_string());
  long long percent = 0;
  if (!text.ends_with('%') || !parse_int(text.substr(0, text.size() - 1), &percent)) {
    return fallback;
  }
  const std::int64_t scaled = percent * total;
  return round_up ? (scaled + 99) / 100 : scaled / 100;
}

}  // namespace coracle::controllers
