#include "storectl/folder.hpp"

#include <fmt/format.h>

#include "disk/file.hpp"
#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"
#include "member/data_folder.hpp"
#include "member/state_machine.hpp"
#include "mvcc/records.hpp"
#include "storectl/log_lines.hpp"

namespace coracle::store {
namespace {

// A running member may be in the middle of a write that we see half of.
constexpr int kReadTries = 5;

struct Segment {
  std::string path;
  std::string bytes;
  disk::SegmentHeader header;
  disk::Scan scan;  // points into bytes
};

Status read_segment(const std::string& path, bool is_last, Segment* out) {
  Status status;
  for (int i = 0; i < kReadTries; ++i) {
    ASSIGN_OR_RETURN(const disk::File file, disk::File::open(path, disk::File::Mode::kRead));
    ASSIGN_OR_RETURN(const std::uint64_t size, file.size());
    ASSIGN_OR_RETURN(out->bytes, file.read(0, size));
    ASSIGN_OR_RETURN(out->header, disk::decode_segment_header(out->bytes, path));
    auto scan = disk::scan_segment(out->bytes, out->header, is_last, path);
    status = scan.status();
    if (!status.ok()) continue;
    out->path = path;
    out->scan = std::move(scan).value();
    return {};
  }
  return status;
}

Status for_each_segment(const std::string& dir, const std::function<void(const Segment&)>& visit) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, disk::list_dir(dir + "/log"));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
  for (const std::string& name : names) {
    Segment segment;
    const Status status = read_segment(dir + "/log/" + name, name == names.back(), &segment);
    // A running member cuts away what it does not need any more.
    if (status.code() == Code::kNotFound && name != names.back()) continue;
    RETURN_IF_ERROR(status);
    visit(segment);
  }
  return {};
}

Result<std::unique_ptr<disk::RocksStateStore>> open_state(const std::string& dir) {
  return disk::RocksStateStore::open(state_folder(dir), true);
}

}  // namespace

Status print_log(const std::string& dir, bool as_json) {
  return for_each_segment(dir, [&](const Segment& segment) {
    const SegmentLine line{segment.path, segment.header, segment.scan.end, segment.bytes.size(),
                           segment.scan.torn};
    fmt::print("{}\n", as_json ? to_json_line(line) : to_text(line));
    for (const disk::Record& record : segment.scan.records) {
      fmt::print("{}\n", as_json ? to_json_line(record) : to_text(record));
    }
  });
}

Status for_each_version(const std::string& dir,
                        const std::function<void(const VersionRow&)>& visit) {
  ASSIGN_OR_RETURN(const auto state, open_state(dir));
  Status status;
  state->scan(mvcc::Family::kMvcc, "", "", [&](std::string_view key, std::string_view value) {
    const auto ref = mvcc::parse_record_key(key);
    auto kv = mvcc::decode_kv(value);
    status = ref.ok() ? kv.status() : ref.status();
    if (!status.ok()) return false;
    VersionRow row;
    row.revision = ref->main;
    row.sub = std::uint32_t(ref->sub);
    row.deleted = ref->tombstone != 0;
    row.kv = std::move(kv).value();
    visit(row);
    return true;
  });
  return status;
}

Status print_meta(const std::string& dir) {
  ASSIGN_OR_RETURN(const auto state, open_state(dir));
  state->scan(mvcc::Family::kMeta, "", "", [&](std::string_view key, std::string_view value) {
    if (key == "applied" && value.size() == 16) {
      fmt::print("applied index={} term={}\n", disk::get_u64(value, 0), disk::get_u64(value, 8));
    } else {
      fmt::print("{} bytes={}\n", key, value.size());
    }
    return true;
  });
  return {};
}

std::string behind_the_log(const std::string& dir) {
  const auto state = open_state(dir);
  if (!state.ok()) return {};
  const auto applied = read_applied(**state);
  if (!applied.ok()) return {};
  Index last;
  const Status status = for_each_segment(dir, [&](const Segment& segment) {
    for (const disk::Record& record : segment.scan.records) {
      if (record.kind != disk::RecordKind::kEntry) continue;
      if (const auto entry = disk::decode_entry(record.payload); entry.ok()) last = entry->index;
    }
  });
  if (!status.ok() || last <= applied->index) return {};
  return fmt::format(
      "the state on disk is as of log entry {}; the log goes on to entry {}, which the member "
      "applies when it starts (storectl log shows them; --endpoints asks a running member)",
      applied->index.value, last.value);
}

}  // namespace coracle::store
