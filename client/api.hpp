// Api: the port through which controllers, scheduler, kubelets and kubectl reach an apiserver.
// Ends: HTTPS (client/https_api.hpp) and in-process (the apiserver's own handler, in the simulated
// world). It is the REST API as bytes, so that both ends are the same code above it;
// client/resource.hpp puts get/list/create/update/patch/delete of objects on top.
//
// Strand: as for Store. A Task ends with a Status only when no HTTP answer came; an answer of 4xx
// or 5xx is an ApiResponse (resource.hpp turns it into an ApiError with upstream's reason).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "base/task.hpp"

namespace coracle::client {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct ApiRequest {
  std::string method = "GET";
  std::string target;  // "/api/v1/namespaces/default/pods?limit=5", already encoded
  HeaderList headers;  // Accept and Content-Type when they are not application/json
  std::string body;
  Duration timeout = std::chrono::seconds(30);
};

struct ApiResponse {
  int status = 0;
  HeaderList headers;  // names in lower case
  std::string body;
};

// One callback at a time on the strand; none after the stream was destroyed.
struct ApiStreamSink {
  std::function<void(const ApiResponse& head)> on_head;  // status and headers, empty body
  std::function<void(std::string_view bytes)> on_data;   // cut anywhere; also the body of an error
  std::function<void(Status)> on_end;                    // Ok: ended by the server
};

// Destroying it closes the connection.
class ApiStream {
 public:
  virtual ~ApiStream() = default;
};

class Api {
 public:
  virtual ~Api() = default;
  virtual Task<Result<ApiResponse>> call(ApiRequest request) = 0;
  // A long answer: watch, follow a log. `timeout` bounds the wait for the head only.
  virtual std::unique_ptr<ApiStream> stream(ApiRequest request, ApiStreamSink sink) = 0;
};

}  // namespace coracle::client
