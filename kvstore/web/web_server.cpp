#include "web/web_server.hpp"

#include <thread>

#include "base/strings.hpp"
#include "net/asio_executor.hpp"
#include "web/site.hpp"

namespace coracle::store {
namespace {

constexpr size_t kConnectionsMax = 256;
constexpr size_t kBodyMax = 64 << 10;

}  // namespace

struct WebServer::Impl {
  explicit Impl(Member& member) : site(member, executor) {}

  net::AsioExecutor executor;
  Site site;
  std::vector<std::unique_ptr<net::Server>> servers;
  std::thread thread;
};

WebServer::WebServer(Member& member) : impl_(std::make_unique<Impl>(member)) {}
WebServer::~WebServer() { stop(); }

Status WebServer::start(const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    std::string_view target = url;
    if (target.starts_with("http://")) target.remove_prefix(7);
    if (target.ends_with('/')) target.remove_suffix(1);
    const size_t colon = target.rfind(':');
    long long port = 0;
    if (colon == std::string_view::npos || !parse_int(target.substr(colon + 1), &port)) {
      return invalid_argument(url + ": must be http://HOST:PORT");
    }
    net::Server::Options options;
    options.address = target.substr(0, colon);
    if (options.address.starts_with('[') && options.address.ends_with(']')) {
      options.address = options.address.substr(1, options.address.size() - 2);
    }
    options.port = std::uint16_t(port);
    options.limits.max_connections = kConnectionsMax;
    options.limits.max_body = kBodyMax;
    auto server = net::Server::listen(impl_->executor, std::move(options),
                                      [this](net::Request request, auto exchange) {
                                        impl_->site.handle(std::move(request), std::move(exchange));
                                      });
    RETURN_IF_ERROR(server.status().with_context(url));
    impl_->servers.push_back(std::move(server).value());
  }
  impl_->thread = std::thread([this] { impl_->executor.run(); });
  return {};
}

void WebServer::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->executor.stop();
  impl_->thread.join();
}

}  // namespace coracle::store
