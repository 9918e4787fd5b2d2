#include "kubelet_runtime/start_order.hpp"

#include <fmt/format.h>

namespace coracle::kubelet {

std::string encode(const StartOrder& order) {
  std::string out;
  const auto put = [&](std::string_view key, std::string_view value) {
    out.append(key).push_back('\0');
    // A NUL cannot be in an argument or a variable: what follows it is cut, as exec would.
    out.append(value.substr(0, value.find('\0'))).push_back('\0');
  };
  put("isolate", order.isolate ? "1" : "0");
  put("root", order.root);
  if (!order.hostname.empty()) put("hostname", order.hostname);
  if (!order.address.empty()) put("address", order.address);
  for (const BindMount& b : order.binds) {
    put("bind", fmt::format("{}\n{}{}", b.source, b.target, b.read_only ? "\nro" : ""));
  }
  if (order.read_only_root) put("readonly", "1");
  if (order.tty) put("tty", "1");
  put("uid", std::to_string(order.uid));
  put("gid", std::to_string(order.gid));
  for (const auto group : order.groups) put("group", std::to_string(group));
  if (order.outside_ids > 0) {
    put("uids", fmt::format("{} {}", order.first_outside_id, order.outside_ids));
  }
  put("caps", fmt::format("{:x}", order.capabilities));
  put("cwd", order.working_dir);
  for (const auto& [name, value] : order.environment) put("env", name + "=" + value);
  for (const std::string& word : order.args) put("arg", word);
  if (order.share_pid > 0) put("share", std::to_string(order.share_pid));
  if (order.join_pid > 0) put("join", std::to_string(order.join_pid));
  return out;
}

}  // namespace coracle::kubelet
