#include "net_streams/channels.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace coracle::net {
namespace {

constexpr int kMaxSide = 65535;

}  // namespace

const std::vector<std::string>& exec_subprotocols() {
  static const std::vector<std::string> kNames = {"v5.channel.k8s.io", "v4.channel.k8s.io",
                                                  "v4.base64.channel.k8s.io", "channel.k8s.io",
                                                  "base64.channel.k8s.io"};
  return kNames;
}

const std::vector<std::string>& portforward_subprotocols() {
  static const std::vector<std::string> kNames = {"v4.channel.k8s.io", "v4.base64.channel.k8s.io"};
  return kNames;
}

ChannelForm channel_form(const std::string& subprotocol) {
  ChannelForm form;
  form.subprotocol = subprotocol;
  form.base64 = subprotocol.find("base64") != subprotocol.npos;
  form.close_signal = subprotocol.starts_with("v5.");
  form.json_status = form.close_signal || subprotocol.starts_with("v4.");
  return form;
}

std::string encode_channel(const ChannelForm& form, std::uint8_t channel, std::string_view data) {
  if (form.base64) return std::string(1, static_cast<char>('0' + channel)) + base64_encode(data);
  std::string out;
  out.reserve(data.size() + 1);
  out += static_cast<char>(channel);
  return out.append(data);
}

std::optional<ChannelMessage> decode_channel(const ChannelForm& form, std::string_view message) {
  if (message.empty()) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(message[0]);
  if (!form.base64) return ChannelMessage{first, std::string(message.substr(1))};
  auto data = base64_decode(message.substr(1));
  if (first < '0' || !data.ok()) return std::nullopt;
  return ChannelMessage{static_cast<std::uint8_t>(first - '0'), std::move(*data)};
}

std::optional<TerminalSize> parse_size(std::string_view text) {
  const auto tree = parse_json(text);
  if (!tree.ok() || !tree->is_object()) return std::nullopt;
  const auto width = get_int(*tree, "Width"), height = get_int(*tree, "Height");
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) return std::nullopt;
  return TerminalSize{static_cast<int>(width), static_cast<int>(height)};
}

std::string size_text(TerminalSize size) {
  return to_json(json::value{{"Width", size.width}, {"Height", size.height}});
}

json::value success_status() { return {{"metadata", json::object()}, {"status", "Success"}}; }

json::value exit_status(int code) {
  const std::string number = std::to_string(code);
  json::object cause;
  cause["reason"] = "ExitCode";
  cause["message"] = number;
  json::array causes;
  causes.push_back(std::move(cause));
  json::object details;
  details["causes"] = std::move(causes);
  json::object status;
  status["metadata"].emplace_object();
  status["status"] = "Failure";
  status["message"] = "command terminated with non-zero exit code: exit status " + number;
  status["reason"] = "NonZeroExitCode";
  status["details"] = std::move(details);
  return status;
}

json::value internal_status(const std::string& message) {
  json::object cause;
  cause["message"] = message;
  json::array causes;
  causes.push_back(std::move(cause));
  json::object details;
  details["causes"] = std::move(causes);
  json::object status;
  status["metadata"].emplace_object();
  status["status"] = "Failure";
  status["message"] = "Internal error occurred: " + message;
  status["reason"] = "InternalError";
  status["details"] = std::move(details);
  status["code"] = 500;
  return status;
}

}  // namespace coracle::net
