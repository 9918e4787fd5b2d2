// DNS messages (RFC 1035) to and from bytes, by ldns. Pure: a query's bytes in, an answer's out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "network/dns_zone.hpp"

namespace coracle::network {

inline constexpr int kDnsTtlSeconds = 5;  // as CoreDNS' kubernetes plugin
inline constexpr std::size_t kUdpPlain = 512, kUdpMost = 1232;

// The answer to one query; nothing for what is no query (answers, garbage): it gets no reply.
// `udp`: what does not fit into the size the client takes is cut off, and marked as such.
// Queries of several questions, other classes or operations get NOTIMP or FORMERR; names outside
// the zone SERVFAIL: there is no server behind this one.
std::optional<std::string> answer_query(const DnsZone& zone, std::string_view query, bool udp);

}  // namespace coracle::network
