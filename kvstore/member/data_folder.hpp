// DataFolder: a member's folder on a real disk.
//
//   LOCK             held while the member runs
//   log/             the Raft log (disk/file_log.hpp)
//   state/           the replicated state (RocksDB)
//   state.incoming/  a state on its way from another member
//   state.ready/     a complete one; by one rename it got this name, by another it becomes state/,
//                    also after a crash between the two
//
// Thread: as the port says. Errors: say the path and what the system said.
#pragma once

#include <future>
#include <list>
#include <string>

#include "disk/file.hpp"
#include "member/ports.hpp"

namespace coracle::store {

std::string state_folder(const std::string& data_dir);

class DataFolder final : public Folder {
 public:
  // `strand` takes what is done after work aside; it outlives the folder.
  DataFolder(std::string path, Strand& strand) : path_(std::move(path)), strand_(strand) {}
  ~DataFolder() override { wait_for_asides(); }

  Status claim() override;
  Result<std::unique_ptr<disk::LogStore>> open_log(const disk::Identity& identity,
                                                   disk::LogImage* image) override;
  Result<std::shared_ptr<disk::DurableState>> open_state() override;
  Result<std::unique_ptr<StagedState>> stage() override;
  Status replace_state() override;
  void aside(std::function<Status()> work, std::function<void(Status)> done) override;
  void wait_for_asides() override;
  [[noreturn]] void give_up(const Status& status) override;

 private:
  Status adopt_ready_state();

  const std::string path_;
  Strand& strand_;
  disk::File lock_;
  std::list<std::future<void>> asides_;  // owned by the strand
};

}  // namespace coracle::store
