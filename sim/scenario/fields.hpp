// FieldReader: reads an object of a scenario file member by member. What is wrong is noted in
// Problems, by file, line and path, and reading goes on, so that a person is told everything at
// once. What nobody asked for is an unknown field. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "base/yaml.hpp"

namespace coracle::sim {

class Problems {
 public:
  Problems(std::string file, YamlLines lines) : file_(std::move(file)), lines_(std::move(lines)) {}

  // Told at the line of the path, or of the nearest member above it.
  void add(const std::string& path, const std::string& what);
  size_t count() const { return told_.size(); }
  // All of them, one a line: "FILE:LINE: PATH: WHAT"; Ok when there are none.
  Status status() const;

 private:
  int line_of(std::string_view path) const;

  std::string file_;
  YamlLines lines_;
  std::vector<std::pair<int, std::string>> told_;
};

class FieldReader {
 public:
  // Null reads as an empty object; another type is a problem.
  FieldReader(const json::value* value, std::string path, Problems& problems);
  ~FieldReader();  // members that were not asked for are unknown
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const;
  Problems& problems() { return problems_; }
  void wrong(std::string_view name, const std::string& what) { problems_.add(path(name), what); }

  // Null: it is not there, or null.
  const json::value* find(std::string_view name);
  // As find, and a problem when there is nothing.
  const json::value* need(std::string_view name);
  bool has(std::string_view name) { return find(name) != nullptr; }

  // They leave `out` as it is when the member is not there, or wrong. True: it was there and right.
  bool read(std::string_view name, std::string* out);
  bool read(std::string_view name, bool* out);
  bool read(std::string_view name, std::int64_t* out, std::int64_t low, std::int64_t high);
  bool read(std::string_view name, double* out, double low, double high);
  bool read(std::string_view name, Duration* out);  // "90s", "1h30m", "2d"; never negative
  bool read(std::string_view name, std::optional<Duration>* out);
  bool read(std::string_view name, std::vector<std::string>* out);
  bool read(std::string_view name, json::object* out);
  bool read(std::string_view name, json::array* out);
  // One of these words; its index.
  std::optional<size_t> choice(std::string_view name, const std::vector<std::string>& words);
  // Elements of a list, with their paths; empty when it is not there.
  std::vector<std::pair<const json::value*, std::string>> list(std::string_view name);

 private:
  const json::object* object_ = nullptr;
  const std::string path_;
  Problems& problems_;
  std::vector<std::string> asked_;
};

// "90s", "1h30m", and with days: "2d", "1d12h". InvalidArgument otherwise.
Result<Duration> parse_span(std::string_view text);
// "a, b or c".
std::string one_of(const std::vector<std::string>& words);

}  // namespace coracle::sim
