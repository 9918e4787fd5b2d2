#include "net/turns.hpp"

#include <boost/asio/io_context.hpp>

#include "net/asio_executor.hpp"

namespace coracle::net {

void run_turns(AsioExecutor& executor, const std::function<void()>& end_of_turn) {
  boost::asio::io_context& context = executor.context();
  context.restart();
  while (context.run_one() > 0) {
    for (int pieces = 1; pieces < kTurnMax && context.poll_one() > 0; ++pieces) {
    }
    end_of_turn();
  }
}

}  // namespace coracle::net
