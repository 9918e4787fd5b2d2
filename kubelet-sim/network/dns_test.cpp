#include <ldns/ldns.h>

#include <catch2/catch.hpp>

#include "network/dns_packet.hpp"
#include "network/dns_zone.hpp"

namespace coracle::network {
namespace {

using Code = DnsAnswer::Code;
using Type = RecordType;

client::ObjectPtr object(std::string_view text) {
  return std::make_shared<const json::value>(parse_json(text).value());
}

Objects services() {
  return {
      object(R"({"metadata":{"name":"web","namespace":"default"},"spec":{"clusterIP":"127.96.0.5",
        "ports":[{"name":"http","port":80,"protocol":"TCP"},{"port":81}]}})"),
      object(R"({"metadata":{"name":"db","namespace":"prod"},"spec":{"clusterIP":"None",
        "ports":[{"name":"sql","port":5432}]}})"),
      object(R"({"metadata":{"name":"empty","namespace":"prod"},"spec":{"clusterIP":"None"}})"),
      object(R"({"metadata":{"name":"out","namespace":"default"},"spec":{"type":"ExternalName",
        "externalName":"Example.com"}})"),
      object(R"({"metadata":{"name":"alias","namespace":"default"},"spec":{"type":"ExternalName",
        "externalName":"web.default.svc.cluster.local"}})"),
      object(R"({"metadata":{"name":"loop","namespace":"default"},"spec":{"type":"ExternalName",
        "externalName":"loop.default.svc.cluster.local"}})"),
  };
}

Objects slices() {
  return {object(R"({"metadata":{"name":"db-1","namespace":"prod","labels":
      {"kubernetes.io/service-name":"db"}},"addressType":"IPv4",
      "ports":[{"name":"sql","port":5432,"protocol":"TCP"}],
      "endpoints":[{"addresses":["127.128.0.1"],"hostname":"db-0","conditions":{"ready":true}},
                   {"addresses":["127.128.0.2"],"conditions":{"ready":true}},
                   {"addresses":["127.128.0.3"],"conditions":{"ready":false}}]})")};
}

DnsZone zone() {
  DnsZone made;
  made.update(services(), slices());
  return made;
}

std::vector<std::string> data_of(const DnsAnswer& answer) {
  std::vector<std::string> data;
  for (const Record& record : answer.answers) data.push_back(record.data);
  return data;
}

TEST_CASE("names of a cluster") {
  struct Case {
    const char* name;
    Type type;
    Code code;
    std::vector<std::string> data;
  };
  const auto c = GENERATE(values<Case>({
      {"web.default.svc.cluster.local", Type::kA, Code::kOk, {"127.96.0.5"}},
      {"WEB.default.SVC.cluster.local.", Type::kA, Code::kOk, {"127.96.0.5"}},
      {"web.default.svc.cluster.local", Type::kAaaa, Code::kOk, {}},
      {"_http._tcp.web.default.svc.cluster.local",
       Type::kSrv,
       Code::kOk,
       {"0 100 80 web.default.svc.cluster.local."}},
      {"_tcp.web.default.svc.cluster.local", Type::kSrv, Code::kOk, {}},
      {"db.prod.svc.cluster.local", Type::kA, Code::kOk, {"127.128.0.1", "127.128.0.2"}},
      {"db-0.db.prod.svc.cluster.local", Type::kA, Code::kOk, {"127.128.0.1"}},
      {"127-128-0-2.db.prod.svc.cluster.local", Type::kA, Code::kOk, {"127.128.0.2"}},
      {"127-128-0-3.db.prod.svc.cluster.local", Type::kA, Code::kNoSuchName, {}},
      {"_sql._tcp.db.prod.svc.cluster.local",
       Type::kSrv,
       Code::kOk,
       {"0 100 5432 127-128-0-2.db.prod.svc.cluster.local.",
        "0 100 5432 db-0.db.prod.svc.cluster.local."}},
      {"out.default.svc.cluster.local", Type::kA, Code::kOk, {"example.com."}},
      {"alias.default.svc.cluster.local",
       Type::kA,
       Code::kOk,
       {"web.default.svc.cluster.local.", "127.96.0.5"}},
      {"5.0.96.127.in-addr.arpa", Type::kPtr, Code::kOk, {"web.default.svc.cluster.local."}},
      {"1.0.128.127.in-addr.arpa", Type::kPtr, Code::kOk, {"db-0.db.prod.svc.cluster.local."}},
      {"2.0.128.127.in-addr.arpa",
       Type::kPtr,
       Code::kOk,
       {"127-128-0-2.db.prod.svc.cluster.local."}},
      {"9.9.9.9.in-addr.arpa", Type::kPtr, Code::kNotOurs, {}},
      {"10-0-0-1.default.pod.cluster.local", Type::kA, Code::kOk, {"10.0.0.1"}},
      {"10-0-0-300.default.pod.cluster.local", Type::kA, Code::kNoSuchName, {}},
      {"dns-version.cluster.local", Type::kTxt, Code::kOk, {"\"1.1.0\""}},
      {"nothing.default.svc.cluster.local", Type::kA, Code::kNoSuchName, {}},
      {"default.svc.cluster.local", Type::kA, Code::kOk, {}},
      {"nowhere.svc.cluster.local", Type::kA, Code::kNoSuchName, {}},
      {"cluster.local", Type::kA, Code::kOk, {}},
      {"web.default.svc.cluster.local.default.svc.cluster.local", Type::kA, Code::kNoSuchName, {}},
      {"example.com", Type::kA, Code::kNotOurs, {}},
      {"mycluster.local", Type::kA, Code::kNotOurs, {}},
      {"", Type::kA, Code::kNotOurs, {}},
  }));
  CAPTURE(c.name);
  const DnsAnswer answer = zone().ask(c.name, c.type);
  CHECK(answer.code == c.code);
  CHECK(data_of(answer) == c.data);
  CHECK(answer.authority == (c.data.empty() && c.code != Code::kNotOurs));
}

