// list_options: the version and paging parameters of list and watch, checked as upstream does.
// Pure.
#pragma once

#include <optional>

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

enum class VersionMatch { kUnset, kExact, kNotOlderThan };

struct ContinueToken {
  static constexpr std::int64_t kLatest = -1;  // goes on with what is there now: not consistent
  std::int64_t revision = 0;
  std::string start;  // the first key (below the storage prefix) that may come

  std::string encode() const;
  static Outcome<ContinueToken> decode(std::string_view text);
};

struct ListOptions {
  std::optional<std::int64_t> revision;  // absent: the latest
  VersionMatch match = VersionMatch::kUnset;
  std::int64_t limit = 0;  // 0: none
  std::optional<ContinueToken> token;
  // Watch only.
  std::optional<bool> send_initial_events;
  bool bookmarks = false;
  std::optional<std::int64_t> timeout_seconds;
};

Outcome<ListOptions> parse_list_options(const net::Query& query, bool watch);
// "" is nullopt; 400 when it is no version.
Outcome<std::optional<std::int64_t>> parse_revision(std::string_view text);

}  // namespace coracle::apiserver
