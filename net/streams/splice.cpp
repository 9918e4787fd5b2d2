#include "net_streams/splice.hpp"

namespace coracle::net {
namespace {

// The callbacks hold the other side; a stream that has ended or was closed drops its own.
void pump(const std::shared_ptr<ByteStream>& from, const std::shared_ptr<ByteStream>& to) {
  ByteStream* source = from.get();  // alive while its callback runs
  from->on_data([source, to](std::string_view bytes) {
    to->write(make_bytes(std::string(bytes)));
    if (to->queued_bytes() > kSpliceBacklogMax) source->pause(true);
  });
  from->on_close([to] { to->close(); });
  to->on_drain([weak = std::weak_ptr(from)] {
    if (const auto held = weak.lock()) held->pause(false);
  });
}

}  // namespace

void splice(const std::shared_ptr<ByteStream>& a, const std::shared_ptr<ByteStream>& b) {
  pump(a, b);
  pump(b, a);
  // One may have gone while the other was being set up: its on_close will not run any more.
  if (a->closed()) b->close();
  if (b->closed()) a->close();
}

}  // namespace coracle::net
