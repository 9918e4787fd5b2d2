#include "server/watch_wire.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <catch2/catch.hpp>

#include "member/convert.hpp"

namespace coracle::store {
namespace {

pb::WatchResponse decoded(const net::GrpcMessage& message) {
  std::string bytes;
  for (const net::Bytes& part : message) bytes += *part;
  pb::WatchResponse out;
  REQUIRE(out.ParseFromString(bytes));
  return out;
}

mvcc::KeyValue kv(std::string key, std::string value, std::int64_t create, std::int64_t mod) {
  mvcc::KeyValue out;
  out.key = std::move(key);
  out.value = std::move(value);
  out.create = Revision(create);
  out.mod = Revision(mod);
  out.version = mod - create + 1;
  return out;
}

}  // namespace

TEST_CASE("what leaves is the message protobuf would make, event for event") {
  mvcc::WatchResponse in;
  in.revision = Revision(9);
  in.watch_id = 3;
  in.fragment = true;
  const auto put = std::make_shared<const mvcc::Event>(
      mvcc::Event{mvcc::Event::Type::kPut, kv("a", std::string(300, 'v'), 8, 9)});
  mvcc::KeyValue gone;
  gone.key = "b";
  gone.mod = Revision(9);
  const auto removal =
      std::make_shared<const mvcc::Event>(mvcc::Event{mvcc::Event::Type::kDelete, gone});
  const auto before = std::make_shared<const mvcc::KeyValue>(kv("a", "old", 8, 8));
  in.events = {{put, before}, {removal, nullptr}, {put, nullptr}};

  pb::ResponseHeader header;
  header.set_cluster_id(1);
  header.set_member_id(2);
  header.set_raft_term(4);
  pb::WatchResponse want;
  *want.mutable_header() = header;
  want.mutable_header()->set_revision(9);
  want.set_watch_id(3);
  want.set_fragment(true);
  to_wire(put->kv, want.add_events()->mutable_kv());
  to_wire(*before, want.mutable_events(0)->mutable_prev_kv());
  want.add_events()->set_type(mvccpb::Event::DELETE);
  want.mutable_events(1)->mutable_kv()->set_key("b");
  want.mutable_events(1)->mutable_kv()->set_mod_revision(9);
  to_wire(put->kv, want.add_events()->mutable_kv());

  WatchWire wire;
  using google::protobuf::util::MessageDifferencer;
  CHECK(MessageDifferencer::Equals(decoded(wire.encode(in, header)), want));
  CHECK(MessageDifferencer::Equals(decoded(wire.encode(in, header)), want));  // from memory
  wire.forget();
  CHECK(MessageDifferencer::Equals(decoded(wire.encode(in, header)), want));
}

TEST_CASE("an answer without events carries what it says") {
  mvcc::WatchResponse in;
  in.watch_id = mvcc::kNoWatchId;
  in.created = in.canceled = true;
  in.compact_revision = Revision(5);
  in.cancel_reason = "why";
  WatchWire wire;
  const pb::WatchResponse out = decoded(wire.encode(in, {}));
  CHECK(out.watch_id() == -1);
  CHECK((out.created() && out.canceled() && !out.fragment()));
  CHECK(out.compact_revision() == 5);
  CHECK(out.cancel_reason() == "why");
  CHECK(out.events_size() == 0);
}

}  // namespace coracle::store
