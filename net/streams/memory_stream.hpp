// For tests: the two ends of a connection in memory. deliver() moves what was written, cut into
// pieces of any size, until nothing moves any more.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "net/server.hpp"

namespace coracle::net::testing {

class MemoryStream final : public ByteStream {
 public:
  static std::pair<std::shared_ptr<MemoryStream>, std::shared_ptr<MemoryStream>> pair() {
    return {std::make_shared<MemoryStream>(), std::make_shared<MemoryStream>()};
  }
  static void deliver(const std::shared_ptr<MemoryStream>& a,
                      const std::shared_ptr<MemoryStream>& b, std::size_t piece) {
    for (bool moved = true; moved;) {
      const bool one = a->give(*b, piece), two = b->give(*a, piece);
      moved = one || two;
    }
  }

  void on_data(std::function<void(std::string_view)> fn) override { data_ = std::move(fn); }
  void on_close(std::function<void()> fn) override { close_ = std::move(fn); }
  void on_drain(std::function<void()> fn) override { drain_ = std::move(fn); }
  void write(Bytes bytes) override {
    if (!closed_) out_ += *bytes;
  }
  std::size_t queued_bytes() const override { return out_.size(); }
  void pause(bool paused) override { paused_ = paused; }
  void close() override {
    closed_ = true;
    data_ = nullptr;
    close_ = drain_ = nullptr;
  }
  bool closed() const override { return closed_; }

 private:
  bool give(MemoryStream& to, std::size_t piece) {
    if (to.paused_ || gave_end_) return false;
    if (out_.empty()) {
      if (!closed_) return false;
      gave_end_ = true;
      auto fn = std::move(to.close_);
      to.close();
      if (fn) fn();
      return true;
    }
    const std::string part = out_.substr(0, piece);
    out_.erase(0, piece);
    auto fn = to.data_;
    if (fn) fn(part);
    auto drained = drain_;
    if (out_.empty() && drained) drained();
    return true;
  }

  std::string out_;
  std::function<void(std::string_view)> data_;
  std::function<void()> close_, drain_;
  bool paused_ = false, closed_ = false, gave_end_ = false;
};

}  // namespace coracle::net::testing
