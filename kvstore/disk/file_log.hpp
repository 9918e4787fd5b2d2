// FileLog: the Raft log of one member as segment files in a folder (docs/formats/raft-log.md).
// Owner:     the member's strand. A helper thread of its own writes zeros into the next segment.
// Invariant: segments are numbered without a gap; only the newest is written to; each starts with
// the
//            hard state of its time, so that older ones can be removed.
// Bound:     one append fits one segment (the segment is made larger if it must be).
// Errors:    open() refuses damage (DataLoss: file and offset), a log of another cluster or member
//            and an unknown format (FailedPrecondition), and what the system denies (file named).
#pragma once

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "disk/files.hpp"
#include "disk/log_store.hpp"
#include "disk/segment_format.hpp"

namespace coracle::disk {

class FileLog final : public LogStore {
 public:
  struct Options {
    // The first segment is small, so that a new member starts at once; each next one is four times
    // as large up to the maximum.
    std::uint64_t first_segment_bytes = 4 << 20;
    std::uint64_t max_segment_bytes = 64 << 20;
    Files* files = &real_files();
    bool helper_thread = true;  // else the next segment is prepared when it is needed
  };

  // Makes the folder if it is missing. Reads everything into *image; a torn tail is cut back.
  static Result<std::unique_ptr<FileLog>> open(const std::string& folder, const Identity& identity,
                                               const Options& options, LogImage* image);
  ~FileLog() override;

  Status append(const std::optional<raft::HardState>& hard_state,
                const std::vector<raft::Entry>& entries) override;
  Status reset(Index index, Term term) override;
  Status cut(Index index) override;

  std::uint64_t sync_count() const { return sync_count_; }

 private:
  struct Segment {
    std::uint64_t sequence;
    Index base_index;  // the last entry of the log when it was started
    std::string path;
  };

  FileLog(std::string folder, Identity identity, Options options)
      : folder_(std::move(folder)),
        identity_(identity),
        options_(options),
        files_(*options.files) {}

  // Where a term's entries begin; enough to know the term of any entry.
  struct TermRun {
    Index first;
    Term term;
  };

  Status load(LogImage* image);
  Status load_segment(std::uint64_t sequence, bool is_last, LogImage* image);
  Status replay(const SegmentHeader& header, const Scan& scan, const std::string& path,
                LogImage* image);
  Status start_segment(Index base_index, Term base_term, bool reset, std::uint64_t min_bytes);
  Result<std::unique_ptr<OpenFile>> take_prepared(std::uint64_t min_bytes);
  void maybe_prepare_next();
  void note(const raft::Entry& entry);
  Term term_of(Index index) const;
  std::string path_of(std::uint64_t sequence) const;
  Status fail(Status status);

  const std::string folder_;
  const Identity identity_;
  const Options options_;
  Files& files_;
  // Owned by the strand.
  std::deque<Segment> segments_;
  std::unique_ptr<OpenFile> active_;
  std::uint64_t active_bytes_ = 0;
  std::uint64_t write_at_ = 0;
  std::uint64_t next_batch_ = 1;
  std::uint64_t sync_count_ = 0;
  raft::HardState hard_state_;
  Index last_index_;
  std::vector<TermRun> terms_;
  Status failure_;                                       // sticky
  std::future<Result<std::unique_ptr<OpenFile>>> next_;  // the helper's work
  std::uint64_t next_bytes_ = 0;
};

// Record payloads, for this log and for storectl.
std::string encode_hard_state(const raft::HardState& state);
std::string encode_entry(const raft::Entry& entry);
Result<raft::HardState> decode_hard_state(std::string_view payload);
Result<raft::Entry> decode_entry(std::string_view payload);
// "0000000000000001.log"
std::string segment_name(std::uint64_t sequence);

}  // namespace coracle::disk
