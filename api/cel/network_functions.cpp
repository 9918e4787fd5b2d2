// Addresses, networks and URLs.
#include <arpa/inet.h>

#include <algorithm>

#include "api/cel/functions.hpp"
#include "api/cel/opaque.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

// Strict: no zones, no IPv4 in IPv6, no leading zeros.
std::optional<std::string> parse_address(std::string_view text, std::string& why) {
  const std::string copy(text);
  unsigned char bytes[16];
  const std::string bad = "IP Address '" + copy + "' parse error during conversion from string: ";
  if (text.find('%') != std::string_view::npos) {
    why = "IP address with zone value is not allowed";
    return std::nullopt;
  }
  if (text.find(':') == std::string_view::npos) {
    if (copy.find('\0') == std::string::npos && inet_pton(AF_INET, copy.c_str(), bytes) == 1) {
      return std::string(reinterpret_cast<char*>(bytes), 4);
    }
  } else if (copy.find('\0') == std::string::npos &&
             inet_pton(AF_INET6, copy.c_str(), bytes) == 1) {
    if (IN6_IS_ADDR_V4MAPPED(reinterpret_cast<in6_addr*>(bytes))) {
      why = "IPv4-mapped IPv6 address is not allowed";
      return std::nullopt;
    }
    return std::string(reinterpret_cast<char*>(bytes), 16);
  }
  why = bad + "unable to parse IP";
  return std::nullopt;
}

std::string address_text(const std::string& bytes) {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

Value make_ip(std::string bytes) {
  Opaque o;
  o.text = address_text(bytes);
  o.bytes = std::move(bytes);
  return Value::opaque(Kind::kIp, std::move(o));
}

Value ip(std::string_view text) {
  std::string why;
  auto bytes = parse_address(text, why);
  return bytes ? make_ip(*std::move(bytes)) : Value::error(why);
}

Value cidr(std::string_view text) {
  const std::string bad =
      "network address parse error during conversion from string: netip.ParsePrefix(\"" +
      std::string(text) + "\")";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return Value::error(bad + ": no '/'");
  std::string why;
  auto bytes = parse_address(text.substr(0, slash), why);
  if (!bytes) return Value::error(why);
  const std::string_view digits = text.substr(slash + 1);
  long long bits = 0;
  const bool number = parse_int(digits, &bits) && digits[0] != '+' && digits[0] != '-' &&
                      (digits.size() == 1 || digits[0] != '0');
  if (!number || bits > static_cast<long long>(bytes->size()) * 8) {
    return Value::error(bad + ": bad bits after slash");
  }
  Opaque o;
  o.bits = bits;
  o.text = address_text(*bytes) + "/" + std::to_string(bits);
  o.bytes = *std::move(bytes);
  return Value::opaque(Kind::kCidr, std::move(o));
}

bool same_prefix(const std::string& a, const std::string& b, std::int64_t bits) {
  if (a.size() != b.size()) return false;
  for (std::int64_t bit = 0; bit < bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((a[at] & mask) != (b[at] & mask)) return false;
  }
  return true;
}

Value contains_ip(const Value& network, const Value& address) {
  if (address.is_error()) return address;
  const Opaque& n = network.as_opaque();
  return Value::of(same_prefix(n.bytes, address.as_opaque().bytes, n.bits));
}
Value contains_cidr(const Value& network, const Value& inner) {
  if (inner.is_error()) return inner;
  const Opaque &n = network.as_opaque(), &i = inner.as_opaque();
  return Value::of(n.bits <= i.bits && same_prefix(n.bytes, i.bytes, n.bits));
}

Value masked(Args a, Budget&) {
  Opaque o = a[0].as_opaque();
  for (std::int64_t bit = o.bits; bit < std::ssize(o.bytes) * 8; ++bit) {
    o.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<char>(~(0x80 >> (bit % 8)));
  }
  o.text = address_text(o.bytes) + "/" + std::to_string(o.bits);
  return Value::opaque(Kind::kCidr, std::move(o));
}

int byte_at(Args a, std::size_t i) { return static_cast<unsigned char>(a[0].as_opaque().bytes[i]); }
bool is_v4(Args a) { return a[0].as_opaque().bytes.size() == 4; }
bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}
bool unspecified(Args a) { return all_zero(a[0].as_opaque().bytes); }
bool loopback(Args a) {
  const std::string_view bytes = a[0].as_opaque().bytes;
  return is_v4(a) ? byte_at(a, 0) == 127 : all_zero(bytes.substr(0, 15)) && bytes[15] == 1;
}
bool link_local_multicast(Args a) {
  if (is_v4(a)) return byte_at(a, 0) == 224 && byte_at(a, 1) == 0 && byte_at(a, 2) == 0;
  return byte_at(a, 0) == 0xff && (byte_at(a, 1) & 0x0f) == 0x02;
}
bool link_local_unicast(Args a) {
  if (is_v4(a)) return byte_at(a, 0) == 169 && byte_at(a, 1) == 254;
  return byte_at(a, 0) == 0xfe && (byte_at(a, 1) & 0xc0) == 0x80;
}
bool multicast(Args a) { return is_v4(a) ? (byte_at(a, 0) & 0xf0) == 0xe0 : byte_at(a, 0) == 0xff; }
bool broadcast(Args a) { return a[0].as_opaque().bytes == "\xff\xff\xff\xff"; }
bool global_unicast(Args a) {
  return !broadcast(a) && !unspecified(a) && !loopback(a) && !multicast(a) &&
         !link_local_unicast(a);
}
template <bool (*Test)(Args)>
Value test(Args a, Budget&) {
  return Value::of(Test(a));
}

