// Internal to net: one gRPC call on an HTTP/2 stream: messages in their frames, the status of the
// trailers. Pure: it writes down what arrived, its connection says when to look.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/grpc_channel.hpp"
#include "net/grpc_frames.hpp"
#include "net/http2.hpp"

namespace coracle::net {

class GrpcCall final : public Http2Stream {
 public:
  explicit GrpcCall(bool unary) : unary_(unary) {}  // unary: one message each way
  // Where it writes its number when there is something to take.
  void report(std::vector<std::int32_t>* touched, std::int32_t id) {
    touched_ = touched;
    id_ = id;
  }

  void push(std::string_view message);  // of the request

  bool unary() const { return unary_; }
  // Complete messages that have arrived since the last time.
  std::deque<std::string> take_messages() { return std::exchange(messages_, {}); }
  bool closed() const { return closed_; }
  GrpcStatus status() const;  // of a closed one

  void on_header(std::string_view name, std::string_view value) override;
  void on_data(std::string_view bytes) override;
  void on_closed(std::uint32_t error) override;
  std::size_t take_body(char* buffer, std::size_t size, bool* end) override;

 private:
  const bool unary_;
  std::vector<std::int32_t>* touched_ = nullptr;
  std::int32_t id_ = 0;
  std::string body_;  // of the request, from taken_ on
  std::size_t taken_ = 0;
  GrpcReader reader_{GrpcChannel::kMessageMax};
  std::deque<std::string> messages_;
  bool closed_ = false;
  std::uint32_t error_ = 0;
  int code_ = -1;  // none came
  std::string message_, http_status_;
};

}  // namespace coracle::net
