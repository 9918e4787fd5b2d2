// apiload: creates many objects at an apiserver, or watches with many connections, and prints one
// JSON line. bench/api/run calls it; `apiload --help` says how.
#include <fmt/format.h>

#include "base/check.hpp"
#include "base/flags.hpp"
#include "bench_api/works.hpp"

namespace coracle::bench {
namespace {

struct Options {
  std::string url, token_file, work = "fill";
  LoadOptions load;
};

Options parse(int argc, char** argv) {
  Options options;
  LoadOptions& load = options.load;
  Flags flags("apiload", "Creates many objects at an apiserver, or watches with many connections.",
              "apiload --url https://127.0.0.1:6443 --token-file t --path "
              "/api/v1/namespaces/bench/configmaps --object '{\"metadata\":{\"name\":\"m-{i}\"}}'");
  flags.add("--url", &options.url, "of the apiserver; its certificate is not verified").required();
  flags.add("--token-file", &options.token_file, "a file that holds a bearer token").required();
  flags.add("--work", &options.work, "fill or watch").one_of({"fill", "watch"});
  flags.add("--path", &load.path, "where objects are posted; {i}: number, {n}: its watcher")
      .required();
  flags.add("--object", &load.object, "JSON with {i} and {n}; watch: named w-{i}").required();
  flags.add("--count", &load.count, "how many objects");
  flags.add("--first", &load.first, "number of the first one (fill)");
  flags.add("--clients", &load.clients, "posts under way (fill)");
  flags.add("--watch", &load.watch, "path and query of watcher {n}");
  flags.add("--watchers", &load.watchers, "how many, each with a connection");
  flags.add("--one-each", &load.one_each, "object i is for watcher i modulo --watchers alone");
  flags.add("--rate", &load.rate, "writes a second (watch)");
  flags.parse(argc, argv);
  if (load.count < 1) fail_startup("--count: at least one");
  if (load.watchers < 1) fail_startup("--watchers: at least one");
  if (load.clients < 1) fail_startup("--clients: at least one");
  return options;
}

void say(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

int run(const Options& options) {
  net::AsioExecutor executor;
  auto config = net::ClientConfig::from_url(options.url);
  if (!config.ok()) fail_startup("--url: " + config.status().message());
  config->insecure_skip_verify = true;
  std::string token = read_flag_file("--token-file", options.token_file);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  config->bearer_token = token;
  config->user_agent = "apiload";
  config->connect_timeout = kPatience;
  config->max_connections = static_cast<std::size_t>(options.load.clients);
  config->max_streams = static_cast<std::size_t>(options.load.watchers);
  auto client = net::Client::create(executor, *std::move(config));
  if (!client.ok()) fail_startup(client.status().message());
  const LoadNumbers n = options.work == "fill"
                            ? run_fill(executor, **client, options.load)
                            : run_watch(executor, **client, options.load,
                                        [](bool begins) { say(begins ? "begin" : "end"); });
  say(
      fmt::format("RESULT {{\"seconds\": {:.6f}, \"requests\": {}, \"events\": {}, "
                  "\"p50_ms\": {:.3f}, \"p99_ms\": {:.3f}}}",
                  n.seconds, n.writes, n.events, n.p50_ms, n.p99_ms));
  std::fflush(stdout);
  std::_Exit(0);  // thousands of streams need not be closed one by one
}

}  // namespace
}  // namespace coracle::bench

int main(int argc, char** argv) { return coracle::bench::run(coracle::bench::parse(argc, argv)); }
