#include <utility>

#include "client/https_api.hpp"
#include "kubectl/wire.hpp"
#include "net/asio_executor.hpp"

namespace coracle::kubectl {
namespace {

// What the callbacks of a stream fill in; shared, because the stream may outlive a limit.
struct Streamed {
  client::ApiResponse head;
  Status end;
  bool done = false;
};

class HttpsWire final : public Wire {
 public:
  Status connect(client::ClientConfig config) {
    client::HttpsApiOptions options{.config = std::move(config), .user_agent = "kubectl"};
    ASSIGN_OR_RETURN(api_, client::make_https_api(executor_, std::move(options)));
    return {};
  }

  Result<client::ApiResponse> call(client::ApiRequest request) override {
    return net::block_on(executor_, api_->call(std::move(request)));
  }

  Result<client::ApiResponse> stream(client::ApiRequest request,
                                     std::function<bool(std::string_view)> on_data,
                                     Duration limit) override {
    auto state = std::make_shared<Streamed>();
    client::ApiStreamSink sink;
    sink.on_head = [state](const client::ApiResponse& head) { state->head = head; };
    sink.on_data = [state, on_data = std::move(on_data)](std::string_view bytes) {
      if (state->done) return;
      if (state->head.status >= 400) {
        state->head.body.append(bytes);
      } else if (!on_data(bytes)) {
        state->done = true;
      }
    };
    sink.on_end = [state](Status status) {
      state->end = std::move(status);
      state->done = true;
    };
    auto stream = api_->stream(std::move(request), std::move(sink));
    Executor::TimerId timer = 0;
    if (limit > Duration::zero()) {
      timer = executor_.after(limit, [state] { state->done = true; });
    }
    executor_.run_until([&] { return state->done; });
    executor_.cancel(timer);
    stream.reset();
    if (state->head.status == 0 && !state->end.ok()) return state->end;
    return std::move(state->head);
  }

  void pause(Duration duration) override {
    bool over = false;
    executor_.after(duration, [&over] { over = true; });
    executor_.run_until([&] { return over; });
  }
  TimePoint now() const override { return executor_.now(); }
  WallTime wall_now() const override { return executor_.wall_now(); }

 private:
  net::AsioExecutor executor_;
  std::unique_ptr<client::Api> api_;
};

}  // namespace

Result<std::unique_ptr<Wire>> make_https_wire(client::ClientConfig config) {
  auto wire = std::make_unique<HttpsWire>();
  RETURN_IF_ERROR(wire->connect(std::move(config)));
  return std::unique_ptr<Wire>(std::move(wire));
}

}  // namespace coracle::kubectl
