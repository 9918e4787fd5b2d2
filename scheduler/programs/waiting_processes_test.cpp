// Real programs, of the shell: what they do wrong is named, and ends them.
#include "programs/waiting_processes.hpp"

#include <catch2/catch.hpp>

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.key = "p/Shell";
  spec.name = "Shell";
  spec.command = {"sh", "-c", script};
  return spec;
}

template <class T>
T now(Task<T> task) {
  std::optional<T> out;
  spawn<T>(std::move(task), [&](T value) { out.emplace(std::move(value)); });
  REQUIRE(out.has_value());
  return std::move(*out);
}

Result<std::string> ask(WaitingProcesses& port, const ProcessSpec& spec, const std::string& line,
                        Duration timeout = 10s) {
  const auto ready = now(port.ready(spec));
  if (!ready.ok()) return ready.status();
  return now(port.exchange(spec, line, timeout));
}

std::string failure(const std::string& script, Duration timeout = 10s) {
  WaitingProcesses port("", real_clock());
  return ask(port, shell(script), "question", timeout).status().message();
}

TEST_CASE("a line for a line, however long") {
  WaitingProcesses port("/", real_clock());
  const ProcessSpec echo = shell("exec cat");
  CHECK(*ask(port, echo, "one") == "one");
  const std::string large(3'000'000, 'x');  // more than any pipe holds
  CHECK(*ask(port, echo, large) == large);
  CHECK(*now(port.ready(echo)) == 1);
  ProcessSpec where = shell("read -r line; pwd");
  where.key = "other";
  CHECK(*ask(port, where, "") == "/");
}

TEST_CASE("what a program does wrong is said") {
  CHECK(failure("exec sleep 60", 50ms) == "no answer within 50ms");
  CHECK(failure("read -r line; echo one >&2; echo 'NameError: x' >&2; exit 3") ==
        "it ended with exit code 3, its last words: NameError: x");
  CHECK(failure("read -r line; kill -SEGV $$") == "it ended with signal 11 (Segmentation fault)");
  CHECK(failure("exec >&-; exec sleep 60") == "it ended with signal 9 (Killed)");
  CHECK(failure("read -r line; head -c 20000000 /dev/zero") ==
        "its answer is a line of more than 16777216 bytes");
  WaitingProcesses port("/no/such/place", real_clock());
  CHECK(ask(port, shell("true"), "x").status().message() == "sh: No such file or directory");
  ProcessSpec missing = shell("");
  missing.command = {"no-such-program"};
  CHECK(find_program("no-such-program", "").status().message() ==
        "no-such-program: no such program in PATH");
  CHECK(find_program("./nothing", "/usr").status().message() ==
        "/usr/./nothing: No such file or directory");
  CHECK(find_program("sh", "").ok());
}

TEST_CASE("who speaks twice to one question is out of step") {
  WaitingProcesses port("", real_clock());
  const ProcessSpec twice = shell("while read -r line; do printf 'a\\nb\\n'; done");
  CHECK(*ask(port, twice, "x") == "a");
  CHECK(ask(port, twice, "x").status().message() == "it spoke without being asked");
}

TEST_CASE("a failed program is started again, but not for ever") {
  WaitingProcesses port("", real_clock());
  const ProcessSpec once = shell("read -r line; echo \"$line\"");
  CHECK(*ask(port, once, "x") == "x");
  for (int i = 0; i < kFailedLivesMax; ++i) {
    CHECK(ask(port, once, "x").ok() == (i != 0));
    if (i != 0) port.discard(once, invalid_argument("nonsense"));
  }
  CHECK(ask(port, once, "x").status().message() ==
        "it failed 3 times in a row and is not started again; last: nonsense");
}

TEST_CASE("what a program has started ends with it") {
  WaitingProcesses port("", real_clock());
  const ProcessSpec parent = shell("sleep 1000 & echo $!; read -r line; echo \"$line\"; wait");
  const auto pid = ask(port, parent, "x");
  REQUIRE(pid.ok());
  port.discard(parent, invalid_argument("nonsense"));
  const std::string stat = "/proc/" + *pid + "/stat";
  // Killed; gone, or a zombie that nobody has waited for yet.
  bool gone = false;
  for (const TimePoint until = real_clock().now() + 10s; !gone && real_clock().now() < until;) {
    FILE* file = fopen(stat.c_str(), "r");
    char state = 'X';
    gone = file == nullptr || fscanf(file, "%*d (%*[^)]) %c", &state) != 1 || state == 'Z';
    if (file != nullptr) fclose(file);
  }
  CHECK(gone);
}

}  // namespace
}  // namespace coracle::scheduler
