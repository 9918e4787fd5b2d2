#include "disk/file_log.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "disk/memory_log.hpp"

namespace coracle::disk {
namespace {

constexpr std::string_view kPreparedName = "next.tmp";

Status bad_record(const std::string& file, std::uint64_t offset, std::string_view what) {
  return data_loss(fmt::format("{}: damaged at offset {}: {}", file, offset, what));
}

// A file full of zeros that are on the disk: writing over them later changes data only.
Result<std::unique_ptr<OpenFile>> prepare_file(Files& files, const std::string& path,
                                               std::uint64_t bytes) {
  RETURN_IF_ERROR(files.remove_file(path));
  ASSIGN_OR_RETURN(std::unique_ptr<OpenFile> file, files.open(path, File::Mode::kCreate));
  RETURN_IF_ERROR(file->write_zeros(0, bytes));
  RETURN_IF_ERROR(file->sync());
  return file;
}

}  // namespace

std::string segment_name(std::uint64_t sequence) { return fmt::format("{:016x}.log", sequence); }

std::string encode_hard_state(const raft::HardState& state) {
  std::string out;
  put_u64(&out, state.term().value);
  put_u64(&out, state.vote().value);
  put_u64(&out, state.commit().value);
  return out;
}

Result<raft::HardState> decode_hard_state(std::string_view payload) {
  if (payload.size() != 24) return data_loss("a hard state of the wrong size");
  return raft::HardState(Term(get_u64(payload, 0)), NodeId(get_u64(payload, 8)),
                         Index(get_u64(payload, 16)));
}

std::string encode_entry(const raft::Entry& entry) {
  std::string out;
  out.reserve(17 + entry.data.size());
  put_u64(&out, entry.term.value);
  put_u64(&out, entry.index.value);
  out.push_back(char(entry.kind));
  out += entry.data;
  return out;
}

Result<raft::Entry> decode_entry(std::string_view payload) {
  if (payload.size() < 17) return data_loss("an entry of the wrong size");
  const auto kind = static_cast<unsigned char>(payload[16]);
  if (kind > std::uint8_t(raft::EntryKind::kNoop)) return data_loss("an entry of an unknown kind");
  return raft::Entry{Term(get_u64(payload, 0)), Index(get_u64(payload, 8)), raft::EntryKind(kind),
                     std::string(payload.substr(17))};
}

Result<std::unique_ptr<FileLog>> FileLog::open(const std::string& folder, const Identity& identity,
                                               const Options& options, LogImage* image) {
  RETURN_IF_ERROR(options.files->make_dirs(folder));
  std::unique_ptr<FileLog> log(new FileLog(folder, identity, options));
  RETURN_IF_ERROR(log->load(image));
  return log;
}

FileLog::~FileLog() {
  if (!next_.valid()) return;
  (void)next_.get();
  (void)files_.remove_file(folder_ + "/" + std::string(kPreparedName));
}

std::string FileLog::path_of(std::uint64_t sequence) const {
  return folder_ + "/" + segment_name(sequence);
}

Status FileLog::load(LogImage* image) {
  *image = {};
  ASSIGN_OR_RETURN(std::vector<std::string> names, files_.list_dir(folder_));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
  if (names.empty()) return start_segment(Index(0), Term(0), false, 0);
  std::uint64_t sequence = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::uint64_t number = std::stoull(names[i].substr(0, 16), nullptr, 16);
    if (names[i] != segment_name(number)) return data_loss(folder_ + "/" + names[i] + ": bad name");
    if (i > 0 && number != sequence + 1) {
      return data_loss(path_of(sequence + 1) + ": this segment of the log is missing");
    }
    sequence = number;
    RETURN_IF_ERROR(load_segment(number, i + 1 == names.size(), image));
  }
  hard_state_ = image->hard_state;
  last_index_ = image->base_index.plus(image->entries.size());
  terms_.clear();
  terms_.push_back({image->base_index, image->base_term});
  for (const raft::Entry& entry : image->entries) note(entry);
  return {};
}

