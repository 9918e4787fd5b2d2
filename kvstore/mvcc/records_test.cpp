#include "mvcc/records.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"

using namespace coracle;
using namespace coracle::mvcc;

TEST_CASE("records have etcd's bytes") {
  // The example of docs/formats/mvcc.md.
  REQUIRE(hex_encode(record_key(5, 1, false)) == "00000000000000055f0000000000000001");
  REQUIRE(hex_encode(record_key(6, 0, true)) == "00000000000000065f000000000000000074");
  const KeyValue kv{"/a", "hi", Revision(3), Revision(300), 2, LeaseId(7)};
  REQUIRE(hex_encode(encode_kv(kv)) == "0a022f61100318ac0220022a0268693007");
  REQUIRE(hex_encode(encode_kv(KeyValue{"/a"})) == "0a022f61");
}

TEST_CASE("a record comes back as it was") {
  const auto kv = GENERATE(
      values<KeyValue>({{"k", "", Revision(1), Revision(1), 1, LeaseId()},
                        {std::string("\0\xff", 2), std::string(100000, 'x'), Revision(INT64_MAX),
                         Revision(INT64_MAX), INT64_MAX, LeaseId(INT64_MAX)},
                        {"negative lease", "v", Revision(2), Revision(3), 4, LeaseId(-5)}}));
  const std::string bytes = encode_kv(kv);
  REQUIRE(decode_kv(bytes).value() == kv);
  REQUIRE(decode_key(bytes).value() == kv.key);
  KeyValue bare = kv;
  bare.value.clear();
  REQUIRE(strip_value(bytes).value() == encode_kv(bare));
}

TEST_CASE("unknown fields are skipped") {
  const std::string bytes =
      encode_kv({"k", "v", Revision(1), Revision(1), 1}) + "\x3a\x01z" + "\x41" + "12345678";
  REQUIRE(decode_kv(bytes).value() == KeyValue{"k", "v", Revision(1), Revision(1), 1});
}

TEST_CASE("a damaged record is data loss") {
  struct Case {
    const char* name;
    std::string bytes;
  };
  const auto c =
      GENERATE(values<Case>({{"cut length", "\x0a"},
                             {"cut bytes",
                              "\x0a\x05"
                              "ab"},
                             {"endless number", std::string(1, '\x10') + std::string(11, '\xff')},
                             {"field zero", std::string("\x00\x01", 2)},
                             {"group", "\x0b"}}));
  CAPTURE(c.name);
  REQUIRE(decode_kv(c.bytes).status().code() == Code::kDataLoss);
}

TEST_CASE("record keys are parsed strictly") {
  const VersionRef ref = parse_record_key(record_key(1234567890123, 77, true)).value();
  REQUIRE(ref.main == 1234567890123);
  REQUIRE(ref.sub == 77);
  REQUIRE(ref.tombstone == 1);
  REQUIRE(!parse_record_key("short").ok());
  REQUIRE(!parse_record_key(record_key(1, 1, true) + "t").ok());
  REQUIRE(!parse_record_key(record_key(-1, 1, false)).ok());
  std::string other = record_key(1, 1, false);
  other[8] = '-';
  REQUIRE(!parse_record_key(other).ok());
}
