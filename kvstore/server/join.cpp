#include "server/join.hpp"

#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "disk/file.hpp"
#include "disk/segment_format.hpp"
#include "grpc_tls/credentials.hpp"
#include "raft/peer.grpc.pb.h"

namespace coracle::store {
namespace {

constexpr int kAttempts = 20;
constexpr int kAttemptMs = 1000;
constexpr int kPauseMs = 250;

gpr_timespec in_ms(int ms) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

// Signals are blocked while nobody waits for them (main.cpp).
bool asked_to_stop() {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1;
}

// Nothing if there is no log; damage is for the opening of the log to report.
disk::Identity identity_in(const std::string& data_dir) {
  const std::string folder = data_dir + "/log";
  if (!disk::exists(folder)) return {};
  const auto names = disk::list_dir(folder);
  if (!names.ok()) return {};
  for (const std::string& name : *names) {
    if (!name.ends_with(".log")) continue;
    const auto file = disk::File::open(folder + "/" + name, disk::File::Mode::kRead);
    if (!file.ok()) continue;
    const auto bytes = file->read(0, disk::kSegmentHeaderBytes);
    if (!bytes.ok()) continue;
    const auto header = disk::decode_segment_header(*bytes, name);
    if (header.ok()) return header->identity;
  }
  return {};
}

KnownMember known(const etcdserverpb::Member& member) {
  return {member.id(),
          member.name(),
          {member.peerurls().begin(), member.peerurls().end()},
          {member.clienturls().begin(), member.clienturls().end()},
          member.islearner()};
}

Result<ClusterSays> ask(const std::string& url, const Options& options, bool linearizable) {
  ASSIGN_OR_RETURN(const std::string target, target_of(url));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = Peer::NewStub(
      grpc::CreateCustomChannel(target, channel_credentials(url, options.peer_tls), arguments));
  grpc::ClientContext context;
  context.set_deadline(in_ms(kAttemptMs));
  MembersRequest request;
  request.set_linearizable(linearizable);
  MembersReply reply;
  const grpc::Status status = stub->Members(&context, request, &reply);
  if (!status.ok()) return unavailable(url + ": " + status.error_message());
  ClusterSays says;
  says.cluster = reply.cluster();
  for (const auto& member : reply.members()) says.members.push_back(known(member));
  return says;
}

// The peer URLs of the others.
Urls others(const Options& options) {
  Urls urls;
  for (const auto& [name, theirs] : options.initial_cluster) {
    if (name != options.name) urls.insert(urls.end(), theirs.begin(), theirs.end());
  }
  return urls;
}

Status join_cluster(Options* options) {
  Status last = failed_precondition("--initial-cluster names nobody else to ask");
  const Urls urls = others(*options);
  for (int attempt = 0; attempt < kAttempts && !urls.empty(); ++attempt) {
    if (attempt > 0) gpr_sleep_until(in_ms(kPauseMs));
    if (asked_to_stop()) return {Code::kCancelled, "stopped while asking " + join(urls, ",")};
    for (const std::string& url : urls) {
      const auto cluster = ask(url, *options, true);
      last = cluster.ok() ? assign_identity(*cluster, options) : cluster.status();
      if (last.ok()) return {};
      // It has not heard of us: that does not change by waiting.
      if (last.code() == Code::kInvalidArgument && attempt > 0) return last;
    }
  }
  return last.with_context("cannot fetch cluster info from peer urls");
}

std::set<std::string> as_set(const Urls& urls) { return {urls.begin(), urls.end()}; }

}  // namespace

Status assign_identity(const ClusterSays& cluster, Options* options) {
  const auto refuse = [](const std::string& why) {
    return invalid_argument("error validating peerURLs: " + why);
  };
  if (cluster.members.size() != options->initial_cluster.size()) {
    return refuse(fmt::format("member count is unequal: --initial-cluster has {}, the cluster {}",
                              options->initial_cluster.size(), cluster.members.size()));
  }
  disk::Identity self{cluster.cluster, 0};
  for (const KnownMember& member : cluster.members) {
    const auto same = std::find_if(
        options->initial_cluster.begin(), options->initial_cluster.end(),
        [&](const auto& ours) { return as_set(ours.second) == as_set(member.peer_urls); });
    if (same == options->initial_cluster.end()) {
      return refuse(fmt::format("unmatched member while checking PeerURLs: {:x} ({})", member.id,
                                fmt::join(member.peer_urls, ",")));
    }
    if (same->first != options->name) continue;
    if (!member.client_urls.empty()) {
      return invalid_argument(fmt::format(
          "member {:x} has already been bootstrapped; its disk is lost, so remove it (member "
          "remove {:x}) and add it anew",
          member.id, member.id));
    }
    self.member = member.id;
  }
  if (self.member == 0) return refuse("the cluster has no member " + quoted(options->name));
  options->identity = self;
  options->known_members = cluster.members;
  return {};
}

Status check_not_started(const ClusterSays& cluster, const Options& options) {
  const std::uint64_t id = identity_of(options).member;
  const std::set<std::string> urls = as_set(options.advertise_peer);
  for (const KnownMember& member : cluster.members) {
    const bool self = member.id == id || as_set(member.peer_urls) == urls;
    if (!self || member.client_urls.empty()) continue;
    return failed_precondition(fmt::format(
        "member {:x} has already been bootstrapped; its disk is lost, so remove it (member remove "
        "{:x}), add it anew (member add) and start it with --initial-cluster-state existing",
        member.id, member.id));
  }
  return {};
}

Status find_identity(Options* options) {
  options->identity = identity_in(options->data_dir);
  if (options->identity.member != 0) return {};
  if (options->joins_existing) {
    RETURN_IF_ERROR(join_cluster(options).with_context("--initial-cluster"));
    log::info("joining cluster {:x} as member {:x}", options->identity.cluster,
              options->identity.member);
    return {};
  }
  // When all start together nobody answers, and at once.
  for (const std::string& url : others(*options)) {
    const auto cluster = ask(url, *options, false);
    if (!cluster.ok()) continue;
    RETURN_IF_ERROR(check_not_started(*cluster, *options));
    break;
  }
  return {};
}

}  // namespace coracle::store
