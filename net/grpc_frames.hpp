// Internal to net: gRPC's messages in the bytes of an HTTP/2 stream, each behind a prefix of five
// bytes: compressed or not, then the length. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace coracle::net {

inline constexpr std::size_t kGrpcPrefix = 5;

std::array<char, kGrpcPrefix> grpc_prefix(std::size_t length);

class GrpcReader {
 public:
  explicit GrpcReader(std::size_t message_max) : message_max_(message_max) {}

  // Appends the messages that these bytes complete. After a failure nothing more is read.
  void add(std::string_view bytes, std::deque<std::string>* out);

  // The length of a message that is too long; 0: there was none.
  std::size_t too_large() const { return too_large_; }
  bool compressed() const { return compressed_; }  // a message came that nobody agreed to unpack
  bool failed() const { return too_large_ != 0 || compressed_; }
  bool between_messages() const { return input_.empty(); }

 private:
  const std::size_t message_max_;
  std::string input_;  // a message that is not complete
  std::size_t too_large_ = 0;
  bool compressed_ = false;
};

}  // namespace coracle::net
