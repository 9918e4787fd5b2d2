#include <catch2/catch.hpp>

#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "disk/temp_dir.hpp"
#include "member/data_folder.hpp"
#include "member/event_loop.hpp"
#include "member/founding.hpp"
#include "member/member.hpp"
#include "member/no_peers.hpp"

namespace coracle::store {
namespace {

using Terms = std::vector<std::uint64_t>;  // of entries 1, 2, ...

MemberConfig one_of_three(const std::string& data_dir) {
  MemberConfig config;
  config.name = "a";
  config.data_dir = data_dir;
  config.advertise_peer = {"http://a"};
  config.initial_cluster = {{"a", {"http://a"}}, {"b", {"http://b"}}, {"c", {"http://c"}}};
  return config;
}

void write_log(const MemberConfig& config, const Terms& terms) {
  disk::LogImage image;
  auto log = disk::FileLog::open(config.data_dir + "/log", identity_of(config), {}, &image);
  REQUIRE(log.ok());
  std::vector<raft::Entry> entries;
  for (const std::uint64_t term : terms) {
    entries.push_back({Term(term), Index(entries.size() + 1), raft::EntryKind::kNoop, ""});
  }
  REQUIRE((*log)->append(raft::HardState(Term(7), NodeId(), Index()), entries).ok());
}

void write_state(const MemberConfig& config, AppliedMark mark) {
  auto state = disk::RocksStateStore::open(state_folder(config.data_dir));
  REQUIRE(state.ok());
  found_cluster(**state, config, mark);
  REQUIRE((*state)->flush().ok());
}

struct Seen {
  std::uint64_t first, last, commit, term;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.first << ".." << seen.last << " commit " << seen.commit << " term "
             << seen.term;
}

Seen open_member(const MemberConfig& config) {
  EventLoop loop;
  DataFolder folder(config.data_dir, loop);
  NoPeers alone;
  auto member = Member::open(config, {loop, folder, alone, 1, [] {}});
  REQUIRE(member.ok());
  const raft::StatusReport report = (*member)->core().status();
  return {report.first.value, report.last.value, report.commit.value, report.term.value};
}

}  // namespace

// A snapshot is installed in two steps, the state and then the log; a crash may come in between.
TEST_CASE("A log that does not hold the entry the state ends with is given up") {
  struct Case {
    const char* name;
    Terms log;
    AppliedMark state;
    Seen want;
  };
  const Case cases[] = {
      {"the state lags", {7, 7}, {Index(1), Term(7)}, {1, 2, 1, 7}},
      {"the log ends with it", {7, 7}, {Index(2), Term(7)}, {1, 2, 2, 7}},
      {"the log ends before", {7, 7}, {Index(3), Term(7)}, {4, 3, 3, 7}},
      {"the log ends there in another term", {7}, {Index(1), Term(8)}, {2, 1, 1, 8}},
      {"the log goes on in another term", {6, 6, 6}, {Index(2), Term(7)}, {3, 2, 2, 7}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const disk::TempDir dir;
    const MemberConfig config = one_of_three(dir.path);
    write_log(config, c.log);
    write_state(config, c.state);
    CHECK(open_member(config) == c.want);
    CHECK(open_member(config) == c.want);  // what was given up does not come back
  }
}

TEST_CASE("A member whose log is gone does not start") {
  const disk::TempDir dir;
  const MemberConfig config = one_of_three(dir.path);
  CHECK(open_member(config) == Seen{1, 0, 0, 0});  // an empty folder is a new member's
  REQUIRE(disk::remove_tree(dir.path + "/log").ok());
  EventLoop loop;
  DataFolder folder(config.data_dir, loop);
  NoPeers alone;
  const auto member = Member::open(config, {loop, folder, alone, 1, [] {}});
  REQUIRE_FALSE(member.ok());
  CHECK(member.status() == data_loss(dir.path + "/log: the log is gone, but the state is there"));
}

}  // namespace coracle::store
