#include "store_sim/state.hpp"

#include "disk/file_log.hpp"

namespace coracle::store_sim {
namespace {

mvcc::WriteBatch copy_of(const mvcc::WriteBatch& batch) {
  using Kind = mvcc::WriteBatch::Op::Kind;
  mvcc::WriteBatch out;
  for (const auto& op : batch.ops()) {
    if (op.kind == Kind::kPut) out.put(op.family, op.key, op.value);
    if (op.kind == Kind::kErase) out.erase(op.family, op.key);
    if (op.kind == Kind::kEraseRange) out.erase_range(op.family, op.key, op.value);
  }
  return out;
}

void settle(StateImage& image, std::size_t batches) {
  for (std::size_t i = 0; i < batches; ++i) image.safe->write(image.unsafe[i]);
  image.unsafe.clear();
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

}  // namespace

void lose_power(StateImage& image, Rng& rng) {
  // RocksDB flushes when it likes, so more than the last flush may be there, never a part of one.
  settle(image, rng.chance(0.7) ? 0 : rng.below(image.unsafe.size() + 1));
}

SimState::SimState(SimDisk& disk, StateImage& image)
    : disk_(disk), image_(image), now_(std::make_unique<mvcc::MemoryStateStore>(*image.safe)) {
  for (const mvcc::WriteBatch& batch : image.unsafe) now_->write(batch);
}

void SimState::write(const mvcc::WriteBatch& batch) {
  (void)disk_.boundary("write of the state", false);
  if (disk_.dead()) return;
  now_->write(batch);
  image_.unsafe.push_back(copy_of(batch));
}

Status SimState::flush() {
  RETURN_IF_ERROR(disk_.boundary("flush", true));
  settle(image_, image_.unsafe.size());
  return disk_.boundary("flush", true);
}

Status SimFolder::claim() { return replace_state(); }

Status SimFolder::replace_state() {
  if (!image_.ready) return {};
  RETURN_IF_ERROR(disk_.boundary("replace of the state", true));
  image_.safe = std::move(image_.ready);
  image_.ready.reset();
  image_.unsafe.clear();
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
