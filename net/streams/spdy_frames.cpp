#include "net_streams/spdy_frames.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::net::spdy {
namespace {

constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kHead = 8;
constexpr std::size_t kMaxDataFrame = 1u << 16;  // of ours; the format allows 2^24 - 1
constexpr std::uint8_t kFin = 1;
constexpr StreamId kIdMask = 0x7fffffff;
enum Type : std::uint16_t {
  kSynStream = 1,
  kSynReply = 2,
  kRstStream = 3,
  kPing = 6,
  kGoAway = 7,
  kHeaders = 8,
};

std::uint32_t read32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::string control(std::uint16_t type, std::uint8_t flags, std::string_view payload) {
  std::string out;
  put(out, 0x8000u | kVersion, 2);
  put(out, type, 2);
  put(out, flags, 1);
  put(out, payload.size(), 3);
  return out.append(payload);
}

// The dictionary's words, each with its length before it there.
constexpr std::string_view kWords =
    "options;head;post;put;delete;trace;accept;accept-charset;accept-encoding;"
    "accept-language;accept-ranges;age;allow;authorization;cache-control;"
    "connection;content-base;content-encoding;content-language;content-length;"
    "content-location;content-md5;content-range;content-type;date;etag;expect;"
    "expires;from;host;if-match;if-modified-since;if-none-match;if-range;"
    "if-unmodified-since;last-modified;location;max-forwards;pragma;"
    "proxy-authenticate;proxy-authorization;range;referer;retry-after;server;te;"
    "trailer;transfer-encoding;upgrade;user-agent;vary;via;warning;"
    "www-authenticate;method;get;status;200 OK;version;HTTP/1.1;url;public;"
    "set-cookie;keep-alive;origin";

std::string make_dictionary() {
  std::string out;
  for (const std::string& word : split(kWords, ';')) {
    put(out, word.size(), 4);
    out += word;
  }
  return out +
         "10010120120220520630030230330430530630740240540640740840941041141241341441541641750250450"
         "5"
         "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
         "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
         "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
         "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
         "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
         "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
}

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

// Name and value pairs, lengths before each; several values of one name are apart by a NUL.
std::optional<Headers> parse_pairs(std::string_view plain) {
  const auto text = [&plain]() -> std::optional<std::string_view> {
    if (plain.size() < 4) return std::nullopt;
    const std::size_t size = read32(plain);
    if (plain.size() - 4 < size) return std::nullopt;
    const std::string_view found = plain.substr(4, size);
    plain.remove_prefix(4 + size);
    return found;
  };
  if (plain.size() < 4) return std::nullopt;
  const std::uint32_t count = read32(plain);
  plain.remove_prefix(4);
  Headers out;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto name = text();
    const auto values = name ? text() : std::nullopt;
    if (!values) return std::nullopt;
    for (std::string& value : split(*values, '\0')) out.add(std::string(*name), std::move(value));
  }
  if (!plain.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string_view dictionary() {
  static const std::string kDictionary = make_dictionary();
  return kDictionary;
}

struct Decoder::Inflater {
  z_stream stream{};
  Inflater() { CHECK(inflateInit(&stream) == Z_OK); }
  ~Inflater() { inflateEnd(&stream); }

  // All of `block`; nullopt if it is broken or longer than `limit`.
  std::optional<std::string> inflate_block(std::string_view block, std::size_t limit) {
    std::string out;
    std::array<char, 4096> piece;
    stream.next_in = const_cast<Bytef*>(bytes_of(block));
    stream.avail_in = static_cast<uInt>(block.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      const int returned = inflate(&stream, Z_SYNC_FLUSH);
      if (returned == Z_NEED_DICT) {
        const std::string_view words = dictionary();
        if (inflateSetDictionary(&stream, bytes_of(words), static_cast<uInt>(words.size())) != Z_OK)
          return std::nullopt;
        continue;
      }
      // A buffer error says that nothing more comes of what is here.
      if (returned != Z_OK && returned != Z_BUF_ERROR) return std::nullopt;
      out.append(piece.data(), piece.size() - stream.avail_out);
      if (out.size() > limit) return std::nullopt;
      if (returned == Z_BUF_ERROR) break;
    } while (stream.avail_in > 0 || stream.avail_out == 0);
    return stream.avail_in == 0 ? std::optional(std::move(out)) : std::nullopt;
  }
};

Decoder::Decoder() : inflater_(std::make_unique<Inflater>()) {}
Decoder::~Decoder() = default;

void Decoder::feed(std::string_view bytes) {
  if (error_.empty()) input_ += bytes;
}

std::nullopt_t Decoder::fail(std::string why) {
  error_ = std::move(why);
  input_ = {};
  used_ = 0;
  return std::nullopt;
}

void Decoder::drop(std::size_t bytes) {
  used_ += bytes;
  if (used_ == input_.size() || used_ > 65536) {
    input_.erase(0, used_);
    used_ = 0;
  }
}

std::optional<Frame> Decoder::next() {
  if (!error_.empty()) return std::nullopt;
  if (open_data_) return take_data();
  if (input_.size() - used_ < kHead) return std::nullopt;
  if (static_cast<unsigned char>(input_[used_]) & 0x80) return take_control();
  const std::string_view head = std::string_view(input_).substr(used_, kHead);
  open_data_.emplace();
  open_data_->id = read32(head);
  open_data_->fin = static_cast<unsigned char>(head[4]) & kFin;
  data_left_ = read32(head.substr(4)) & 0xffffff;
  drop(kHead);
  return take_data();
}

std::optional<Frame> Decoder::take_data() {
  const std::size_t here = std::min(data_left_, input_.size() - used_);
  if (here == 0 && data_left_ > 0) return std::nullopt;
  Data piece{open_data_->id, input_.substr(used_, here), false};
  data_left_ -= here;
  if (data_left_ == 0) {
    piece.fin = open_data_->fin;
    open_data_.reset();
  }
  drop(here);
  return piece;
}

std::optional<Frame> Decoder::take_control() {
  const std::string_view data = std::string_view(input_).substr(used_);
  const std::uint32_t first = read32(data), second = read32(data.substr(4));
  const std::size_t size = second & 0xffffff;
  if ((first >> 16 & 0x7fff) != kVersion) return fail("unsupported version");
  if (size > kMaxControl) return fail("control frame too large");
  if (data.size() < kHead + size) return std::nullopt;
  auto frame = parse_control(static_cast<std::uint16_t>(first),
                             static_cast<std::uint8_t>(second >> 24), data.substr(kHead, size));
  if (frame) drop(kHead + size);
  return frame;
}

std::optional<Frame> Decoder::parse_control(std::uint16_t type, std::uint8_t flags,
                                            std::string_view payload) {
  const bool fin = flags & kFin;
  const std::size_t least = type == kSynStream                                       ? 10
                            : type == kSynReply || type == kHeaders || type == kPing ? 4
                            : type == kRstStream || type == kGoAway                  ? 8
                                                                                     : 0;
  if (payload.size() < least) return fail("control frame too short");
  const StreamId id = least == 0 ? 0 : read32(payload) & kIdMask;
  switch (type) {
    case kSynStream: {
      auto headers = headers_of(payload.substr(10));
      if (!headers) return fail("bad header block");
      return SynStream{id, std::move(*headers), fin};
    }
    case kSynReply: {
      auto headers = headers_of(payload.substr(4));
      if (!headers) return fail("bad header block");
      return SynReply{id, std::move(*headers), fin};
    }
    case kHeaders: {
      auto headers = headers_of(payload.substr(4));
      if (!headers) return fail("bad header block");
      return MoreHeaders{id, std::move(*headers), fin};
    }
    case kRstStream:
      return RstStream{id, read32(payload.substr(4))};
    case kPing:
      return Ping{read32(payload)};
    case kGoAway:
      return GoAway{id, read32(payload.substr(4))};
    default:
      return Ignored{type};
  }
}

std::optional<Headers> Decoder::headers_of(std::string_view block) {
  const auto plain = inflater_->inflate_block(block, kMaxHeaders);
  return plain ? parse_pairs(*plain) : std::nullopt;
}

struct Encoder::Deflater {
  z_stream stream{};
  Deflater() {
    CHECK(deflateInit(&stream, Z_BEST_COMPRESSION) == Z_OK);
    const std::string_view words = dictionary();
    CHECK(deflateSetDictionary(&stream, bytes_of(words), static_cast<uInt>(words.size())) == Z_OK);
  }
  ~Deflater() { deflateEnd(&stream); }
};

Encoder::Encoder() : deflater_(std::make_unique<Deflater>()) {}
Encoder::~Encoder() = default;

std::string Encoder::block(const Headers& headers) {
  std::string plain;
  put(plain, headers.size(), 4);
  for (const auto& [name, value] : headers) {
    const std::string lower = to_lower(name);
    put(plain, lower.size(), 4);
    plain += lower;
    put(plain, value.size(), 4);
    plain += value;
  }
  std::string out;
  std::array<char, 4096> piece;
  z_stream& stream = deflater_->stream;
  stream.next_in = const_cast<Bytef*>(bytes_of(plain));
  stream.avail_in = static_cast<uInt>(plain.size());
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int returned = deflate(&stream, Z_SYNC_FLUSH);
    CHECK(returned == Z_OK || returned == Z_BUF_ERROR);
    out.append(piece.data(), piece.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  return out;
}

std::string Encoder::syn_stream(StreamId id, const Headers& headers, bool fin) {
  std::string payload;
  put(payload, id, 4);
  put(payload, 0, 6);  // no associated stream, priority 0, no slot
  return control(kSynStream, fin ? kFin : 0, payload + block(headers));
}

std::string Encoder::syn_reply(StreamId id, const Headers& headers, bool fin) {
  std::string payload;
  put(payload, id, 4);
  return control(kSynReply, fin ? kFin : 0, payload + block(headers));
}

std::string Encoder::data(StreamId id, std::string_view bytes, bool fin) {
  std::string out;
  out.reserve(bytes.size() + kHead);
  do {
    const std::string_view part = bytes.substr(0, kMaxDataFrame);
    bytes.remove_prefix(part.size());
    put(out, id & kIdMask, 4);
    put(out, fin && bytes.empty() ? kFin : 0, 1);
    put(out, part.size(), 3);
    out += part;
  } while (!bytes.empty());
  return out;
}

std::string Encoder::rst_stream(StreamId id, std::uint32_t status) {
  std::string payload;
  put(payload, id, 4);
  put(payload, status, 4);
  return control(kRstStream, 0, payload);
}

std::string Encoder::ping(std::uint32_t id) {
  std::string payload;
  put(payload, id, 4);
  return control(kPing, 0, payload);
}

std::string Encoder::go_away(StreamId last, std::uint32_t status) {
  std::string payload;
  put(payload, last, 4);
  put(payload, status, 4);
  return control(kGoAway, 0, payload);
}

}  // namespace coracle::net::spdy
