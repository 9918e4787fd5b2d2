#include "net/websocket_frames.hpp"

#include <cstring>
#include <utility>

namespace coracle::net {
namespace {

constexpr int kProtocolError = 1002, kBadText = 1007, kTooLarge = 1009;
constexpr std::size_t kMaxControl = 125;

void apply_mask(char* data, std::size_t size, const char* mask) {
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[i % 4]);
}

}  // namespace

std::string encode_frame(Opcode opcode, std::string_view payload,
                         std::optional<std::uint32_t> mask) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(0x80 | static_cast<int>(opcode));
  int mask_bit = mask ? 0x80 : 0;
  int length_bytes = 0;
  if (payload.size() < 126) {
    frame += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else {
    length_bytes = payload.size() < 65536 ? 2 : 8;
    frame += static_cast<char>(mask_bit | (length_bytes == 2 ? 126 : 127));
  }
  for (int i = length_bytes - 1; i >= 0; --i) {
    frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  if (!mask) return frame.append(payload);
  char key[4];
  std::memcpy(key, &*mask, sizeof key);
  frame.append(key, sizeof key);
  std::size_t start = frame.size();
  frame.append(payload);
  apply_mask(frame.data() + start, payload.size(), key);
  return frame;
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i++]);
    if (byte < 0x80) continue;
    int more = byte >= 0xc2 && byte <= 0xdf ? 1 : (byte & 0xf0) == 0xe0 ? 2 : 0;
    if (byte >= 0xf0 && byte <= 0xf4) more = 3;
    if (more == 0 || text.size() - i < static_cast<std::size_t>(more)) return false;
    auto second = static_cast<unsigned char>(text[i]);
    // Overlong forms, surrogates, and what is above U+10FFFF.
    if ((byte == 0xe0 && second < 0xa0) || (byte == 0xed && second > 0x9f) ||
        (byte == 0xf0 && second < 0x90) || (byte == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (; more > 0; --more) {
      if ((static_cast<unsigned char>(text[i++]) & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

std::nullopt_t FrameDecoder::fail(int code) {
  error_ = code;
  input_ = {};
  joined_ = {};
  used_ = 0;
  return std::nullopt;
}

std::optional<FrameDecoder::Frame> FrameDecoder::take_frame() {
  std::string_view data = std::string_view(input_).substr(used_);
  if (data.size() < 2) return std::nullopt;
  auto first = static_cast<unsigned char>(data[0]), second = static_cast<unsigned char>(data[1]);
  bool final = first & 0x80, masked = second & 0x80;
  int code = first & 0x0f;
  bool control = code >= 8;
  std::uint64_t size = second & 0x7f;
  if ((first & 0x70) || (code > 2 && code < 8) || code > 10) return fail(kProtocolError);
  if (masked != expect_masked_) return fail(kProtocolError);
  if (control && (!final || size > kMaxControl)) return fail(kProtocolError);
  std::size_t head = 2;
  if (size >= 126) {
    std::size_t bytes = size == 126 ? 2 : 8;
    if (data.size() < head + bytes) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      size = size << 8 | static_cast<unsigned char>(data[head + i]);
    }
    head += bytes;
  }
  // Before the payload is waited for: a peer cannot make us hold more than one message.
  if (!control && (size > max_message_ || joined_.size() + size > max_message_)) {
    return fail(kTooLarge);
  }
  std::size_t mask_at = head;
  if (masked) head += 4;
  if (data.size() < head + size) return std::nullopt;
  Frame frame{final, static_cast<Opcode>(code), std::string(data.substr(head, size))};
  if (masked) apply_mask(frame.payload.data(), frame.payload.size(), data.data() + mask_at);
  used_ += head + size;
  if (used_ == input_.size() || used_ > 65536) {
    input_.erase(0, used_);
    used_ = 0;
  }
  return frame;
}

std::optional<FrameDecoder::Message> FrameDecoder::next() {
  while (error_ == 0) {
    auto frame = take_frame();
    if (!frame) return std::nullopt;
    if (frame->opcode >= Opcode::kClose) {
      return Message{frame->opcode, std::move(frame->payload)};
    }
    bool continues = frame->opcode == Opcode::kContinuation;
    if (continues != joining_.has_value()) return fail(kProtocolError);
    if (!continues) joining_ = frame->opcode;
    joined_ += frame->payload;
    if (!frame->final) continue;
    Message message{*joining_, std::exchange(joined_, {})};
    joining_.reset();
    if (message.opcode == Opcode::kText && !valid_utf8(message.data)) return fail(kBadText);
    return message;
  }
  return std::nullopt;
}

}  // namespace coracle::net
