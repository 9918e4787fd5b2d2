#include "net_streams/forward.hpp"

#include "base/strings.hpp"
#include "base/task.hpp"
#include "net/asio_executor.hpp"
#include "net_streams/splice.hpp"

namespace coracle::net {
namespace {

constexpr std::size_t kRefusalMax = 1u << 20;
// An answer that is known to be short keeps its Content-Length.
constexpr long long kWholeMax = 64 << 10;

bool has_no_body(int status) { return status == 204 || status == 304; }

class Forward : public std::enable_shared_from_this<Forward> {
 public:
  Forward(AsioExecutor& executor, Forwarding forwarding)
      : executor_(executor), f_(std::move(forwarding)) {}

  void start() {
    auto self = shared_from_this();
    f_.exchange->on_close([self] { self->finish(); });
    head_only_ = f_.request.method == "HEAD";
    StreamSink sink;
    sink.on_headers = [self](Response head) { self->on_head(std::move(head)); };
    sink.on_data = [self](std::string_view bytes) { self->on_data(bytes); };
    sink.on_end = [self](const Status& status) { self->on_end(status); };
    handle_ = f_.client->start_stream(std::move(f_.request), std::move(sink));
  }

 private:
  void on_head(Response head) {
    if (!f_.exchange) return;
    refused_ = head.status >= 400 && f_.on_refusal;
    long long length = -1;
    parse_int(head.headers.get("Content-Length"), &length);
    Headers kept = end_to_end(head.headers);
    kept.remove("Date");
    head.headers = std::move(kept);
    if (!refused_ && f_.on_head) filter_ = f_.on_head(head);
    whole_ =
        refused_ || (!head_only_ && length >= 0 && length <= kWholeMax) || has_no_body(head.status);
    answer_ = std::move(head);
    if (whole_) return;
    f_.exchange->on_drain([self = shared_from_this()] {
      if (self->handle_) self->handle_->pause(false);
    });
    f_.exchange->begin_stream(answer_.status, answer_.headers);
  }

  void on_data(std::string_view bytes) {
    if (!f_.exchange) return;
    if (refused_) {
      if (answer_.body.size() < kRefusalMax) answer_.body += bytes;
      return;
    }
    const std::string out = filter_ ? filter_->pass(bytes, false) : std::string(bytes);
    if (whole_) {
      answer_.body += out;
      return;
    }
    f_.exchange->write(make_bytes(out));
    if (f_.exchange->queued_bytes() > kForwardBacklogMax && handle_) handle_->pause(true);
  }

  void on_end(const Status& status) {
    const auto exchange = f_.exchange;
    if (!exchange) return;
    const bool answered = answer_.status != 0;
    if (!status.ok() && (!answered || (whole_ && !refused_))) {
      exchange->respond(f_.on_failure(status));
    } else if (refused_) {
      exchange->respond(f_.on_refusal(std::move(answer_)));
    } else {
      const std::string rest = filter_ ? filter_->pass("", true) : std::string();
      if (whole_) {
        answer_.body += rest;
        exchange->respond(std::move(answer_));
      } else {
        exchange->write(make_bytes(rest));
        status.ok() ? exchange->end() : exchange->abort();
      }
    }
    finish();
  }

  // Not at once: a client must not end inside a callback of its own.
  void finish() {
    f_.exchange.reset();
    if (handle_) handle_->cancel();
    executor_.post([self = shared_from_this()] {
      self->handle_.reset();
      self->f_ = {};
    });
  }

  AsioExecutor& executor_;
  Forwarding f_;
  std::unique_ptr<StreamHandle> handle_;
  std::unique_ptr<BodyFilter> filter_;
  Response answer_{.status = 0};
  bool head_only_ = false, refused_ = false, whole_ = false;
};

Task<bool> upgrade_task(Forwarding f) {
  auto answer = std::make_shared<Response>();
  answer->status = 0;
  const auto up = co_await f.client->upgrade(std::move(f.request), answer);
  if (!up.ok()) {
    if (answer->status == 0) {
      f.exchange->respond(f.on_failure(up.status()));
      co_return false;
    }
    Headers kept = end_to_end(answer->headers);
    kept.remove("Date");
    answer->headers = std::move(kept);
    if (answer->status >= 400 && f.on_refusal) {
      f.exchange->respond(f.on_refusal(std::move(*answer)));
    } else {
      if (f.on_head) f.on_head(*answer);
      f.exchange->respond(std::move(*answer));
    }
    co_return false;
  }
  if (f.exchange->closed()) {
    (*up)->close();
    co_return false;
  }
  Headers headers = end_to_end(answer->headers);
  keep_upgrade(answer->headers, &headers);
  const auto down = f.exchange->upgrade(101, std::move(headers));
  splice(down, *up);
  co_return true;
}

}  // namespace

void forward(AsioExecutor& executor, Forwarding forwarding) {
  std::make_shared<Forward>(executor, std::move(forwarding))->start();
}

void forward_upgrade(AsioExecutor& executor, Forwarding forwarding) {
  auto client = forwarding.client;
  spawn(upgrade_task(std::move(forwarding)), std::function<void(bool)>([&executor, client](bool) {
          executor.post([client] {});  // outlives its own callback
        }));
}

bool asks_upgrade(const Request& request) {
  return request.headers.has_token("Connection", "upgrade") && request.headers.has("Upgrade");
}

Headers end_to_end(const Headers& headers) {
  Headers out;
  for (const auto& [name, value] : headers) {
    bool kept = !headers.has_token("Connection", name);
    for (const char* hop : {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
                            "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
                            "Host", "Content-Length"}) {
      if (iequals(name, hop)) kept = false;
    }
    if (kept) out.add(name, value);
  }
  return out;
}

void keep_upgrade(const Headers& from, Headers* to) {
  to->set("Connection", "Upgrade");
  to->set("Upgrade", std::string(from.get("Upgrade")));
}

}  // namespace coracle::net
