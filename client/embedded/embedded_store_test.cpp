#include "client/embedded_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "client_testing/asio_world.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class TempDir {
 public:
  TempDir() {
    std::string pattern = (fs::temp_directory_path() / "coracle-embedded-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    path_ = pattern;
  }
  ~TempDir() { fs::remove_all(path_); }
  std::string data() const { return path_ + "/data"; }

 private:
  std::string path_;
};

class EmbeddedWorld final : public AsioWorld {
 public:
  explicit EmbeddedWorld(const std::string& dir, std::int64_t quota = std::int64_t(2) << 30) {
    open(make_embedded_store(executor, {.data_dir = dir, .quota_bytes = quota}));
  }
};

TEST_CASE("the embedded store conforms") {
  TempDir dir;
  EmbeddedWorld world(dir.data());
  store_conformance(world);
}

TEST_CASE("what was written is there when it is opened again") {
  TempDir dir;
  std::int64_t revision = 0;
  {
    EmbeddedWorld world(dir.data());
    revision = world.put("/a", "1", 0).revision;
  }
  EmbeddedWorld world(dir.data());
  const RangeResult found = world.range({.key = "/a"});
  REQUIRE(found.kvs.size() == 1);
  CHECK(found.kvs[0].value == "1");
  CHECK(found.kvs[0].mod_revision == revision);
  CHECK(world.put("/a", "2", revision).succeeded);
}

// The other end of the next case, in a process of its own: RocksDB's threads do not survive fork().
TEST_CASE("writes and dies", "[.writes-and-dies]") {
  EmbeddedWorld world(std::getenv("CORACLE_TEST_DIR"));
  for (int i = 0; i < 20; ++i) {
    if (!world.put("/" + std::to_string(i), "x", 0).succeeded) _exit(1);
  }
  _exit(42);  // no destructor runs, nothing is flushed
}

TEST_CASE("what was acknowledged survives the sudden end of the process") {
  TempDir dir;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    setenv("CORACLE_TEST_DIR", dir.data().c_str(), 1);
    execl("/proc/self/exe", "client_embedded_test", "[.writes-and-dies]", nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 42);
  EmbeddedWorld world(dir.data());
  CHECK(world.range({.key = "/", .range_end = "0", .count_only = true}).count == 20);
}

TEST_CASE("a folder has one owner") {
  TempDir dir;
  EmbeddedWorld world(dir.data());
  net::AsioExecutor executor;
  const auto second = make_embedded_store(executor, {.data_dir = dir.data()});
  CHECK(second.status().code() == Code::kFailedPrecondition);
}

TEST_CASE("closing ends watches and refuses calls under way") {
  TempDir dir;
  EmbeddedWorld world(dir.data());
  world.put("/a", "1", 0);
  WatchLog log;
  log.open(world.store(), {.key = "/", .range_end = "0", .start_revision = 1});
  REQUIRE(world.run_until([&] { return !log.events.empty(); }, 10s));
  world.close();
  REQUIRE(world.run_until([&] { return log.ended.has_value(); }, 10s));
  CHECK(log.ended->code() == Code::kUnavailable);
}

TEST_CASE("a store that is full refuses to grow but still deletes") {
  TempDir dir;
  EmbeddedWorld world(dir.data(), 64 << 10);
  Status refused;
  std::int64_t last = 0;
  for (int i = 0; i < 200 && refused.ok(); ++i) {
    auto put = world.get(
        world.store().write({.key = "/" + std::to_string(i), .value = std::string(70'000, 'v')}));
    refused = put.status();
    if (put.ok()) last = put->revision;
  }
  CHECK(refused.code() == Code::kResourceExhausted);
  CHECK(refused.message() == "etcdserver: mvcc: database space exceeded");
  if (last > 0) CHECK(world.remove("/0", 2).succeeded);
}

}  // namespace
}  // namespace coracle::client
