#include "raft_sim/run_options.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/check.hpp"

namespace coracle::raft_sim {
namespace {

thread_local const Replayable* current = nullptr;

void read_seeds(const std::string& path, std::vector<std::uint64_t>& out) {
  std::ifstream file(path);
  if (!file) fail_startup("--regressions: cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') out.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
}

void add_range(const std::string& flag, const std::string& text, std::vector<std::uint64_t>& out) {
  const std::size_t dots = text.find("..");
  const bool bare = dots == std::string::npos;
  const std::uint64_t first = bare ? 1 : parse_count(flag, text.substr(0, dots));
  const std::uint64_t last = parse_count(flag, bare ? text : text.substr(dots + 2));
  for (std::uint64_t seed = first; seed <= last; ++seed) out.push_back(seed);
}

[[noreturn]] void refuse(const std::string& flag, const OwnFlags& own) {
  std::string known = "--seeds N or A..B, --seed SEED, --until EVENT, --trace, --regressions FILE";
  for (const auto& [name, setter] : own) known += ", " + name + " VALUE";
  fail_startup(flag + ": unknown; known: " + known);
}

}  // namespace

std::uint64_t parse_count(const std::string& flag, const std::string& text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') fail_startup(flag + ": a number is needed");
  return value;
}

RunOptions parse_run_options(int argc, char** argv, const OwnFlags& own) {
  RunOptions o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      o.trace = true;
      continue;
    }
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (flag == "--seeds")
      add_range(flag, value, o.seeds);
    else if (flag == "--seed")
      o.seeds.push_back(parse_count(flag, value));
    else if (flag == "--until")
      o.until = parse_count(flag, value);
    else if (flag == "--regressions")
      read_seeds(value, o.seeds);
    else if (const auto found = own.find(flag); found != own.end())
      found->second(value);
    else
      refuse(flag, own);
  }
  if (o.seeds.empty()) fail_startup("--seeds N or --seed SEED is needed");
  return o;
}

std::string replay_line(const std::string& program, std::uint64_t seed, std::uint64_t event) {
  return "replay: " + program + " --seed " + std::to_string(seed) + " --until " +
         std::to_string(event) + " --trace\n";
}

Replayable::Replayable(std::string program, std::uint64_t seed,
                       std::function<std::uint64_t()> event)
    : program_(std::move(program)), seed_(seed), event_(std::move(event)) {
  current = this;
  std::signal(SIGABRT, on_abort);
}

Replayable::~Replayable() { current = nullptr; }

void Replayable::on_abort(int) {
  if (current == nullptr) return;
  const std::string line = replay_line(current->program_, current->seed_, current->event_());
  std::fputs(("FAIL by CHECK    " + line).c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace coracle::raft_sim