Value canonical(Args a, Budget&) {
  const Value address = ip(a[0].as_text());
  return address.is_error() ? address : Value::of(address.as_opaque().text == a[0].as_text());
}

// Absolute ("scheme://host/path?query") or an absolute path, as Go's ParseRequestURI takes them.
Value url(std::string_view text) {
  const Value bad = Value::error("URL parse error during conversion from string: parse \"" +
                                 std::string(text) + "\": invalid URI for request");
  Opaque o;
  o.text = text;
  std::string scheme, host;
  std::string_view rest = text;
  for (char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return bad;
  }
  const std::size_t colon = text.find(':');
  if (!text.starts_with('/')) {
    const bool letter = !text.empty() && ((text[0] | 32) >= 'a' && (text[0] | 32) <= 'z');
    if (!letter || colon == std::string_view::npos) return bad;
    for (char c : text.substr(0, colon)) {
      const bool good = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') ||
                        c == '+' || c == '-' || c == '.';
      if (!good) return bad;
    }
    scheme = to_lower(text.substr(0, colon));
    rest = text.substr(colon + 1);
    if (!rest.starts_with('/')) return bad;
  }
  const std::size_t query_at = rest.find('?');
  const std::string query(query_at == std::string_view::npos ? "" : rest.substr(query_at + 1));
  rest = rest.substr(0, query_at);
  if (!scheme.empty() && rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t slash = rest.find('/');
    host = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    if (const std::size_t at = host.rfind('@'); at != std::string::npos) host = host.substr(at + 1);
  }
  o.parts = {scheme, host, std::string(rest), query};
  return Value::opaque(Kind::kUrl, std::move(o));
}

// "[::1]:80" -> "::1", "80".
std::pair<std::string, std::string> split_host(const std::string& host) {
  const std::size_t end = host.starts_with('[') ? host.find(']') : 0;
  if (end == std::string::npos) return {host, ""};
  const std::size_t colon = host.find(':', end);
  std::string name = host.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return {name, colon == std::string::npos ? "" : host.substr(colon + 1)};
}

Value url_query(Args a, Budget&) {
  std::map<std::string, Values> found;
  for (const std::string& pair : split(a[0].as_opaque().parts[3], '&')) {
    if (pair.empty()) continue;
    const std::size_t mark = pair.find('=');
    auto key = percent_decode(pair.substr(0, mark), true);
    auto value = percent_decode(mark == std::string::npos ? "" : pair.substr(mark + 1), true);
    if (key.ok() && value.ok()) found[*key].push_back(Value::text(*value));
  }
  MapRep out;
  for (auto& [key, values] : found) out.add(Value::text(key), Value::list(std::move(values)));
  return Value::map(std::move(out));
}

template <std::size_t Part>
Value url_part(Args a, Budget&) {
  return Value::text(a[0].as_opaque().parts[Part]);
}

constexpr Overload kNetwork[] = {
    {"ip", "s:p", [](Args a, Budget&) { return ip(a[0].as_text()); }},
    {"isIP", "s:b", [](Args a, Budget&) { return Value::of(!ip(a[0].as_text()).is_error()); }},
    {"ip.isCanonical", "s:b", canonical},
    {"family", "p.:i", [](Args a, Budget&) { return Value::of(std::int64_t{is_v4(a) ? 4 : 6}); }},
    {"isUnspecified", "p.:b", test<unspecified>},
    {"isLoopback", "p.:b", test<loopback>},
    {"isLinkLocalMulticast", "p.:b", test<link_local_multicast>},
    {"isLinkLocalUnicast", "p.:b", test<link_local_unicast>},
    {"isGlobalUnicast", "p.:b", test<global_unicast>},
    {"cidr", "s:c", [](Args a, Budget&) { return cidr(a[0].as_text()); }},
    {"isCIDR", "s:b", [](Args a, Budget&) { return Value::of(!cidr(a[0].as_text()).is_error()); }},
    {"containsIP", "c.s:b", [](Args a, Budget&) { return contains_ip(a[0], ip(a[1].as_text())); }},
    {"containsIP", "c.p:b", [](Args a, Budget&) { return contains_ip(a[0], a[1]); }},
    {"containsCIDR", "c.s:b",
     [](Args a, Budget&) { return contains_cidr(a[0], cidr(a[1].as_text())); }},
    {"containsCIDR", "c.c:b", [](Args a, Budget&) { return contains_cidr(a[0], a[1]); }},
    {"ip", "c.:p", [](Args a, Budget&) { return make_ip(a[0].as_opaque().bytes); }},
    {"masked", "c.:c", masked},
    {"prefixLength", "c.:i", [](Args a, Budget&) { return Value::of(a[0].as_opaque().bits); }},
    {"url", "s:U", [](Args a, Budget&) { return url(a[0].as_text()); }},
    {"isURL", "s:b", [](Args a, Budget&) { return Value::of(!url(a[0].as_text()).is_error()); }},
    {"getScheme", "U.:s", url_part<0>},
    {"getHost", "U.:s", url_part<1>},
    {"getHostname", "U.:s",
     [](Args a, Budget&) { return Value::text(split_host(a[0].as_opaque().parts[1]).first); }},
    {"getPort", "U.:s",
     [](Args a, Budget&) { return Value::text(split_host(a[0].as_opaque().parts[1]).second); }},
    {"getEscapedPath", "U.:s", url_part<2>},
    {"getQuery", "U.:m", url_query},
};

}  // namespace

std::span<const Overload> network_overloads() { return kNetwork; }

}  // namespace coracle::api::cel
