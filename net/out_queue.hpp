// Internal to net: what waits to be sent on one connection, in order. Shared chunks are not copied.
// Its users bound it; it counts.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace coracle::net {

class OutQueue {
 public:
  void push(Bytes bytes);
  void push(std::string text);  // heads, and chunk sizes, which fit inside the string object

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Up to `max` pieces from the front; returns how many were filled.
  int gather(iovec* vectors, int max) const;
  // At least one byte, contiguous, from the front: a view of the first piece if that is `limit`
  // long or the only one, else what fits into `scratch` (of `limit` bytes). For the same queue, or
  // one that has only grown, it gives the same bytes or more: TLS relies on it when it repeats a
  // write.
  std::string_view front(char* scratch, std::size_t limit) const;
  void consume(std::size_t bytes);
  void clear();

 private:
  struct Piece {
    Bytes shared;
    std::string own;
    std::string_view view() const { return shared ? std::string_view(*shared) : own; }
  };
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;   // pieces before it are sent
  std::size_t offset_ = 0;  // sent bytes of pieces_[first_]
  std::size_t size_ = 0;
};

}  // namespace coracle::net
