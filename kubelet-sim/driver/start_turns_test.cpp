#include "kubelet_driver/start_turns.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "base/manual_executor.hpp"

namespace coracle::kubelet {
namespace {

using std::chrono::milliseconds;

struct World {
  ManualExecutor executor;
  std::unique_ptr<StartTurns> turns = std::make_unique<StartTurns>(executor);
  std::string log;

  // A start that lasts `span` of the strand's time.
  Task<bool> start(std::string name, Duration span) {
    if (!co_await turns->take()) {
      log += "-" + name;
      co_return false;
    }
    const StartTurns::Turn turn(turns.get());
    log += name;
    co_await sleep_on(executor, span);
    co_return true;
  }
  void begin(const std::string& name, Duration span) {
    spawn<bool>(start(name, span), [](bool) {});
  }
};

TEST_CASE("after a start others have the strand as long as it took, in order of arrival") {
  World w;
  w.begin("a", milliseconds(20));
  w.begin("b", milliseconds(5));
  w.begin("c", milliseconds(0));
  CHECK(w.log == "a");
  w.executor.advance(milliseconds(39));  // its 20, and most of those for others
  CHECK(w.log == "a");
  w.executor.advance(milliseconds(1));
  CHECK(w.log == "ab");
  w.executor.advance(milliseconds(9));
  CHECK(w.log == "ab");
  w.executor.advance(milliseconds(1));
  CHECK(w.log == "abc");
  w.executor.advance(milliseconds(1));
  w.begin("d", milliseconds(0));
  CHECK(w.log == "abcd");
  w.executor.advance(milliseconds(1));
}

TEST_CASE("who still waits at the end starts nothing") {
  World w;
  w.begin("a", milliseconds(20));
  w.begin("b", milliseconds(1));
  w.begin("c", milliseconds(1));
  w.executor.advance(milliseconds(30));
  CHECK(w.log == "a");
  w.turns.reset();
  CHECK(w.log == "a-b-c");
  w.executor.advance(milliseconds(100));
  CHECK(w.log == "a-b-c");
}

}  // namespace
}  // namespace coracle::kubelet
