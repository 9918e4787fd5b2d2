// The terminal in front of us, and input that is read without waiting for it. Driver.
#pragma once

#include <termios.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/asio_executor.hpp"
#include "net_streams/channels.hpp"

namespace coracle::kubectl {

// Where a command's input comes from.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // Reads the next piece; `done` gets it in a later turn, empty at the end. One at a time.
  virtual void read(std::function<void(std::string)> done) = 0;
};

// A descriptor of any kind, read by a thread of its own: a file cannot be waited for, and a
// terminal must not be made non-blocking for the shell behind us. The thread may outlive this,
// waiting for a line that nobody wants any more; then it ends with the process.
std::unique_ptr<InputSource> thread_input(net::AsioExecutor& executor, int descriptor);
// What a function makes, piece by piece; empty at the end.
std::unique_ptr<InputSource> made_input(net::AsioExecutor& executor,
                                        std::function<std::string()> next);

bool is_terminal(int descriptor);
std::optional<net::TerminalSize> terminal_size(int descriptor);

// Every key goes through as it is until this ends.
class RawTerminal {
 public:
  explicit RawTerminal(int descriptor);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  const int descriptor_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace coracle::kubectl
