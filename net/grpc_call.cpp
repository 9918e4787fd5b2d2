#include "net/grpc_call.hpp"

#include <algorithm>
#include <cstring>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::net {
namespace {

constexpr std::size_t kPrefix = 5;  // compressed or not, then the length

std::uint32_t length_of(std::string_view prefix) {
  std::uint32_t out = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) out = out << 8 | static_cast<unsigned char>(prefix[i]);
  return out;
}

}  // namespace

void GrpcCall::push(std::string_view message) {
  if (taken_ == body_.size()) {
    body_.clear();
    taken_ = 0;
  }
  body_.reserve(body_.size() + kPrefix + message.size());
  body_ += '\0';
  for (int shift = 24; shift >= 0; shift -= 8) {
    body_ += static_cast<char>(message.size() >> shift);
  }
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
  while (!bytes.empty() && !too_large_) {
    const std::size_t known = std::min(kPrefix - std::min(kPrefix, input_.size()), bytes.size());
    input_ += bytes.substr(0, known);
    bytes.remove_prefix(known);
    if (input_.size() < kPrefix) return;
    const std::size_t length = length_of(input_);
    if (length > GrpcChannel::kMessageMax) {
      too_large_ = true;
      input_ = {};
      return;
    }
    input_.reserve(std::min(length + kPrefix, std::size_t{1} << 20));  // a claim is not yet a byte
    const std::size_t part = std::min(length + kPrefix - input_.size(), bytes.size());
    input_ += bytes.substr(0, part);
    bytes.remove_prefix(part);
    if (input_.size() < length + kPrefix) return;
    messages_.push_back(input_.substr(kPrefix));
    input_.clear();
    if (!unary_) touched_->push_back(id_);
  }
}

void GrpcCall::on_closed(std::uint32_t error) {
  closed_ = true;
  error_ = error;
  touched_->push_back(id_);
}

GrpcStatus GrpcCall::status() const {
  if (too_large_) return {GrpcStatus::kResourceExhausted, "a message is too large"};
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
