#include "store_load/finish.hpp"

namespace coracle::load {
namespace {

// Asks until it is answered; false after a while.
template <class Call>
bool insist(Run* run, const std::string& what, Call call) {
  StopSign pause;
  grpc::Status status;
  for (int attempt = 0; attempt < 200; ++attempt) {
    grpc::ClientContext context;
    set_time_limit(&context, std::chrono::seconds(10));
    status = call(&context);
    if (status.ok()) return true;
    pause.wait(std::chrono::milliseconds(100));
  }
  run->fault(what + ": " + status.error_message());
  return false;
}

// The ledger as the store has it, page by page.
std::map<std::string, std::string> stored_ledger(Run* run, Stubs& member) {
  std::map<std::string, std::string> stored;
  pb::RangeRequest request;
  request.set_key("ledger/");
  request.set_range_end("ledger0");
  request.set_limit(1000);
  for (bool more = true; more;) {
    pb::RangeResponse response;
    if (!insist(run, "reading the ledger at " + member.endpoint, [&](grpc::ClientContext* context) {
          return member.kv->Range(context, request, &response);
        })) {
      return stored;
    }
    for (const mvccpb::KeyValue& kv : response.kvs()) stored[kv.key()] = kv.value();
    more = response.more() && response.kvs_size() > 0;
    if (more) request.set_key(response.kvs(response.kvs_size() - 1).key() + '\0');
  }
  return stored;
}

std::int64_t check_ledger(Run* run, const std::vector<std::unique_ptr<Client>>& clients) {
  const auto stored = stored_ledger(run, run->members.front());
  std::int64_t acknowledged = 0;
  for (const auto& client : clients) {
    for (const auto& [key, value] : client->ledger()) {
      ++acknowledged;
      const auto found = stored.find(key);
      if (found == stored.end() || found->second != value) {
        run->fault("acknowledged and lost: " + key + "=" + value);
      }
    }
  }
  return acknowledged;
}

void check_hashes(Run* run, std::int64_t last) {
  std::map<std::uint32_t, std::string> by_hash;
  std::map<std::int64_t, std::string> by_compaction;
  for (Stubs& member : run->members) {
    pb::HashKVRequest request;
    request.set_revision(last);
    pb::HashKVResponse response;
    if (!insist(run, "HashKV at " + member.endpoint, [&](grpc::ClientContext* context) {
          return member.maintenance->HashKV(context, request, &response);
        })) {
      return;
    }
    by_hash[response.hash()] = member.endpoint;
    by_compaction[response.compact_revision()] = member.endpoint;
  }
  if (by_hash.size() != 1) run->fault("the members' HashKV differ at " + std::to_string(last));
  if (by_compaction.size() != 1) run->fault("the members are compacted at different revisions");
}

}  // namespace

json::object finish(Run* run, std::int64_t last,
                    const std::vector<std::unique_ptr<Client>>& clients,
                    const std::vector<std::unique_ptr<Watcher>>& watchers) {
  Counts counts;
  for (const auto& client : clients) counts.add(client->counts());
  std::int64_t streams = 0;
  for (const auto& watcher : watchers) {
    streams += watcher->streams();
    const size_t common = std::min(watcher->digests().size(), watchers.front()->digests().size());
    for (size_t n = 0; n < common; ++n) {
      if (watcher->digests()[n] != watchers.front()->digests()[n]) {
        run->fault("two watchers were told different events of one revision");
        break;
      }
    }
  }
  json::object summary;
  summary["acknowledged_ledger"] = check_ledger(run, clients);
  if (last != 0) check_hashes(run, last);
  summary["done"] = counts.done;
  summary["refused"] = counts.refused;
  summary["unknown"] = counts.unknown;
  summary["not_sent"] = counts.not_sent;
  summary["revision"] = last;
  summary["watch_streams"] = streams;
  return summary;
}

}  // namespace coracle::load
