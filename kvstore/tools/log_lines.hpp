// Lines about the Raft log, as text and as JSON. Pure.
#pragma once

#include <string>

#include "disk/segment_format.hpp"

namespace coracle::store {

struct SegmentLine {
  std::string path;
  disk::SegmentHeader header;
  std::uint64_t used = 0, size = 0;
  bool torn = false;
};

std::string to_text(const SegmentLine& segment);
std::string to_json_line(const SegmentLine& segment);
std::string to_text(const disk::Record& record);
std::string to_json_line(const disk::Record& record);

}  // namespace coracle::store
