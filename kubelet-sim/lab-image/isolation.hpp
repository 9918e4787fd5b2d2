// The container's side of the starter: from a new process to the command.
#pragma once

#include <sched.h>

#include <string>

#include "config.hpp"

namespace lab_image {

inline constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;

// What it has of its own even among the processes and users of another container.
inline constexpr int kOwnNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;

// Why something did not work: empty if it did.
using Problem = std::string;

// From outside, for a process that was cloned with kNamespaces and waits.
Problem map_ids(pid_t process, const Config& config);
// Inside: mounts, root, host name.
Problem enter_root(const Config& config);
// Joins the namespaces of a process; the next fork is in them.
Problem join_namespaces(pid_t process);
// Only those of users and processes.
Problem join_processes(pid_t process);
// Groups, user, capabilities, limits; after enter_root.
Problem become_user(const Config& config);
// Runs the command; returns only if that failed, with the exit code of it.
Problem execute(const Config& config, int* exit_code);

}  // namespace lab_image
