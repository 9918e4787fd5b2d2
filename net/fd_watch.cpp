#include "net/fd_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <utility>

namespace coracle::net {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

}  // namespace

struct FdWatch::State : std::enable_shared_from_this<FdWatch::State> {
  State(asio::io_context& context, int fd) : descriptor(context.get_executor(), fd) {
    boost::system::error_code ignored;
    descriptor.non_blocking(true, ignored);
  }

  void wait(Descriptor::wait_type direction) {
    const size_t slot = direction == Descriptor::wait_read ? 0 : 1;
    if (pending[slot]) return;
    pending[slot] = true;
    descriptor.async_wait(direction, [self = shared_from_this(), slot](const auto&) {
      self->pending[slot] = false;
      if (!self->descriptor.is_open()) return;
      if (auto then = std::exchange(self->then[slot], nullptr)) then();
    });
  }

  Descriptor descriptor;
  std::function<void()> then[2];
  bool pending[2] = {false, false};
};

FdWatch::FdWatch(AsioExecutor& executor, int descriptor)
    : state_(std::make_shared<State>(executor.context(), descriptor)) {}

FdWatch::~FdWatch() { close(); }

int FdWatch::fd() const { return state_->descriptor.native_handle(); }

bool FdWatch::open() const { return state_->descriptor.is_open(); }

void FdWatch::when_readable(std::function<void()> then) {
  if (!open()) return;
  state_->then[0] = std::move(then);
  state_->wait(Descriptor::wait_read);
}

void FdWatch::when_writable(std::function<void()> then) {
  if (!open()) return;
  state_->then[1] = std::move(then);
  state_->wait(Descriptor::wait_write);
}

void FdWatch::close() {
  boost::system::error_code ignored;
  if (open()) state_->descriptor.close(ignored);
  // What was to be called may own the owner of this: let go of it last.
  auto reader = std::exchange(state_->then[0], nullptr);
  auto writer = std::exchange(state_->then[1], nullptr);
}

}  // namespace coracle::net
