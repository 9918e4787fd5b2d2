#include "store_load/history.hpp"

#include "etcd/rpc.pb.h"

namespace coracle::load {
namespace {

template <class Request>
void put_range(const Request& request, json::object* out) {
  (*out)["key"] = request.key();
  if (!request.range_end().empty()) (*out)["end"] = request.range_end();
}

void put_flag(bool value, const char* name, json::object* out) {
  if (value) (*out)[name] = true;
}

json::object named(const char* name, json::object body) {
  json::object out;
  out[name] = std::move(body);
  return out;
}

template <class Response>
json::object with_revision(const Response& response) {
  json::object out;
  out["revision"] = response.header().revision();
  return out;
}

template <class Kvs>
json::array kvs_json(const Kvs& kvs) {
  json::array out;
  for (const mvccpb::KeyValue& kv : kvs) out.emplace_back(kv_json(kv));
  return out;
}

json::object compare_json(const pb::Compare& compare) {
  static constexpr const char* kResults[] = {"=", ">", "<", "!="};
  static constexpr const char* kTargets[] = {"version", "create", "mod", "value", "lease"};
  json::object out;
  put_range(compare, &out);
  out["target"] = kTargets[compare.target()];
  out["result"] = kResults[compare.result()];
  switch (compare.target()) {
    case pb::Compare::VALUE:
      out["value"] = compare.value();
      break;
    case pb::Compare::VERSION:
      out["number"] = compare.version();
      break;
    case pb::Compare::CREATE:
      out["number"] = compare.create_revision();
      break;
    case pb::Compare::MOD:
      out["number"] = compare.mod_revision();
      break;
    default:
      out["number"] = compare.lease();
  }
  return out;
}

template <class Ops>
json::array ops_json(const Ops& ops) {
  json::array out;
  for (const pb::RequestOp& op : ops) {
    if (op.has_request_range()) out.emplace_back(request_json(op.request_range()));
    if (op.has_request_put()) out.emplace_back(request_json(op.request_put()));
    if (op.has_request_delete_range()) out.emplace_back(request_json(op.request_delete_range()));
    if (op.has_request_txn()) out.emplace_back(request_json(op.request_txn()));
  }
  return out;
}

// The header of an operation inside a txn is not the history's subject.
json::object inner_json(const pb::ResponseOp& op) {
  json::object out;
  if (op.has_response_range()) out = result_json(op.response_range());
  if (op.has_response_put()) out = result_json(op.response_put());
  if (op.has_response_delete_range()) out = result_json(op.response_delete_range());
  if (op.has_response_txn()) out = result_json(op.response_txn());
  out.erase("revision");
  return out;
}

}  // namespace

json::object request_json(const pb::RangeRequest& request) {
  json::object out;
  put_range(request, &out);
  if (request.limit() != 0) out["limit"] = request.limit();
  if (request.revision() != 0) out["revision"] = request.revision();
  put_flag(request.keys_only(), "keys_only", &out);
  put_flag(request.count_only(), "count_only", &out);
  put_flag(request.serializable(), "serializable", &out);
  return named("range", std::move(out));
}

json::object request_json(const pb::PutRequest& request) {
  json::object out;
  out["key"] = request.key();
  out["value"] = request.value();
  if (request.lease() != 0) out["lease"] = request.lease();
  put_flag(request.prev_kv(), "prev_kv", &out);
  put_flag(request.ignore_value(), "ignore_value", &out);
  put_flag(request.ignore_lease(), "ignore_lease", &out);
  return named("put", std::move(out));
}

json::object request_json(const pb::DeleteRangeRequest& request) {
  json::object out;
  put_range(request, &out);
  put_flag(request.prev_kv(), "prev_kv", &out);
  return named("delete", std::move(out));
}

json::object request_json(const pb::TxnRequest& request) {
  json::array compares;
  for (const pb::Compare& compare : request.compare()) compares.emplace_back(compare_json(compare));
  json::object out;
  out["compare"] = std::move(compares);
  out["then"] = ops_json(request.success());
  out["else"] = ops_json(request.failure());
  return named("txn", std::move(out));
}

json::object request_json(const pb::CompactionRequest& request) {
  json::object out;
  out["revision"] = request.revision();
  return named("compact", std::move(out));
}

json::object request_json(const pb::LeaseGrantRequest& request) {
  json::object out;
  out["lease"] = request.id();
  out["ttl"] = request.ttl();
  return named("grant", std::move(out));
}

json::object request_json(const pb::LeaseRevokeRequest& request) {
  json::object out;
  out["lease"] = request.id();
  return named("revoke", std::move(out));
}

json::object kv_json(const mvccpb::KeyValue& kv) {
  json::object out;
  out["key"] = kv.key();
  out["value"] = kv.value();
  out["create"] = kv.create_revision();
  out["mod"] = kv.mod_revision();
  out["version"] = kv.version();
  out["lease"] = kv.lease();
  return out;
}

json::object event_json(const mvccpb::Event& event) {
  json::object out;
  if (event.type() == mvccpb::Event::DELETE) {
    out["type"] = "delete";
    out["key"] = event.kv().key();
    out["mod"] = event.kv().mod_revision();
    return out;
  }
  out = kv_json(event.kv());
  out["type"] = "put";
  return out;
}

json::object result_json(const pb::RangeResponse& response) {
  json::object out = with_revision(response);
  out["kvs"] = kvs_json(response.kvs());
  out["count"] = response.count();
  out["more"] = response.more();
  return out;
}

json::object result_json(const pb::PutResponse& response) {
  json::object out = with_revision(response);
  json::array previous;  // empty is an answer, too
  if (response.has_prev_kv()) previous.emplace_back(kv_json(response.prev_kv()));
  out["prev_kvs"] = std::move(previous);
  return out;
}

json::object result_json(const pb::DeleteRangeResponse& response) {
  json::object out = with_revision(response);
  out["deleted"] = response.deleted();
  out["prev_kvs"] = kvs_json(response.prev_kvs());
  return out;
}

json::object result_json(const pb::TxnResponse& response) {
  json::object out = with_revision(response);
  out["succeeded"] = response.succeeded();
  json::array responses;
  for (const pb::ResponseOp& op : response.responses()) responses.emplace_back(inner_json(op));
  out["responses"] = std::move(responses);
  return out;
}

json::object result_json(const pb::CompactionResponse& response) { return with_revision(response); }
json::object result_json(const pb::LeaseGrantResponse& response) { return with_revision(response); }
json::object result_json(const pb::LeaseRevokeResponse& response) {
  return with_revision(response);
}

Result<std::unique_ptr<History>> History::create(const std::string& path) {
  auto history = std::make_unique<History>();
  history->file_.open(path, std::ios::trunc);
  if (!history->file_) return invalid_argument("cannot write " + path);
  return history;
}

void History::add(int client, TimePoint call, json::object request,
                  const std::optional<json::object>& result, TimePoint returned) {
  json::object line;
  line["client"] = client;
  line["call"] = call.time_since_epoch().count();
  if (result) line["return"] = returned.time_since_epoch().count();
  line["request"] = std::move(request);
  if (result) line["result"] = *result;
  const std::string text = to_json(json::value(std::move(line)));
  const std::lock_guard lock(mutex_);
  file_ << text << '\n';
}

Status History::close() {
  file_.close();
  return file_.fail() ? data_loss("the history was not written") : Status();
}

}  // namespace coracle::load
