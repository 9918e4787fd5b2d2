#include "bench_store/messages.hpp"

#include <catch2/catch.hpp>

using namespace coracle::bench;
using namespace std::string_literals;

TEST_CASE("requests are the bytes protobuf makes of them") {
  CHECK(range_request({.key = "a", .range_end = "b", .limit = 500, .serializable = true}) ==
        "\x0a\x01"
        "a\x12\x01"
        "b\x18\xf4\x03\x38\x01"s);
  CHECK(put_request("k", "v") == "\x0a\x01k\x12\x01v"s);
  // compare{target MOD, key, mod_revision 0}, success{put}
  CHECK(txn_put("k", 0, "v") ==
        "\x0a\x07\x10\x02\x1a\x01k\x30\x00\x12\x08\x12\x06\x0a\x01k\x12\x01v"s);
  // and on a conflict the object as it is
  CHECK(txn_delete("k", 5) ==
        "\x0a\x07\x10\x02\x1a\x01k\x30\x05\x12\x05\x1a\x03\x0a\x01k\x1a\x05\x0a\x03\x0a\x01k"s);
}

TEST_CASE("answers are read as far as they were kept") {
  const std::string txn = "\x0a\x02\x18\x07\x10\x01"s;  // header{revision 7}, succeeded
  CHECK(read_txn(txn).revision == 7);
  CHECK(read_txn(txn).succeeded);
  CHECK_FALSE(read_txn(txn.substr(0, 4)).succeeded);
  // Two kvs, the second one cut.
  const std::string range = "\x12\x03\x0a\x01k\x12\x03\x0a\x01"s;
  CHECK(read_range(range).count == 1);
}

TEST_CASE("events give the values that were put") {
  // header, watch_id; events{kv{key k, value xy}}, events{type DELETE, kv{key k}}
  const std::string message =
      "\x0a\x02\x18\x07\x10\x03\x5a\x09\x12\x07\x0a\x01k\x2a\x02xy"
      "\x5a\x07\x08\x01\x12\x03\x0a\x01k"s;
  std::string values;
  visit_events(message, [&](std::string_view value) { values += value; });
  CHECK(values == "xy");
}
