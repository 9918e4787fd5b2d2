#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lab/commands.hpp"
#include "lab/process.hpp"

namespace coracle::lab {

// The simulated world is a program of its own: this one links no part of a cluster.
int run_sim(int argc, char** argv) {
  const std::string program = program_directory() + "/coracle-sim";
  execv(program.c_str(), argv);
  std::fprintf(stderr, "coracle sim: %s cannot be run: %s\n", program.c_str(),
               std::strerror(errno));
  return 1;
}

}  // namespace coracle::lab