TEST_CASE("an address is called by its host name, whichever other Service has it without one") {
  Objects all = services(), parts = slices();
  all.push_back(object(R"({"metadata":{"name":"all","namespace":"prod"},"spec":{
      "clusterIP":"None"}})"));
  parts.push_back(object(R"({"metadata":{"name":"all-1","namespace":"prod","labels":
      {"kubernetes.io/service-name":"all"}},"addressType":"IPv4",
      "endpoints":[{"addresses":["127.128.0.1"],"conditions":{"ready":true}}]})"));
  DnsZone made;
  made.update(all, parts);
  CHECK(data_of(made.ask("1.0.128.127.in-addr.arpa", Type::kPtr)) ==
        std::vector<std::string>{"db-0.db.prod.svc.cluster.local."});
  CHECK(data_of(made.ask("all.prod.svc.cluster.local", Type::kA)) ==
        std::vector<std::string>{"127.128.0.1"});
}

TEST_CASE("a circle of aliases ends") {
  CHECK(zone().ask("loop.default.svc.cluster.local", Type::kA).answers.size() <= 8);
}

std::string query(const char* name, ldns_rr_type type, ldns_rr_class klass = LDNS_RR_CLASS_IN) {
  ldns_pkt* packet = ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, klass, LDNS_RD);
  ldns_pkt_set_id(packet, 4711);
  uint8_t* bytes = nullptr;
  size_t size = 0;
  REQUIRE(ldns_pkt2wire(&bytes, packet, &size) == LDNS_STATUS_OK);
  std::string wire(reinterpret_cast<char*>(bytes), size);
  LDNS_FREE(bytes);
  ldns_pkt_free(packet);
  return wire;
}

// Code, flags and records, as text.
std::string shown(const std::optional<std::string>& wire) {
  if (!wire) return "no reply";
  ldns_pkt* packet = nullptr;
  REQUIRE(ldns_wire2pkt(&packet, reinterpret_cast<const uint8_t*>(wire->data()), wire->size()) ==
          LDNS_STATUS_OK);
  CHECK(ldns_pkt_id(packet) == 4711);
  CHECK(ldns_pkt_qr(packet));
  std::string text = std::to_string(ldns_pkt_get_rcode(packet));
  if (ldns_pkt_aa(packet)) text += " aa";
  if (ldns_pkt_tc(packet)) text += " tc";
  for (const ldns_rr_list* list : {ldns_pkt_answer(packet), ldns_pkt_authority(packet)}) {
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
      char* line = ldns_rr2str(ldns_rr_list_rr(list, i));
      text += std::string("; ") + line;
      if (text.back() == '\n') text.pop_back();
      LDNS_FREE(line);
    }
  }
  ldns_pkt_free(packet);
  return text;
}

TEST_CASE("messages") {
  const DnsZone made = zone();
  CHECK(shown(answer_query(made, query("Web.default.svc.cluster.local", LDNS_RR_TYPE_A), true)) ==
        "0 aa; Web.default.svc.cluster.local.\t5\tIN\tA\t127.96.0.5");
  CHECK(shown(answer_query(made, query("no.default.svc.cluster.local", LDNS_RR_TYPE_A), true)) ==
        "3 aa; cluster.local.\t5\tIN\tSOA\tns.dns.cluster.local. hostmaster.cluster.local. 1 7200 "
        "1800 86400 5");
  CHECK(shown(answer_query(made, query("example.com", LDNS_RR_TYPE_A), true)) == "2");
  CHECK(shown(answer_query(made,
                           query("web.default.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_CH),
                           true)) == "4");
  CHECK(shown(answer_query(made, "garbage", true)) == "no reply");
  CHECK(shown(answer_query(made, "", true)) == "no reply");
  const auto reply =
      answer_query(made, query("web.default.svc.cluster.local", LDNS_RR_TYPE_A), true);
  CHECK(shown(answer_query(made, *reply, true)) == "no reply");
}

TEST_CASE("what is too long for a datagram says so, and is whole by TCP") {
  std::string endpoints;
  for (int i = 1; i <= 100; ++i) {
    endpoints += (i > 1 ? "," : "") + std::string(R"({"addresses":["127.129.0.)") +
                 std::to_string(i) + R"("]})";
  }
  DnsZone made;
  made.update({object(R"({"metadata":{"name":"many","namespace":"default"},
                          "spec":{"clusterIP":"None"}})")},
              {object(R"({"metadata":{"name":"many-1","namespace":"default","labels":
                {"kubernetes.io/service-name":"many"}},"addressType":"IPv4","ports":[],
                "endpoints":[)" +
                      endpoints + "]}")});
  const std::string asked = query("many.default.svc.cluster.local", LDNS_RR_TYPE_A);
  const auto by_udp = answer_query(made, asked, true);
  CHECK(shown(by_udp) == "0 aa tc");
  CHECK(by_udp->size() <= kUdpPlain);
  const std::string whole = shown(answer_query(made, asked, false));
  CHECK(std::count(whole.begin(), whole.end(), ';') == 100);
  CHECK(answer_query(made, asked, false)->size() > 100 * 16);
}

}  // namespace
}  // namespace coracle::network
