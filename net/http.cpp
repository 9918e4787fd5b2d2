#include "net/http.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::net {
namespace {

std::string decode_or_keep(std::string_view text) {
  auto decoded = percent_decode(text, /*plus_is_space=*/true);
  return decoded.ok() ? std::move(decoded).value() : std::string(text);
}

}  // namespace

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [key, value] : entries_) {
    if (iequals(key, name)) return &value;
  }
  return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : std::string_view();
}

std::vector<std::string_view> Headers::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : entries_) {
    if (iequals(key, name)) found.push_back(value);
  }
  return found;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (std::string_view line : values(name)) {
    for (const std::string& part : split(line, ',')) {
      if (iequals(trim(part), token)) return true;
    }
  }
  return false;
}

void Headers::add(std::string name, std::string value) {
  entries_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  entries_.emplace_back(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) { return iequals(entry.first, name); });
}

Query Query::parse(std::string_view raw) {
  Query query;
  for (const std::string& part : split(raw, '&')) {
    if (part.empty()) continue;
    std::string_view item = part;
    std::size_t equals = item.find('=');
    std::string_view value = equals == item.npos ? std::string_view() : item.substr(equals + 1);
    query.add(decode_or_keep(item.substr(0, equals)), decode_or_keep(value));
  }
  return query;
}

std::string_view Query::get(std::string_view name) const {
  for (const auto& [key, value] : items_) {
    if (key == name) return value;
  }
  return {};
}

bool Query::has(std::string_view name) const {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const auto& item) { return item.first == name; });
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : items_) {
    if (key == name) found.push_back(value);
  }
  return found;
}

std::string Query::encode() const {
  std::string out;
  for (const auto& [key, value] : items_) {
    if (!out.empty()) out += '&';
    out += percent_encode(key) + '=' + percent_encode(value);
  }
  return out;
}

std::size_t Response::content_length() const {
  std::size_t total = body.size();
  for (const Bytes& chunk : chunks) total += chunk->size();
  return total;
}

Response make_response(int status, std::string body, std::string_view content_type) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

}  // namespace coracle::net
