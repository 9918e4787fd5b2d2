// Internal to net: WebSocket frames as bytes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::net {

enum class Opcode : std::uint8_t { kContinuation, kText, kBinary, kClose = 8, kPing, kPong };

// One whole frame; masked with these four bytes when they are given (as clients must).
std::string encode_frame(Opcode opcode, std::string_view payload,
                         std::optional<std::uint32_t> mask);

bool valid_utf8(std::string_view text);

// Joins fragments. After an error nothing more comes.
class FrameDecoder {
 public:
  struct Message {
    Opcode opcode;  // never kContinuation
    std::string data;
  };
  FrameDecoder(bool expect_masked, std::size_t max_message)
      : expect_masked_(expect_masked), max_message_(max_message) {}

  void feed(std::string_view data) { input_ += data; }
  // The next whole message or control frame; nullopt: more input is needed, or error().
  std::optional<Message> next();
  int error() const { return error_; }  // a close code; 0 while all is well

 private:
  struct Frame {
    bool final;
    Opcode opcode;
    std::string payload;
  };
  std::optional<Frame> take_frame();
  std::nullopt_t fail(int code);

  bool expect_masked_;
  std::size_t max_message_;
  std::string input_;
  std::size_t used_ = 0;  // of input_
  std::optional<Opcode> joining_;
  std::string joined_;
  int error_ = 0;
};

}  // namespace coracle::net
