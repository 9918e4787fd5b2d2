// Large answers as gzip, for who asks.
#include <zlib.h>
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(16 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST_CASE("an answer of more than 128 KiB is packed for who asks") {
  ApiWorld w;
  const std::string data = R"({"k":")" + std::string(60'000, 'x') + "\"}";
  for (const char* name : {"a", "b", "c"}) {
    CHECK(w.call("POST", kMaps, a_config_map(name, data))->status == 201);
  }
  struct Case {
    std::string name, accept, target;
    bool packed;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"asked", "gzip", kMaps, true},
      {"among others", "deflate, gzip, br", kMaps, true},
      {"not asked", "", kMaps, false},
      {"another encoding", "br", kMaps, false},
      {"refused by weight", "gzip;q=0", kMaps, false},
      {"small", "gzip", std::string(kMaps) + "/a", false},
      {"a watch", "gzip", std::string(kMaps) + "?watch=1", false},
      {"a document", "gzip", "/openapi/v2", true},
  }));
  CAPTURE(c.name);
  net::Headers headers;
  if (!c.accept.empty()) headers.add("Accept-Encoding", c.accept);
  const auto plain = w.call("GET", c.target);
  const auto answer = w.call("GET", c.target, "", headers);
  CHECK(answer->status == 200);
  CHECK((answer->headers.get("content-encoding") == "gzip") == c.packed);
  if (!c.packed) return;
  const auto vary = answer->headers.values("vary");
  CHECK(std::find(vary.begin(), vary.end(), "Accept-Encoding") != vary.end());
  CHECK(answer->body.size() < plain->body.size() / 4);
  CHECK((gunzip(answer->body) == plain->body));
}

// As upstream, which does not look at Content-Encoding of requests either.
TEST_CASE("a packed request is not JSON") {
  ApiWorld w;
  const std::string packed = gzip({net::make_bytes(a_config_map("x"))});
  const auto answer = w.call("POST", kMaps, packed, {{"Content-Encoding", "gzip"}});
  CHECK(answer->status == 400);
  CHECK(get_string(w.tree(answer), "reason") == "BadRequest");
}

TEST_CASE("parts are one stream, empty ones too") {
  for (const std::size_t size : {0, 1, 65'535, 65'536, 200'000}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * i % 251);
    const auto cut = size / 3;
    CHECK((gunzip(gzip({net::make_bytes(text.substr(0, cut)), net::make_bytes(""),
                        net::make_bytes(text.substr(cut))})) == text));
  }
}

}  // namespace
}  // namespace coracle::apiserver
