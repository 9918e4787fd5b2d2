#include "linearize/history_json.hpp"

namespace coracle::linearize {
namespace {

json::object to_json(const SeenKv& kv, bool is_event) {
  json::object out;
  if (is_event) out["type"] = kv.deleted ? "delete" : "put";
  out["key"] = kv.key;
  if (kv.value) out["value"] = *kv.value;
  if (kv.create) out["create"] = *kv.create;
  if (kv.mod) out["mod"] = *kv.mod;
  if (kv.version) out["version"] = *kv.version;
  if (kv.lease) out["lease"] = *kv.lease;
  return out;
}

void put_list(json::object& out, const char* name, const std::optional<std::vector<SeenKv>>& list) {
  if (!list) return;
  json::array items;
  for (const SeenKv& kv : *list) items.push_back(to_json(kv, name == std::string_view("events")));
  out[name] = std::move(items);
}

json::object to_json(const Answer& a) {
  json::object out;
  if (!a.error.empty()) out["error"] = a.error;
  if (a.revision) out["revision"] = *a.revision;
  if (a.count) out["count"] = *a.count;
  if (a.more) out["more"] = *a.more;
  if (a.deleted) out["deleted"] = *a.deleted;
  if (a.succeeded) out["succeeded"] = *a.succeeded;
  put_list(out, "kvs", a.kvs);
  put_list(out, "prev_kvs", a.prev_kvs);
  put_list(out, "events", a.events);
  if (a.responses) {
    json::array items;
    for (const Answer& inner : *a.responses) items.push_back(to_json(inner));
    out["responses"] = std::move(items);
  }
  return out;
}

struct Body {  // members at their defaults are left out
  json::object out;
  Body& text(const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
    return *this;
  }
  Body& number(const char* name, std::int64_t value) {
    if (value != 0) out[name] = value;
    return *this;
  }
  Body& flag(const char* name, bool value) {
    if (value) out[name] = true;
    return *this;
  }
};

const char* name_of(mvcc::Compare::Target target) {
  constexpr const char* kNames[] = {"version", "create", "mod", "value", "lease"};
  return kNames[static_cast<int>(target)];
}

const char* name_of(mvcc::Compare::Result result) {
  constexpr const char* kNames[] = {"=", ">", "<", "!="};
  return kNames[static_cast<int>(result)];
}

struct Writer {
  static json::object wrap(const char* name, json::object body) {
    json::object out;
    out[name] = std::move(body);
    return out;
  }
  static json::array ops(const std::vector<mvcc::RequestOp>& list);

  json::object operator()(std::monostate) const { return {}; }
  json::object operator()(const mvcc::RangeRequest& r) const {
    Body body;
    body.text("key", r.key).text("end", r.range_end).number("limit", r.limit);
    body.number("revision", r.revision.value).flag("serializable", r.serializable);
    body.flag("keys_only", r.keys_only).flag("count_only", r.count_only);
    return wrap("range", std::move(body.out));
  }
  json::object operator()(const mvcc::PutRequest& r) const {
    Body body;
    body.text("key", r.key).text("value", r.value).number("lease", r.lease.value);
    body.flag("prev_kv", r.prev_kv).flag("ignore_value", r.ignore_value);
    body.flag("ignore_lease", r.ignore_lease);
    return wrap("put", std::move(body.out));
  }
  json::object operator()(const mvcc::DeleteRequest& r) const {
    Body body;
    body.text("key", r.key).text("end", r.range_end).flag("prev_kv", r.prev_kv);
    return wrap("delete", std::move(body.out));
  }
  json::object operator()(const mvcc::TxnRequest& r) const {
    json::object body;
    json::array compares;
    for (const mvcc::Compare& c : r.compare) {
      Body one;
      one.text("key", c.key).text("end", c.range_end).text("target", name_of(c.target));
      one.text("result", name_of(c.result)).number("number", c.number).text("value", c.value);
      compares.push_back(std::move(one.out));
    }
    body["compare"] = std::move(compares);
    body["then"] = ops(r.success);
    body["else"] = ops(r.failure);
    return wrap("txn", std::move(body));
  }
  json::object operator()(const CompactRequest& r) const {
    return wrap("compact", Body().number("revision", r.revision).out);
  }
  json::object operator()(const GrantRequest& r) const {
    return wrap("grant", Body().number("lease", r.lease.value).number("ttl", r.ttl).out);
  }
  json::object operator()(const RevokeRequest& r) const {
    return wrap("revoke", Body().number("lease", r.lease.value).out);
  }
  json::object operator()(const ObserveRequest& r) const {
    Body body;
    body.text("key", r.key).text("end", r.range_end).number("revision", r.revision);
    return wrap("observe", std::move(body.out));
  }
};

json::array Writer::ops(const std::vector<mvcc::RequestOp>& list) {
  json::array out;
  for (const mvcc::RequestOp& op : list) out.push_back(std::visit(Writer(), op.request));
  return out;
}

}  // namespace

json::value to_json_line(const Operation& operation) {
  json::object out;
  out["client"] = operation.client;
  out["call"] = operation.call;
  if (operation.answer) out["return"] = operation.returned;
  out["request"] = std::visit(Writer(), operation.request);
  if (operation.answer) out["result"] = to_json(*operation.answer);
  return out;
}

}  // namespace coracle::linearize
