#include "net/connection.hpp"

namespace coracle::net {
namespace {

class LiveExchange final : public Exchange {
 public:
  LiveExchange(std::shared_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}

  ~LiveExchange() override {
    if (stage_ == Stage::kFresh) {
      connection_->respond(number_, make_response(500, "no answer\n", "text/plain"));
    } else if (stage_ == Stage::kStreaming) {
      connection_->abort(number_);
    }
  }

  void respond(Response response) override {
    leave(Stage::kDone);
    connection_->respond(number_, std::move(response));
  }

  void begin_stream(int status, Headers headers) override {
    leave(Stage::kStreaming);
    connection_->begin_stream(number_, status, std::move(headers));
  }

  void write(Bytes bytes) override { connection_->write(number_, std::move(bytes)); }
  std::size_t queued_bytes() const override { return connection_->queued_bytes(number_); }

  void end() override {
    stage_ = Stage::kDone;
    connection_->end(number_);
  }

  void abort() override {
    stage_ = Stage::kDone;
    connection_->abort(number_);
  }

  std::shared_ptr<ByteStream> upgrade(int status, Headers headers) override {
    leave(Stage::kDone);
    return connection_->upgrade(number_, status, std::move(headers));
  }

  void on_close(std::function<void()> fn) override {
    if (stage_ != Stage::kDone) connection_->on_close(number_, std::move(fn));
  }
  void on_drain(std::function<void()> fn) override {
    connection_->on_drain(number_, std::move(fn));
  }
  bool closed() const override { return connection_->gone(number_); }

 private:
  enum class Stage { kFresh, kStreaming, kDone };

  void leave(Stage next) {
    CHECK(stage_ == Stage::kFresh);  // a request is answered once
    stage_ = next;
  }

  std::shared_ptr<Connection> connection_;
  std::uint64_t number_;
  Stage stage_ = Stage::kFresh;
};

}  // namespace

std::shared_ptr<Exchange> make_exchange(std::shared_ptr<Connection> connection,
                                        std::uint64_t number) {
  return std::make_shared<LiveExchange>(std::move(connection), number);
}

}  // namespace coracle::net
