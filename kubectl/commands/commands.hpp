// The commands, one function a file. registry.cpp joins them.
#pragma once

#include <vector>

#include "kubectl/command.hpp"

namespace coracle::kubectl {

std::vector<Command> all_commands();

Command annotate_command();
std::vector<Command> api_commands();  // api-resources, api-versions
Command apply_command();
std::vector<Command> apply_more_commands();  // view-last-applied, set-last-applied
Command autoscale_command();
std::vector<Command> auth_commands();  // can-i, whoami
std::vector<Command> certificate_commands();
std::vector<Command> top_commands();  // top
Command cluster_info_command();
Command cluster_dump_command();
std::vector<Command> completion_commands();
std::vector<Command> config_view_commands();  // view, get-contexts, current-context, ...
std::vector<Command> config_edit_commands();  // set, set-context, use-context, delete-*, ...
Command create_command();
Command create_ingress_command();
std::vector<Command> create_config_commands();    // configmap, secret
std::vector<Command> create_policy_commands();    // role, rolebinding, pdb, quota, ...
std::vector<Command> create_service_commands();   // service ...
std::vector<Command> create_workload_commands();  // deployment, job, cronjob
std::vector<Command> create_small_commands();     // namespace, serviceaccount, token
Command delete_command();
Command describe_command();
Command diff_command();
Command drain_command();
std::vector<Command> cordon_commands();  // cordon, uncordon
Command edit_command();
Command events_command();
Command cp_command();
Command debug_command();
Command port_forward_command();
Command proxy_command();
std::vector<Command> exec_commands();  // exec, attach
Command explain_command();
Command expose_command();
Command get_command();
Command kustomize_command();
Command label_command();
Command logs_command();
Command patch_command();
Command replace_command();
std::vector<Command> rollout_commands();
std::vector<Command> rollout_revision_commands();  // history, undo
Command rollout_status_command();
Command run_command();
Command scale_command();
std::vector<Command> set_commands();  // image, env, resources
Command set_env_command();
std::vector<Command> self_commands();      // options
std::vector<Command> set_more_commands();  // serviceaccount, selector, subject
Command taint_command();
Command version_command();
Command wait_command();
Command why_command();

}  // namespace coracle::kubectl
