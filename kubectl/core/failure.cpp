#include "kubectl/failure.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

std::string invalid_text(const client::ApiError& error) {
  const std::string kind(get_string(error.status, "details.kind"));
  const std::string name(get_string(error.status, "details.name"));
  std::string out = "The request is invalid";
  if (!kind.empty() || !name.empty()) out = "The " + kind + " " + quoted(name) + " is invalid";
  const json::array& causes = get_array(error.status, "details.causes");
  if (causes.empty()) return kind.empty() && name.empty() ? out + ": " + error.message : out;
  std::vector<std::string> lines;
  for (const json::value& cause : causes) {
    const std::string field(get_string(cause, "field"));
    const std::string message(get_string(cause, "message"));
    std::string line = field.empty() ? message : field + ": " + message;
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  if (lines.size() == 1) return out + ": " + lines[0];
  out += ": ";
  for (const std::string& line : lines) out += "\n* " + line;
  return out;
}

std::string no_answer_text(const client::ApiError& error) {
  const std::string& message = error.message;
  if (message.substr(0, 7) == "error: ") return message;  // it did not get as far as the server
  const size_t dial = message.find("dial tcp ");
  if (dial != message.npos && message.find("connection refused") != message.npos) {
    const size_t begin = dial + 9;
    const size_t end = message.find(": ", begin);
    return "The connection to the server " + message.substr(begin, end - begin) +
           " was refused - did you specify the right host or port?";
  }
  return "Unable to connect to the server: " + message;
}

}  // namespace

Status fail(std::string_view message) {
  if (message.substr(0, 7) == "error: ") return invalid_argument(std::string(message));
  return invalid_argument("error: " + std::string(message));
}

Status usage_failure(std::string_view command, std::string_view message) {
  return fail(std::string(message) + "\nSee 'kubectl " + std::string(command) +
              " -h' for help and examples");
}

Status silent_failure() { return {Code::kUnknown, ""}; }

Status server_failure(const client::ApiError& error, std::string_view doing,
                      std::string_view source) {
  const Code code = error.code == Code::kOk ? Code::kUnknown : error.code;
  if (error.no_answer()) return {code, no_answer_text(error)};
  if (error.reason == "Invalid") return {code, invalid_text(error)};
  std::string message = error.message;
  if (!source.empty()) {
    message = "error when " + std::string(doing) + " " + quoted(source) + ": " + message;
  }
  if (error.reason == "Unauthorized") {
    return {code, "error: You must be logged in to the server (" + message + ")"};
  }
  if (error.reason.empty()) return {code, "Error from server: " + message};
  return {code, "Error from server (" + error.reason + "): " + message};
}

Status join_failures(const std::vector<Status>& failures) {
  if (failures.empty()) return {};
  std::string text;
  for (const Status& failure : failures) {
    if (failure.message().empty()) continue;
    text += (text.empty() ? "" : "\n") + failure.message();
  }
  return {failures.front().code(), text};
}

}  // namespace coracle::kubectl
