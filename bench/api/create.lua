-- wrk script: creates ConfigMaps of 1 KiB with names that never repeat.
local thread_count = 0
function setup(thread)
  thread:set("id", thread_count)
  thread_count = thread_count + 1
end
function init(args)
  token = args[1]
  run = args[2]
  n = 0
  filler = string.rep("x", 900)
  headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
end
function request()
  n = n + 1
  local name = "bench-" .. run .. "-" .. id .. "-" .. n
  local body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name ..
    '","namespace":"bench"},"data":{"k":"' .. filler .. '"}}'
  return wrk.format("POST", "/api/v1/namespaces/bench/configmaps", headers, body)
end
function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT create %.0f /s p50 %.2f ms p99 %.2f ms errors %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
