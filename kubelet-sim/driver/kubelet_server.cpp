#include "kubelet_driver/kubelet_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "kubelet/request_access.hpp"
#include "kubelet_server/port_forward.hpp"
#include "kubelet_server/remote_command.hpp"
#include "kubelet_server/stream_upgrade.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kFollowEvery = std::chrono::milliseconds(200);
constexpr Duration kReopenEvery = std::chrono::seconds(1);

struct LogQuery {
  bool follow = false, timestamps = false, previous = false;
  long long tail = -1, since_seconds = -1, limit_bytes = -1;
};

bool is_true(const net::Query& query, std::string_view name) {
  if (!query.has(name)) return false;
  const std::string text = to_lower(query.get(name));
  return text != "false" && text != "0";
}

Result<LogQuery> parse_query(const net::Query& query) {
  LogQuery q;
  q.follow = is_true(query, "follow");
  q.timestamps = is_true(query, "timestamps");
  q.previous = is_true(query, "previous");
  for (const auto& [name, slot] :
       {std::pair{"tailLines", &q.tail}, std::pair{"sinceSeconds", &q.since_seconds},
        std::pair{"limitBytes", &q.limit_bytes}}) {
    if (query.has(name) && (!parse_int(query.get(name), slot) || *slot < 0)) {
      return invalid_argument(fmt::format("{} must be a number of at least 0", name));
    }
  }
  return q;
}

std::string render(const LogLine& line, const LogQuery& q) {
  const char* end = line.whole ? "\n" : "";
  if (!q.timestamps) return line.text + end;
  const std::string micro = format_micro_time(line.time);
  return fmt::format("{}000Z {}{}", micro.substr(0, micro.size() - 1), line.text, end);
}

std::string render_all(const LogBuffer& lines, const LogQuery& q, WallTime now) {
  size_t first = 0;
  if (q.since_seconds >= 0) {
    const WallTime since = now - std::chrono::seconds(q.since_seconds);
    while (first < lines.size() && lines[first].time < since) ++first;
  }
  if (q.tail >= 0)
    first = std::max(first, lines.size() - std::min(lines.size(), static_cast<size_t>(q.tail)));
  std::string text;
  for (size_t i = first; i < lines.size(); ++i) text += render(lines[i], q);
  if (q.limit_bytes >= 0 && text.size() > static_cast<size_t>(q.limit_bytes)) {
    text.resize(static_cast<size_t>(q.limit_bytes));
  }
  return text;
}

// Sends what a container prints until it ends, the pod goes or the client leaves.
class Follower : public std::enable_shared_from_this<Follower> {
 public:
  Follower(Executor& executor, std::function<const ContainerMachine*()> container, LogQuery query,
           std::shared_ptr<net::Exchange> exchange)
      : executor_(executor),
        container_(std::move(container)),
        query_(query),
        exchange_(std::move(exchange)) {}

  void begin() {
    const ContainerMachine* c = container_();
    sent_ = c->logs(false).next_number();
    exchange_->begin_stream(200, {{"Content-Type", "text/plain"}});
    exchange_->write(net::make_bytes(render_all(c->logs(false), query_, executor_.wall_now())));
    again();
  }

 private:
  void again() {
    executor_.after(kFollowEvery, [self = shared_from_this()] { self->turn(); });
  }
  void turn() {
    if (exchange_->closed()) return;
    if (exchange_->queued_bytes() > kStreamBacklogMax) return again();
    const ContainerMachine* c = container_();
    if (c == nullptr) return exchange_->end();
    const auto& lines = c->logs(false);
    if (lines.next_number() < sent_) sent_ = 0;  // it was restarted
    sent_ = std::max(sent_, lines.first_number());
    std::string text;
    for (; sent_ < lines.next_number(); ++sent_) {
      text += render(lines[sent_ - lines.first_number()], query_);
    }
    if (!text.empty()) exchange_->write(net::make_bytes(std::move(text)));
    if (c->ended()) return exchange_->end();
    again();
  }

  Executor& executor_;
  std::function<const ContainerMachine*()> container_;
  LogQuery query_;
  std::shared_ptr<net::Exchange> exchange_;
  std::uint64_t sent_ = 0;  // the number of the next line to send
};

}  // namespace

Result<std::unique_ptr<KubeletServer>> KubeletServer::create(net::AsioExecutor& executor,
                                                             net::TlsConfig tls) {
  ASSIGN_OR_RETURN(auto identity, net::TlsIdentity::make(tls));
  return std::unique_ptr<KubeletServer>(
      new KubeletServer(executor, std::move(tls), std::move(identity)));
}

Result<std::unique_ptr<net::Server>> KubeletServer::open(const std::string& node,
                                                         const net::HostPort& at) {
  net::Server::Options options;
  options.address = at.host;
  options.port = at.port;
  options.identity = identity_;
  return net::Server::listen(executor_, std::move(options),
                             [this, node](net::Request request, ExchangePtr exchange) {
                               admit(node, std::move(request), exchange);
                             });
}

Result<std::uint16_t> KubeletServer::listen(const std::string& address, const std::string& node) {
  Site& site = sites_[node];
  ASSIGN_OR_RETURN(site.server, open(node, {address, 0}));
  site.at = {address, site.server->port()};
  return site.at.port;
}

