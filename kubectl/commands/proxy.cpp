// proxy
#include <fstream>
#include <ostream>
#include <sstream>

#include "base/regex.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/streaming.hpp"
#include "net/server.hpp"
#include "net_streams/forward.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

std::string media_type(const std::string& path) {
  const std::string end = path.substr(std::min(path.rfind('.'), path.size()));
  if (end == ".html" || end == ".htm") return "text/html; charset=utf-8";
  if (end == ".css") return "text/css; charset=utf-8";
  if (end == ".js") return "text/javascript; charset=utf-8";
  if (end == ".json") return "application/json";
  if (end == ".svg") return "image/svg+xml";
  if (end == ".png") return "image/png";
  return "text/plain; charset=utf-8";
}

class Proxy {
 public:
  Proxy(Invocation& call, std::unique_ptr<Link> link) : call_(call), link_(std::move(link)) {}

  Status run() {
    RETURN_IF_ERROR(read_flags());
    net::Server::Options options;
    options.address = call_.flags.get("address");
    options.port = static_cast<std::uint16_t>(call_.flags.get_int("port"));
    auto server = net::Server::listen(
        link_->executor(), std::move(options),
        [this](const net::Request& request, auto exchange) { handle(request, exchange); });
    if (!server.ok()) return fail(server.status().message());
    call_.session.io.out << "Starting to serve on " << call_.flags.get("address") << ":"
                         << (*server)->port() << std::endl;
    link_->executor().run();
    return {};
  }

 private:
  Status read_flags() {
    prefix_ = with_slashes(call_.flags.get("api-prefix"));
    www_prefix_ = with_slashes(call_.flags.get("www-prefix"));
    www_ = call_.flags.get("www");
    for (const auto& [flag, list] :
         {std::pair{"accept-hosts", &accept_hosts_}, std::pair{"accept-paths", &accept_paths_},
          std::pair{"reject-paths", &reject_paths_},
          std::pair{"reject-methods", &reject_methods_}}) {
      for (const std::string& text : split(call_.flags.get(flag), ',')) {
        if (text.empty()) continue;
        auto made = Regex::compile(text);
        if (!made.ok()) return fail("--" + std::string(flag) + ": " + made.status().message());
        list->push_back(std::move(*made));
      }
    }
    return {};
  }
  static std::string with_slashes(std::string text) {
    if (!text.starts_with('/')) text.insert(0, "/");
    return text.ends_with('/') ? text : text + "/";
  }
  static bool any(const std::vector<Regex>& list, std::string_view text) {
    for (const Regex& one : list) {
      if (one.search(text)) return true;
    }
    return false;
  }

  bool accepts(const net::Request& request) const {
    if (call_.flags.is_set("disable-filter")) return true;
    std::string host(request.headers.get("Host"));
    host = host.substr(0, host.rfind(':'));
    return any(accept_hosts_, host) && any(accept_paths_, request.path) &&
           !any(reject_paths_, request.path) && !any(reject_methods_, request.method);
  }

  void handle(const net::Request& request, const std::shared_ptr<net::Exchange>& exchange) {
    if (!accepts(request)) {
      return exchange->respond(net::make_response(403, "Forbidden", "text/plain; charset=utf-8"));
    }
    if (!www_.empty() && request.path.starts_with(www_prefix_))
      return serve_file(request, exchange);
    if (!request.path.starts_with(prefix_)) {
      return exchange->respond(
          net::make_response(404, "404 page not found\n", "text/plain; charset=utf-8"));
    }
    net::Forwarding forwarding;
    forwarding.client = {std::shared_ptr<void>(), &link_->client()};  // lives as long as we do
    forwarding.request =
        link_->request(request.method, "/" + request.target.substr(prefix_.size()));
    for (const auto& [name, value] : net::end_to_end(request.headers)) {
      if (!forwarding.request.headers.has(name)) forwarding.request.headers.add(name, value);
    }
    forwarding.request.body = request.body;
    forwarding.exchange = exchange;
    forwarding.on_failure = [](const Status& status) {
      return net::make_response(502, status.message() + "\n", "text/plain; charset=utf-8");
    };
    if (net::asks_upgrade(request)) {
      net::keep_upgrade(request.headers, &forwarding.request.headers);
      return net::forward_upgrade(link_->executor(), std::move(forwarding));
    }
    net::forward(link_->executor(), std::move(forwarding));
  }

  void serve_file(const net::Request& request, const std::shared_ptr<net::Exchange>& exchange) {
    std::string path = request.path.substr(www_prefix_.size());
    if (path.empty() || path.ends_with('/')) path += "index.html";
    for (const std::string& part : split(path, '/')) {
      if (part == "..") path.clear();
    }
    std::ifstream file(www_ + "/" + path, std::ios::binary);
    std::stringstream text;
    if (!path.empty() && file) text << file.rdbuf();
    if (path.empty() || !file) {
      return exchange->respond(
          net::make_response(404, "404 page not found\n", "text/plain; charset=utf-8"));
    }
    exchange->respond(net::make_response(200, text.str(), media_type(path)));
  }

  Invocation& call_;
  const std::unique_ptr<Link> link_;
  std::string prefix_, www_prefix_, www_;
  std::vector<Regex> accept_hosts_, accept_paths_, reject_paths_, reject_methods_;
};

}  // namespace

Command proxy_command() {
  return {
      .name = "proxy",
      .usage = "[--port=PORT] [--www=DIR]",
      .summary = "Serve the API to this machine, with our credentials",
      .examples = "  kubectl proxy --port=8011\n  kubectl proxy --api-prefix=/k8s-api\n",
      .flags = {{"port", 'p', FlagType::kInt, "8001", "Port to listen on; 0: a free one"},
                {"address", 0, FlagType::kString, "127.0.0.1", "Address to listen on"},
                {"api-prefix", 0, FlagType::kString, "/", "Path the API is served under"},
                {"www", 'w', FlagType::kString, "", "Also serve the files of this folder"},
                {"www-prefix", 'P', FlagType::kString, "/static/", "Path they are served under"},
                {"accept-hosts", 0, FlagType::kString, "^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$",
                 "Hosts that are accepted, regular "
                 "expressions"},
                {"accept-paths", 0, FlagType::kString, "^.*", "Paths that are accepted"},
                {"reject-paths", 0, FlagType::kString,
                 "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach", "Paths that are refused"},
                {"reject-methods", 0, FlagType::kString, "^$", "Methods that are refused"},
                {"disable-filter", 0, FlagType::kBool, "false", "Accept everything"},
                {"keepalive", 0, FlagType::kDuration, "0s", "Accepted, not used"}},
      .run = [](Invocation& call) -> Status {
        ASSIGN_OR_RETURN(auto link, make_link(call.session));
        return Proxy(call, std::move(link)).run();
      }};
}

}  // namespace coracle::kubectl
