// Log segments: bytes as they come, and whole segments that are then damaged. Whatever is read from
// a damaged one is a beginning of what was written, unchanged; else it is refused.
#include <vector>

#include "base/check.hpp"
#include "disk/segment_format.hpp"
#include "input.hpp"

namespace {

using namespace coracle;
using namespace coracle::disk;

void read_anything(std::string_view bytes) {
  const auto header = decode_segment_header(bytes, "f");
  const SegmentHeader assumed = header.ok() ? *header : SegmentHeader{{1, 2}, 1, 1, {}, {}};
  for (const bool is_last : {false, true}) {
    const auto scan = scan_segment(bytes, assumed, is_last, "f");
    if (scan.ok()) CHECK(scan->end >= kSegmentHeaderBytes);
  }
}

struct Written {
  RecordKind kind;
  std::string payload;
};

// Batches of records as the input says, and zeros behind them.
std::string build(fuzz::Input& input, std::vector<Written>* written) {
  std::string bytes = encode_segment_header({{1, 2}, 1, 1, Index(0), Term(0)});
  const int batches = 1 + input.byte() % 4;
  for (int batch = 1; batch <= batches; ++batch) {
    const int count = 1 + input.byte() % 3;
    for (int n = 1; n <= count; ++n) {
      const auto kind = RecordKind(1 + input.byte() % 3);
      std::string payload(input.take(input.byte()));
      payload.append(input.byte() % 8 * std::size_t(200), 'x');
      append_record(&bytes, kind, payload, std::uint64_t(batch), n == count);
      written->push_back({kind, std::move(payload)});
    }
  }
  bytes.append(input.byte() * std::size_t(8), '\0');
  return bytes;
}

void damage(fuzz::Input& input, std::string* bytes) {
  for (int n = input.byte() % 4; n > 0; --n) {
    const std::size_t at =
        kSegmentHeaderBytes + input.two_bytes() % (bytes->size() - kSegmentHeaderBytes + 1);
    const std::uint8_t how = input.byte();
    if (at >= bytes->size()) continue;
    if (how % 4 == 0) {
      bytes->resize(at);
    } else if (how % 4 == 1) {  // sectors that never came to the disk
      const std::size_t end = std::min(bytes->size(), at / kSectorBytes * kSectorBytes + how * 8u);
      for (std::size_t i = at; i < end; ++i) (*bytes)[i] = 0;
    } else {
      (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << how % 8));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.byte() % 2 == 0) {
    read_anything(input.rest());
    return 0;
  }
  std::vector<Written> written;
  std::string bytes = build(input, &written);
  const auto header = decode_segment_header(bytes, "f");
  CHECK(header.ok());
  const auto intact = scan_segment(bytes, *header, false, "f");
  CHECK(intact.ok() && intact->records.size() == written.size() && !intact->torn);
  damage(input, &bytes);
  const auto scan = scan_segment(bytes, *header, true, "f");
  if (!scan.ok()) return 0;
  CHECK(scan->records.size() <= written.size());
  for (std::size_t n = 0; n < scan->records.size(); ++n) {
    CHECK(scan->records[n].kind == written[n].kind);
    CHECK(scan->records[n].payload == written[n].payload);
  }
  return 0;
}
