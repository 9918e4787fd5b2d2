#include "net/out_queue.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace coracle::net {

void OutQueue::push(Bytes bytes) {
  if (!bytes || bytes->empty()) return;
  size_ += bytes->size();
  pieces_.push_back({std::move(bytes), {}});
}

void OutQueue::push(std::string text) {
  if (text.empty()) return;
  size_ += text.size();
  pieces_.push_back({nullptr, std::move(text)});
}

int OutQueue::gather(iovec* vectors, int max) const {
  int count = 0;
  std::size_t offset = offset_;
  for (std::size_t i = first_; i < pieces_.size() && count < max; ++i) {
    std::string_view data = pieces_[i].view().substr(offset);
    vectors[count++] = {const_cast<char*>(data.data()), data.size()};
    offset = 0;
  }
  return count;
}

std::string_view OutQueue::front(char* scratch, std::size_t limit) const {
  std::string_view head = pieces_[first_].view().substr(offset_);
  if (head.size() >= limit || first_ + 1 == pieces_.size()) return head;
  std::size_t filled = 0;
  for (std::size_t i = first_; i < pieces_.size() && filled < limit; ++i) {
    std::string_view data = i == first_ ? head : pieces_[i].view();
    std::size_t part = std::min(data.size(), limit - filled);
    std::memcpy(scratch + filled, data.data(), part);
    filled += part;
  }
  return {scratch, filled};
}

void OutQueue::consume(std::size_t bytes) {
  CHECK(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    std::size_t left = pieces_[first_].view().size() - offset_;
    if (bytes < left) {
      offset_ += bytes;
      break;
    }
    bytes -= left;
    pieces_[first_++] = {};
    offset_ = 0;
  }
  if (first_ == pieces_.size()) {
    clear();
  } else if (first_ > 64 && first_ > pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutQueue::clear() {
  // An idle connection keeps little.
  if (pieces_.capacity() > 8) {
    pieces_ = {};
  } else {
    pieces_.clear();
  }
  first_ = offset_ = size_ = 0;
}

}  // namespace coracle::net
