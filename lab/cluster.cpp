#include "lab/cluster.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "base/strings.hpp"
#include "lab/daemons.hpp"
#include "lab/process.hpp"

namespace coracle::lab {

Result<std::unique_ptr<Cluster>> Cluster::open(const Layout& layout) {
  if (!layout.exists()) {
    return not_found(fmt::format("there is no cluster in {}; start one with: coracle up --dir {}",
                                 layout.dir(), layout.dir()));
  }
  std::unique_ptr<Cluster> cluster(new Cluster(layout));
  ASSIGN_OR_RETURN(cluster->shape_, layout.load());
  net::ClientConfig config;
  config.host = "127.0.0.1";
  ASSIGN_OR_RETURN(config.ca_pem, read_file(layout.pki("ca.crt")));
  ASSIGN_OR_RETURN(config.cert_pem, read_file(layout.pki("admin.crt")));
  ASSIGN_OR_RETURN(config.key_pem, read_file(layout.pki("admin.key")));
  config.connect_timeout = std::chrono::seconds(2);
  config.request_timeout = std::chrono::seconds(10);
  for (const int port : cluster->shape_.apiserver_ports) {
    config.port = static_cast<std::uint16_t>(port);
    ASSIGN_OR_RETURN(auto client, net::Client::create(cluster->executor_, config));
    cluster->clients_.push_back(std::move(client));
  }
  return cluster;
}

Result<Cluster::Answer> Cluster::call(const std::string& method, const std::string& target,
                                      const std::string& body, const std::string& content_type) {
  Status last = unavailable("no apiserver");
  for (const auto& client : clients_) {
    net::ClientRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers.set("Accept", "application/json");
    if (!body.empty()) request.headers.set("Content-Type", content_type);
    auto response = net::block_on(executor_, client->request(std::move(request)));
    if (!response.ok()) {
      last = response.status();
      continue;
    }
    Answer answer{response->status, response->body};
    for (const net::Bytes& chunk : response->chunks) answer.body += *chunk;
    return answer;
  }
  return last;
}

Result<json::value> Cluster::send(const std::string& method, const std::string& target,
                                  const json::value& body, const std::string& content_type) {
  ASSIGN_OR_RETURN(const Answer answer,
                   call(method, target, body.is_null() ? "" : to_json(body), content_type));
  auto parsed = parse_json(answer.body);
  if (answer.status >= 400) {
    return unavailable(fmt::format(
        "{} {}: {}", method, target,
        parsed.ok() ? get_string(*parsed, "message", answer.body) : std::string_view(answer.body)));
  }
  return parsed;
}

Result<json::value> Cluster::get(const std::string& target) { return send("GET", target, nullptr); }

bool Cluster::wait_until(const std::function<bool()>& done, Duration limit, Duration interval) {
  const TimePoint deadline = executor_.now() + limit;
  while (!done()) {
    if (executor_.now() >= deadline) return false;
    pause(interval);
  }
  return true;
}

void Cluster::pause(Duration duration) {
  bool over = false;
  executor_.after(duration, [&] { over = true; });
  executor_.run_until([&] { return over; });
}

bool Cluster::ready() {
  const auto answer = call("GET", "/readyz");
  return answer.ok() && answer->status == 200;
}

int Cluster::ready_nodes() {
  const auto list = get("/api/v1/nodes");
  if (!list.ok()) return 0;
  int count = 0;
  for (const json::value& node : get_array(*list, "items")) {
    for (const json::value& condition : get_array(node, "status.conditions")) {
      if (get_string(condition, "type") == "Ready" && get_string(condition, "status") == "True") {
        ++count;
      }
    }
  }
  return count;
}

std::string Cluster::lease_holder(const std::string& name) {
  const auto lease = get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/" + name);
  return lease.ok() ? std::string(get_string(*lease, "spec.holderIdentity")) : std::string();
}

std::vector<StoreMember> Cluster::store_members() const {
  std::vector<StoreMember> members;
  if (shape_.embedded()) return members;
  const std::vector<std::string> endpoints = split(store_endpoints(shape_), ',');
  for (size_t i = 0; i < endpoints.size(); ++i) {
    StoreMember member;
    member.name = fmt::format("kvstore-{}", i + 1);
    member.endpoint = endpoints[i];
    members.push_back(member);
  }
  std::string command = fmt::format("'{}/storectl' status --endpoints {} --output json",
                                    program_directory(), store_endpoints(shape_));
  if (shape_.store_tls) {
    command += fmt::format(" --cacert '{}' --cert '{}' --key '{}'", layout_.pki("store-ca.crt"),
                           layout_.pki("store-client.crt"), layout_.pki("store-client.key"));
  }
  command += " 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return members;
  std::string text;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  pclose(pipe);
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_array()) return members;
  for (const json::value& row : parsed->get_array()) {
    for (StoreMember& member : members) {
      if (member.endpoint != get_string(row, "endpoint")) continue;
      member.reachable = get_bool(row, "reachable");
      member.id = get_string(row, "memberID");
      member.leader = get_string(row, "leader", "0");
      member.term = get_int(row, "raftTerm");
      member.revision = get_int(row, "revision");
    }
  }
  return members;
}

const StoreMember* store_leader(const std::vector<StoreMember>& members) {
  std::map<std::string, size_t> votes;
  for (const StoreMember& member : members) {
    if (member.reachable && member.leader != "0") ++votes[member.leader];
  }
  for (const StoreMember& member : members) {
    if (member.reachable && votes[member.id] * 2 > members.size()) return &member;
  }
  return nullptr;
}

}  // namespace coracle::lab
