#include "network/dns_packet.hpp"

#include <fmt/format.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <memory>

namespace coracle::network {
namespace {

struct PacketDeleter {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, PacketDeleter>;

RecordType type_of(ldns_rr_type type) {
  switch (type) {
    case LDNS_RR_TYPE_A:
      return RecordType::kA;
    case LDNS_RR_TYPE_AAAA:
      return RecordType::kAaaa;
    case LDNS_RR_TYPE_CNAME:
      return RecordType::kCname;
    case LDNS_RR_TYPE_SRV:
      return RecordType::kSrv;
    case LDNS_RR_TYPE_PTR:
      return RecordType::kPtr;
    case LDNS_RR_TYPE_TXT:
      return RecordType::kTxt;
    case LDNS_RR_TYPE_NS:
      return RecordType::kNs;
    case LDNS_RR_TYPE_SOA:
      return RecordType::kSoa;
    default:
      return RecordType::kOther;
  }
}

std::string_view type_name(RecordType type) {
  switch (type) {
    case RecordType::kA:
      return "A";
    case RecordType::kAaaa:
      return "AAAA";
    case RecordType::kCname:
      return "CNAME";
    case RecordType::kSrv:
      return "SRV";
    case RecordType::kPtr:
      return "PTR";
    case RecordType::kTxt:
      return "TXT";
    case RecordType::kSoa:
      return "SOA";
    case RecordType::kNs:
      return "NS";
    case RecordType::kOther:
      break;
  }
  return "";
}

// A name that ldns does not take (a label of over 63 characters cannot come from the API) is left
// out.
ldns_rr* make_record(const Record& record) {
  const std::string text = fmt::format("{} {} IN {} {}", record.name, kDnsTtlSeconds,
                                       type_name(record.type), record.data);
  ldns_rr* made = nullptr;
  if (ldns_rr_new_frm_str(&made, text.c_str(), 0, nullptr, nullptr) != LDNS_STATUS_OK) {
    return nullptr;
  }
  return made;
}

std::string name_text(const ldns_rdf* name) {
  char* text = ldns_rdf2str(name);
  const std::string copy = text == nullptr ? "" : text;
  LDNS_FREE(text);
  return copy;
}

std::string to_wire(const ldns_pkt* packet) {
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (ldns_pkt2wire(&bytes, packet, &size) != LDNS_STATUS_OK) return {};
  std::string wire(reinterpret_cast<const char*>(bytes), size);
  LDNS_FREE(bytes);
  return wire;
}

// The reply without records: id, question and flags of the query.
Packet reply_to(const ldns_pkt* query, ldns_pkt_rcode code) {
  Packet reply(ldns_pkt_new());
  ldns_pkt_set_id(reply.get(), ldns_pkt_id(query));
  ldns_pkt_set_qr(reply.get(), true);
  ldns_pkt_set_opcode(reply.get(), ldns_pkt_get_opcode(query));
  ldns_pkt_set_rd(reply.get(), ldns_pkt_rd(query));
  ldns_pkt_set_rcode(reply.get(), code);
  const ldns_rr_list* question = ldns_pkt_question(query);
  for (size_t i = 0; i < ldns_rr_list_rr_count(question); ++i) {
    ldns_pkt_push_rr(reply.get(), LDNS_SECTION_QUESTION,
                     ldns_rr_clone(ldns_rr_list_rr(question, i)));
  }
  if (ldns_pkt_edns(query)) ldns_pkt_set_edns_udp_size(reply.get(), kUdpMost);
  return reply;
}

// The answers start where the question was, in the very letters the client wrote.
void fill(ldns_pkt* reply, const DnsZone& zone, const ldns_rr* question) {
  const std::string asked = name_text(ldns_rr_owner(question));
  DnsAnswer answer = zone.ask(asked, type_of(ldns_rr_get_type(question)));
  if (answer.code == DnsAnswer::Code::kNotOurs) {
    return ldns_pkt_set_rcode(reply, LDNS_RCODE_SERVFAIL);
  }
  ldns_pkt_set_aa(reply, true);
  if (answer.code == DnsAnswer::Code::kNoSuchName) {
    ldns_pkt_set_rcode(reply, LDNS_RCODE_NXDOMAIN);
  }
  const std::string first = answer.answers.empty() ? "" : answer.answers.front().name;
  for (Record& record : answer.answers) {
    if (record.name == first) record.name = asked;
    if (ldns_rr* made = make_record(record)) ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, made);
  }
  if (!answer.authority) return;
  if (ldns_rr* made = make_record(zone.soa()))
    ldns_pkt_push_rr(reply, LDNS_SECTION_AUTHORITY, made);
}

}  // namespace

std::optional<std::string> answer_query(const DnsZone& zone, std::string_view query, bool udp) {
  ldns_pkt* parsed = nullptr;
  if (ldns_wire2pkt(&parsed, reinterpret_cast<const uint8_t*>(query.data()), query.size()) !=
      LDNS_STATUS_OK) {
    return std::nullopt;
  }
  const Packet asked(parsed);
  if (ldns_pkt_qr(asked.get())) return std::nullopt;
  const ldns_rr_list* questions = ldns_pkt_question(asked.get());
  Packet reply = reply_to(asked.get(), LDNS_RCODE_NOERROR);
  if (ldns_pkt_get_opcode(asked.get()) != LDNS_PACKET_QUERY) {
    ldns_pkt_set_rcode(reply.get(), LDNS_RCODE_NOTIMPL);
  } else if (ldns_rr_list_rr_count(questions) != 1) {
    ldns_pkt_set_rcode(reply.get(), LDNS_RCODE_FORMERR);
  } else if (const ldns_rr* question = ldns_rr_list_rr(questions, 0);
             ldns_rr_get_class(question) != LDNS_RR_CLASS_IN) {
    ldns_pkt_set_rcode(reply.get(), LDNS_RCODE_NOTIMPL);
  } else {
    fill(reply.get(), zone, question);
  }
  std::string wire = to_wire(reply.get());
  const std::size_t takes =
      ldns_pkt_edns(asked.get())
          ? std::clamp<std::size_t>(ldns_pkt_edns_udp_size(asked.get()), kUdpPlain, kUdpMost)
          : kUdpPlain;
  if (udp && wire.size() > takes) {
    Packet cut = reply_to(asked.get(), ldns_pkt_get_rcode(reply.get()));
    ldns_pkt_set_aa(cut.get(), ldns_pkt_aa(reply.get()));
    ldns_pkt_set_tc(cut.get(), true);
    wire = to_wire(cut.get());
  }
  if (wire.empty()) return std::nullopt;
  return wire;
}

}  // namespace coracle::network
