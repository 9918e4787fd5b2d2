#include "net/grpc_frames.hpp"

#include <algorithm>
#include <cstdint>

namespace coracle::net {
namespace {

std::uint32_t length_of(std::string_view prefix) {
  std::uint32_t out = 0;
  for (std::size_t i = 1; i < kGrpcPrefix; ++i) {
    out = out << 8 | static_cast<unsigned char>(prefix[i]);
  }
  return out;
}

}  // namespace

std::array<char, kGrpcPrefix> grpc_prefix(std::size_t length) {
  return {'\0', static_cast<char>(length >> 24), static_cast<char>(length >> 16),
          static_cast<char>(length >> 8), static_cast<char>(length)};
}

void GrpcReader::add(std::string_view bytes, std::deque<std::string>* out) {
  while (!bytes.empty() && !failed()) {
    const std::size_t known =
        std::min(kGrpcPrefix - std::min(kGrpcPrefix, input_.size()), bytes.size());
    input_ += bytes.substr(0, known);
    bytes.remove_prefix(known);
    if (input_.size() < kGrpcPrefix) return;
    const std::size_t length = length_of(input_);
    if (length > message_max_) too_large_ = length;
    compressed_ = input_[0] != '\0';
    if (failed()) {
      input_ = {};
      return;
    }
    input_.reserve(std::min(length + kGrpcPrefix, std::size_t{1} << 20));  // a claim is no byte yet
    const std::size_t part = std::min(length + kGrpcPrefix - input_.size(), bytes.size());
    input_ += bytes.substr(0, part);
    bytes.remove_prefix(part);
    if (input_.size() < length + kGrpcPrefix) return;
    out->push_back(input_.substr(kGrpcPrefix));
    input_.clear();
  }
}

}  // namespace coracle::net
