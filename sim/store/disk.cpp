#include "store_sim/disk.hpp"

#include <algorithm>

#include "disk/segment_format.hpp"

namespace coracle::store_sim {
namespace {

void overwrite(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  content.replace(offset, bytes.size(), bytes);
}

Status dead_disk() { return internal_error("the machine is off"); }

}  // namespace

class SimFile final : public disk::OpenFile {
 public:
  SimFile(SimDisk& disk, std::string path, std::shared_ptr<SimDisk::Node> node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)) {}

  Result<std::uint64_t> size() const override { return std::uint64_t(node_->now.size()); }
  Result<std::string> read(std::uint64_t offset, size_t length) const override {
    if (offset + length > node_->now.size()) return data_loss(path_ + ": read: too short");
    return node_->now.substr(offset, length);
  }
  Status write(std::uint64_t offset, std::string_view bytes) override {
    return write_some(offset, bytes.size(), [&](std::uint64_t length) {
      note(offset, length);
      overwrite(node_->now, offset, bytes.substr(0, length));
    });
  }
  Status write_zeros(std::uint64_t offset, std::uint64_t span) override {
    return write_some(offset, span, [&](std::uint64_t length) {
      note(offset, length);
      const std::string zeros(node_->unsynced.back().before.size(), '\0');
      overwrite(node_->now, offset, zeros);
      if (node_->now.size() < offset + length) node_->now.resize(offset + length);
    });
  }
  Status sync() override {
    // What a failed sync wrote nobody knows.
    RETURN_IF_ERROR(disk_.boundary("sync", true).with_context(path_));
    node_->unsynced.clear();
    disk_.cost_ += disk_.rng_.between(50, disk_.sync_max_);
    ++disk_.syncs_;
    return {};
  }
  Status rename_to(const std::string& path) override {
    RETURN_IF_ERROR(disk_.boundary("rename", true).with_context(path_));
    disk_.change_name({path, node_, path_});
    path_ = path;
    return {};
  }

 private:
  // `put` writes so many bytes.
  template <class Put>
  Status write_some(std::uint64_t offset, std::uint64_t length, const Put& put) {
    const Status status = disk_.boundary("write", true);
    if (status.ok()) {
      put(length);
      return {};
    }
    // A part may have got through, whole sectors as the kernel writes.
    const std::uint64_t upto =
        (offset + disk_.rng_.below(length + 1)) / disk::kSectorBytes * disk::kSectorBytes;
    if (!disk_.dead_ && upto > offset) put(upto - offset);
    return status.with_context(path_);
  }
  // What is written over, so that it can be lost.
  void note(std::uint64_t offset, std::uint64_t length) {
    const std::string& now = node_->now;
    node_->unsynced.push_back(
        {offset, length, now.size(), offset < now.size() ? now.substr(offset, length) : ""});
  }

  SimDisk& disk_;
  std::string path_;
  std::shared_ptr<SimDisk::Node> node_;
};

void SimDisk::plan_crash(std::uint64_t boundaries, bool power) {
  crash_in_ = boundaries;
  crash_power_ = power;
}

void SimDisk::plan_failure(std::uint64_t boundaries, Failure failure) {
  failure_in_ = boundaries;
  failure_ = failure;
}

Status SimDisk::boundary(const char* what, bool is_write) {
  if (dead_) return dead_disk();
  if (crash_in_ && (*crash_in_)-- == 0) {
    crash_in_.reset();
    dead_ = true;
    ++tally_[std::string("crash at ") + what];
    throw Crash{crash_power_};
  }
  return is_write && fails_now() ? failure(what) : Status();
}

bool SimDisk::fails_now() {
  if (full_ > 0) {
    --full_;
    failure_ = Failure::kEnospc;
    return true;
  }
  if (!failure_in_ || (*failure_in_)-- != 0) return false;
  failure_in_.reset();
  if (failure_ == Failure::kEnospc) full_ = std::exchange(full_after_, 0);
  return true;
}

Status SimDisk::failure(const char* what) {
  failed_ = true;
  log_failed_ = std::string_view(what) != "flush";  // that one runs aside, and is told later
  ++tally_[failure_ == Failure::kEio ? "EIO" : "ENOSPC"];
  if (failure_ == Failure::kEio) return internal_error(std::string(what) + ": Input/output error");
  return {Code::kResourceExhausted, std::string(what) + ": No space left on device"};
}

Status SimDisk::read_state() {
  if (!read_failure_in_ || (*read_failure_in_)-- != 0) return {};
  read_failure_in_.reset();
  failed_ = true;
  ++tally_["EIO of the state"];
  return internal_error("read of the state: Input/output error");
}

void SimDisk::plan_nothing() {
  crash_in_.reset();
  failure_in_.reset();
  read_failure_in_.reset();
  full_ = full_after_ = 0;
}

