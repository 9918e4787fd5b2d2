// coracle sim compare: two runs side by side.
#include <cstdio>

#include "base/flags.hpp"
#include "program/commands.hpp"
#include "program/load.hpp"
#include "report/compare.hpp"

namespace coracle::sim {

int run_compare(int argc, char** argv) {
  std::int64_t shown = 5;
  const auto operands = take_operands(&argc, argv);
  Flags flags("coracle sim compare",
              "Lists the decisions in which two runs differ, with both explanations, their metrics "
              "side by side, and a verdict.\n"
              "Usage: coracle sim compare A B [flags]    A and B: directories that runs left\n"
              "Exit code: 0 every decision is the same, 1 some differ, 2 it could not be compared.",
              "coracle sim compare out/default out/packed --max 20");
  flags.add("--max", &shown, "so many differences are shown in full");
  flags.parse(argc, argv);
  if (operands.size() != 2 || shown < 0) {
    std::fputs("coracle sim compare: want two directories that runs left, before the flags\n",
               stderr);
    return 2;
  }
  const auto a = read_run(operands[0]);
  const auto b = read_run(operands[1]);
  for (const auto* record : {&a, &b}) {
    if (record->ok()) continue;
    std::fprintf(stderr, "coracle sim compare: %s\n", record->status().message().c_str());
    return 2;
  }
  const Comparison comparison = compare(*a, *b);
  std::fputs(comparison_text(*a, *b, comparison, static_cast<size_t>(shown)).c_str(), stdout);
  return comparison.same() ? 0 : 1;
}

}  // namespace coracle::sim
