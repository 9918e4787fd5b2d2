// Channels in the messages of a WebSocket, as Kubernetes multiplexes exec, attach and port-forward:
// one byte (or, in the base64 forms, one digit before base64 text) says which channel the rest is
// of. Pure.
//
//   exec          0 stdin, 1 stdout, 2 stderr, 3 how it ended, 4 size of the terminal; v5 only:
//                 255 "this channel has ended", the channel's number behind it
//   port-forward  2i data and 2i+1 failure of the i-th port
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::net {

inline constexpr std::uint8_t kStdin = 0, kStdout = 1, kStderr = 2, kStatusChannel = 3, kResize = 4,
                              kCloseChannel = 255;

struct ChannelForm {
  std::string subprotocol;  // "" when none was agreed on: as channel.k8s.io
  bool base64 = false;
  bool json_status = false;  // channel 3 is a Status; else the text of a failure, or nothing
  bool close_signal = false;

  bool text_frames() const { return base64; }
};

// The exec forms a server offers, the best first: v5, v4, channel.k8s.io, and v4 and the first in
// base64.
const std::vector<std::string>& exec_subprotocols();
const std::vector<std::string>& portforward_subprotocols();
ChannelForm channel_form(const std::string& subprotocol);

std::string encode_channel(const ChannelForm& form, std::uint8_t channel, std::string_view data);

struct ChannelMessage {
  std::uint8_t channel = 0;
  std::string data;
};
// nullopt: empty, or bad base64.
std::optional<ChannelMessage> decode_channel(const ChannelForm& form, std::string_view message);

// {"Width":80,"Height":24}; nullopt for anything else, and for sizes outside 1 to 65535.
struct TerminalSize {
  int width = 0, height = 0;
};
std::optional<TerminalSize> parse_size(std::string_view text);
std::string size_text(TerminalSize size);

// How a command ended, as the Status that goes over channel 3.
json::value success_status();
json::value exit_status(int code);
json::value internal_status(const std::string& message);  // "Internal error occurred: " before it

}  // namespace coracle::net
