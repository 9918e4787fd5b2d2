// PackedNumbers: columns of numbers of one length, each as small as it comes: one number when all
// are equal, bytes when those do. Many are kept, and most are scores. Value type. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coracle::scheduler {

class PackedNumbers {
 public:
  // As long as the first; CHECKed.
  void add(const std::vector<std::int64_t>& column);
  // Of all columns, and the numbers of one after those of the other.
  size_t size() const { return columns_.size() * rows_; }
  std::int64_t operator[](size_t at) const;
  std::int64_t back() const { return (*this)[size() - 1]; }
  size_t bytes() const;

 private:
  struct Column {
    std::int64_t all;  // of them, if nothing follows
    std::vector<std::uint8_t> small;
    std::vector<std::int64_t> large;
  };
  std::vector<Column> columns_;
  size_t rows_ = 0;
};

}  // namespace coracle::scheduler
