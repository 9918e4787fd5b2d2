// linearize: is a history of client operations linearizable? (docs/formats/history.md)
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/check.hpp"
#include "linearize/history_json.hpp"
#include "linearize/search.hpp"

namespace coracle::linearize {
namespace {

std::string read_all(int argc, char** argv) {
  std::ostringstream text;
  if (argc < 2) {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(argv[1]);
  if (!file) fail_startup(std::string(argv[1]) + ": cannot be read");
  text << file.rdbuf();
  return text.str();
}

void print_prefix(const History& history, const Verdict& verdict) {
  const Operation& last = history[verdict.culprit];
  std::cout << "NOT LINEARIZABLE: " << verdict.explanation << "\n"
            << "smallest prefix: up to time " << last.returned << " (" << verdict.events
            << " calls and returns); it ends with line " << last.line << ":\n"
            << coracle::to_json(to_json_line(last)) << "\n"
            << "at that time, not yet returned or of unknown outcome:\n";
  for (const Operation& o : history) {
    if (o.call <= last.returned && (!o.answer || o.returned > last.returned)) {
      std::cout << "  line " << o.line << ": " << coracle::to_json(to_json_line(o)) << "\n";
    }
  }
}

int run(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::cout << "usage: linearize [FILE]   (docs/formats/history.md)\n";
    return 2;
  }
  const auto history = parse_history(read_all(argc, argv));
  if (!history.ok()) {
    std::cout << history.status().message() << "\n";
    return 2;
  }
  const Verdict verdict = check(*history);
  switch (verdict.kind) {
    case Kind::kOk:
      std::cout << "OK: " << history->size() << " operations, " << verdict.steps << " steps\n";
      return 0;
    case Kind::kViolation:
      print_prefix(*history, verdict);
      return 1;
    case Kind::kUndecided:
      std::cout << "UNDECIDED after " << verdict.steps << " steps\n";
      return 3;
  }
  return 3;
}

}  // namespace
}  // namespace coracle::linearize

int main(int argc, char** argv) { return coracle::linearize::run(argc, argv); }
