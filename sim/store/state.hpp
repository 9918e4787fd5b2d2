// SimState and SimFolder: what a member keeps on its simulated machine: the log, as the real
// FileLog on a SimDisk, and the state, in memory with the durability RocksDB gives without its own
// log: after a loss of power it is as of some write at or after the last flush.
//
// Invariant: what a damaged block holds is never handed out: RocksDB's checksums tell, and the
// process ends, here by GivenUp.
#pragma once

#include <functional>
#include <memory>

#include "member/ports.hpp"
#include "mvcc/memory_state_store.hpp"
#include "store_sim/disk.hpp"

namespace coracle::store_sim {

// Thrown where a live member would end its process.
struct GivenUp {
  Status why;
};

// A block of the state's files of which a bit is not what it was: neighbours of one family.
struct DamagedBlock {
  mvcc::Family family = mvcc::Family::kMvcc;
  std::string first, last;
};

// What survives the member.
struct StateImage {
  std::shared_ptr<mvcc::MemoryStateStore> now = std::make_shared<mvcc::MemoryStateStore>();
  std::vector<mvcc::WriteBatch> unsafe;           // each takes back a write since the last flush
  std::shared_ptr<mvcc::MemoryStateStore> ready;  // a complete one from another member
  std::optional<DamagedBlock> damaged;            // of what was flushed
};

// Damages what was flushed. False if there is nothing.
bool flip_bit(StateImage& image, Rng& rng);

class SimState final : public disk::DurableState {
 public:
  SimState(SimDisk& disk, StateImage& image);

  std::optional<std::string> get(mvcc::Family family, std::string_view key) const override;
  void scan(mvcc::Family family, std::string_view begin, std::string_view end,
            const mvcc::ScanVisitor& visit) const override;
  void write(const mvcc::WriteBatch& batch) override;
  std::unique_ptr<mvcc::StateSnapshot> snapshot() const override;
  Status flush() override;
  void compact() override;
  std::uint64_t bytes_on_disk() const override { return bytes_; }

 private:
  SimDisk& disk_;
  StateImage& image_;
  const std::shared_ptr<mvcc::MemoryStateStore> now_;  // the image's, as it was opened
  std::uint64_t bytes_ = 0;  // with what was overwritten or erased since it was opened or compacted
};

class SimFolder;
// A staged state that holds all of `state`.
Result<std::unique_ptr<store::StagedState>> staged_copy(SimFolder& folder,
                                                        const mvcc::StateSnapshot& state);

class SimFolder final : public store::Folder {
 public:
  // How the folder reaches the member's world.
  struct Hooks {
    std::function<void(std::function<void()>)> later;  // some time from now, on the strand
    // The log as the member sees it, when it is opened.
    std::function<std::unique_ptr<disk::LogStore>(std::unique_ptr<disk::LogStore>,
                                                  const disk::LogImage&)>
        wrap_log;
  };

  SimFolder(SimDisk& disk, StateImage& image, std::uint64_t segment_bytes, Hooks hooks)
      : disk_(disk), image_(image), segment_bytes_(segment_bytes), hooks_(std::move(hooks)) {}

  Status claim() override;
  Result<std::unique_ptr<disk::LogStore>> open_log(const disk::Identity& identity,
                                                   disk::LogImage* image) override;
  Result<std::shared_ptr<disk::DurableState>> open_state() override;
  Result<std::unique_ptr<store::StagedState>> stage() override;
  Status replace_state() override;
  void aside(std::function<Status()> work, std::function<void(Status)> done) override;
  void wait_for_asides() override;
  [[noreturn]] void give_up(const Status& status) override { throw GivenUp{status}; }

 private:
  struct Aside {
    std::function<Status()> work;
    std::function<void(Status)> done;
  };
  void run_aside(const std::shared_ptr<Aside>& aside);

  SimDisk& disk_;
  StateImage& image_;
  const std::uint64_t segment_bytes_;
  const Hooks hooks_;
  std::vector<std::shared_ptr<Aside>> asides_;
};

// A loss of power: the state falls back to some write since the last flush.
void lose_power(StateImage& image, Rng& rng);

}  // namespace coracle::store_sim
