#include "storectl/snapshot_commands.hpp"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>

#include "base/check.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "disk/file.hpp"
#include "etcd/rpc.grpc.pb.h"
#include "server/options.hpp"
#include "storectl/connect.hpp"
#include "storectl/restore.hpp"
#include "storectl/table.hpp"

namespace coracle::store {
namespace {

int fail(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "storectl: {}\n", status.message());
  return 1;
}

Status nothing(mvcc::Family, std::string_view, std::string_view) { return {}; }

// The stream into a file; every block of it is checked on its way.
Result<disk::SnapshotSummary> receive(const std::shared_ptr<grpc::Channel>& channel,
                                      disk::File* file) {
  const auto stub = etcdserverpb::Maintenance::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->Snapshot(&context, {});
  disk::SnapshotDecoder decoder(nothing);
  etcdserverpb::SnapshotResponse piece;
  std::uint64_t at = 0;
  Status status;
  while (status.ok() && stream->Read(&piece)) {
    status = decoder.feed(piece.blob());
    if (status.ok()) status = file->write(at, piece.blob());
    at += piece.blob().size();
  }
  if (!status.ok()) {
    context.TryCancel();
    (void)stream->Finish();
    return status;
  }
  if (const grpc::Status ended = stream->Finish(); !ended.ok()) {
    return Status(Code(ended.error_code()), ended.error_message());
  }
  RETURN_IF_ERROR(file->sync());
  return decoder.finish();
}

// It has its name only when it is whole and on the disk.
Result<disk::SnapshotSummary> save(const std::string& path, const std::string& endpoint,
                                   const Arguments& arguments) {
  const std::string part = path + ".part";
  RETURN_IF_ERROR(disk::remove_file(part));
  ASSIGN_OR_RETURN(disk::File file, disk::File::open(part, disk::File::Mode::kCreate));
  auto summary = receive(connect(endpoint, arguments), &file);
  const Status renamed = summary.ok() ? file.rename_to(path) : Status();
  if (!summary.ok() || !renamed.ok()) (void)disk::remove_file(part);
  RETURN_IF_ERROR(renamed);
  return summary;
}

int run_save(const std::vector<std::string>& words) {
  const Arguments arguments("snapshot save", words, {connection_flags(), {}});
  arguments.want_words(1, "FILE");
  const std::string& path = arguments.words()[0];
  const auto summary = save(path, endpoint_of(arguments), arguments);
  if (!summary.ok()) return fail(summary.status());
  fmt::print("saved {}: revision {}, {}\n", path, summary->info.revision.value,
             human_bytes(summary->bytes));
  return 0;
}

int run_status(const std::vector<std::string>& words) {
  const Arguments arguments("snapshot status", words, {{}, {"--skip-hash-check"}});
  arguments.want_words(1, "FILE");
  const std::string format = arguments.format({"table", "json", "simple"});
  const auto found =
      read_snapshot(arguments.words()[0], arguments.has("--skip-hash-check"), nothing);
  if (!found.ok()) return fail(found.status());
  const std::string hash = fmt::format("{:08x}", found->hash);
  const std::string revision = std::to_string(found->info.revision.value);
  const std::string keys = std::to_string(found->pairs);
  const std::string size = human_bytes(found->bytes);
  if (format == "simple") fmt::print("{}, {}, {}, {}\n", hash, revision, keys, size);
  if (format == "table") {
    // The hash is no number to look at, even if it has no letters in it.
    fmt::print("{}", render_table({"HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE"},
                                  {{hash, revision, keys, size}}));
  }
  if (format == "json") {
    json::object out;
    out["hash"] = found->hash;
    out["revision"] = found->info.revision.value;
    out["totalKey"] = found->pairs;
    out["totalSize"] = found->bytes;
    fmt::print("{}\n", to_json(json::value(std::move(out))));
  }
  return 0;
}

MemberConfig member_of(const Arguments& arguments) {
  MemberConfig member;
  member.name = arguments.value("--name", "default");
  member.data_dir = arguments.value("--data-dir", member.name + ".etcd");
  member.cluster_token = arguments.value("--initial-cluster-token", "etcd-cluster");
  const std::string urls =
      arguments.value("--initial-advertise-peer-urls", "http://localhost:2380");
  member.advertise_peer = split(urls, ',');
  const auto cluster =
      parse_initial_cluster(arguments.value("--initial-cluster", "default=http://localhost:2380"));
  if (!cluster.ok()) arguments.refuse("--initial-cluster: " + cluster.status().message());
  member.initial_cluster = *cluster;
  const auto self = member.initial_cluster.find(member.name);
  if (self == member.initial_cluster.end()) {
    arguments.refuse("--initial-cluster: does not name this member (--name " + member.name + ")");
  }
  if (member_id(self->second, "") != member_id(member.advertise_peer, "")) {
    arguments.refuse(
        fmt::format("--initial-cluster: has {}={}, but --initial-advertise-peer-urls "
                    "is {}",
                    member.name, join(self->second, ","), urls));
  }
  return member;
}

int run_restore(const std::vector<std::string>& words) {
  const Arguments arguments("snapshot restore", words,
                            {{"--name", "--data-dir", "--initial-cluster",
                              "--initial-cluster-token", "--initial-advertise-peer-urls"},
                             {"--skip-hash-check"}});
  arguments.want_words(1, "FILE");
  const MemberConfig member = member_of(arguments);
  const auto summary =
      restore_snapshot(arguments.words()[0], arguments.has("--skip-hash-check"), member);
  if (!summary.ok()) return fail(summary.status());
  const disk::Identity identity = identity_of(member);
  fmt::print("restored {}: member {:x} of the new cluster {:x}, revision {}, {} pairs\n",
             member.data_dir, identity.member, identity.cluster, summary->info.revision.value,
             summary->pairs);
  return 0;
}

constexpr const char* kHelp = R"(storectl snapshot: the whole store as one file, and back.

Usage:
  storectl snapshot save FILE --endpoints URL    asks one running member; FILE is whole or not there
  storectl snapshot status FILE [-w table|json|simple] [--skip-hash-check]
  storectl snapshot restore FILE --data-dir DIR  the folder of one member of a NEW cluster
      --name NAME                         default "default"
      --initial-cluster NAME=URL,...      all members; default default=http://localhost:2380
      --initial-cluster-token TOKEN       default etcd-cluster; take one the old cluster had not
      --initial-advertise-peer-urls URL   default http://localhost:2380
      --skip-hash-check                   the SHA-256 at the end may be wrong or missing

TLS: --cacert, --cert, --key. `etcdctl snapshot save` writes the same file.

Examples:
  storectl snapshot save backup.db --endpoints http://127.0.0.1:2379
  storectl snapshot status backup.db -w json
  storectl snapshot restore backup.db --name m1 --data-dir m1.etcd --initial-cluster-token again \
      --initial-cluster m1=http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380
)";

}  // namespace

int run_snapshot(const std::vector<std::string>& arguments) {
  const std::string verb = arguments.empty() ? "" : arguments[0];
  const std::vector<std::string> rest(arguments.begin() + !arguments.empty(), arguments.end());
  for (const std::string& word : arguments) {
    if (word == "--help" || word == "-h") {
      fmt::print("{}", kHelp);
      return 0;
    }
  }
  if (verb == "save") return run_save(rest);
  if (verb == "status") return run_status(rest);
  if (verb == "restore") return run_restore(rest);
  fail_startup("snapshot: is followed by save, status or restore (storectl snapshot --help)");
}

}  // namespace coracle::store
