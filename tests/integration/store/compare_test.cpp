// The comparison itself: what it must take for the same, and what it must not.
#include "differential/compare.hpp"

#include <catch2/catch.hpp>

#include "differential/shrink.hpp"
#include "differential/watch_compare.hpp"

using namespace coracle::differential;

namespace {

pb::RangeResponse range_of(std::initializer_list<std::pair<const char*, int>> keys_and_versions) {
  pb::RangeResponse response;
  response.mutable_header()->set_revision(9);
  for (const auto& [key, version] : keys_and_versions) {
    auto* kv = response.add_kvs();
    kv->set_key(key);
    kv->set_version(version);
  }
  return response;
}

std::optional<std::string> compare_ranges(const pb::RangeRequest& request, pb::RangeResponse a,
                                          pb::RangeResponse b) {
  a.mutable_header()->set_member_id(1);
  b.mutable_header()->set_member_id(2);
  Answer reference{0, "", std::make_shared<pb::RangeResponse>(a)};
  Answer ours{0, "", std::make_shared<pb::RangeResponse>(b)};
  canonicalize(request, &reference);
  canonicalize(request, &ours);
  return differ(request, reference, ours);
}

pb::WatchResponse event_of(std::int64_t id, std::int64_t header, const char* key,
                           std::int64_t mod) {
  pb::WatchResponse response;
  response.set_watch_id(id);
  response.mutable_header()->set_revision(header);
  response.add_events()->mutable_kv()->set_key(key);
  response.mutable_events(0)->mutable_kv()->set_mod_revision(mod);
  return response;
}

pb::WatchResponse progress_of(std::int64_t revision) {
  pb::WatchResponse response;
  response.set_watch_id(-1);
  response.mutable_header()->set_revision(revision);
  return response;
}

}  // namespace

TEST_CASE("ids of a server do not count, everything else does") {
  pb::RangeRequest by_key;
  REQUIRE(!compare_ranges(by_key, range_of({{"a", 1}, {"b", 1}}), range_of({{"a", 1}, {"b", 1}})));
  REQUIRE(compare_ranges(by_key, range_of({{"a", 1}, {"b", 1}}), range_of({{"b", 1}, {"a", 1}})));
  REQUIRE(compare_ranges(by_key, range_of({{"a", 1}}), range_of({{"a", 2}})));
  pb::RangeResponse later = range_of({{"a", 1}});
  later.mutable_header()->set_revision(10);
  REQUIRE(compare_ranges(by_key, range_of({{"a", 1}}), later));
}

TEST_CASE("equals under a sort may come in any order, and a limit may choose among them") {
  pb::RangeRequest by_version;
  by_version.set_sort_target(pb::RangeRequest::VERSION);
  REQUIRE(!compare_ranges(by_version, range_of({{"a", 1}, {"b", 1}, {"c", 2}}),
                          range_of({{"b", 1}, {"a", 1}, {"c", 2}})));
  REQUIRE(
      compare_ranges(by_version, range_of({{"a", 1}, {"c", 2}}), range_of({{"c", 2}, {"a", 1}})));
  auto one = range_of({{"a", 1}, {"b", 2}});
  auto other = range_of({{"a", 1}, {"c", 2}});
  REQUIRE(compare_ranges(by_version, one, other));
  one.set_more(true);
  other.set_more(true);
  REQUIRE(!compare_ranges(by_version, one, other));
  other.mutable_kvs(1)->set_version(3);
  REQUIRE(compare_ranges(by_version, one, other));
}

TEST_CASE("errors agree in code and text") {
  const Operation put = pb::PutRequest();
  REQUIRE(!differ(put, {3, "no", nullptr}, {3, "no", nullptr}));
  REQUIRE(differ(put, {3, "no", nullptr}, {3, "not", nullptr}));
  REQUIRE(differ(put, {3, "no", nullptr}, {11, "no", nullptr}));
  REQUIRE(differ(put, {3, "no", nullptr}, {0, "", std::make_shared<pb::PutResponse>()}));
}

TEST_CASE("what watchers are told is compared by watcher") {
  const StreamExpectation plain;
  const auto a = event_of(1, 5, "a", 5), b = event_of(2, 5, "b", 5);
  REQUIRE(!differ_streams(plain, {a, b}, {b, a}));
  REQUIRE(differ_streams(plain, {a, b}, {a}));
  REQUIRE(differ_streams(plain, {a}, {a, a}));
  REQUIRE(differ_streams(plain, {a}, {event_of(1, 6, "a", 5)}));
  // One catching-up response or two, but not of two header revisions.
  auto both = event_of(1, 9, "a", 5);
  both.mutable_events()->MergeFrom(event_of(1, 9, "a", 6).events());
  REQUIRE(!differ_streams(plain, {both}, {event_of(1, 9, "a", 5), event_of(1, 9, "a", 6)}));
  REQUIRE(differ_streams(plain, {both}, {event_of(1, 5, "a", 5), event_of(1, 9, "a", 6)}));
  // A revision must not be split.
  auto same = event_of(1, 9, "a", 5);
  same.mutable_events()->MergeFrom(event_of(1, 9, "b", 5).events());
  REQUIRE(differ_streams(plain, {same}, {event_of(1, 9, "a", 5), event_of(1, 9, "b", 5)}));
}

TEST_CASE("our progress answers follow the rule, whatever the reference sends") {
  StreamExpectation due;
  due.progress = {7};
  REQUIRE(!differ_streams(due, {progress_of(3), progress_of(4)}, {progress_of(7)}));
  REQUIRE(differ_streams(due, {}, {}));
  REQUIRE(differ_streams(due, {}, {progress_of(6)}));
  const auto late = event_of(1, 7, "a", 7);
  REQUIRE(differ_streams(due, {late}, {progress_of(7), late}));
  REQUIRE(!differ_streams(due, {late}, {late, progress_of(7)}));
}

TEST_CASE("shrinking keeps what makes it fail, and little else") {
  std::vector<int> list(200);
  for (int i = 0; i < 200; ++i) list[std::size_t(i)] = i;
  const std::function<bool(const std::vector<int>&)> fails = [](const std::vector<int>& some) {
    return std::count(some.begin(), some.end(), 17) > 0 &&
           std::count(some.begin(), some.end(), 170) > 0;
  };
  REQUIRE(shrink<int>(list, fails, 1000) == std::vector<int>{17, 170});
  REQUIRE(fails(shrink<int>(list, fails, 5)));
}
