// ObjectReader: reads a JSON object member by member and remembers what nobody asked for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::scheduler {

// What is wrong with the form of a document.
struct FormErrors {
  std::vector<std::string> unknown;  // paths of members that do not exist
  std::string first_wrong_type;      // "profiles[0].schedulerName: want a string"

  // As upstream's strict decoder words it; Ok when there is none.
  Status status() const;
};

class ObjectReader {
 public:
  // `path` is empty at the top. Null reads as an empty object.
  ObjectReader(const json::value& value, std::string path, FormErrors& errors);
  ~ObjectReader();  // members that were not asked for are unknown
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  // Null: it is not there, or null.
  const json::value* find(std::string_view name);
  std::string path(std::string_view name) const;
  std::string path(std::string_view name, size_t index) const;

  // They leave `out` as it is when the member is not there. True if it was.
  bool read(std::string_view name, std::string* out);
  bool read(std::string_view name, bool* out);
  bool read(std::string_view name, std::int64_t* out);
  bool read(std::string_view name, Duration* out);  // "15s"
  bool read(std::string_view name, std::vector<std::string>* out);
  bool skip(std::string_view name) { return find(name) != nullptr; }
  const json::array& list(std::string_view name);

 private:
  void wrong(std::string_view name, std::string_view want);

  const json::object* object_ = nullptr;
  const std::string path_;
  FormErrors& errors_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace coracle::scheduler
