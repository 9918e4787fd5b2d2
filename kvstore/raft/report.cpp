#include "raft/report.hpp"

#include <array>

#include "base/check.hpp"

namespace coracle::raft {
namespace {

template <std::size_t N, class E>
std::string_view pick(const std::array<std::string_view, N>& names, E value) {
  const auto i = static_cast<std::size_t>(value);
  CHECK(i < N);
  return names[i];
}

}  // namespace

std::string_view name_of(Role role) {
  static constexpr std::array<std::string_view, 4> kNames{"follower", "pre-candidate", "candidate",
                                                          "leader"};
  return pick(kNames, role);
}

std::string_view name_of(VoteReason reason) {
  static constexpr std::array<std::string_view, 5> kNames{"granted", "stale term", "already voted",
                                                          "log behind", "has leader"};
  return pick(kNames, reason);
}

std::string_view name_of(Refusal refusal) {
  static constexpr std::array<std::string_view, 8> kNames{
      "none",           "not leader",     "transferring",    "too much in flight",
      "change pending", "invalid change", "lost leadership", "no answer"};
  return pick(kNames, refusal);
}

std::string_view name_of(PeerState state) {
  static constexpr std::array<std::string_view, 3> kNames{"probe", "replicate", "snapshot"};
  return pick(kNames, state);
}

std::string_view name_of(ElectionCause cause) {
  static constexpr std::array<std::string_view, 5> kNames{"none", "timeout", "transfer", "asked",
                                                          "sole voter"};
  return pick(kNames, cause);
}

std::string_view name_of(ElectionOutcome outcome) {
  static constexpr std::array<std::string_view, 4> kNames{"none", "running", "won", "lost"};
  return pick(kNames, outcome);
}

}  // namespace coracle::raft
