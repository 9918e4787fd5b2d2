#include "base/regex.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace coracle {

namespace {

constexpr std::int64_t kMemoryMax = 1 << 20;
constexpr int kGroupsMax = 10;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

RE2::Options options() {
  RE2::Options out;
  out.set_log_errors(false);
  out.set_max_mem(kMemoryMax);
  return out;
}

}  // namespace

struct Regex::Compiled {
  explicit Compiled(std::string_view pattern) : re(piece(pattern), options()) {}
  RE2 re;
};

Regex::Regex(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  auto compiled = std::make_unique<const Compiled>(pattern);
  if (!compiled->re.ok()) return invalid_argument(compiled->re.error());
  return Regex(std::move(compiled));
}

bool Regex::search(std::string_view text) const {
  return RE2::PartialMatch(piece(text), compiled_->re);
}

bool Regex::search(std::string_view text, std::vector<std::string>* groups) const {
  re2::StringPiece found[kGroupsMax];
  const int count = std::min(compiled_->re.NumberOfCapturingGroups() + 1, kGroupsMax);
  if (!compiled_->re.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found, count)) {
    return false;
  }
  groups->clear();
  for (int i = 0; i < count; ++i) groups->emplace_back(found[i].data(), found[i].size());
  return true;
}

}  // namespace coracle
