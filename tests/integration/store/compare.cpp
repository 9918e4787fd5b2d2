#include "differential/compare.hpp"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <set>

namespace coracle::differential {
namespace {

using google::protobuf::Message;
using google::protobuf::RepeatedPtrField;
using Kvs = RepeatedPtrField<mvccpb::KeyValue>;

bool has_unknown_sort(const Operation& operation) {
  const auto* range = std::get_if<pb::RangeRequest>(&operation);
  return range != nullptr && (!pb::RangeRequest::SortOrder_IsValid(range->sort_order()) ||
                              !pb::RangeRequest::SortTarget_IsValid(range->sort_target()));
}

// Of a txn whose chosen branch cannot be carried out.
bool is_refusal(const Answer& answer) {
  static const std::set<std::string> kTexts = {
      "etcdserver: key not found", "etcdserver: requested lease not found",
      "etcdserver: mvcc: required revision has been compacted",
      "etcdserver: mvcc: required revision is a future revision"};
  return answer.code != 0 && kTexts.contains(answer.text);
}

// ---- orders that leave equals in any order ----

bool same_rank(pb::RangeRequest::SortTarget target, const mvccpb::KeyValue& a,
               const mvccpb::KeyValue& b) {
  switch (target) {
    case pb::RangeRequest::VERSION:
      return a.version() == b.version();
    case pb::RangeRequest::CREATE:
      return a.create_revision() == b.create_revision();
    case pb::RangeRequest::MOD:
      return a.mod_revision() == b.mod_revision();
    case pb::RangeRequest::VALUE:
      return a.value() == b.value();
    default:
      return false;
  }
}

// What is left of a pair that a limit chose among equals.
mvccpb::KeyValue rank_only(pb::RangeRequest::SortTarget target, const mvccpb::KeyValue& kv) {
  mvccpb::KeyValue out;
  if (target == pb::RangeRequest::VERSION) out.set_version(kv.version());
  if (target == pb::RangeRequest::CREATE) out.set_create_revision(kv.create_revision());
  if (target == pb::RangeRequest::MOD) out.set_mod_revision(kv.mod_revision());
  if (target == pb::RangeRequest::VALUE) out.set_value(kv.value());
  return out;
}

void order_equals(const pb::RangeRequest& request, pb::RangeResponse* response) {
  const auto target = request.sort_target();
  if (target == pb::RangeRequest::KEY || !pb::RangeRequest::SortTarget_IsValid(target)) return;
  Kvs& kvs = *response->mutable_kvs();
  // The values that ordered them were taken away.
  const bool blind = target == pb::RangeRequest::VALUE && request.keys_only();
  for (int begin = 0, end = 0; begin < kvs.size(); begin = end) {
    while (end < kvs.size() && (blind || same_rank(target, kvs[begin], kvs[end]))) ++end;
    std::sort(kvs.begin() + begin, kvs.begin() + end,
              [](const auto& a, const auto& b) { return a.key() < b.key(); });
    if (end < kvs.size() || !response->more()) continue;
    for (int i = begin; i < end; ++i) kvs[i] = rank_only(target, kvs[i]);
  }
}

void order_equals(const pb::TxnRequest& request, pb::TxnResponse* response) {
  const auto& ops = response->succeeded() ? request.success() : request.failure();
  for (int i = 0; i < std::min(ops.size(), response->responses_size()); ++i) {
    pb::ResponseOp* made = response->mutable_responses(i);
    if (ops[i].has_request_range() && made->has_response_range()) {
      order_equals(ops[i].request_range(), made->mutable_response_range());
    } else if (ops[i].has_request_txn() && made->has_response_txn()) {
      order_equals(ops[i].request_txn(), made->mutable_response_txn());
    }
  }
}

// ---- what two servers never share ----

void clear_identity(Message* message) {
  const auto* field = message->GetDescriptor()->FindFieldByName("header");
  if (field == nullptr || !message->GetReflection()->HasField(*message, field)) return;
  auto* header =
      dynamic_cast<pb::ResponseHeader*>(message->GetReflection()->MutableMessage(message, field));
  if (header == nullptr) return;
  header->clear_cluster_id();
  header->clear_member_id();
  header->clear_raft_term();
}

struct Canonicalize {
  Message* message;

