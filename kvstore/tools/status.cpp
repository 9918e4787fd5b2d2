#include "storectl/status.hpp"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "etcd/rpc.grpc.pb.h"
#include "storectl/connect.hpp"

namespace coracle::store {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);

struct Asked {
  std::string endpoint;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> stub;
  grpc::ClientContext context;
  etcdserverpb::StatusResponse answer;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::StatusResponse>> call;
};

std::vector<std::unique_ptr<Asked>> ask_all(const Arguments& arguments) {
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Asked>> all;
  for (const std::string& endpoint : endpoints_of(arguments)) {
    auto asked = std::make_unique<Asked>();
    asked->endpoint = endpoint;
    asked->stub = etcdserverpb::Maintenance::NewStub(connect(endpoint, arguments));
    // gRPC counts deadlines on the system's clock.
    const auto deadline = std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        real_clock().wall_now() + kPatience);
    asked->context.set_deadline(deadline);
    asked->call = asked->stub->AsyncStatus(&asked->context, {}, &queue);
    asked->call->Finish(&asked->answer, &asked->status, asked.get());
    all.push_back(std::move(asked));
  }
  void* tag = nullptr;
  bool ok = false;
  for (size_t i = 0; i < all.size(); ++i) queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return all;
}

json::value to_object(const Asked& asked) {
  json::object row;
  row["endpoint"] = asked.endpoint;
  row["reachable"] = asked.status.ok();
  if (!asked.status.ok()) {
    row["error"] = asked.status.error_message();
    return row;
  }
  row["memberID"] = fmt::format("{:x}", asked.answer.header().member_id());
  row["leader"] = fmt::format("{:x}", asked.answer.leader());
  row["raftTerm"] = asked.answer.raftterm();
  row["raftIndex"] = asked.answer.raftindex();
  row["raftAppliedIndex"] = asked.answer.raftappliedindex();
  row["revision"] = asked.answer.header().revision();
  row["dbSize"] = asked.answer.dbsize();
  row["version"] = asked.answer.version();
  return row;
}

void print_table(const std::vector<std::unique_ptr<Asked>>& all) {
  fmt::print("{:<32}{:<20}{:<10}{:<7}{:<11}{:<11}{}\n", "ENDPOINT", "ID", "ROLE", "TERM", "INDEX",
             "REVISION", "BYTES");
  for (const auto& asked : all) {
    if (!asked->status.ok()) {
      fmt::print("{:<32}no answer: {}\n", asked->endpoint, asked->status.error_message());
      continue;
    }
    const auto& a = asked->answer;
    const char* role = a.leader() == 0                        ? "leaderless"
                       : a.leader() == a.header().member_id() ? "leader"
                                                              : "follower";
    fmt::print("{:<32}{:<20x}{:<10}{:<7}{:<11}{:<11}{}\n", asked->endpoint, a.header().member_id(),
               role, a.raftterm(), a.raftindex(), a.header().revision(), a.dbsize());
  }
}

}  // namespace

int run_status(const std::vector<std::string>& words) {
  const Arguments arguments("status", words, {connection_flags(), {}});
  arguments.want_words(0, "--endpoints");
  const std::string format = arguments.format({"table", "json"});
  const auto all = ask_all(arguments);
  bool everyone = true;
  json::array rows;
  for (const auto& asked : all) {
    everyone = everyone && asked->status.ok();
    rows.push_back(to_object(*asked));
  }
  if (format == "json")
    fmt::print("{}\n", to_json(rows));
  else
    print_table(all);
  return everyone ? 0 : 1;
}

}  // namespace coracle::store
