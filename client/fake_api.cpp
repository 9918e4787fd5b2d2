#include "client/fake_api.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::client {
namespace {

class FakeStream final : public ApiStream {
 public:
  explicit FakeStream(std::shared_ptr<FakeApi::Stream> stream) : stream_(std::move(stream)) {}
  ~FakeStream() override { stream_->open = false; }

 private:
  std::shared_ptr<FakeApi::Stream> stream_;
};

}  // namespace

json::value FakeApi::Call::body() const {
  auto parsed = parse_json(request.body);
  CHECK_MSG(parsed.ok(), request.body);
  return *parsed;
}

void FakeApi::Call::reply(int status, const std::string& text) const {
  ApiResponse response;
  response.status = status;
  response.headers = {{"content-type", "application/json"}};
  response.body = text;
  answer(std::move(response));
}

void FakeApi::Call::fail(int status, const std::string& reason, const std::string& message) const {
  json::object body{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object()},
                    {"status", "Failure"}, {"message", message}, {"reason", reason},
                    {"code", status}};
  reply(status, to_json(body));
}

Task<Result<ApiResponse>> FakeApi::call(ApiRequest request) {
  co_return co_await Callback<Result<ApiResponse>>(
      [this, request = std::move(request)](std::function<void(Result<ApiResponse>)> done) {
        // Answered in a later turn, as a real one would be.
        auto answer = [this, done = std::move(done)](Result<ApiResponse> response) {
          executor_.post([done, response = std::move(response)] { done(response); });
        };
        calls_.push_back({request, std::move(answer)});
      });
}

std::unique_ptr<ApiStream> FakeApi::stream(ApiRequest request, ApiStreamSink sink) {
  auto stream = std::make_shared<Stream>();
  stream->request = std::move(request);
  stream->sink = std::move(sink);
  std::erase_if(streams_, [](const auto& old) { return !old->open; });
  streams_.push_back(stream);
  return std::make_unique<FakeStream>(stream);
}

FakeApi::Call FakeApi::next_call() {
  executor_.run_ready();
  CHECK_MSG(!calls_.empty(), "no call is waiting");
  Call call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

FakeApi::Call FakeApi::expect(const std::string& method, const std::string& target) {
  Call call = next_call();
  CHECK_MSG(call.request.method == method && call.request.target == target,
            "expected " << method << " " << target << ", got " << call.request.method << " "
                        << call.request.target);
  return call;
}

std::vector<std::shared_ptr<FakeApi::Stream>> FakeApi::open_streams() const {
  std::vector<std::shared_ptr<Stream>> open;
  std::copy_if(streams_.begin(), streams_.end(), std::back_inserter(open),
               [](const auto& stream) { return stream->open; });
  return open;
}

std::shared_ptr<FakeApi::Stream> FakeApi::only_stream() const {
  executor_.run_ready();
  const auto open = open_streams();
  CHECK_MSG(open.size() == 1, open.size() << " streams are open");
  return open.front();
}

// Callbacks are copied: one of them may destroy the stream.
void FakeApi::head(Stream& stream, int status) const {
  ApiResponse head;
  head.status = status;
  const auto callback = stream.sink.on_head;
  if (stream.open) callback(head);
  executor_.run_ready();
}

void FakeApi::data(Stream& stream, const std::string& bytes) const {
  const auto callback = stream.sink.on_data;
  if (stream.open) callback(bytes);
  executor_.run_ready();
}

void FakeApi::event(Stream& stream, const std::string& type, const json::value& object) const {
  data(stream, to_json(json::object{{"type", type}, {"object", object}}) + "\n");
}

void FakeApi::end(Stream& stream, Status status) const {
  const auto callback = stream.sink.on_end;
  if (stream.open) callback(std::move(status));
  stream.open = false;
  executor_.run_ready();
}

}  // namespace coracle::client
