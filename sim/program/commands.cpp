#include "program/commands.hpp"

namespace coracle::sim {

namespace {

constexpr Command kCommands[] = {
    {"run", "runs the experiment of a scenario file", run_run},
    {"compare", "two runs: the decisions that differ, and why", run_compare},
    {"sweep", "policies x traces x seeds, with tables and plots", run_sweep},
    {"replay", "an experiment up to a moment, then decision by decision", run_replay},
    {"record", "a running cluster as a trace that scenarios replay", run_record},
    {"shadow", "another policy decides beside a running cluster's scheduler", run_shadow},
    {"import", "a published trace's files as a trace file", run_import},
    {"fgd", "GPU policies and fragmentation: the table of a paper", run_fgd},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace coracle::sim
