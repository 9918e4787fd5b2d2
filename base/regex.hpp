// Regex: regular expressions in RE2's dialect (what Go's regexp and CEL understand): linear in the
// text, no stack growth, so patterns and texts may come from users. Immutable, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle {

class Regex {
 public:
  // InvalidArgument with RE2's words; also for patterns that would need more than 1 MiB.
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Somewhere in the text, unless the pattern is anchored.
  bool search(std::string_view text) const;
  // The same; then gives what the whole pattern and its groups matched ("" for a group that took no
  // part), at most ten.
  bool search(std::string_view text, std::vector<std::string>* groups) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace coracle
