// What a log record holds: bytes that were decoded are encoded to the same bytes.
#include "base/check.hpp"
#include "disk/file_log.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coracle;
  fuzz::Input input(data, size);
  const bool is_entry = input.byte() % 2 == 1;
  const std::string_view payload = input.rest();
  if (is_entry) {
    const auto entry = disk::decode_entry(payload);
    if (entry.ok()) CHECK(disk::encode_entry(*entry) == payload);
  } else {
    const auto state = disk::decode_hard_state(payload);
    if (state.ok()) CHECK(disk::encode_hard_state(*state) == payload);
  }
  return 0;
}