void KubeletServer::set_reachable(const std::string& node, bool reachable) {
  const auto found = sites_.find(node);
  if (found == sites_.end()) return;
  Site& site = found->second;
  if (!reachable) {
    site.server.reset();
    site.hole = std::make_unique<net::BlackHole>(site.at);
    return;
  }
  site.hole.reset();
  if (site.server) return;
  auto opened = open(node, site.at);
  if (opened.ok()) {
    site.server = std::move(*opened);
    return;
  }
  // Another program took the port in between: until it lets go of it.
  log::warn("the server of node {}: {}", node, opened.status().message());
  executor_.after(kReopenEvery, [this, node] {
    const auto site = sites_.find(node);
    if (!site->second.hole) set_reachable(node, true);
  });
}

void KubeletServer::set_lag(const std::string& node, Duration lag) {
  if (const auto found = sites_.find(node); found != sites_.end()) found->second.lag = lag;
}

void KubeletServer::admit(const std::string& node, net::Request request,
                          const ExchangePtr& exchange) {
  const Duration lag = sites_.at(node).lag;
  if (lag <= Duration(0)) return handle(node, std::move(request), exchange);
  executor_.after(lag, [this, node, request = std::move(request), exchange] {
    if (!exchange->closed()) handle(node, request, exchange);
  });
}

Status KubeletServer::change_certificate(const std::string& cert_pem, const std::string& key_pem) {
  net::TlsConfig changed = tls_;
  changed.cert_pem = cert_pem;
  changed.key_pem = key_pem;
  RETURN_IF_ERROR(identity_->reload(changed));
  tls_ = std::move(changed);
  return {};
}

void KubeletServer::handle(const std::string& node, net::Request request,
                           const ExchangePtr& exchange) {
  if (pods_ == nullptr) return exchange->respond(plain_answer(503, "starting\n"));
  if (KubeletAuth::trusted(request.peer)) return route(node, request, exchange);
  auto check = auth_->check(request.peer, std::string(request.headers.get("Authorization")),
                            request.method, request.path, node);
  spawn<std::optional<KubeletAuth::Refusal>>(
      std::move(check), [this, node, request = std::move(request),
                         exchange](const std::optional<KubeletAuth::Refusal>& refusal) {
        if (!refusal) return route(node, request, exchange);
        exchange->respond(plain_answer(refusal->status, refusal->text));
      });
}

void KubeletServer::route(const std::string& node, const net::Request& request,
                          const ExchangePtr& exchange) {
  if (request.path == "/networkPolicy" && explain_) {
    const auto answer = explain_(request.query);
    return exchange->respond(answer.ok() ? plain_answer(200, *answer)
                                         : plain_answer(400, answer.status().message() + "\n"));
  }
  const auto parts = split(request.path, '/');  // "", room, namespace, pod, container
  const std::string& room = parts[parts.size() > 1 ? 1 : 0];
  const bool of_container = room == "exec" || room == "attach" || room == "containerLogs";
  const bool known =
      (of_container && parts.size() == 5) || (room == "portForward" && parts.size() == 4);
  RequestCounts& counts = counts_[node];
  const std::string method = access_of(request.method, "").verb.empty() ? "other" : request.method;
  if (!known) {
    if (auto page = node_page(*pods_, node, request, counts)) {
      ++counts[{method, room}];
      if (request.method != "GET") page = plain_answer(405, "Method Not Allowed\n");
      return exchange->respond(*std::move(page));
    }
    ++counts[{method, "other"}];
    return exchange->respond(plain_answer(404, "404 page not found\n"));
  }
  ++counts[{method, room}];
  const bool log = room == "containerLogs";
  if (request.method != "GET" && (log || request.method != "POST")) {
    return exchange->respond(plain_answer(405, "Method Not Allowed\n"));
  }
  log ? serve_logs(request, parts, exchange) : serve_streams(request, parts, exchange);
}

void KubeletServer::serve_streams(const net::Request& request,
                                  const std::vector<std::string>& parts,
                                  const ExchangePtr& exchange) {
  if (parts[1] == "portForward") {
    return serve_port_forward(executor_, *streams_, {parts[2], parts[3]}, request, exchange);
  }
  serve_remote_command(executor_, *streams_, {parts[2], parts[3], parts[4]}, parts[1] == "attach",
                       request, exchange);
}

void KubeletServer::serve_logs(const net::Request& request, const std::vector<std::string>& parts,
                               const ExchangePtr& exchange) {
  const auto query = parse_query(request.query);
  if (!query.ok()) return exchange->respond(plain_answer(400, query.status().message() + "\n"));
  const auto find_container = [pods = pods_, ns = parts[2], pod = parts[3],
                               name = parts[4]]() -> const ContainerMachine* {
    const PodMachine* machine = pods->find(ns, pod);
    return machine == nullptr ? nullptr : machine->container(name);
  };
  const ContainerMachine* container = find_container();
  if (container == nullptr) {
    return exchange->respond(plain_answer(
        404, fmt::format("container \"{}\" in pod \"{}\" is not available\n", parts[4], parts[3])));
  }
  if (query->previous && !container->has_previous()) {
    return exchange->respond(plain_answer(
        400, fmt::format("previous terminated container \"{}\" in pod \"{}\" not found\n", parts[4],
                         parts[3])));
  }
  const bool waits = !container->running() && !container->exit_code().has_value();
  if (waits && !query->previous && container->restart_count() == 0) {
    return exchange->respond(plain_answer(
        400,
        fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}\n", parts[4], parts[3],
                    get_string(container->status(executor_.now()), "state.waiting.reason"))));
  }
  if (query->follow && !query->previous) {
    return std::make_shared<Follower>(executor_, find_container, *query, exchange)->begin();
  }
  exchange->respond(plain_answer(
      200, render_all(container->logs(query->previous), *query, executor_.wall_now())));
}

}  // namespace coracle::kubelet
