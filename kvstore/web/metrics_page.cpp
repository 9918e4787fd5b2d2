#include "web/metrics_page.hpp"

#include <fmt/format.h>

#include "base/metrics.hpp"
#include "member/version.hpp"

namespace coracle::store {
namespace {

class Page {
 public:
  void gauge(std::string_view name, std::string_view help, double value,
             std::string_view labels = {}) {
    family(name, help, "gauge");
    sample(name, labels, value);
  }
  void counter(std::string_view name, std::string_view help, double value) {
    family(name, help, "counter");
    sample(name, {}, value);
  }
  void family(std::string_view name, std::string_view help, std::string_view type) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void sample(std::string_view name, std::string_view labels, double value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name, value)
                            : fmt::format("{}{{{}}} {}\n", name, labels, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void add_server(Member& member, Page* page) {
  raft::Core& core = member.core();
  const Observer& seen = member.inside.observer;
  const bool leads = core.role() == raft::Role::kLeader;
  page->gauge("etcd_server_has_leader", "1 if a leader is known.", core.leader() != NodeId(0));
  page->gauge("etcd_server_is_leader", "1 if this member leads.", leads);
  page->gauge("etcd_server_is_learner", "1 if this member is a learner.",
              core.membership().is_learner(member.id()));
  page->counter("etcd_server_leader_changes_seen_total", "Leaders seen since the start.",
                double(seen.leader_changes));
  page->gauge("etcd_server_proposals_committed_total", "Last committed log entry.",
              double(core.commit().value));
  page->gauge("etcd_server_proposals_applied_total", "Last applied log entry.",
              double(member.machine().applied().index.value));
  page->gauge("etcd_server_proposals_pending", "Calls that wait for their entry.",
              double(member.pending_proposals()));
  page->counter("etcd_server_proposals_failed_total", "Calls that no entry answered in time.",
                double(member.failed_proposals()));
  page->gauge("etcd_server_quota_backend_bytes", "Size that raises the NOSPACE alarm.",
              double(member.options().quota_bytes));
  page->gauge("etcd_server_id", "The member's id.", 1,
              fmt::format("server_id=\"{:x}\"", member.id().value));
  page->gauge("etcd_server_version", "The release of etcd whose behaviour this is.", 1,
              fmt::format("server_version=\"{}\"", kServerVersion));
  page->gauge("etcd_cluster_version", "The cluster's version.", 1,
              fmt::format("cluster_version=\"{}\"", kStorageVersion));
}

void add_store(Member& member, Page* page) {
  const mvcc::Store& store = member.machine().store();
  page->gauge("etcd_mvcc_db_total_size_in_bytes", "Bytes of the state's files and buffers.",
              double(member.db_bytes()));
  page->gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of keys and values kept.",
              double(store.bytes_in_use()));
  page->gauge("etcd_debugging_mvcc_keys_total", "Keys.", double(store.live_keys()));
  page->gauge("etcd_debugging_mvcc_current_revision", "The revision.",
              double(store.revision().value));
  page->gauge("etcd_debugging_mvcc_compact_revision", "The last compaction; -1: never.",
              double(store.compacted().value));
  page->gauge("etcd_debugging_mvcc_watcher_total", "Watchers.", double(member.hub().watchers()));
  page->gauge("etcd_debugging_mvcc_slow_watcher_total", "Watchers that are behind.",
              double(member.hub().slow_watchers()));
  page->gauge("etcd_debugging_lease_granted", "Leases that exist.",
              double(member.machine().lessor().size()));
}

void add_syncs(const SyncTimes& syncs, Page* page) {
  constexpr std::string_view kName = "etcd_disk_wal_fsync_duration_seconds";
  page->family(kName, "How long writing and syncing the log took.", "histogram");
  const std::string bucket = std::string(kName) + "_bucket";
  double bound = 0.001;
  std::uint64_t so_far = 0;
  for (size_t i = 0; i < SyncTimes::kBuckets; ++i, bound *= 2) {
    so_far += syncs.buckets[i];
    page->sample(bucket, fmt::format("le=\"{}\"", bound), double(so_far));
  }
  page->sample(bucket, "le=\"+Inf\"", double(syncs.count));
  page->sample(std::string(kName) + "_sum", {}, seconds(syncs.sum));
  page->sample(std::string(kName) + "_count", {}, double(syncs.count));
}

// Only the leader knows who answers.
void add_peers(Member& member, Page* page) {
  if (member.core().role() != raft::Role::kLeader) return;
  const raft::StatusReport report = member.core().status();
  const auto labels = [&](NodeId peer) {
    return fmt::format("Local=\"{:x}\",Remote=\"{:x}\"", member.id().value, peer.value);
  };
  page->family("etcd_network_active_peers", "1 for a peer that answers.", "gauge");
  for (const auto& [peer, progress] : report.peers) {
    page->sample("etcd_network_active_peers", labels(peer), progress.active);
  }
  page->family("etcd_network_peer_lag_entries", "Log entries a peer lacks.", "gauge");
  for (const auto& [peer, progress] : report.peers) {
    page->sample("etcd_network_peer_lag_entries", labels(peer),
                 double(report.last.value - progress.match.value));
  }
}

}  // namespace

std::string metrics_page(Member& member) {
  Page page;
  add_server(member, &page);
  add_store(member, &page);
  add_syncs(member.inside.observer.syncs, &page);
  add_peers(member, &page);
  return page.take() + Metrics().render();  // and the process's own figures
}

}  // namespace coracle::store
