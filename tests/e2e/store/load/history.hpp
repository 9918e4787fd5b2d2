// What the clients of a run asked and were told, as docs/formats/history.md has it.
// Thread-safe. Bound: none; the run's rate and length bound the file.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace etcdserverpb {
class CompactionRequest;
class DeleteRangeRequest;
class LeaseGrantRequest;
class LeaseRevokeRequest;
class PutRequest;
class RangeRequest;
class TxnRequest;
class CompactionResponse;
class DeleteRangeResponse;
class LeaseGrantResponse;
class LeaseRevokeResponse;
class PutResponse;
class RangeResponse;
class TxnResponse;
}  // namespace etcdserverpb
namespace mvccpb {
class Event;
class KeyValue;
}  // namespace mvccpb

namespace coracle::load {

namespace pb = etcdserverpb;

json::object request_json(const pb::RangeRequest& request);
json::object request_json(const pb::PutRequest& request);
json::object request_json(const pb::DeleteRangeRequest& request);
json::object request_json(const pb::TxnRequest& request);
json::object request_json(const pb::CompactionRequest& request);
json::object request_json(const pb::LeaseGrantRequest& request);
json::object request_json(const pb::LeaseRevokeRequest& request);

json::object result_json(const pb::RangeResponse& response);
json::object result_json(const pb::PutResponse& response);
json::object result_json(const pb::DeleteRangeResponse& response);
json::object result_json(const pb::TxnResponse& response);
json::object result_json(const pb::CompactionResponse& response);
json::object result_json(const pb::LeaseGrantResponse& response);
json::object result_json(const pb::LeaseRevokeResponse& response);

json::object event_json(const mvccpb::Event& event);
json::object kv_json(const mvccpb::KeyValue& kv);

class History {
 public:
  // Status of opening the file.
  static Result<std::unique_ptr<History>> create(const std::string& path);

  // Without `result` the outcome is unknown.
  void add(int client, TimePoint call, json::object request,
           const std::optional<json::object>& result, TimePoint returned);
  Status close();

 private:
  std::mutex mutex_;
  std::ofstream file_;
};

}  // namespace coracle::load
