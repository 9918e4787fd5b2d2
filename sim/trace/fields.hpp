// Fields: takes the members of one line of a trace, each once; what nobody took is unknown. The
// first thing that is wrong wins. Pure; the object must outlive it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::sim {

class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  // They leave `out` alone when the member is not there, and return whether it was.
  bool take(std::string_view name, std::string* out);
  bool take(std::string_view name, bool* out);
  bool take(std::string_view name, std::int64_t* out);  // not negative
  bool take(std::string_view name, Duration* out);      // seconds, not negative, to the microsecond
  bool take(std::string_view name, json::object* out);
  bool take(std::string_view name, json::array* out);
  bool take_amounts(std::string_view name, json::object* out);  // resource -> quantity
  bool take_texts(std::string_view name, json::object* out);    // string -> string
  template <class T>
  bool take(std::string_view name, std::optional<T>* out) {
    T value{};
    if (!take(name, &value)) return false;
    *out = std::move(value);
    return true;
  }
  // The member has to be there.
  template <class T>
  void must(std::string_view name, T* out) {
    if (!take(name, out)) missing(name);
  }
  void missing(std::string_view name);
  void wrong(std::string_view name, std::string_view what);

  // "field: what is wrong", also when members are left that nobody took.
  Status finish() const;

 private:
  const json::value* find(std::string_view name);

  const json::object& object_;
  std::vector<std::string_view> taken_;
  Status first_;
};

// Seconds, rounded to the microsecond: 86400, 0.25. At most kLatest.
inline constexpr Duration kLatest = std::chrono::hours(24 * 365 * 100);
std::string seconds_text(Duration duration);
// Out of range or not a number: InvalidArgument.
Result<Duration> seconds_of(double seconds);

}  // namespace coracle::sim
