// The subcommands of `coracle`, one file each. Each parses its own flags and returns the exit code:
// 0 done, 1 it did not work (said why on standard error), 2 wrong flags.
#pragma once

namespace coracle::lab {

int run_up(int argc, char** argv);
int run_down(int argc, char** argv);
int run_status(int argc, char** argv);
int run_token(int argc, char** argv);
int run_node(int argc, char** argv);
int run_demo(int argc, char** argv);
int run_sim(int argc, char** argv);

}  // namespace coracle::lab
