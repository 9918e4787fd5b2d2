#include "kubelet_server/command_connection.hpp"

#include "net_streams/channels.hpp"

namespace coracle::kubelet {

void CommandConnection::run() {
  auto session = streams_.exec(container_, spec_, shared_from_this());
  if (session.ok()) {
    session_ = std::move(*session);
    return;
  }
  const bool missing = session.status().code() == Code::kNotFound;
  on_end(
      {0, (missing ? "unable to upgrade connection: " : "error executing command in container: ") +
              session.status().message()});
}

void CommandConnection::on_end(const StreamEnd& end) {
  if (over_) return;
  over_ = true;
  drop_session();
  if (!end.failure.empty()) {
    const json::value status = net::internal_status(end.failure);
    return finish(status, std::string(get_string(status, "message")));
  }
  if (end.exit_code == 0) return finish(net::success_status(), "");
  const json::value status = net::exit_status(end.exit_code);
  finish(status, std::string(get_string(status, "message")));
}

void CommandConnection::on_input_room() { pause_input(false); }

void CommandConnection::take_input(std::string_view data) {
  if (!session_ || !spec_.input) return;
  session_->input(data);
  if (session_ && session_->queued_input() > kStreamBacklogMax) pause_input(true);
}

void CommandConnection::take_input_end() {
  if (session_ && spec_.input) session_->end_input();
}

void CommandConnection::take_size(std::string_view text) {
  const auto size = net::parse_size(text);
  if (size && session_ && spec_.tty) session_->resize(size->width, size->height);
}

void CommandConnection::take_drain() {
  if (session_) session_->drained();
}

void CommandConnection::hang_up() {
  over_ = true;
  drop_session();
}

// In a later turn: this may be inside one of its callbacks.
void CommandConnection::drop_session() {
  if (!session_) return;
  executor_.post([held = std::shared_ptr<StreamSession>(std::move(session_))] {});
}

}  // namespace coracle::kubelet
