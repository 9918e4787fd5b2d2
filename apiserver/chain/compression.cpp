#include "apiserver/chain/compression.hpp"

#include <zlib.h>

#include "base/check.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

bool wants_gzip(const net::Request& request, const net::Response& response) {
  if (response.content_length() <= kGzipBytesMin) return false;
  if (response.headers.has("Content-Encoding")) return false;
  for (const std::string& one : split(request.headers.get("accept-encoding"), ',')) {
    if (trim(one) == "gzip") return true;
  }
  return false;
}

std::string gzip(const std::vector<net::Bytes>& parts) {
  constexpr int kLevel = 1, kGzipWindow = 15 + 16, kMemory = 8;
  constexpr std::size_t kStep = 64 * 1024;
  z_stream stream{};
  CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) ==
        Z_OK);
  std::string out;
  const auto pump = [&](int flush) {
    int result = Z_OK;
    do {
      const std::size_t before = out.size();
      out.resize(before + kStep);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream.avail_out = kStep;
      result = deflate(&stream, flush);
      CHECK(result != Z_STREAM_ERROR);
      out.resize(out.size() - stream.avail_out);
    } while (stream.avail_out == 0 || (flush == Z_FINISH && result != Z_STREAM_END));
  };
  for (const net::Bytes& part : parts) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part->data()));
    stream.avail_in = static_cast<uInt>(part->size());
    pump(Z_NO_FLUSH);
  }
  pump(Z_FINISH);
  deflateEnd(&stream);
  return out;
}

}  // namespace coracle::apiserver