Status FileLog::load_segment(std::uint64_t sequence, bool is_last, LogImage* image) {
  const std::string path = path_of(sequence);
  ASSIGN_OR_RETURN(auto file, files_.open(path, File::Mode::kReadWrite));
  ASSIGN_OR_RETURN(const std::uint64_t size, file->size());
  ASSIGN_OR_RETURN(const std::string bytes, file->read(0, size));
  ASSIGN_OR_RETURN(const SegmentHeader header, decode_segment_header(bytes, path));
  if (header.identity.cluster != identity_.cluster) {
    return failed_precondition(fmt::format("{}: belongs to cluster {:x}, not to {:x}", path,
                                           header.identity.cluster, identity_.cluster));
  }
  if (header.identity.member != identity_.member) {
    return failed_precondition(fmt::format("{}: belongs to member {:x}, not to {:x}", path,
                                           header.identity.member, identity_.member));
  }
  if (header.sequence != sequence) return bad_record(path, 28, "the file was renamed");
  if (!segments_.empty() && header.first_batch != next_batch_) {
    return bad_record(path, 36, "batches are missing before this segment");
  }
  ASSIGN_OR_RETURN(const Scan scan, scan_segment(bytes, header, is_last, path));
  RETURN_IF_ERROR(replay(header, scan, path, image));
  next_batch_ = scan.next_batch;
  segments_.push_back({sequence, header.base_index, path});
  if (!is_last) return {};
  if (scan.torn) RETURN_IF_ERROR(file->write_zeros(scan.end, size - scan.end));
  // A process that was killed leaves what it wrote and never synced, names too. Who reads it takes
  // it for durable, so that is what it has to become.
  RETURN_IF_ERROR(file->sync());
  RETURN_IF_ERROR(files_.sync_dir(folder_));
  active_ = std::move(file);
  active_bytes_ = size;
  write_at_ = scan.end;
  return {};
}

Status FileLog::replay(const SegmentHeader& header, const Scan& scan, const std::string& path,
                       LogImage* image) {
  if (segments_.empty()) {
    image->base_index = header.base_index;
    image->base_term = header.base_term;
  }
  const Index last = image->base_index.plus(image->entries.size());
  const bool is_reset = !scan.records.empty() && scan.records[0].kind == RecordKind::kReset;
  if (is_reset) {
    image->entries.clear();
    image->base_index = header.base_index;
    image->base_term = header.base_term;
  } else if (header.base_index > last || header.base_index < image->base_index) {
    return bad_record(path, 44, "the segment does not continue the log");
  } else {
    image->entries.resize(size_t(header.base_index.value - image->base_index.value));
  }
  for (const Record& record : scan.records) {
    if (record.kind == RecordKind::kReset) continue;
    if (record.kind == RecordKind::kHardState) {
      auto state = decode_hard_state(record.payload);
      if (!state.ok()) return bad_record(path, record.offset, state.status().message());
      image->hard_state = *state;
    } else if (record.kind == RecordKind::kEntry) {
      auto entry = decode_entry(record.payload);
      if (!entry.ok()) return bad_record(path, record.offset, entry.status().message());
      const Index end = image->base_index.plus(image->entries.size());
      if (entry->index <= image->base_index || entry->index > end.next()) {
        return bad_record(path, record.offset, "an entry that does not continue the log");
      }
      apply_append(image, {std::move(*entry)});
    } else {
      return bad_record(path, record.offset, "a record of an unknown kind");
    }
  }
  return {};
}

void FileLog::note(const raft::Entry& entry) {
  while (terms_.size() > 1 && terms_.back().first >= entry.index) terms_.pop_back();
  if (terms_.back().term != entry.term) terms_.push_back({entry.index, entry.term});
  last_index_ = entry.index;
}

Term FileLog::term_of(Index index) const {
  Term term;
  for (const TermRun& run : terms_) {
    if (run.first <= index) term = run.term;
  }
  return term;
}

Status FileLog::fail(Status status) {
  if (failure_.ok()) failure_ = status;
  return status;
}

