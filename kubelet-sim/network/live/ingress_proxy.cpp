#include "network_live/ingress_proxy.hpp"

#include <fmt/format.h>

#include <set>

#include "base/encoding.hpp"
#include "kubelet/low_ports.hpp"
#include "net/pki.hpp"
#include "net_streams/forward.hpp"

namespace coracle::network {
namespace {

constexpr int kFakeDays = 365;

net::Response page(int status, std::string text) {
  return net::make_response(status, std::move(text) + "\n", "text/plain; charset=utf-8");
}

net::KeyPair untrusted_pair(WallTime now) {
  const net::Validity validity = net::Validity::days(now, kFakeDays);
  const auto ca = net::make_ca("Kubernetes Ingress Controller Fake CA", validity);
  CHECK(ca.ok());
  const auto pair = net::issue(*ca,
                               {.common_name = "Kubernetes Ingress Controller Fake Certificate",
                                .dns_names = {"ingress.local"},
                                .server = true},
                               validity);
  CHECK(pair.ok());
  return *pair;
}

std::string secret_text(const json::value& secret, std::string_view key) {
  const json::value* data = find_keys(secret, {"data", key});
  if (data == nullptr || !data->is_string()) return {};
  const auto text = base64_decode(data->get_string());
  return text.ok() ? *text : std::string();
}

std::string with_query(const std::string& path, const std::string& target) {
  const size_t mark = target.find('?');
  return mark == target.npos ? path : path + target.substr(mark);
}

}  // namespace

IngressProxy::IngressProxy(net::AsioExecutor& executor, Options options, Hooks hooks)
    : executor_(executor), options_(std::move(options)), hooks_(std::move(hooks)) {
  const net::KeyPair fake = untrusted_pair(executor.wall_now());
  tls_.cert_pem = fake.cert_pem;
  tls_.key_pem = fake.key_pem;
}

IngressProxy::~IngressProxy() { executor_.cancel(retry_); }

IngressProxy::BadSecrets IngressProxy::apply(IngressTable table, const FindSecret& secret) {
  table_ = std::move(table);
  std::set<Endpoint> used;
  std::map<std::string, Balancer> balancers;
  for (IngressBackend& backend : table_.backends()) {
    Frontend frontend;
    frontend.service = backend.service;
    frontend.endpoints = std::move(backend.endpoints);
    used.insert(frontend.endpoints.begin(), frontend.endpoints.end());
    auto known = balancers_.extract(backend.service);
    if (known.empty()) {
      balancers.emplace(backend.service, Balancer(std::move(frontend)));
    } else {
      known.mapped().update(std::move(frontend));
      balancers.insert(std::move(known));
    }
  }
  balancers_ = std::move(balancers);
  std::erase_if(clients_, [&](const auto& entry) { return !used.contains(entry.first); });
  BadSecrets bad = collect_certificates(secret);
  if (table_.served().empty()) {
    http_.reset();
    https_.reset();
    executor_.cancel(std::exchange(retry_, 0));
    told_ = false;
  } else if (!listening()) {
    open();
  } else {
    const Status reloaded = https_->reload_tls(tls_);
    CHECK(reloaded.ok());  // each pair was tried
  }
  return bad;
}

IngressProxy::BadSecrets IngressProxy::collect_certificates(const FindSecret& secret) {
  BadSecrets bad;
  tls_.by_name.clear();
  for (const IngressTls& wanted : table_.tls()) {
    const client::ObjectPtr found = secret(wanted.secret);
    if (!found) {
      bad[wanted.secret] = "there is no such Secret";
      continue;
    }
    net::NamedPair pair{wanted.hosts, secret_text(*found, "tls.crt"),
                        secret_text(*found, "tls.key")};
    const Status good = net::check_key_pair({pair.cert_pem, pair.key_pem});
    if (good.ok()) {
      tls_.by_name.push_back(std::move(pair));
    } else {
      bad[wanted.secret] = good.message();
    }
  }
  return bad;
}

Status IngressProxy::open_at(std::uint16_t http_port, std::uint16_t https_port) {
  const auto listen = [&](std::uint16_t port, bool tls) {
    net::Server::Options options;
    options.address = options_.address;
    options.port = port;
    if (tls) options.tls = tls_;
    return net::Server::listen(
        executor_, std::move(options),
        [this](net::Request request, auto exchange) { handle(request, exchange); });
  };
  ASSIGN_OR_RETURN(auto http, listen(http_port, false));
  ASSIGN_OR_RETURN(https_, listen(https_port, true));
  http_ = std::move(http);
  return {};
}

void IngressProxy::open() {
  const Status opened = open_at(options_.http_port, options_.https_port);
  moved_ = !opened.ok() && open_at(kubelet::moved_port(options_.http_port),
                                   kubelet::moved_port(options_.https_port))
                               .ok();
  if (opened.ok()) {
    told_ = false;
    return;
  }
  if (!std::exchange(told_, true)) hooks_.failed(opened);
  if (moved_) return;
  retry_ = executor_.after(kRetryEvery, [this] {
    retry_ = 0;
    if (!table_.served().empty() && !listening()) open();
  });
}

std::uint16_t IngressProxy::https_port() const {
  return moved_ ? kubelet::moved_port(options_.https_port) : options_.https_port;
}

void IngressProxy::handle(const net::Request& request,
                          const std::shared_ptr<net::Exchange>& exchange) {
  const std::string host(request.headers.get("Host"));
  const auto hit = table_.find(host, request.path);
  if (!hit) return exchange->respond(page(404, "default backend - 404"));
  if (hit->route->to_https && !request.peer.tls) {
    net::Response moved = page(308, "Permanent Redirect");
    const std::string port = https_port() == 443 ? "" : fmt::format(":{}", https_port());
    moved.headers.set("Location", fmt::format("https://{}{}{}", host.substr(0, host.find(':')),
                                              port, request.target));
    return exchange->respond(std::move(moved));
  }
  pass_on(request, exchange, *hit);
}

void IngressProxy::pass_on(const net::Request& request,
                           const std::shared_ptr<net::Exchange>& exchange,
                           const IngressTable::Hit& hit) {
  const auto endpoint = balancers_.at(hit.route->backend.service)
                            .choose({request.peer.address, options_.address, {}}, executor_.now());
  if (!endpoint) return exchange->respond(page(503, "503 Service Temporarily Unavailable"));
  // As a proxy whose packets are dropped says in the end.
  if (!hooks_.may({options_.address, endpoint->address, endpoint->port, Transport::kTcp})) {
    return exchange->respond(page(504, "504 Gateway Time-out"));
  }
  auto reached = client(*endpoint);
  if (!reached) return exchange->respond(page(502, "502 Bad Gateway"));
  net::Forwarding forwarding;
  forwarding.client = std::move(reached);
  forwarding.exchange = exchange;
  forwarding.request.method = request.method;
  forwarding.request.target = with_query(hit.path, request.target);
  forwarding.request.body = request.body;
  net::Headers& headers = forwarding.request.headers;
  headers = net::end_to_end(request.headers);
  const std::string host(request.headers.get("Host"));
  headers.set("Host", host);
  headers.set("X-Real-IP", request.peer.address);
  headers.set("X-Forwarded-For", request.peer.address);
  headers.set("X-Forwarded-Host", host);
  headers.set("X-Forwarded-Proto", request.peer.tls ? "https" : "http");
  headers.set("X-Forwarded-Scheme", request.peer.tls ? "https" : "http");
  headers.set("X-Forwarded-Port",
              std::to_string(request.peer.tls ? options_.https_port : options_.http_port));
  forwarding.on_failure = [](const Status& why) {
    return why.code() == Code::kDeadlineExceeded ? page(504, "504 Gateway Time-out")
                                                 : page(502, "502 Bad Gateway");
  };
  if (net::asks_upgrade(request)) {
    net::keep_upgrade(request.headers, &headers);
    return net::forward_upgrade(executor_, std::move(forwarding));
  }
  net::forward(executor_, std::move(forwarding));
}

std::shared_ptr<net::Client> IngressProxy::client(const Endpoint& endpoint) {
  std::shared_ptr<net::Client>& known = clients_[endpoint];
  if (!known) {
    net::ClientConfig config;
    config.host = endpoint.address;
    config.port = moved_ ? kubelet::moved_port(endpoint.port) : endpoint.port;
    config.tls = false;
    config.connect_timeout = std::chrono::seconds(5);
    auto made = net::Client::create(executor_, std::move(config));
    if (made.ok()) known = std::move(*made);
  }
  return known;
}

}  // namespace coracle::network
