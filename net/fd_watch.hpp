// FdWatch: a descriptor of ours (pipe, terminal, socket) that the strand waits for. For drivers
// that talk to the kernel themselves: child processes, listeners.
//
// Owns the descriptor and makes it non-blocking. At most one wait for each direction is pending; a
// later one replaces what is called. Nothing is called after close() or destruction. Regular files
// are always ready and cannot be waited for.
#pragma once

#include <functional>
#include <memory>

#include "net/asio_executor.hpp"

namespace coracle::net {

class FdWatch {
 public:
  FdWatch(AsioExecutor& executor, int descriptor);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  int fd() const;
  bool open() const;
  // Called once, on the strand, when a read (a write) would not block, or at an error on it.
  void when_readable(std::function<void()> then);
  void when_writable(std::function<void()> then);
  void close();  // idempotent

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::net
