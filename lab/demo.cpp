#include <cstdio>
#include <cstring>

#include "lab/commands.hpp"
#include "lab/demo_failover.hpp"

namespace coracle::lab {

int run_demo(int argc, char** argv) {
  constexpr char kUsage[] =
      "coracle demo: shows what a cluster does about a fault.\n"
      "\n"
      "Usage: coracle demo NAME [--dir DIR]\n"
      "\n"
      "Demos:\n"
      "  failover   kills the store's leader in the middle of a rollout and narrates the "
      "election\n";
  if (argc >= 2 && std::strcmp(argv[1], "failover") == 0) return demo_failover(argc - 1, argv + 1);
  const bool help =
      argc >= 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0);
  if (argc >= 2 && !help) std::fprintf(stderr, "coracle demo: unknown demo \"%s\"\n\n", argv[1]);
  std::fputs(kUsage, help ? stdout : stderr);
  return help ? 0 : 2;
}

}  // namespace coracle::lab