Result<std::unique_ptr<disk::OpenFile>> SimDisk::open(const std::string& path,
                                                      disk::File::Mode mode) {
  if (dead_) return dead_disk();
  auto found = names_.find(path);
  if (mode == disk::File::Mode::kCreate) {
    if (found != names_.end()) return already_exists(path + ": create: it is there");
    RETURN_IF_ERROR(boundary("create", true));
    change_name({path, std::make_shared<Node>(), ""});
    found = names_.find(path);
  }
  if (found == names_.end()) return not_found(path + ": open: not there");
  return std::unique_ptr<disk::OpenFile>(std::make_unique<SimFile>(*this, path, found->second));
}

Status SimDisk::sync_dir(const std::string&) {
  RETURN_IF_ERROR(boundary("sync of names", true));
  for (const NameChange& change : unsynced_names_) apply(durable_names_, change);
  unsynced_names_.clear();
  cost_ += rng_.between(50, sync_max_);
  return {};
}

Status SimDisk::remove_file(const std::string& path) {
  if (!names_.contains(path)) return dead_ ? dead_disk() : Status();
  RETURN_IF_ERROR(boundary("remove", true));
  change_name({path, nullptr, ""});
  return {};
}

Result<std::vector<std::string>> SimDisk::list_dir(const std::string& path) {
  if (dead_) return dead_disk();
  std::vector<std::string> out;
  for (const auto& [name, node] : names_) {
    if (name.starts_with(path + "/")) out.push_back(name.substr(path.size() + 1));
  }
  return out;
}

void SimDisk::apply(Names& names, const NameChange& change) {
  if (!change.old_path.empty()) names.erase(change.old_path);
  if (change.node) {
    names[change.path] = change.node;
  } else {
    names.erase(change.path);
  }
}

void SimDisk::change_name(NameChange change) {
  apply(names_, change);
  unsynced_names_.push_back(std::move(change));
}

// Sector by sector, in any order: a lost one keeps what it held.
void SimDisk::lose_unsynced(Node& node) {
  const double kept = rng_.chance(0.3) ? 0.0 : (rng_.chance(0.3) ? 1.0 : 0.5);
  const std::vector<std::string> written = take_back(node);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const std::string_view bytes = written[i];
    std::size_t from = 0;
    while (from < bytes.size()) {
      const std::uint64_t at = node.unsynced[i].offset + from;
      const std::size_t sector_left = disk::kSectorBytes - at % disk::kSectorBytes;
      const std::size_t length = std::min(sector_left, bytes.size() - from);
      if (rng_.chance(kept)) {
        overwrite(node.now, at, bytes.substr(from, length));
      } else if (kept > 0) {
        ++tally_["sector lost"];
      }
      from += length;
    }
  }
  node.unsynced.clear();
}

// Back to what is durable; returns what the unsynced writes wrote, the first one first.
std::vector<std::string> SimDisk::take_back(Node& node) {
  std::vector<std::string> written(node.unsynced.size());
  for (std::size_t i = written.size(); i-- > 0;) {
    const Write& write = node.unsynced[i];
    written[i] = node.now.substr(write.offset, write.length);
    node.now.resize(write.size_before);
    node.now.replace(std::min<std::size_t>(write.offset, node.now.size()), write.before.size(),
                     write.before);
  }
  return written;
}

void SimDisk::lose_power() {
  dead_ = true;
  const std::size_t names_kept = rng_.below(unsynced_names_.size() + 1);
  for (std::size_t i = 0; i < names_kept; ++i) apply(durable_names_, unsynced_names_[i]);
  unsynced_names_.clear();
  names_ = durable_names_;
  for (auto& [path, node] : names_) lose_unsynced(*node);
}

void SimDisk::restart() {
  dead_ = failed_ = log_failed_ = false;
  crash_in_.reset();
  failure_in_.reset();
  read_failure_in_.reset();
  cost_ = 0;
}

bool SimDisk::flip_bit() {
  std::vector<std::pair<Node*, std::size_t>> places;  // and how much is written there
  for (auto& [path, node] : names_) {
    if (!path.ends_with(".log")) continue;
    const std::size_t last = node->now.find_last_not_of('\0');
    if (last != std::string::npos) places.push_back({node.get(), last + 1});
  }
  if (places.empty()) return false;
  const auto [node, size] = places[rng_.below(places.size())];
  const std::size_t at = rng_.below(size);
  const char bit = char(1 << rng_.below(8));
  node->now[at] = char(node->now[at] ^ bit);
  node->unsynced.clear();  // what is there now is what the disk holds
  ++tally_["bit flipped"];
  return true;
}

}  // namespace coracle::store_sim
