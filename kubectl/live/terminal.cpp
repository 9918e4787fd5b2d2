#include "live/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace coracle::kubectl {
namespace {

constexpr std::size_t kPiece = 32 << 10;

// Between the strand and the thread.
struct Desk {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void(std::string)> wanted;  // set: the thread shall read
  net::AsioExecutor* executor = nullptr;    // null: the source is gone
};

void read_for(const std::shared_ptr<Desk>& desk, int descriptor) {
  std::string piece(kPiece, '\0');
  for (;;) {
    {
      std::unique_lock lock(desk->mutex);
      desk->changed.wait(lock, [&] { return desk->wanted || desk->executor == nullptr; });
      if (desk->executor == nullptr) return;
    }
    ssize_t got;
    do {
      got = ::read(descriptor, piece.data(), piece.size());
    } while (got < 0 && errno == EINTR);
    std::string text = got > 0 ? piece.substr(0, static_cast<std::size_t>(got)) : std::string();
    std::unique_lock lock(desk->mutex);
    if (desk->executor == nullptr) return;
    desk->executor->post(
        [done = std::exchange(desk->wanted, nullptr), text = std::move(text)] { done(text); });
  }
}

class ThreadInput final : public InputSource {
 public:
  ThreadInput(net::AsioExecutor& executor, int descriptor) : desk_(std::make_shared<Desk>()) {
    desk_->executor = &executor;
    std::thread(read_for, desk_, descriptor).detach();
  }
  ~ThreadInput() override {
    std::unique_lock lock(desk_->mutex);
    desk_->executor = nullptr;
    desk_->wanted = nullptr;
    desk_->changed.notify_all();
  }
  void read(std::function<void(std::string)> done) override {
    std::unique_lock lock(desk_->mutex);
    desk_->wanted = std::move(done);
    desk_->changed.notify_all();
  }

 private:
  const std::shared_ptr<Desk> desk_;
};

class MadeInput final : public InputSource {
 public:
  MadeInput(net::AsioExecutor& executor, std::function<std::string()> next)
      : executor_(executor), next_(std::move(next)) {}
  void read(std::function<void(std::string)> done) override {
    executor_.post([done = std::move(done), text = next_()] { done(text); });
  }

 private:
  net::AsioExecutor& executor_;
  const std::function<std::string()> next_;
};

}  // namespace

std::unique_ptr<InputSource> thread_input(net::AsioExecutor& executor, int descriptor) {
  return std::make_unique<ThreadInput>(executor, descriptor);
}

std::unique_ptr<InputSource> made_input(net::AsioExecutor& executor,
                                        std::function<std::string()> next) {
  return std::make_unique<MadeInput>(executor, std::move(next));
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

std::optional<net::TerminalSize> terminal_size(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return std::nullopt;
  }
  return net::TerminalSize{size.ws_col, size.ws_row};
}

RawTerminal::RawTerminal(int descriptor) : descriptor_(descriptor) {
  if (::tcgetattr(descriptor_, &before_) != 0) return;
  termios raw = before_;
  ::cfmakeraw(&raw);
  changed_ = ::tcsetattr(descriptor_, TCSADRAIN, &raw) == 0;
}

RawTerminal::~RawTerminal() {
  if (changed_) ::tcsetattr(descriptor_, TCSADRAIN, &before_);
}

}  // namespace coracle::kubectl
