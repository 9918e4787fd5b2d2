#include "apiserver/server/proxy_rewrite.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::array kUrlAttributes = {"action",   "background", "cite",    "classid", "codebase",
                                       "data",     "formaction", "href",    "icon",    "longdesc",
                                       "manifest", "poster",     "profile", "src",     "usemap"};

bool holds_url(std::string_view name) {
  return std::any_of(kUrlAttributes.begin(), kUrlAttributes.end(),
                     [name](const char* one) { return iequals(name, one); });
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Where the tag that begins at 0 ends: behind its '>', quotes respected; npos: not here.
std::size_t tag_end(std::string_view text) {
  if (text.starts_with("<!--")) {
    const std::size_t end = text.find("-->", 4);
    return end == text.npos ? end : end + 3;
  }
  char quote = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if ((text[i] == '"' || text[i] == '\'') && text[i - 1] == '=') {
      quote = text[i];
    } else if (text[i] == '>') {
      return i + 1;
    }
  }
  return text.npos;
}

}  // namespace

std::string ProxyRewrite::url(std::string_view given) const {
  std::string_view rest = given;
  if (const std::size_t scheme = rest.find("://"); scheme != rest.npos && scheme < 6) {
    if (!iequals(rest.substr(0, scheme), "http") && !iequals(rest.substr(0, scheme), "https")) {
      return std::string(given);
    }
    rest.remove_prefix(scheme + 1);
  }
  std::string_view host;
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    host = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  const bool foreign = !host.empty() && host != backend_host && host != client_host;
  if (foreign || !rest.starts_with("/")) return std::string(given);
  if (rest.starts_with(prefix)) return std::string(host == client_host ? given : rest);
  const std::string path = prefix + std::string(rest);
  if (host.empty() || host != client_host) return path;
  return std::string(given.substr(0, given.size() - rest.size())) + path;
}

std::unique_ptr<net::BodyFilter> ProxyRewrite::apply(net::Response& head) const {
  if (const std::string* location = head.headers.find("Location")) {
    head.headers.set("Location", url(*location));
    return nullptr;
  }
  const std::string_view type = head.headers.get("Content-Type");
  const std::string_view encoding = head.headers.get("Content-Encoding");
  const bool html = iequals(trim(type.substr(0, type.find(';'))), "text/html");
  if (!html || (!encoding.empty() && !iequals(encoding, "identity"))) return nullptr;
  return std::make_unique<HtmlFilter>(*this);
}

std::string HtmlFilter::pass(std::string_view bytes, bool last) {
  held_ += bytes;
  std::string out;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const std::size_t open = rest.find('<');
    out += rest.substr(0, open);
    if (open == rest.npos) {
      rest = {};
      break;
    }
    rest.remove_prefix(open);
    const std::size_t end = tag_end(rest);
    if (end == rest.npos) {
      if (!last && rest.size() <= kTagMax) break;
      out += rest;  // no tag of a sane length: text, all of it, so that nothing is read twice
      rest = {};
      break;
    }
    out += rest.starts_with("<!--") ? std::string(rest.substr(0, end)) : tag(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  held_ = std::string(rest);
  return out;
}

// name="value" pairs one after the other; what has another shape is copied.
std::string HtmlFilter::tag(std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  const auto name_ends = [](char c) { return is_space(c) || c == '=' || c == '>' || c == '/'; };
  while (at < text.size()) {
    if (!is_space(text[at])) {
      out += text[at++];
      continue;
    }
    while (at < text.size() && is_space(text[at])) out += text[at++];
    std::size_t end = at;
    while (end < text.size() && !name_ends(text[end])) ++end;
    const std::string_view name = text.substr(at, end - at);
    out += name;
    at = end;
    if (at >= text.size() || text[at] != '=' || name.empty()) continue;
    out += text[at++];
    const char quote = at < text.size() && (text[at] == '"' || text[at] == '\'') ? text[at] : 0;
    if (quote != 0) out += text[at++];
    end = at;
    while (end < text.size() &&
           (quote != 0 ? text[end] != quote : !is_space(text[end]) && text[end] != '>')) {
      ++end;
    }
    const std::string_view value = text.substr(at, end - at);
    out += holds_url(name) ? rewrite_.url(value) : std::string(value);
    at = end;
    if (quote != 0 && at < text.size()) out += text[at++];
  }
  return out;
}

}  // namespace coracle::apiserver
