// Internal to net: a connection after its upgrade, for servers and clients. Lives while somebody
// holds it or it waits for the peer.
#pragma once

#include <memory>

#include "net/asio_executor.hpp"
#include "net/server.hpp"
#include "net/stream.hpp"

namespace coracle::net {

class RawStream final : public ByteStream,
                        public Waiter,
                        public std::enable_shared_from_this<RawStream> {
 public:
  // `unsent` still goes out; `early` is what the peer sent behind its head.
  RawStream(AsioExecutor& executor, std::unique_ptr<Stream> stream, OutQueue unsent,
            std::string early);
  void start();  // once it is in a shared_ptr

  void on_data(std::function<void(std::string_view)> fn) override;
  void on_close(std::function<void()> fn) override { close_fn_ = std::move(fn); }
  void on_drain(std::function<void()> fn) override { drain_fn_ = std::move(fn); }
  void write(Bytes bytes) override;
  std::size_t queued_bytes() const override { return queue_.size(); }
  void pause(bool paused) override;
  void close() override;
  bool closed() const override { return state_ != State::kOpen; }
  void drop();  // at once; nothing is called any more

  void on_ready(Ready ready) override;

 private:
  enum class State { kOpen, kClosing, kLingering, kClosed };
  bool reading() const {
    return state_ == State::kLingering || (state_ == State::kOpen && !paused_);
  }

  void deliver_early();
  void read();
  void flush();
  void peer_gone();
  void linger();
  void drop_after(Duration delay);
  void release();

  AsioExecutor& executor_;
  std::unique_ptr<Stream> stream_;
  OutQueue queue_;
  std::string early_;
  std::function<void(std::string_view)> data_fn_;
  std::function<void()> close_fn_, drain_fn_;
  State state_ = State::kOpen;
  bool paused_ = false;
};

}  // namespace coracle::net
