#include "member/data_folder.hpp"

#include <algorithm>

#include "disk/file_log.hpp"
#include "disk/rocks_state_store.hpp"

namespace coracle::store {
namespace {

std::string incoming_folder(const std::string& data_dir) { return data_dir + "/state.incoming"; }
std::string ready_folder(const std::string& data_dir) { return data_dir + "/state.ready"; }

Status rename_folder(const std::string& data_dir, const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(disk::File folder, disk::File::open(from, disk::File::Mode::kRead));
  RETURN_IF_ERROR(folder.rename_to(to));
  return disk::sync_dir(data_dir);
}

bool has_segments(const std::string& folder) {
  const auto names = disk::list_dir(folder);
  return names.ok() && std::any_of(names->begin(), names->end(),
                                   [](const std::string& name) { return name.ends_with(".log"); });
}

class StagedFolder final : public StagedState {
 public:
  StagedFolder(std::string data_dir, std::unique_ptr<disk::RocksStateStore> state)
      : data_dir_(std::move(data_dir)), state_(std::move(state)) {}

  void write(const mvcc::WriteBatch& batch) override { state_->write(batch); }
  // Flushed, closed and renamed to state.ready.
  Status finish() override {
    RETURN_IF_ERROR(state_->flush());
    state_.reset();
    return rename_folder(data_dir_, incoming_folder(data_dir_), ready_folder(data_dir_));
  }

 private:
  const std::string data_dir_;
  std::unique_ptr<disk::RocksStateStore> state_;
};

}  // namespace

std::string state_folder(const std::string& data_dir) { return data_dir + "/state"; }

Status DataFolder::claim() {
  RETURN_IF_ERROR(disk::make_dirs(path_));
  const std::string path = path_ + "/LOCK";
  if (!disk::exists(path)) {
    RETURN_IF_ERROR(disk::File::open(path, disk::File::Mode::kCreate).status());
  }
  ASSIGN_OR_RETURN(lock_, disk::File::open(path, disk::File::Mode::kReadWrite));
  RETURN_IF_ERROR(lock_.lock());
  return adopt_ready_state();
}

Status DataFolder::adopt_ready_state() {
  if (disk::exists(incoming_folder(path_))) {
    RETURN_IF_ERROR(disk::remove_tree(incoming_folder(path_)));
  }
  if (!disk::exists(ready_folder(path_))) return {};
  RETURN_IF_ERROR(disk::remove_tree(state_folder(path_)));
  return rename_folder(path_, ready_folder(path_), state_folder(path_));
}

Result<std::unique_ptr<disk::LogStore>> DataFolder::open_log(const disk::Identity& identity,
                                                             disk::LogImage* image) {
  // The log is made first. Without it a member forgets its vote and what it acknowledged, so it
  // must not come back as the one it was.
  if (disk::exists(state_folder(path_)) && !has_segments(path_ + "/log")) {
    return data_loss(path_ + "/log: the log is gone, but the state is there");
  }
  ASSIGN_OR_RETURN(auto log, disk::FileLog::open(path_ + "/log", identity, {}, image));
  return std::unique_ptr<disk::LogStore>(std::move(log));
}

Result<std::shared_ptr<disk::DurableState>> DataFolder::open_state() {
  ASSIGN_OR_RETURN(auto store, disk::RocksStateStore::open(state_folder(path_)));
  return std::shared_ptr<disk::DurableState>(std::move(store));
}

Result<std::unique_ptr<StagedState>> DataFolder::stage() {
  RETURN_IF_ERROR(disk::remove_tree(incoming_folder(path_)));
  ASSIGN_OR_RETURN(auto state, disk::RocksStateStore::open(incoming_folder(path_)));
  return std::unique_ptr<StagedState>(std::make_unique<StagedFolder>(path_, std::move(state)));
}

Status DataFolder::replace_state() { return adopt_ready_state(); }

void DataFolder::aside(std::function<Status()> work, std::function<void(Status)> done) {
  asides_.remove_if([](const std::future<void>& task) {
    return task.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  asides_.push_back(std::async(
      std::launch::async, [this, work = std::move(work), done = std::move(done)]() mutable {
        Status status = work();
        work = nullptr;  // what it holds open goes before wait_for_asides() returns
        strand_.post([done = std::move(done), status = std::move(status)] { done(status); });
      }));
}

void DataFolder::wait_for_asides() {
  for (auto& task : asides_) task.wait();
  asides_.clear();
}

void DataFolder::give_up(const Status& status) { disk::fatal_disk_error(status); }

}  // namespace coracle::store
