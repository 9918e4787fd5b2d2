// FakeApi: a scripted Api for unit tests. Calls wait, in order, until the test answers them;
// streams stay open until the test ends them. Nothing is answered inside the call.
//
//   FakeApi api(executor);
//   ... start the part under test; executor.run_ready();
//   auto call = api.expect("GET", "/api/v1/pods?limit=500&resourceVersion=0");
//   call.reply(200, R"({"kind":"PodList",...})");
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/manual_executor.hpp"
#include "client/api.hpp"

namespace coracle::client {

class FakeApi final : public Api {
 public:
  explicit FakeApi(ManualExecutor& executor) : executor_(executor) {}

  struct Call {
    ApiRequest request;
    std::function<void(Result<ApiResponse>)> answer;
    json::value body() const;
    void reply(int status, const std::string& text) const;
    void reply(int status, const char* text) const { reply(status, std::string(text)); }
    void reply(int status, const json::value& value) const { reply(status, to_json(value)); }
    // A meta/v1 Status as the apiserver writes it.
    void fail(int status, const std::string& reason, const std::string& message = {}) const;
    void lose(Status status) const { answer(std::move(status)); }
  };
  struct Stream {
    ApiRequest request;
    ApiStreamSink sink;
    bool open = true;  // false: destroyed by its owner or ended
  };

  Task<Result<ApiResponse>> call(ApiRequest request) override;
  std::unique_ptr<ApiStream> stream(ApiRequest request, ApiStreamSink sink) override;

  // The oldest call not yet taken; CHECKs that it is this one.
  Call expect(const std::string& method, const std::string& target);
  Call next_call();
  bool idle() const { return calls_.empty(); }
  // The open streams, oldest first.
  std::vector<std::shared_ptr<Stream>> open_streams() const;
  // The one open stream; CHECKs that there is exactly one.
  std::shared_ptr<Stream> only_stream() const;
  void head(Stream& stream, int status = 200) const;
  void data(Stream& stream, const std::string& bytes) const;
  void event(Stream& stream, const std::string& type, const json::value& object) const;
  void end(Stream& stream, Status status = {}) const;

 private:
  ManualExecutor& executor_;
  std::deque<Call> calls_;
  std::vector<std::shared_ptr<Stream>> streams_;
};

}  // namespace coracle::client
