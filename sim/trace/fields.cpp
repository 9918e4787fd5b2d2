#include "trace/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "trace/amounts.hpp"

namespace coracle::sim {

const json::value* Fields::find(std::string_view name) {
  taken_.push_back(name);
  return object_.if_contains(name);
}

void Fields::missing(std::string_view name) { wrong(name, "is missing"); }

void Fields::wrong(std::string_view name, std::string_view what) {
  if (first_.ok()) first_ = invalid_argument(fmt::format("{}: {}", name, what));
}

bool Fields::take(std::string_view name, std::string* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_string()) {
    *out = std::string(value->as_string());
  } else {
    wrong(name, "want a string");
  }
  return true;
}

bool Fields::take(std::string_view name, bool* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_bool()) {
    *out = value->as_bool();
  } else {
    wrong(name, "want true or false");
  }
  return true;
}

bool Fields::take(std::string_view name, std::int64_t* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_int64() && value->as_int64() >= 0) {
    *out = value->as_int64();
  } else {
    wrong(name, "want a whole number that is not negative");
  }
  return true;
}

bool Fields::take(std::string_view name, Duration* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_number()) {
    wrong(name, "want seconds, as a number");
    return true;
  }
  const Result<Duration> seconds = seconds_of(value->to_number<double>());
  if (seconds.ok()) {
    *out = *seconds;
  } else {
    wrong(name, seconds.status().message());
  }
  return true;
}

bool Fields::take(std::string_view name, json::object* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_object()) {
    *out = value->as_object();
  } else {
    wrong(name, "want an object");
  }
  return true;
}

bool Fields::take(std::string_view name, json::array* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_array()) {
    *out = value->as_array();
  } else {
    wrong(name, "want a list");
  }
  return true;
}

bool Fields::take_amounts(std::string_view name, json::object* out) {
  if (!take(name, out)) return false;
  for (const auto& [resource, amount] : *out) {
    const std::string field = fmt::format("{}.{}", name, std::string_view(resource));
    if (!amount.is_string()) {
      wrong(field, "want a quantity, as a string: \"500m\"");
      continue;
    }
    const Result<api::Quantity> quantity =
        api::Quantity::parse(std::string_view(amount.as_string()));
    if (!quantity.ok()) {
      wrong(field, fmt::format("{} is no quantity", quoted(std::string_view(amount.as_string()))));
    } else if (quantity->sign() < 0) {
      wrong(field, "an amount is not negative");
    } else if (const double most = amount_max(resource); quantity->as_double() > most) {
      wrong(field, fmt::format("{} is too much: at most {:.0f}",
                               quoted(std::string_view(amount.as_string())), most));
    }
  }
  return true;
}

bool Fields::take_texts(std::string_view name, json::object* out) {
  if (!take(name, out)) return false;
  for (const auto& [key, text] : *out) {
    if (!text.is_string())
      wrong(fmt::format("{}.{}", name, std::string_view(key)), "want a string");
  }
  return true;
}

Status Fields::finish() const {
  if (!first_.ok()) return first_;
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::find(taken_.begin(), taken_.end(), name) != taken_.end()) continue;
    return invalid_argument(
        fmt::format("{}: there is no such field; there are {}", name, fmt::join(taken_, ", ")));
  }
  return {};
}

std::string seconds_text(Duration duration) {
  const std::int64_t micros = std::chrono::round<std::chrono::microseconds>(duration).count();
  std::string text = fmt::format("{}", micros / 1'000'000);
  if (micros % 1'000'000 == 0) return text;
  text += fmt::format(".{:06}", micros % 1'000'000);
  while (text.back() == '0') text.pop_back();
  return text;
}

Result<Duration> seconds_of(double seconds) {
  constexpr double kMax = std::chrono::duration<double>(kLatest).count();
  if (std::isnan(seconds) || seconds < 0) {
    return invalid_argument(fmt::format("{} is no time: it is before the trace begins", seconds));
  }
  if (seconds > kMax) return invalid_argument("is more than 100 years; the unit is seconds");
  return Duration(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

}  // namespace coracle::sim
