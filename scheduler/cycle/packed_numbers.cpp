#include "cycle/packed_numbers.hpp"

#include "base/check.hpp"

namespace coracle::scheduler {

void PackedNumbers::add(const std::vector<std::int64_t>& column) {
  CHECK(columns_.empty() || column.size() == rows_);
  rows_ = column.size();
  const std::int64_t first = column.empty() ? 0 : column.front();
  std::int64_t differ = 0, bits = 0;
  for (const std::int64_t number : column) {
    differ |= number ^ first;
    bits |= number;
  }
  Column& packed = columns_.emplace_back(Column{first, {}, {}});
  if (differ == 0) return;
  if ((bits & ~std::int64_t{0xff}) != 0) {
    packed.large = column;
    return;
  }
  packed.small.resize(rows_);
  for (size_t i = 0; i < rows_; ++i) packed.small[i] = static_cast<std::uint8_t>(column[i]);
}

std::int64_t PackedNumbers::operator[](size_t at) const {
  const Column& column = columns_.at(at / rows_);
  const size_t row = at % rows_;
  if (!column.small.empty()) return column.small[row];
  return column.large.empty() ? column.all : column.large[row];
}

size_t PackedNumbers::bytes() const {
  size_t bytes = columns_.capacity() * sizeof(Column);
  for (const Column& column : columns_) {
    bytes += column.small.capacity() + column.large.capacity() * sizeof(std::int64_t);
  }
  return bytes;
}

}  // namespace coracle::scheduler
