#include "server/options.hpp"

#include <catch2/catch.hpp>

namespace coracle::store {

TEST_CASE("target_of takes http and https URLs with a port") {
  struct Case {
    std::string name, url, target, error;
  };
  const auto c = GENERATE(values<Case>({
      {"plain", "http://127.0.0.1:2379", "127.0.0.1:2379", ""},
      {"slash at the end", "http://h:1/", "h:1", ""},
      {"IPv6", "http://[::1]:2379", "[::1]:2379", ""},
      {"TLS", "https://h:1", "h:1", ""},
      {"no scheme", "127.0.0.1:2379", "", "the scheme must be http:// or https://"},
      {"another scheme", "unix://h:1", "", "the scheme must be http:// or https://"},
      {"no host", "https://:1", "", "must be http://HOST:PORT or https://HOST:PORT"},
      {"no port", "http://h", "", "must be http://HOST:PORT"},
      {"port too large", "http://h:70000", "", "must be http://HOST:PORT"},
      {"a path", "http://h:1/x", "", "must be http://HOST:PORT"},
  }));
  CAPTURE(c.name);
  const auto target = target_of(c.url);
  CHECK(target.ok() == c.error.empty());
  if (target.ok()) {
    CHECK(*target == c.target);
  } else {
    CHECK_THAT(target.status().message(), Catch::Contains(c.error) && Catch::Contains(c.url));
  }
}

TEST_CASE("which URLs only this machine reaches") {
  for (const char* url :
       {"http://localhost:1", "https://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1"}) {
    CAPTURE(url);
    CHECK(is_loopback(url));
  }
  for (const char* url :
       {"http://0.0.0.0:1", "http://10.0.0.1:1", "http://[::]:1", "http://localhost.example:1"}) {
    CAPTURE(url);
    CHECK_FALSE(is_loopback(url));
  }
}

TEST_CASE("parse_initial_cluster") {
  const auto cluster = parse_initial_cluster("b=http://h:2, a=http://h:1,a=http://i:1");
  REQUIRE(cluster.ok());
  const std::map<std::string, Urls> want = {{"a", {"http://h:1", "http://i:1"}},
                                            {"b", {"http://h:2"}}};
  CHECK(*cluster == want);
  CHECK_THAT(parse_initial_cluster("a").status().message(),
             Catch::Contains("\"a\" is not NAME=URL"));
  CHECK_THAT(parse_initial_cluster("a=http://h:1,b=http://h:1").status().message(),
             Catch::Contains("is there twice"));
}

TEST_CASE("identities follow from addresses and token") {
  Options one, two;
  one.initial_cluster = two.initial_cluster = {{"a", {"http://h:1"}}, {"b", {"http://h:2"}}};
  one.advertise_peer = {"http://h:1"};
  two.advertise_peer = {"http://h:2"};
  CHECK(identity_of(one).cluster == identity_of(two).cluster);
  CHECK(identity_of(one).member != identity_of(two).member);
  two.cluster_token = "another";
  CHECK(identity_of(one).cluster != identity_of(two).cluster);
}

}  // namespace coracle::store
