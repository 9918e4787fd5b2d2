// SimDisk: the file system of one simulated machine, at its worst. What was not synced may be lost,
// torn at sectors, and reordered by a loss of power; names are durable only after sync_dir().
//
// Every write, sync, rename and removal is a boundary: the machine may lose power or the process
// may end there (Crash is thrown and unwinds out of the member), or the call may fail.
// Invariant: after a crash or failure nothing reaches the disk until restart().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "disk/files.hpp"
#include "store_sim/profile.hpp"

namespace coracle::store_sim {

// Unwinds out of a member whose machine lost power, or whose process was killed.
struct Crash {
  bool power = false;
};

enum class Failure { kNone, kEio, kEnospc };

class SimDisk final : public disk::Files {
 public:
  SimDisk(Rng rng, Tally& tally) : rng_(rng), tally_(tally) {}

  Result<std::unique_ptr<disk::OpenFile>> open(const std::string& path,
                                               disk::File::Mode mode) override;
  Status make_dirs(const std::string&) override { return {}; }
  Status sync_dir(const std::string& path) override;
  Status remove_file(const std::string& path) override;
  Result<std::vector<std::string>> list_dir(const std::string& path) override;

  // An I/O boundary, for the state too: may throw Crash; else why the operation fails, or Ok.
  Status boundary(const char* what, bool is_write);
  // The state is read, which may fail as well.
  Status read_state();

  // Plans, in boundaries from now.
  void plan_crash(std::uint64_t boundaries, bool power);
  void plan_failure(std::uint64_t boundaries, Failure failure);
  void plan_read_failure(std::uint64_t reads) { read_failure_in_ = reads; }
  // The next ENOSPC is not the last: so many writes after it fail too, of later lives as well.
  void plan_full(std::uint64_t writes) { full_after_ = writes; }
  void plan_nothing();
  void set_sync_max(Micros max) { sync_max_ = max; }

  bool dead() const { return dead_; }
  // Something was refused in this life; of the log: the member must not go on for a moment.
  bool failed() const { return failed_; }
  bool log_failed() const { return log_failed_; }
  void stop() { dead_ = true; }
  void lose_power();  // decides what of the unsynced survives
  void restart();
  // Flips one bit of what the log holds. False if there is nothing to flip.
  bool flip_bit();
  // Virtual time the syncs since the last call took.
  Micros take_cost() { return std::exchange(cost_, 0); }
  std::uint64_t syncs() const { return syncs_; }
  Rng& rng() { return rng_; }

 private:
  friend class SimFile;
  struct Write {
    std::uint64_t offset, length, size_before;  // of the file
    std::string before;                         // what it wrote over; less where the file grew
  };
  struct Node {
    std::string now;
    std::vector<Write> unsynced;
  };
  struct NameChange {  // node null: removed
    std::string path;
    std::shared_ptr<Node> node;
    std::string old_path;  // of a rename
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  static void apply(Names& names, const NameChange& change);
  void change_name(NameChange change);
  void lose_unsynced(Node& node);
  static std::vector<std::string> take_back(Node& node);
  bool fails_now();
  Status failure(const char* what);

  Rng rng_;
  Tally& tally_;
  Names names_, durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::optional<std::uint64_t> crash_in_, failure_in_, read_failure_in_;
  std::uint64_t full_after_ = 0, full_ = 0;  // writes that will fail, planned and begun
  bool crash_power_ = false;
  Failure failure_ = Failure::kNone;
  Micros sync_max_ = 1000, cost_ = 0;
  std::uint64_t syncs_ = 0;
  bool dead_ = false, failed_ = false, log_failed_ = false;
};

}  // namespace coracle::store_sim
