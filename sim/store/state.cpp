#include "store_sim/state.hpp"

#include "disk/file_log.hpp"

namespace coracle::store_sim {
namespace {

// Back to what it was after so many of the writes since the last flush.
void take_back(mvcc::MemoryStateStore& state, const std::vector<mvcc::WriteBatch>& undoings,
               std::size_t kept) {
  for (std::size_t i = undoings.size(); i > kept; --i) state.write(undoings[i - 1]);
}

class SimStaged final : public store::StagedState {
 public:
  SimStaged(SimDisk& disk, StateImage& image) : disk_(disk), image_(image) {}
  void write(const mvcc::WriteBatch& batch) override { state_->write(batch); }
  Status finish() override {
    RETURN_IF_ERROR(disk_.boundary("finish of a snapshot", true));
    image_.ready = std::move(state_);
    return disk_.boundary("finish of a snapshot", true);
  }

 private:
  SimDisk& disk_;
  StateImage& image_;
  std::shared_ptr<mvcc::MemoryStateStore> state_ = std::make_shared<mvcc::MemoryStateStore>();
};

std::uint64_t bytes_of(const mvcc::StateReader& state) {
  std::uint64_t bytes = 0;
  for (int family = 0; family < mvcc::kFamilies; ++family) {
    state.scan(mvcc::Family(family), "", "", [&](std::string_view key, std::string_view value) {
      bytes += key.size() + value.size();
      return true;
    });
  }
  return bytes;
}

// A state as its files give it: reading may fail, and a damaged block is noticed.
class Checked final : public mvcc::StateSnapshot {
 public:
  Checked(const mvcc::StateReader& state, const StateImage& image, SimDisk& disk)
      : state_(state), image_(image), disk_(disk) {}
  Checked(std::unique_ptr<mvcc::StateSnapshot> own, const StateImage& image, SimDisk& disk)
      : own_(std::move(own)), state_(*own_), image_(image), disk_(disk) {}

  std::optional<std::string> get(mvcc::Family family, std::string_view key) const override {
    must(disk_.read_state());
    check(family, key);
    return state_.get(family, key);
  }
  void scan(mvcc::Family family, std::string_view begin, std::string_view end,
            const mvcc::ScanVisitor& visit) const override {
    must(disk_.read_state());
    state_.scan(family, begin, end, [&](std::string_view key, std::string_view value) {
      check(family, key);
      return visit(key, value);
    });
  }

 private:
  static void must(const Status& status) {
    if (!status.ok()) throw GivenUp{status};
  }
  void check(mvcc::Family family, std::string_view key) const {
    const auto& block = image_.damaged;
    if (block && block->family == family && key >= block->first && key <= block->last) {
      throw GivenUp{data_loss("state: block checksum mismatch")};
    }
  }

