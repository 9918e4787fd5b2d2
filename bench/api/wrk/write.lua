-- wrk script: one write a request.   -- METHOD PATH CONTENT-TYPE TOKEN RUN BODY
-- "{id}" in path and body becomes a number that never comes again, "{t}" one of 0..999 in turn.
local threads = 0
function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end
function init(args)
  method, path, content_type, body = args[1], args[2], args[3], args[6]
  run = args[5]
  headers = { ["Authorization"] = "Bearer " .. args[4], ["Content-Type"] = content_type }
  n = 0
end
function request()
  n = n + 1
  local id, turn = run .. "-" .. thread_number .. "-" .. n, tostring(n % 1000)
  local function fill(text)
    return (text:gsub("{id}", id):gsub("{t}", turn))
  end
  return wrk.format(method, fill(path), headers, fill(body))
end
function done(summary, latency)
  dofile(os.getenv("BENCH_REPORT"))(summary, latency)
end
