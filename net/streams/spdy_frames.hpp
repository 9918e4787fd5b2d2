// SPDY/3.1 frames as bytes (draft-mbelshe-httpbis-spdy-00, version 3), as far as kubectl's exec and
// port-forward use them. Pure; the two directions of a connection have one Encoder and one Decoder
// each, whose header compression goes through all frames in order.
//
//   control  1|version 15 bits, type 16 | flags 8, length 24 | payload
//   data     0|stream 31 bits           | flags 8, length 24 | payload
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "net/http.hpp"

namespace coracle::net::spdy {

using StreamId = std::uint32_t;  // odd: opened by the client

struct SynStream {
  StreamId id = 0;
  Headers headers;
  bool fin = false;
};
struct SynReply {
  StreamId id = 0;
  Headers headers;
  bool fin = false;
};
// Payload of a data frame, or a part of it: pieces come as the bytes do; `fin` with the last.
struct Data {
  StreamId id = 0;
  std::string bytes;
  bool fin = false;
};
struct RstStream {
  StreamId id = 0;
  std::uint32_t status = 0;
};
struct Ping {
  std::uint32_t id = 0;
};
struct GoAway {
  StreamId last = 0;
  std::uint32_t status = 0;
};
struct MoreHeaders {
  StreamId id = 0;
  Headers headers;
  bool fin = false;
};
// SETTINGS, WINDOW_UPDATE and types of later versions: nothing here depends on them.
struct Ignored {
  std::uint16_t type = 0;
};
using Frame =
    std::variant<SynStream, SynReply, Data, RstStream, Ping, GoAway, MoreHeaders, Ignored>;

inline constexpr std::uint32_t kProtocolError = 1, kInvalidStream = 2, kRefusedStream = 3,
                               kCancel = 5;

// Bounds: a control frame of at most kMaxControl bytes whose header block is at most kMaxHeaders
// long when inflated; of data frames no more is held than was fed.
class Decoder {
 public:
  static constexpr std::size_t kMaxControl = 1u << 16, kMaxHeaders = 1u << 16;

  Decoder();
  ~Decoder();

  void feed(std::string_view bytes);
  // The next frame; nullopt: more input is needed, or error() tells what broke the rules. After an
  // error nothing more comes.
  std::optional<Frame> next();
  const std::string& error() const { return error_; }

 private:
  struct Inflater;
  std::optional<Frame> take_data();
  std::optional<Frame> take_control();
  std::optional<Frame> parse_control(std::uint16_t type, std::uint8_t flags,
                                     std::string_view payload);
  std::optional<Headers> headers_of(std::string_view block);
  std::nullopt_t fail(std::string why);
  void drop(std::size_t bytes);

  std::unique_ptr<Inflater> inflater_;
  std::string input_;
  std::size_t used_ = 0;  // of input_
  std::optional<Data> open_data_;
  std::size_t data_left_ = 0;  // of open_data_
  std::string error_;
};

// Each call is one frame (data: as many as its length needs). Header blocks end on a byte boundary
// by a sync flush: readers wait for it.
class Encoder {
 public:
  Encoder();
  ~Encoder();

  std::string syn_stream(StreamId id, const Headers& headers, bool fin);
  std::string syn_reply(StreamId id, const Headers& headers, bool fin);
  static std::string data(StreamId id, std::string_view bytes, bool fin);
  static std::string rst_stream(StreamId id, std::uint32_t status);
  static std::string ping(std::uint32_t id);
  static std::string go_away(StreamId last, std::uint32_t status);

 private:
  struct Deflater;
  std::string block(const Headers& headers);

  std::unique_ptr<Deflater> deflater_;
};

// What header blocks are compressed against (section 2.6.10.1).
std::string_view dictionary();

}  // namespace coracle::net::spdy
