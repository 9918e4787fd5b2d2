// PortPipe: one TCP connection to a port of a pod, for a client that is reached in whichever way.
// Strand: the executor's. Bound: what the pod has not taken stops the client (PortClient::pause)
// at kStreamBacklogMax; what the client has not taken stops the pod.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kubelet/streams.hpp"
#include "net/asio_executor.hpp"
#include "net/tcp.hpp"

namespace coracle::kubelet {

// Towards the client of one connection.
struct PortClient {
  std::function<void(std::string_view)> data;
  std::function<void()> end;                         // the pod sends no more
  std::function<void(const std::string& why)> done;  // once, last; "" when all went well
  std::function<void(bool)> pause;
  std::function<std::size_t()> queued_bytes;
};

class PortPipe : public std::enable_shared_from_this<PortPipe> {
 public:
  explicit PortPipe(PortClient client) : client_(std::move(client)) {}

  void open(net::AsioExecutor& executor, const std::string& host, std::uint16_t port);
  void input(std::string_view data);
  void end_input();
  void drained();  // the client has room again
  void close();    // the client is gone; nothing is called any more

 private:
  void connected(std::shared_ptr<net::TcpSocket> socket);
  void finish(const std::string& why);

  PortClient client_;
  std::shared_ptr<net::TcpSocket> socket_;
  std::string early_;  // before the connection stands
  bool early_end_ = false, over_ = false;
};

}  // namespace coracle::kubelet
