#include "api/addresses.hpp"

#include <catch2/catch.hpp>

namespace coracle::api {
namespace {

std::string text(std::string_view ip) {
  const auto address = parse_ip(ip);
  return address ? address->text() : "-";
}

TEST_CASE("addresses are read leniently and printed canonically") {
  CHECK(text("10.0.0.1") == "10.0.0.1");
  CHECK(text("010.000.0.1") == "10.0.0.1");
  CHECK(text("10.0.0") == "-");
  CHECK(text("10.0.0.256") == "-");
  CHECK(text("10.0.0.1 ") == "-");
  CHECK(text("") == "-");
  CHECK(text("2001:DB8::0:1") == "2001:db8::1");
  CHECK(text("::ffff:10.0.00.1") == "10.0.0.1");
  CHECK(text("::ffff:10.0.0.999") == "-");
  CHECK(text("fe80::1%eth0") == "-");
  CHECK(is_strict_ip("10.0.0.1"));
  CHECK(is_strict_ip("2001:db8::1"));
  CHECK_FALSE(is_strict_ip("010.0.0.1"));
  CHECK_FALSE(is_strict_ip("::ffff:10.0.0.1"));
}

TEST_CASE("networks") {
  const auto network = parse_network("10.1.2.3/16");
  REQUIRE(network);
  CHECK(network->masked().text() == "10.1.0.0/16");
  CHECK(network->contains(*parse_ip("10.1.255.1")));
  CHECK_FALSE(network->contains(*parse_ip("10.2.0.1")));
  CHECK_FALSE(network->contains(*parse_ip("::1")));
  CHECK(parse_network("2001:db8::1/33")->masked().text() == "2001:db8::/33");
  CHECK(parse_network("10.0.0.0/32")->masked().text() == "10.0.0.0/32");
  CHECK(parse_network("1.2.3.4/0")->masked().text() == "0.0.0.0/0");
  for (const char* bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "x/8", "::/129"}) {
    INFO(bad);
    CHECK_FALSE(parse_network(bad));
  }
}

TEST_CASE("ranges that mean something") {
  CHECK(parse_ip("0.0.0.0")->is_unspecified());
  CHECK(parse_ip("::")->is_unspecified());
  CHECK(parse_ip("127.9.9.9")->is_loopback());
  CHECK(parse_ip("::1")->is_loopback());
  CHECK(parse_ip("169.254.1.1")->is_link_local_unicast());
  CHECK(parse_ip("fe80::1")->is_link_local_unicast());
  CHECK(parse_ip("224.0.0.5")->is_link_local_multicast());
  CHECK(parse_ip("ff02::1")->is_link_local_multicast());
  CHECK_FALSE(parse_ip("10.0.0.1")->is_loopback());
}

}  // namespace
}  // namespace coracle::api
