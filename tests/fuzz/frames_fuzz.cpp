// What comes over an upgraded connection: SPDY frames and WebSocket frames, cut anywhere. What can
// be read is the same however it is cut, and nothing is held that was not sent.
#include "base/check.hpp"
#include "input.hpp"
#include "net/websocket_frames.hpp"
#include "net_streams/spdy_frames.hpp"

namespace {

using namespace coracle;

struct Seen {
  std::string log, error;
};

std::string describe(const net::spdy::Frame& frame) {
  if (const auto* data = std::get_if<net::spdy::Data>(&frame)) return data->bytes;
  std::string out = "#" + std::to_string(frame.index());
  if (const auto* syn = std::get_if<net::spdy::SynStream>(&frame)) {
    for (const auto& [name, value] : syn->headers) out += name + value;
  }
  return out;
}

Seen read_spdy(std::string_view wire, std::size_t piece) {
  net::spdy::Decoder decoder;
  Seen seen;
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    while (const auto frame = decoder.next()) seen.log += describe(*frame);
  }
  seen.error = decoder.error();
  return seen;
}

void read_websocket(std::string_view wire, std::size_t piece, bool masked) {
  constexpr std::size_t kMax = 4096;
  net::FrameDecoder decoder(masked, kMax);
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    while (const auto message = decoder.next()) CHECK(message->data.size() <= kMax);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const std::size_t piece = way / 4 + 1;
  const std::string_view wire = input.rest();
  if (way % 2 == 1) {
    read_websocket(wire, piece, way % 4 == 1);
    return 0;
  }
  const Seen one = read_spdy(wire, piece), all = read_spdy(wire, wire.size() + 1);
  CHECK(one.log == all.log);
  CHECK(one.error == all.error);
  return 0;
}
