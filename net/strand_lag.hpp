// measure_lag: tells how long others of a strand make a caller wait, as the lateness of its timers.
// A program whose strand is late by seconds loses its Lease and its peers' patience: the histogram
// strand_lag_seconds shows it, and a log line names each lag of a second or more (one in 10 s).
#pragma once

#include "base/metrics.hpp"
#include "net/asio_executor.hpp"

namespace coracle::net {

// Both must outlive the executor's run().
void measure_lag(AsioExecutor& executor, Metrics& metrics);

}  // namespace coracle::net
