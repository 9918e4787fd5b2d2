// Verdict: what a plugin says of a pod, or of a pod on a node. Value type. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.hpp"

namespace coracle::scheduler {

// What happens next, and the words for people. A verdict may have several reasons.
class [[nodiscard]] Verdict {
 public:
  enum class Kind : std::uint8_t {
    kYes,
    kSkip,    // of pre_filter, pre_score: the plugin has no say about this pod
    kNotNow,  // may fit when something changes, or when other pods leave
    kNever,   // this spec cannot fit this node, whatever pods leave it
    kBroken,  // the plugin failed
  };
  static Verdict yes() { return Verdict(Kind::kYes); }
  static Verdict skip() { return Verdict(Kind::kSkip); }
  static Verdict not_now(std::string reason) { return Verdict(Kind::kNotNow, std::move(reason)); }
  static Verdict never(std::string reason) { return Verdict(Kind::kNever, std::move(reason)); }
  static Verdict broken(const Status& status) { return Verdict(Kind::kBroken, status.to_string()); }
  static Verdict no(Kind kind, std::vector<std::string> reasons) {
    Verdict verdict(kind);
    verdict.reasons_ = std::move(reasons);
    return verdict;
  }

  Kind kind() const { return kind_; }
  bool is_yes() const { return kind_ == Kind::kYes; }
  bool is_skip() const { return kind_ == Kind::kSkip; }
  const std::vector<std::string>& reasons() const { return reasons_; }
  friend bool operator==(const Verdict&, const Verdict&) = default;

 private:
  explicit Verdict(Kind kind) : kind_(kind) {}
  Verdict(Kind kind, std::string reason) : kind_(kind) { reasons_.push_back(std::move(reason)); }

  Kind kind_;
  std::vector<std::string> reasons_;
};

}  // namespace coracle::scheduler
