#include "net/grpc_call.hpp"

#include <algorithm>
#include <cstring>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::net {
void GrpcCall::push(std::string_view message) {
  if (taken_ == body_.size()) {
    body_.clear();
    taken_ = 0;
  }
  const auto prefix = grpc_prefix(message.size());
  body_.reserve(body_.size() + prefix.size() + message.size());
  body_.append(prefix.data(), prefix.size());
  body_ += message;
}

std::size_t GrpcCall::take_body(char* buffer, std::size_t size, bool* end) {
  const std::size_t got = std::min(size, body_.size() - taken_);
  std::memcpy(buffer, body_.data() + taken_, got);
  taken_ += got;
  *end = unary_ && taken_ == body_.size();
  return got;
}

void GrpcCall::on_header(std::string_view name, std::string_view value) {
  if (name == ":status") http_status_ = value;
  if (name == "grpc-message") {
    auto decoded = percent_decode(value);
    message_ = decoded.ok() ? *decoded : std::string(value);
  }
  long long code = 0;
  if (name == "grpc-status") {
    code_ = parse_int(value, &code) && code >= 0 && code <= 16 ? static_cast<int>(code)
                                                               : GrpcStatus::kUnknown;
  }
}

void GrpcCall::on_data(std::string_view bytes) {
  const std::size_t before = messages_.size();
  reader_.add(bytes, &messages_);
  if (!unary_ && messages_.size() > before) touched_->push_back(id_);
}

void GrpcCall::on_closed(std::uint32_t error) {
  closed_ = true;
  error_ = error;
  touched_->push_back(id_);
}

GrpcStatus GrpcCall::status() const {
  if (reader_.too_large() != 0) return {GrpcStatus::kResourceExhausted, "a message is too large"};
  if (reader_.compressed()) return {GrpcStatus::kInternal, "a message is compressed"};
  if (code_ > 0) return {code_, message_};
  if (code_ == 0 && unary_ && messages_.size() != 1) {
    return {GrpcStatus::kInternal, "an answer without a message"};
  }
  if (code_ == 0) return {};
  if (error_ == 0 && !http_status_.empty() && http_status_ != "200") {
    return {GrpcStatus::kUnavailable, "the server answered with HTTP status " + http_status_};
  }
  return {GrpcStatus::kUnavailable, "the call ended without a status"};
}

}  // namespace coracle::net
