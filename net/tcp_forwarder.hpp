// TcpForwarder: accepts TCP connections and joins each to a target its owner chooses: bytes both
// ways, half closes passed on, a refused target replaced by the next choice.
//
// Strand of the executor. Bounds: Options::max_connections joined at once (more are closed at
// once); kBufferMax bytes a direction: a side that does not read stops the other one's reading.
// Whoever goes down takes his peer along: an error on one side resets the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::net {

class AsioExecutor;

struct HostPort {
  std::string host;  // a numeric address
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

class TcpForwarder {
 public:
  static constexpr std::size_t kBufferMax = 64u << 10;

  struct Options {
    std::string address;  // "": every address of the loopback device, and of no other
    std::uint16_t port = 0;
    std::size_t max_connections = 4'000;
    Duration connect_timeout = std::chrono::seconds(5);
    int tries = 3;  // targets asked for one connection
  };
  struct Arrival {
    HostPort client, local;
    std::vector<HostPort> refused;  // targets that did not take this connection
  };
  // Where the connection goes; nothing: it is reset.
  using Choose = std::function<std::optional<HostPort>(const Arrival&)>;

  // Unavailable: "listen tcp 127.0.0.1:80: bind: permission denied".
  static Result<std::unique_ptr<TcpForwarder>> listen(AsioExecutor& executor, Options options,
                                                      Choose choose);
  virtual ~TcpForwarder() = default;  // accepts no more; what is joined goes on until it ends
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
};

}  // namespace coracle::net
