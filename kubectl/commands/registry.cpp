// The table of all commands.
#include "commands/commands.hpp"
#include "commands/plugins.hpp"

namespace coracle::kubectl {
namespace {

void add(std::vector<Command>& to, std::vector<Command> more) {
  for (Command& command : more) to.push_back(std::move(command));
}

}  // namespace

std::vector<Command> all_commands() {
  std::vector<Command> out;
  add(out, {get_command(), describe_command(), create_command(), apply_command(), delete_command(),
            run_command(), expose_command(), patch_command(), replace_command(), label_command(),
            annotate_command(), scale_command(), autoscale_command(), wait_command()});
  add(out, create_workload_commands());
  add(out, create_config_commands());
  add(out, create_service_commands());
  add(out, create_policy_commands());
  add(out, create_small_commands());
  add(out, apply_more_commands());
  add(out, rollout_commands());
  add(out, {rollout_status_command()});
  add(out, rollout_revision_commands());
  add(out, set_commands());
  add(out, set_more_commands());
  add(out, certificate_commands());
  add(out, {create_ingress_command()});
  add(out, top_commands());
  add(out, config_view_commands());
  add(out, config_edit_commands());
  add(out, cordon_commands());
  add(out, auth_commands());
  add(out, exec_commands());
  add(out, {port_forward_command(), proxy_command(), cp_command(), debug_command()});
  add(out, api_commands());
  add(out, {drain_command(), taint_command(), logs_command(), events_command(), edit_command(),
            diff_command(), version_command(), cluster_info_command(), cluster_dump_command(),
            why_command(), explain_command(), kustomize_command()});
  add(out, self_commands());
  add(out, plugin_commands());
  add(out, completion_commands());
  return out;
}

}  // namespace coracle::kubectl