Status FileLog::append(const std::optional<raft::HardState>& hard_state,
                       const std::vector<raft::Entry>& entries) {
  if (!failure_.ok()) return failure_;
  if (!hard_state && entries.empty()) return {};
  if (hard_state) hard_state_ = *hard_state;
  // A segment's base must stay true for what follows it, so a cut that goes behind it starts a new
  // one.
  if (!entries.empty() && entries.front().index <= segments_.back().base_index) {
    const Index base = entries.front().index.prev();
    if (Status s = start_segment(base, term_of(base), false, 0); !s.ok()) return fail(s);
  }
  std::string bytes;
  if (hard_state) {
    append_record(&bytes, RecordKind::kHardState, encode_hard_state(*hard_state), next_batch_,
                  entries.empty());
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    append_record(&bytes, RecordKind::kEntry, encode_entry(entries[i]), next_batch_,
                  i + 1 == entries.size());
  }
  if (write_at_ + bytes.size() > active_bytes_) {
    const Index base = entries.empty() ? last_index_ : entries.front().index.prev();
    if (Status s = start_segment(base, term_of(base), false, bytes.size()); !s.ok()) return fail(s);
    return append(hard_state, entries);  // in the new segment, with a new batch number
  }
  if (Status s = active_->write(write_at_, bytes); !s.ok()) return fail(s);
  if (Status s = active_->sync(); !s.ok()) return fail(s);
  ++sync_count_;
  ++next_batch_;
  write_at_ += bytes.size();
  for (const raft::Entry& entry : entries) note(entry);
  maybe_prepare_next();
  return {};
}

Status FileLog::reset(Index index, Term term) {
  if (!failure_.ok()) return failure_;
  if (Status s = start_segment(index, term, true, 0); !s.ok()) return fail(s);
  return cut(index);
}

Status FileLog::cut(Index index) {
  if (!failure_.ok()) return failure_;
  size_t keep = 0;  // what is live behind a segment's base is in it or in later ones
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].base_index <= index) keep = i;
  }
  if (keep == 0) return {};
  while (terms_.size() > 1 && terms_[1].first <= segments_[keep].base_index) {
    terms_.erase(terms_.begin());
  }
  // Oldest first, each removal durable in order: no gap may appear in the numbers.
  for (; keep > 0; --keep) {
    RETURN_IF_ERROR(files_.remove_file(segments_.front().path));
    segments_.pop_front();
    RETURN_IF_ERROR(files_.sync_dir(folder_));
  }
  return {};
}

Status FileLog::start_segment(Index base_index, Term base_term, bool reset,
                              std::uint64_t min_bytes) {
  const std::uint64_t sequence = segments_.empty() ? 1 : segments_.back().sequence + 1;
  const SegmentHeader header{identity_, sequence, next_batch_, base_index, base_term};
  std::string bytes = encode_segment_header(header);
  if (reset) append_record(&bytes, RecordKind::kReset, "", next_batch_, false);
  append_record(&bytes, RecordKind::kHardState, encode_hard_state(hard_state_), next_batch_, true);
  ASSIGN_OR_RETURN(auto file, take_prepared(min_bytes + bytes.size()));
  RETURN_IF_ERROR(file->write(0, bytes));
  RETURN_IF_ERROR(file->sync());
  const std::string path = path_of(sequence);
  RETURN_IF_ERROR(file->rename_to(path));
  RETURN_IF_ERROR(files_.sync_dir(folder_));
  ASSIGN_OR_RETURN(active_bytes_, file->size());
  active_ = std::move(file);
  write_at_ = bytes.size();
  ++next_batch_;
  segments_.push_back({sequence, base_index, path});
  last_index_ = base_index;
  if (reset || terms_.empty()) terms_.assign(1, {base_index, base_term});
  return {};
}

Result<std::unique_ptr<OpenFile>> FileLog::take_prepared(std::uint64_t min_bytes) {
  if (next_.valid()) {
    // The helper's failure is not final: what it could not write may fit now.
    auto prepared = next_.get();
    if (prepared.ok() && next_bytes_ >= min_bytes) return prepared;
  }
  const std::uint64_t usual = segments_.empty()
                                  ? options_.first_segment_bytes
                                  : std::min(active_bytes_ * 4, options_.max_segment_bytes);
  return prepare_file(files_, folder_ + "/" + std::string(kPreparedName),
                      std::max(usual, min_bytes));
}

void FileLog::maybe_prepare_next() {
  if (next_.valid() || write_at_ < active_bytes_ / 2 || !options_.helper_thread) return;
  next_bytes_ = std::min(active_bytes_ * 4, options_.max_segment_bytes);
  next_ = std::async(std::launch::async, prepare_file, std::ref(files_),
                     folder_ + "/" + std::string(kPreparedName), next_bytes_);
}

}  // namespace coracle::disk
