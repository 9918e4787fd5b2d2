// The subcommands of coracle-sim, one file each. To add one: a file that defines run_NAME, its line
// here, and its line in the table of commands.cpp. Each parses its own flags and returns the exit
// code: 0 done, and what was asserted held; 1 it did not hold, or it did not work (said why on
// standard error); 2 wrong flags or a wrong file.
#pragma once

#include <span>

namespace coracle::sim {

struct Command {
  const char* name;
  const char* summary;      // of one line
  int (*run)(int, char**);  // argv[0] is the command's name
};

std::span<const Command> commands();

int run_run(int argc, char** argv);
int run_compare(int argc, char** argv);
int run_sweep(int argc, char** argv);
int run_replay(int argc, char** argv);
int run_import(int argc, char** argv);
int run_record(int argc, char** argv);
int run_shadow(int argc, char** argv);
int run_fgd(int argc, char** argv);

}  // namespace coracle::sim
