// Opening a member: the data folder's lock, state, log, and the core on top of them.
#include <fmt/format.h>

#include <cmath>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "member/founding.hpp"
#include "member/member.hpp"

namespace coracle::store {
namespace {

lease::LessorConfig lessor_config(const MemberConfig& options) {
  lease::LessorConfig config;
  const double floor_seconds = 1.5 * std::chrono::duration<double>(options.election).count();
  config.min_ttl_seconds = std::max<std::int64_t>(1, std::int64_t(std::ceil(floor_seconds)));
  return config;
}

// Whether the log knows the entry the state ends with. One of another term at that index is not it:
// the log still is that of before a snapshot, and what it holds there was never committed.
bool holds(const disk::LogImage& image, const AppliedMark& applied) {
  if (applied.index == image.base_index) return applied.term == image.base_term;
  const std::uint64_t ahead = applied.index.value - image.base_index.value;
  return ahead <= image.entries.size() && image.entries[ahead - 1].term == applied.term;
}

}  // namespace

Member::Member(const MemberConfig& config, const MemberPorts& ports, Rng seeds)
    : options_(config),
      loop_(ports.strand),
      folder_(ports.folder),
      transport_(ports.transport),
      stop_(ports.stop),
      identity_(identity_of(config)),
      request_epoch_(seeds.next() << 32),
      rng_(seeds.next()) {}

Result<std::unique_ptr<Member>> Member::open(const MemberConfig& options,
                                             const MemberPorts& ports) {
  std::unique_ptr<Member> member(new Member(options, ports, Rng(ports.seed)));
  RETURN_IF_ERROR(ports.folder.claim());
  disk::LogImage image;
  // The log first: it knows whose folder this is.
  ASSIGN_OR_RETURN(member->log_, ports.folder.open_log(member->identity_, &image));
  RETURN_IF_ERROR(member->open_state());
  RETURN_IF_ERROR(member->check_still_ours());
  const AppliedMark applied = member->machine_->applied();
  if (applied.index < image.base_index) {
    return data_loss(
        fmt::format("{}: the state ends at entry {}, but the log begins behind {}; the "
                    "state folder is older than the log or was removed",
                    options.data_dir, applied.index.value, image.base_index.value));
  }
  if (!holds(image, applied)) {
    // A crash between the installation of a snapshot and the reset of the log.
    RETURN_IF_ERROR(member->log_->reset(applied.index, applied.term));
    image.base_index = applied.index;
    image.base_term = applied.term;
    image.entries.clear();
  }
  member->start_core(std::move(image));
  return member;
}

Status Member::check_still_ours() const {
  const std::string token = machine_->token();
  // One that joined was told whose cluster it is; its own word for it never counted.
  if (!options_.joins_existing && !token.empty() && token != options_.cluster_token) {
    return failed_precondition(fmt::format(
        "belongs to cluster {:x} with --initial-cluster-token {}, this one is started with {}",
        identity_.cluster, quoted(token), quoted(options_.cluster_token)));
  }
  if (machine_->removed().contains(id())) {
    return failed_precondition(fmt::format(
        "member {:x} was removed from the cluster and cannot come back; add a new one (member add) "
        "and start it with an empty folder",
        id().value));
  }
  return {};
}

Member::~Member() {
  transport_.cancel_snapshots();
  folder_.wait_for_asides();
}

Status Member::open_state() {
  ASSIGN_OR_RETURN(state_, folder_.open_state());
  if (!state_->get(mvcc::Family::kMeta, "applied")) {
    found_cluster(*state_, options_);
    RETURN_IF_ERROR(state_->flush());
  }
  ASSIGN_OR_RETURN(machine_, StateMachine::open(*state_, lessor_config(options_)));
  return {};
}

// After the state folder was replaced.
void Member::reopen_machine() {
  if (const Status status = open_state(); !status.ok()) folder_.give_up(status);
  db_bytes_ = state_->bytes_on_disk();
  hub_->restored(machine_->store());
}

// Entries that are not applied yet, and as many before them as members that lag may want.
void Member::fill_view(disk::LogImage image) {
  auto first = image.entries.end();
  while (first != image.entries.begin()) {
    const raft::Entry& entry = *std::prev(first);
    unflushed_bytes_ += raft::cost_bytes(entry);
    if (entry.index <= machine_->applied().index && view_bytes_ >= kViewBytesMax / 2) break;
    view_bytes_ += raft::cost_bytes(entry);
    --first;
  }
  if (first != image.entries.begin()) {
    view_.reset(std::prev(first)->index, std::prev(first)->term);
  } else {
    view_.reset(image.base_index, image.base_term);
  }
  image.entries.erase(image.entries.begin(), first);
  if (!image.entries.empty()) view_.append(image.entries);
}

void Member::start_core(disk::LogImage image) {
  const AppliedMark applied = machine_->applied();
  const raft::HardState saved = image.hard_state;
  fill_view(std::move(image));
  raft::Config config;
  config.id = id();
  config.heartbeat_ticks = kTicksPerHeartbeat;
  config.election_ticks = election_ticks(options_.heartbeat, options_.election);
  inside.heartbeat = options_.heartbeat;
  inside.election = options_.election;
  config.hard_state =
      raft::HardState(saved.term(), saved.vote(), std::max(saved.commit(), applied.index));
  config.applied = applied.index;
  config.membership = machine_->membership();
  const Status valid = raft::validate(config);
  CHECK_MSG(valid.ok(), valid.to_string());
  core_ = std::make_unique<raft::Core>(config, view_, rng_);
  hub_ = std::make_unique<mvcc::WatchHub>(machine_->store(), options_.watch);
  proposals_ = std::make_unique<Proposals>(*core_, options_.request_timeout());
  reads_ = std::make_unique<ReadBarrier>(*core_, options_.request_timeout(), request_epoch_);
  leaderless_since_ = loop_.now();
  db_bytes_ = state_->bytes_on_disk();
  refresh_peers();
  log::info("opened {}: member {:x} of cluster {:x}, term {}, log {}..{}, applied {}, revision {}",
            options_.data_dir, id().value, identity_.cluster, saved.term().value,
            view_.first().value, view_.last().value, applied.index.value,
            machine_->store().revision().value);
}

}  // namespace coracle::store
