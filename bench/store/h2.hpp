// Connection: one HTTP/2 connection that carries gRPC calls, as thin as a load client needs: one
// non-blocking socket, no TLS, one write for all requests of a turn. A client that costs little
// leaves the machine to the servers it measures.
//
// Thread:    one owner.
// Requests:  at most one frame (16 KiB) each; they wait for the server's windows.
// Responses: `head` is the message up to kHeadBytes; `length` is its whole size.
// Errors:    open() says why it cannot connect. Later a lost connection ends all calls.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/status.hpp"

namespace coracle::bench {

class Call {
 public:
  virtual ~Call() = default;
  virtual void on_message(std::string_view head, std::size_t length) = 0;
  virtual void on_end(const Status& status) = 0;
};

class Connection {
 public:
  static constexpr std::size_t kHeadBytes = 64 << 10;

  // "host:port"
  explicit Connection(const std::string& target) : target_(target) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Status open();
  int fd() const { return fd_; }

  // A unary call ends its side at once; a stream stays open. `call` lives until on_end.
  void unary(std::string_view path, std::string_view message, Call* call);
  std::uint32_t open_stream(std::string_view path, Call* call);
  void send(std::uint32_t stream, std::string_view message);

  // Reads what is there and calls back.
  void on_readable();
  // Writes what has gathered; true if the socket took it all.
  bool flush();

 private:
  struct Stream {
    Call* call = nullptr;
    std::string head;              // of the message that is coming
    std::size_t have = 0;          // of it, prefix included
    std::size_t length = 0;        // as its prefix says
    std::uint64_t unreturned = 0;  // of the stream's window
  };
  struct Waiting {
    std::uint32_t stream;
    std::string message;
    bool ends;
  };

  std::uint32_t start(std::string_view path, Call* call, bool ends);
  void header_field(std::string* block, std::string_view name, std::string_view value);
  void put_data(std::uint32_t stream, std::string_view message, bool ends);
  void append_data(std::uint32_t stream, std::string_view message, bool ends);
  void drain_waiting();
  size_t parse(std::string_view bytes);
  void frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
  void data(std::uint32_t id, std::string_view payload);
  void consume(Stream& stream, std::string_view bytes);
  void finish(std::uint32_t id, const Status& status);
  void fail(const Status& status);

  const std::string target_;
  int fd_ = -1;
  std::string in_, out_;
  size_t out_at_ = 0;
  std::uint32_t next_stream_ = 1;
  std::unordered_map<std::uint32_t, Stream> streams_;
  std::deque<std::string> table_;  // our side of HPACK's dynamic table, newest first
  std::deque<Waiting> waiting_;
  std::int64_t window_ = 65535;  // what the server still takes on this connection
  std::uint64_t unreturned_ = 0;
};

}  // namespace coracle::bench
