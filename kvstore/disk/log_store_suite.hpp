// The suite every LogStore must pass. `reopen` ends the current life and gives the image the next
// one finds, and leaves `store()` at the new life. Tests only.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>

#include "disk/log_store.hpp"

namespace coracle::disk {

struct LogStoreFixture {
  virtual ~LogStoreFixture() = default;
  virtual LogStore& store() = 0;
  virtual LogImage reopen() = 0;
};

inline raft::Entry an_entry(std::uint64_t index, std::uint64_t term, std::string data = "x") {
  return {Term(term), Index(index), raft::EntryKind::kNormal, std::move(data)};
}

inline std::vector<raft::Entry> entries_of(std::uint64_t from, std::uint64_t to,
                                           std::uint64_t term) {
  std::vector<raft::Entry> out;
  for (std::uint64_t i = from; i <= to; ++i) {
    out.push_back(an_entry(i, term, "v" + std::to_string(i) + "." + std::to_string(term)));
  }
  return out;
}

void run_log_store_suite(const std::function<std::unique_ptr<LogStoreFixture>()>& make);

}  // namespace coracle::disk