  const std::unique_ptr<mvcc::StateSnapshot> own_;
  const mvcc::StateReader& state_;
  const StateImage& image_;
  SimDisk& disk_;
};

}  // namespace

bool flip_bit(StateImage& image, Rng& rng) {
  constexpr std::uint64_t kBlockRecords = 4;
  mvcc::MemoryStateStore flushed = *image.now;
  take_back(flushed, image.unsafe, 0);
  std::vector<std::pair<mvcc::Family, std::string>> records;
  for (int family = 0; family < mvcc::kFamilies; ++family) {
    flushed.scan(mvcc::Family(family), "", "", [&](std::string_view key, std::string_view) {
      records.emplace_back(mvcc::Family(family), key);
      return true;
    });
  }
  if (records.empty()) return false;
  const std::size_t at = rng.below(records.size());
  std::size_t last = at;
  while (last + 1 < records.size() && last + 1 < at + kBlockRecords &&
         records[last + 1].first == records[at].first) {
    ++last;
  }
  image.damaged = {records[at].first, records[at].second, records[last].second};
  return true;
}

void lose_power(StateImage& image, Rng& rng) {
  // RocksDB flushes when it likes, so more than the last flush may be there, never a part of one.
  const std::size_t kept = rng.chance(0.7) ? 0 : rng.below(image.unsafe.size() + 1);
  take_back(*image.now, image.unsafe, kept);
  image.unsafe.clear();
}

SimState::SimState(SimDisk& disk, StateImage& image)
    : disk_(disk), image_(image), now_(image.now), bytes_(bytes_of(*now_)) {}

std::optional<std::string> SimState::get(mvcc::Family family, std::string_view key) const {
  return Checked(*now_, image_, disk_).get(family, key);
}

void SimState::scan(mvcc::Family family, std::string_view begin, std::string_view end,
                    const mvcc::ScanVisitor& visit) const {
  Checked(*now_, image_, disk_).scan(family, begin, end, visit);
}

std::unique_ptr<mvcc::StateSnapshot> SimState::snapshot() const {
  return std::make_unique<Checked>(now_->snapshot(), image_, disk_);
}

void SimState::write(const mvcc::WriteBatch& batch) {
  constexpr std::uint64_t kRecordBytes = 16;
  (void)disk_.boundary("write of the state", false);
  if (disk_.dead()) return;
  image_.unsafe.push_back(now_->write_undoable(batch));
  bytes_ += batch.bytes() + kRecordBytes * batch.ops().size();
}

// Reads everything there is.
void SimState::compact() {
  if (image_.damaged) throw GivenUp{data_loss("state: block checksum mismatch")};
  bytes_ = bytes_of(*now_);
}

Status SimState::flush() {
  RETURN_IF_ERROR(disk_.boundary("flush", true));
  image_.unsafe.clear();
  return disk_.boundary("flush", true);
}

Status SimFolder::claim() { return replace_state(); }

Status SimFolder::replace_state() {
  if (!image_.ready) return {};
  RETURN_IF_ERROR(disk_.boundary("replace of the state", true));
  image_.now = std::move(image_.ready);
  image_.ready.reset();
  image_.unsafe.clear();
  image_.damaged.reset();
  return disk_.boundary("replace of the state", true);
}

Result<std::unique_ptr<disk::LogStore>> SimFolder::open_log(const disk::Identity& identity,
                                                            disk::LogImage* image) {
  disk::FileLog::Options options;
  options.first_segment_bytes = segment_bytes_;
  options.max_segment_bytes = segment_bytes_ * 4;
  options.files = &disk_;
  options.helper_thread = false;
  ASSIGN_OR_RETURN(auto log, disk::FileLog::open("log", identity, options, image));
  return hooks_.wrap_log(std::move(log), *image);
}

Result<std::shared_ptr<disk::DurableState>> SimFolder::open_state() {
  return std::shared_ptr<disk::DurableState>(std::make_shared<SimState>(disk_, image_));
}

Result<std::unique_ptr<store::StagedState>> SimFolder::stage() {
  return std::unique_ptr<store::StagedState>(std::make_unique<SimStaged>(disk_, image_));
}

Result<std::unique_ptr<store::StagedState>> staged_copy(SimFolder& folder,
                                                        const mvcc::StateSnapshot& state) {
  ASSIGN_OR_RETURN(auto staged, folder.stage());
  mvcc::WriteBatch batch;
  for (int family = 0; family < mvcc::kFamilies; ++family) {
    state.scan(mvcc::Family(family), "", "", [&](std::string_view key, std::string_view value) {
      batch.put(mvcc::Family(family), std::string(key), std::string(value));
      return true;
    });
  }
  staged->write(batch);
  return staged;
}

void SimFolder::run_aside(const std::shared_ptr<Aside>& aside) {
  const auto work = std::exchange(aside->work, nullptr);
  if (!work) return;
  const Status status = work();
  hooks_.later([done = std::move(aside->done), status] { done(status); });
}

void SimFolder::aside(std::function<Status()> work, std::function<void(Status)> done) {
  const auto aside = std::make_shared<Aside>(Aside{std::move(work), std::move(done)});
  asides_.push_back(aside);
  hooks_.later([this, aside] {
    std::erase(asides_, aside);
    run_aside(aside);
  });
}

void SimFolder::wait_for_asides() {
  const auto asides = std::exchange(asides_, {});
  if (disk_.dead()) return;
  for (const auto& aside : asides) run_aside(aside);
}

}  // namespace coracle::store_sim
