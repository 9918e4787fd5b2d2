// Internal to net: one accepted connection of a Server, and the exchanges on it, one at a time.
//
//   handshake -> idle -> reading -> handling -> [streaming] -> idle ...
//   any -> closing (sends what is queued) -> lingering (lets the peer read it) -> closed
//
// While a request is handled only one buffer is read ahead: to see the peer go away.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/asio_executor.hpp"
#include "net/message_parser.hpp"
#include "net/server.hpp"
#include "net/stream.hpp"

namespace coracle::net {

class Connection;
class RawStream;

// What the connections of one server share. Outlives the Server while an Exchange is held.
struct ServerShared {
  AsioExecutor& executor;
  Server::Options options;
  // Gone with the Server: what it captures may hold Exchanges, which hold this.
  std::shared_ptr<const Handler> handler;
  std::shared_ptr<TlsIdentity> tls;  // null: none
  ServerStats stats;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::vector<std::weak_ptr<RawStream>> upgraded;
  std::function<void()> on_empty;  // of a stopping server
  bool stopping = false;
  Executor::TimerId sweep_timer = 0;  // while there are connections

  void remove(const std::shared_ptr<Connection>& connection);
};

class Connection final : public Waiter, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerShared> server, int descriptor, Peer peer);

  void start();
  void stop();    // ends in order, see Server::stop
  void drop();    // breaks it; on_close runs
  void forget();  // breaks it; nothing runs
  void check_deadline(TimePoint now);
  void on_ready(Ready ready) override;

  // Of the exchange with this number; ignored when it is not the current one any more.
  void respond(std::uint64_t exchange, Response response);
  void begin_stream(std::uint64_t exchange, int status, Headers headers);
  void write(std::uint64_t exchange, Bytes bytes);
  void end(std::uint64_t exchange);
  void abort(std::uint64_t exchange);
  std::shared_ptr<ByteStream> upgrade(std::uint64_t exchange, int status, Headers headers);
  void on_close(std::uint64_t exchange, std::function<void()> fn);
  void on_drain(std::uint64_t exchange, std::function<void()> fn);
  std::size_t queued_bytes(std::uint64_t exchange) const;
  bool gone(std::uint64_t exchange) const;

 private:
  enum class State {
    kHandshake,
    kIdle,
    kReading,
    kHandling,
    kStreaming,
    kClosing,
    kLingering,
    kClosed
  };

  bool current(std::uint64_t exchange) const {
    return exchange == exchange_ && (state_ == State::kHandling || state_ == State::kStreaming);
  }
  void handshake();
  void refuse_plain_http();
  void read_requests();
  bool take_input(std::string_view data);
  void parse_input();
  void dispatch();
  void reject(RequestError error);
  void watch_peer();
  void discard_input();
  void push_head(int status, const Headers& headers, std::optional<std::size_t> length);
  void finish_exchange();
  void resume();
  void flush();
  void flush_later();
  void flushed();
  void linger();
  void run_close_fns();
  void set_deadline(Duration from_now);

  std::shared_ptr<ServerShared> server_;
  std::unique_ptr<Stream> stream_;
  Peer peer_;
  WallTime cert_expires_ = WallTime::max();
  std::optional<MessageParser> parser_;
  std::string input_;  // read, not yet consumed
  OutQueue queue_;
  std::uint64_t exchange_ = 0;
  std::vector<std::function<void()>> close_fns_;
  std::function<void()> drain_fn_;
  TimePoint deadline_{};  // of the state
  TimePoint progress_{};  // the peer last took something
  State state_ = State::kHandshake;
  bool keep_alive_ = true, chunked_ = true, head_only_ = false;  // of the current exchange
  bool sent_continue_ = false, in_handler_ = false, peer_ended_ = false;
  bool flush_posted_ = false, resume_posted_ = false;
};

std::shared_ptr<Exchange> make_exchange(std::shared_ptr<Connection> connection,
                                        std::uint64_t number);

}  // namespace coracle::net
