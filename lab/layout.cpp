#include "lab/layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.hpp"

namespace coracle::lab {
namespace {

json::array to_array(const std::vector<int>& numbers) {
  json::array out;
  for (const int n : numbers) out.push_back(n);
  return out;
}

std::vector<int> to_numbers(const json::value& root, std::string_view key) {
  std::vector<int> out;
  for (const json::value& v : get_array(root, key)) {
    if (v.is_int64()) out.push_back(static_cast<int>(v.get_int64()));
  }
  return out;
}

}  // namespace

Status Layout::create() const {
  for (const std::string& sub : {dir_, path("pki"), path("logs"), path("pids"), path("data")}) {
    std::error_code error;
    const bool made = std::filesystem::create_directories(sub, error);
    if (error) return unavailable(fmt::format("--dir: cannot make {}: {}", sub, error.message()));
    if (made && chmod(sub.c_str(), 0700) != 0) {
      return unavailable(fmt::format("--dir: cannot protect {}: {}", sub, std::strerror(errno)));
    }
  }
  return {};
}

bool Layout::exists() const { return std::filesystem::exists(path("cluster.json")); }

Result<ClusterShape> Layout::load() const {
  ASSIGN_OR_RETURN(const std::string text, read_file(path("cluster.json")));
  auto parsed = parse_json(text);
  if (!parsed.ok()) return parsed.status().with_context(path("cluster.json"));
  const json::value& root = *parsed;
  ClusterShape shape;
  shape.replicas = static_cast<int>(get_int(root, "replicas"));
  shape.nodes = static_cast<int>(get_int(root, "nodes"));
  shape.apiservers = static_cast<int>(get_int(root, "apiservers"));
  shape.store_client_ports = to_numbers(root, "storeClientPorts");
  shape.store_peer_ports = to_numbers(root, "storePeerPorts");
  shape.apiserver_ports = to_numbers(root, "apiserverPorts");
  shape.scheduler_ports = to_numbers(root, "schedulerPorts");
  shape.controller_manager_ports = to_numbers(root, "controllerManagerPorts");
  shape.kubelet_sim_port = static_cast<int>(get_int(root, "kubeletSimPort"));
  shape.cluster_token = get_string(root, "clusterToken");
  shape.store = get_string(root, "store", "kvstore");
  shape.store_tls = get_bool(root, "storeTls");
  shape.runtime = get_string(root, "runtime", "auto");
  shape.metrics_server_port = static_cast<int>(get_int(root, "metricsServerPort"));
  shape.load_balancers = get_bool(root, "loadBalancers");
  shape.scheduler_config = get_string(root, "schedulerConfig");
  shape.network_slot = static_cast<int>(get_int(root, "networkSlot"));
  const auto count = [](const std::vector<int>& v) { return static_cast<int>(v.size()); };
  const bool has_store =
      shape.embedded() ? shape.replicas == 0 && shape.apiservers == 1 : shape.replicas >= 1;
  if (!has_store || count(shape.store_client_ports) != shape.replicas ||
      count(shape.store_peer_ports) != shape.replicas || shape.apiservers < 1 ||
      count(shape.apiserver_ports) != shape.apiservers || shape.cluster_token.empty()) {
    return data_loss(
        fmt::format("{} is damaged: counts and ports do not agree", path("cluster.json")));
  }
  return shape;
}

Status Layout::save(const ClusterShape& shape) const {
  json::object root;
  root["replicas"] = shape.replicas;
  root["nodes"] = shape.nodes;
  root["apiservers"] = shape.apiservers;
  root["storeClientPorts"] = to_array(shape.store_client_ports);
  root["storePeerPorts"] = to_array(shape.store_peer_ports);
  root["apiserverPorts"] = to_array(shape.apiserver_ports);
  root["schedulerPorts"] = to_array(shape.scheduler_ports);
  root["controllerManagerPorts"] = to_array(shape.controller_manager_ports);
  root["kubeletSimPort"] = shape.kubelet_sim_port;
  root["clusterToken"] = shape.cluster_token;
  root["store"] = shape.store;
  root["storeTls"] = shape.store_tls;
  root["runtime"] = shape.runtime;
  if (shape.metrics_server_port != 0) root["metricsServerPort"] = shape.metrics_server_port;
  root["loadBalancers"] = shape.load_balancers;
  if (!shape.scheduler_config.empty()) root["schedulerConfig"] = shape.scheduler_config;
  root["networkSlot"] = shape.network_slot;
  return write_file(path("cluster.json"), to_pretty_json(root) + "\n", 0600);
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return not_found(fmt::format("open {}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Status write_file(const std::string& path, const std::string& content, int mode) {
  const std::string temporary = path + ".new";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return unavailable(fmt::format("open {}: {}", temporary, std::strerror(errno)));
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    done += static_cast<size_t>(n);
  }
  const bool written = done == content.size() && fchmod(fd, static_cast<mode_t>(mode)) == 0;
  const int error = errno;
  close(fd);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    const int why = written ? errno : error;
    unlink(temporary.c_str());
    return unavailable(fmt::format("write {}: {}", path, std::strerror(why)));
  }
  return {};
}

std::string node_address(int ordinal) {
  const unsigned address = (127u << 24 | 32u << 16) + static_cast<unsigned>(ordinal);
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

}  // namespace coracle::lab
