#include "kubelet_runtime/prober.hpp"

#include <fmt/format.h>

#include <cctype>

#include "base/strings.hpp"
#include "kubelet/low_ports.hpp"
#include "kubelet_runtime/grpc_probe.hpp"
#include "net/client.hpp"
#include "net/tcp.hpp"

namespace coracle::kubelet {
namespace {

struct HttpProbe {
  std::string host, url;
  std::uint16_t port = 0;
  bool tls = false;
  net::ClientRequest request;
  Duration timeout;
};

HttpProbe http_probe(const json::value& get, const json::value& container,
                     const std::string& pod_ip, Duration timeout) {
  HttpProbe p;
  p.host = get_string(get, "host", pod_ip);
  p.port = find(get, "port") == nullptr ? 0 : port_number(*find(get, "port"), container);
  p.tls = iequals(get_string(get, "scheme"), "HTTPS");
  p.timeout = timeout;
  std::string path(get_string(get, "path", "/"));
  if (!path.starts_with("/")) path.insert(0, "/");
  p.url = fmt::format("{}://{}:{}{}", p.tls ? "https" : "http", p.host, p.port, path);
  p.request.target = path;
  p.request.timeout = timeout;
  p.request.headers.add("Accept", "*/*");
  for (const json::value& header : get_array(get, "httpHeaders")) {
    p.request.headers.set(get_string(header, "name"), std::string(get_string(header, "value")));
  }
  return p;
}

// Starts the request at a port; a refused low port is tried where it may have moved.
void ask(net::AsioExecutor& executor, const HttpProbe& probe, bool moved, const ProbeDone& done) {
  net::ClientConfig config;
  config.host = probe.host;
  config.port = moved ? moved_port(probe.port) : probe.port;
  config.tls = probe.tls;
  config.insecure_skip_verify = true;
  config.user_agent = "kube-probe/1.36";
  config.connect_timeout = config.request_timeout = probe.timeout;
  config.max_connections = 1;
  config.max_response = 10u << 20;
  auto client = net::Client::create(executor, std::move(config));
  if (!client.ok()) return done({false, client.status().message()});
  std::shared_ptr<net::Client> shared = std::move(*client);
  shared->request(
      probe.request, [&executor, probe, moved, done, shared](Result<net::Response> response) {
        // The client may not end inside a callback of its own.
        executor.post([shared] {});
        if (response.ok()) {
          const int status = response->status;
          if (status >= 200 && status < 400) return done({true, ""});
          return done({false, fmt::format("HTTP probe failed with statuscode: {}", status)});
        }
        const bool refused = response.status().message().find("refused") != std::string::npos;
        if (refused && !moved && moved_port(probe.port) != probe.port) {
          return ask(executor, probe, true, done);
        }
        done({false, fmt::format("Get \"{}\": {}", probe.url, response.status().message())});
      });
}

}  // namespace

std::uint16_t port_number(const json::value& port, const json::value& container) {
  long long number = 0;
  if (port.is_int64()) {
    number = port.get_int64();
  } else if (port.is_string()) {
    for (const json::value& p : get_array(container, "ports")) {
      if (get_string(p, "name") == port.get_string()) number = get_int(p, "containerPort");
    }
    if (number == 0 && !parse_int(port.get_string(), &number)) number = 0;
  }
  return number > 0 && number < 65536 ? static_cast<std::uint16_t>(number) : 0;
}

void Prober::run(const ContainerId& id, const json::value& container, const std::string& pod_ip,
                 const json::value& spec, Duration timeout, ProbeDone done) const {
  if (const json::value* exec = find(spec, "exec")) return command(id, *exec, timeout, done);
  if (const json::value* get = find(spec, "httpGet")) {
    return http(*get, container, pod_ip, timeout, std::move(done));
  }
  if (const json::value* socket = find(spec, "tcpSocket")) {
    const json::value* port = find(*socket, "port");
    return tcp(std::string(get_string(*socket, "host", pod_ip)),
               port == nullptr ? 0 : port_number(*port, container), timeout, std::move(done));
  }
  if (const json::value* wait = find(spec, "sleep")) {
    executor.after(std::chrono::seconds(get_int(*wait, "seconds")), [done] { done({true, ""}); });
    return;
  }
  if (const json::value* grpc = find(spec, "grpc")) {
    return probe_grpc(executor, pod_ip, static_cast<std::uint16_t>(get_int(*grpc, "port")),
                      std::string(get_string(*grpc, "service")), timeout, std::move(done));
  }
  done({false, "missing probe handler"});
}

void Prober::http(const json::value& get, const json::value& container, const std::string& pod_ip,
                  Duration timeout, ProbeDone done) const {
  const HttpProbe probe = http_probe(get, container, pod_ip, timeout);
  if (probe.port == 0) return done({false, "couldn't find the container's port"});
  ask(executor, probe, false, done);
}

void Prober::tcp(const std::string& host, std::uint16_t port, Duration timeout,
                 ProbeDone done) const {
  struct Dial {
    ProbeDone done;
    Executor::TimerId timer = 0;
  };
  auto dial = std::make_shared<Dial>();
  dial->done = std::move(done);
  const auto answer = [](const std::shared_ptr<Dial>& d, ProbeAnswer a) {
    if (auto then = std::exchange(d->done, nullptr)) then(std::move(a));
  };
  dial->timer = executor.after(timeout, [dial, answer, host, port] {
    answer(dial, {false, fmt::format("dial tcp {}:{}: i/o timeout", host, port)});
  });
  using Socket = Result<std::shared_ptr<net::TcpSocket>>;
  spawn<Socket>(net::dial_tcp(executor, host, port), [this_executor = &executor, dial, answer, host,
                                                      port](Socket socket) {
    const auto end = [=](const Socket& s) {
      this_executor->cancel(dial->timer);
      answer(dial, {s.ok(), s.ok() ? "" : s.status().message()});
      if (s.ok()) (*s)->close();
    };
    if (socket.ok() || moved_port(port) == port) return end(socket);
    spawn<Socket>(net::dial_tcp(*this_executor, host, moved_port(port)),
                  [end, socket](const Socket& second) { end(second.ok() ? second : socket); });
  });
}

void Prober::command(const ContainerId& id, const json::value& exec, Duration timeout,
                     ProbeDone done) const {
  std::vector<std::string> words;
  for (const json::value& word : get_array(exec, "command")) {
    if (word.is_string()) words.emplace_back(word.get_string());
  }
  if (runtime == nullptr || words.empty()) return done({false, "no command can be run here"});
  const std::string first = join(words, " ");
  runtime->run(id, words, timeout, [done, first, timeout](const ProcessRuntime::Outcome& o) {
    if (o.timed_out) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
      return done(
          {false, fmt::format("command timed out: \"{}\" timed out after {}s", first, seconds)});
    }
    if (o.end.broken) return done({false, o.end.why});
    done({o.end.exit_code == 0, o.output});
  });
}

}  // namespace coracle::kubelet
