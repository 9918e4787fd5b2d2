-- wrk script: reads one path with a token.
function init(args)
  what = args[2]
  wrk.headers["Authorization"] = "Bearer " .. args[1]
end
function setup(thread) end
function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT get %.0f /s p50 %.2f ms p99 %.2f ms errors %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
