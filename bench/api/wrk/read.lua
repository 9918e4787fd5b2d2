-- wrk script: reads the URL's path.   -- TOKEN
function init(args)
  wrk.headers["Authorization"] = "Bearer " .. args[1]
end
function done(summary, latency)
  dofile(os.getenv("BENCH_REPORT"))(summary, latency)
end