  template <class Response>
  Response* as() const {
    return static_cast<Response*>(message);
  }
  void operator()(const pb::RangeRequest& r) const { order_equals(r, as<pb::RangeResponse>()); }
  void operator()(const pb::TxnRequest& r) const { order_equals(r, as<pb::TxnResponse>()); }
  void operator()(const pb::LeaseLeasesRequest&) const {
    auto& leases = *as<pb::LeaseLeasesResponse>()->mutable_leases();
    std::sort(leases.begin(), leases.end(),
              [](const auto& a, const auto& b) { return a.id() < b.id(); });
  }
  void operator()(const pb::LeaseTimeToLiveRequest&) const {
    auto& keys = *as<pb::LeaseTimeToLiveResponse>()->mutable_keys();
    std::sort(keys.begin(), keys.end());
  }
  void operator()(const pb::HashKVRequest&) const {
    as<pb::HashKVResponse>()->clear_hash_revision();  // since 3.6
  }
  void operator()(const pb::AlarmRequest&) const { as<pb::AlarmResponse>()->clear_header(); }
  void operator()(const pb::MemberListRequest&) const {
    for (pb::Member& member : *as<pb::MemberListResponse>()->mutable_members()) {
      pb::Member kept;
      kept.set_name(member.name());
      kept.set_islearner(member.islearner());
      member = kept;
    }
  }
  void operator()(const pb::StatusRequest&) const {
    pb::StatusResponse kept;
    auto* full = as<pb::StatusResponse>();
    *kept.mutable_header() = full->header();
    *kept.mutable_errors() = full->errors();
    kept.set_islearner(full->islearner());
    kept.set_leader(full->leader() != 0 ? 1 : 0);
    *full = kept;
  }
  template <class Other>
  void operator()(const Other&) const {}
};

std::string cut(std::string text) {
  constexpr std::size_t kMax = 3000;
  if (text.size() > kMax) text.resize(kMax);
  return text;
}

bool near(const Answer& reference, const Answer& ours, const Operation& operation) {
  if (!std::holds_alternative<pb::LeaseTimeToLiveRequest>(operation)) return false;
  const auto& a = static_cast<const pb::LeaseTimeToLiveResponse&>(*reference.message);
  auto b = static_cast<const pb::LeaseTimeToLiveResponse&>(*ours.message);
  constexpr std::int64_t kClockSeconds = 3;
  if (a.ttl() < 0 || std::abs(a.ttl() - b.ttl()) > kClockSeconds) return false;
  b.set_ttl(a.ttl());
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

}  // namespace

const std::vector<KnownDifference>& known_differences() {
  static const std::vector<KnownDifference> kTable = {
      {"unknown sort option",
       "3.4 and 3.5 ignore an unknown sort order (and 3.4 dies of an unknown target, so it is not "
       "asked); 3.6 refuses both, and so do we.",
       [](const Operation& operation, const View&, const Answer& reference, const Answer& ours) {
         return has_unknown_sort(operation) && (reference.code == 0 || reference.code == 11) &&
                ours.code == 3 && ours.text == "etcdserver: invalid sort option";
       }},
      {"which of two faults",
       "In a txn that is refused for two reasons 3.4 names a bad put before a bad range; since 3.6 "
       "the first in order is named, as by us. Both refuse without effect.",
       [](const Operation& operation, const View&, const Answer& reference, const Answer& ours) {
         return std::holds_alternative<pb::TxnRequest>(operation) && is_refusal(reference) &&
                is_refusal(ours);
       }},
      {"hash at the compacted revision",
       "3.4 refuses HashKV at exactly the compacted revision; 3.6 answers, and so do we.",
       [](const Operation& operation, const View& view, const Answer& reference,
          const Answer& ours) {
         const auto* hash = std::get_if<pb::HashKVRequest>(&operation);
         return hash != nullptr && hash->revision() == view.compacted && reference.code == 11 &&
                ours.code == 0;
       }},
      {"message over 2 MiB",
       "The refusal comes from the gRPC library under the server: the code is the same (8), the "
       "sentence is the library's.",
       [](const Operation&, const View&, const Answer& reference, const Answer& ours) {
         return reference.code == 8 && ours.code == 8 &&
                reference.text.find("received message larger than max") != std::string::npos &&
                ours.text.find("eceived message larger than max") != std::string::npos;
       }},
      {"progress on request",
       "3.4.23 answers a progress request at once, whatever its watchers have got; in later "
       "versions the answer waits for them. Ours is checked against that rule instead.",
       nullptr},
      {"header of an alarm list",
       "3.4 sends none when alarms are listed; later versions do, and so do we.", nullptr},
      {"watch from a negative revision",
       "3.4 creates such a watch and cancels it as compacted later; since 3.5 it is refused at "
       "once, with watch id -1. Ours is checked against that rule; etcd is not asked.",
       nullptr},
      {"tombstone at the compacted revision",
       "3.4.23 removes a tombstone at exactly the compacted revision, a bug mended in later "
       "versions; we keep it for watches that start there.",
       nullptr},
      {"parts of a catching-up response",
       "How many revisions one response to a watcher that catches up carries is not promised; "
       "neighbours with one header revision are compared as one.",
       nullptr},
  };
  return kTable;
}

void canonicalize(const Operation& operation, Answer* answer) {
  if (answer->message == nullptr) return;
  clear_identity(answer->message.get());
  std::visit(Canonicalize{answer->message.get()}, operation);
}

std::optional<std::string> differ(const Operation& operation, const Answer& reference,
                                  const Answer& ours) {
  if (reference.code != ours.code || reference.text != ours.text ||
      (reference.message == nullptr) != (ours.message == nullptr)) {
    return "etcd answers " + std::to_string(reference.code) + " \"" + cut(reference.text) +
           "\", we " + std::to_string(ours.code) + " \"" + cut(ours.text) + "\"";
  }
  if (reference.message == nullptr || near(reference, ours, operation)) return std::nullopt;
  std::string report = field_differences(*reference.message, *ours.message);
  if (report.empty()) return std::nullopt;
  return report;
}

std::string brief(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetTruncateStringFieldLongerThan(60);
  std::string text;
  printer.PrintToString(message, &text);
  return cut(text);
}

std::string field_differences(const Message& reference, const Message& ours) {
  if (google::protobuf::util::MessageDifferencer::Equals(reference, ours)) return {};
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  differencer.Compare(reference, ours);
  return cut(report) + "etcd: " + brief(reference) + "\nours: " + brief(ours);
}

}  // namespace coracle::differential
