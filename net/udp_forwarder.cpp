#include "net/udp_forwarder.hpp"

#include <algorithm>
#include <map>

#include "net/asio_executor.hpp"
#include "net/udp_socket.hpp"

namespace coracle::net {
namespace {

struct ByHostPort {
  bool operator()(const HostPort& a, const HostPort& b) const {
    return a.port != b.port ? a.port < b.port : a.host < b.host;
  }
};

class LiveForwarder final : public UdpForwarder {
 public:
  LiveForwarder(AsioExecutor& executor, Options options, Choose choose)
      : executor_(executor), options_(std::move(options)), choose_(std::move(choose)) {}
  ~LiveForwarder() override { executor_.cancel(sweep_); }

  Status open() {
    ASSIGN_OR_RETURN(socket_, UdpSocket::bind(executor_, options_.address, options_.port,
                                              [this](std::string_view data, const HostPort& from) {
                                                pass(data, from);
                                              }));
    sweep();
    return {};
  }
  std::uint16_t port() const override { return socket_->port(); }
  std::size_t flows() const override { return flows_.size(); }
  void forget(const std::function<bool(const HostPort&)>& gone) override {
    std::erase_if(flows_, [&](const auto& entry) { return gone(entry.second.target); });
  }

 private:
  struct Flow {
    HostPort target;
    std::unique_ptr<UdpSocket> socket;
    TimePoint last;
  };

  void pass(std::string_view data, const HostPort& client) {
    auto found = flows_.find(client);
    if (found == flows_.end()) {
      if (!begin(client)) return;
      found = flows_.find(client);
    }
    found->second.last = executor_.now();
    found->second.socket->send(data);
  }

  bool begin(const HostPort& client) {
    const auto target = choose_(client);
    if (!target) return false;
    auto socket = UdpSocket::connect(
        executor_, *target,
        [this, client](std::string_view data, const HostPort&) {
          flows_.at(client).last = executor_.now();
          socket_->send_to(data, client);
        },
        // Not inside a call of the socket that goes.
        [this, client, alive = std::weak_ptr(alive_)] {
          executor_.post([this, client, alive] {
            if (!alive.expired()) flows_.erase(client);
          });
        });
    if (!socket.ok()) return false;
    if (flows_.size() >= options_.max_flows) {
      flows_.erase(std::min_element(flows_.begin(), flows_.end(), [](auto& a, auto& b) {
        return a.second.last < b.second.last;
      }));
    }
    flows_.emplace(client, Flow{*target, std::move(*socket), executor_.now()});
    return true;
  }

  void sweep() {
    sweep_ = executor_.after(options_.idle / 2, [this] {
      const TimePoint oldest = executor_.now() - options_.idle;
      std::erase_if(flows_, [&](const auto& entry) { return entry.second.last < oldest; });
      sweep();
    });
  }

  AsioExecutor& executor_;
  const Options options_;
  const Choose choose_;
  std::unique_ptr<UdpSocket> socket_;
  std::map<HostPort, Flow, ByHostPort> flows_;
  Executor::TimerId sweep_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Result<std::unique_ptr<UdpForwarder>> UdpForwarder::listen(AsioExecutor& executor, Options options,
                                                           Choose choose) {
  auto forwarder = std::make_unique<LiveForwarder>(executor, std::move(options), std::move(choose));
  RETURN_IF_ERROR(forwarder->open());
  return std::unique_ptr<UdpForwarder>(std::move(forwarder));
}

}  // namespace coracle::net
