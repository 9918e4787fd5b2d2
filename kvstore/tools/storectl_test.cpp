#include <catch2/catch.hpp>
#include <fstream>

#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "disk/temp_dir.hpp"
#include "member/founding.hpp"
#include "mvcc/memory_state_store.hpp"
#include "storectl/restore.hpp"
#include "storectl/table.hpp"
#include "storectl/version_row.hpp"

namespace coracle::store {
namespace {

MemberConfig a_member(const std::string& dir, const std::string& token) {
  MemberConfig member;
  member.name = "m2";
  member.data_dir = dir;
  member.advertise_peer = {"http://h:2"};
  member.initial_cluster = {{"m1", {"http://h:1"}}, {"m2", {"http://h:2"}}};
  member.cluster_token = token;
  return member;
}

// An old cluster with some history and an alarm, and its HashKV.
struct OldCluster {
  OldCluster() {
    found_cluster(state, a_member("", "old"));
    machine = StateMachine::open(state, lease::LessorConfig{}).value();
    for (int i = 0; i < 5; ++i) put("k", std::to_string(i));
    put("gone", "x");
    Proposal erase;
    erase.mutable_delete_range()->set_key("gone");
    apply(erase);
    Proposal alarm;
    alarm.mutable_alarm()->set_action(pb::AlarmRequest::ACTIVATE);
    alarm.mutable_alarm()->set_alarm(pb::NOSPACE);
    apply(alarm);
  }
  void put(const std::string& key, const std::string& value) {
    Proposal proposal;
    proposal.mutable_put()->set_key(key);
    proposal.mutable_put()->set_value(value);
    apply(proposal);
  }
  void apply(const Proposal& proposal) {
    REQUIRE(machine->apply(proposal, TimePoint()).status.ok());
    (void)machine->end_turn({machine->applied().index.next(), Term(9)});
  }
  std::string save(const std::string& folder) const {
    const AppliedMark applied = machine->applied();
    disk::SnapshotEncoder encoder(
        state, {{1, 2}, machine->store().revision(), applied.index, applied.term});
    const std::string path = folder + "/snapshot.db";
    std::ofstream file(path, std::ios::binary);
    for (std::string piece = encoder.next(); !piece.empty(); piece = encoder.next()) file << piece;
    return path;
  }

  mvcc::MemoryStateStore state;
  std::unique_ptr<StateMachine> machine;
};

}  // namespace

TEST_CASE("A restored member has the old keys, the new members, and no alarms") {
  disk::TempDir dir;
  const OldCluster old;
  const MemberConfig config = a_member(dir.path + "/new", "new");
  const auto restored = restore_snapshot(old.save(dir.path), false, config);
  INFO(restored.status().to_string());
  REQUIRE(restored.ok());
  CHECK(restored->info.revision == old.machine->store().revision());

  const auto state = disk::RocksStateStore::open(dir.path + "/new/state").value();
  const auto machine = StateMachine::open(*state, lease::LessorConfig{}).value();
  CHECK(*machine->store().hash_kv(Revision(0)) == *old.machine->store().hash_kv(Revision(0)));
  CHECK(machine->applied().index == Index(1));
  CHECK(machine->alarms().empty());
  CHECK(machine->membership().voters == std::set<NodeId>{NodeId(member_id({"http://h:1"}, "new")),
                                                         NodeId(member_id({"http://h:2"}, "new"))});
  CHECK(machine->members().size() == 2);

  disk::LogImage image;
  const auto log = disk::FileLog::open(dir.path + "/new/log", identity_of(config), {}, &image);
  REQUIRE(log.ok());
  CHECK(image.base_index == Index(1));
  CHECK(image.base_term == Term(1));
  CHECK(image.entries.empty());
  CHECK(image.hard_state.term() == Term(1));
  CHECK(disk::list_dir(dir.path).value() == std::vector<std::string>{"new", "snapshot.db"});
}

TEST_CASE("A restore never touches a folder that has something in it") {
  disk::TempDir dir;
  const std::string path = OldCluster().save(dir.path);
  REQUIRE(disk::make_dirs(dir.path + "/new/something").ok());
  const auto refused = restore_snapshot(path, false, a_member(dir.path + "/new", "new"));
  CHECK(refused.status().code() == Code::kFailedPrecondition);
  CHECK(disk::list_dir(dir.path + "/new").value() == std::vector<std::string>{"something"});
  REQUIRE(disk::make_dirs(dir.path + "/other.restoring").ok());
  const auto busy = restore_snapshot(path, false, a_member(dir.path + "/other", "new"));
  CHECK(busy.status().message().find("another restore runs") != std::string::npos);
}

TEST_CASE("Bytes are told as etcdctl tells them") {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "0 B"},           {9, "9 B"},          {544, "544 B"},      {1000, "1.0 kB"},
      {9999, "10 kB"},      {20512, "20 kB"},    {999999, "1000 kB"}, {2109440, "2.1 MB"},
      {3u << 30, "3.2 GB"}, {25000000, "25 MB"},
  };
  for (const auto& [bytes, text] : cases) CHECK(human_bytes(bytes) == text);
}

TEST_CASE("Tables have etcdctl's form") {
  CHECK(render_table({"HASH", "REVISION"}, {{"fe01cf57", "10"}}) ==
        "+----------+----------+\n"
        "|   HASH   | REVISION |\n"
        "+----------+----------+\n"
        "| fe01cf57 |       10 |\n"
        "+----------+----------+\n");
}

TEST_CASE("Versions are told as text and as JSON") {
  VersionRow row;
  row.revision = 7;
  row.sub = 1;
  row.kv = {"k", "a\nb", Revision(3), Revision(7), 2, LeaseId(255)};
  CHECK(to_text(row, false) == R"(7.1 "k" version=2 create=3 lease=ff bytes=3)");
  CHECK(to_text(row, true) == R"(7.1 "k" version=2 create=3 lease=ff bytes=3 "a\nb")");
  CHECK(to_json_line(row, true) ==
        R"({"revision":7,"sub":1,"key":"k","deleted":false,"version":2,"createRevision":3,)"
        R"("lease":"ff","bytes":3,"value":"a\nb"})");
  row.kv.value = "\xff";
  CHECK(to_json_line(row, true).find(R"("value64":"/w==")") != std::string::npos);
  row.deleted = true;
  CHECK(to_text(row, true) == R"(7.1 "k" deleted)");
  CHECK(to_json_line(row, true) == R"({"revision":7,"sub":1,"key":"k","deleted":true})");
}

}  // namespace coracle::store
