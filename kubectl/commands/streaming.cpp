#include "commands/streaming.hpp"

#include <unistd.h>

#include <ostream>

namespace coracle::kubectl {

Result<std::unique_ptr<Link>> make_link(Session& session) {
  ASSIGN_OR_RETURN(const client::ClientConfig* config, session.config());
  auto link = std::make_unique<Link>();
  const Status usable = link->use(*config);
  if (!usable.ok()) return fail(usable.message());
  return link;
}

std::string remote_target(const RemoteRequest& request) {
  client::QueryList query;
  for (const std::string& word : request.command) query.emplace_back("command", word);
  query.emplace_back("container", request.container);
  if (request.input) query.emplace_back("stdin", "true");
  query.emplace_back("stdout", "true");
  query.emplace_back("stderr", request.tty ? "false" : "true");
  if (request.tty) query.emplace_back("tty", "true");
  return "/api/v1/namespaces/" + request.ns + "/pods/" + request.pod +
         (request.command.empty() ? "/attach" : "/exec") + client::encode_query(query);
}

bool usable_terminal(Session& session, bool wanted) {
  if (!wanted || is_terminal(STDIN_FILENO)) return wanted;
  session.warn("Unable to use a TTY - input is not a terminal or the right kind of file");
  return false;
}

Status remote_failure(Session& session, const RemoteEnd& end) {
  if (end.refused) return server_failure(*end.refused);
  if (!end.failure.empty()) return fail(end.failure);
  if (end.exit_code == 0) return {};
  session.failure_code = end.exit_code;
  return {Code::kUnknown, "command terminated with exit code " + std::to_string(end.exit_code)};
}

Status run_remote_here(Session& session, const RemoteRequest& request) {
  ASSIGN_OR_RETURN(const auto link, make_link(session));
  session.io.out.flush();
  RemoteStreams streams;
  streams.out = [&session](std::string_view data) { session.io.out << data << std::flush; };
  streams.err = [&session](std::string_view data) { session.io.err << data << std::flush; };
  std::unique_ptr<InputSource> input;
  if (request.input) input = thread_input(link->executor(), STDIN_FILENO);
  streams.input = input.get();
  streams.tty = request.tty;
  RemoteEnd end;
  {
    std::unique_ptr<RawTerminal> raw;
    if (request.tty) raw = std::make_unique<RawTerminal>(STDIN_FILENO);
    end = run_remote(*link, remote_target(request), std::move(streams));
  }
  return remote_failure(session, end);
}

}  // namespace coracle::kubectl
