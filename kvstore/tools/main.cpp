// storectl: looks into the store, saves it and brings it back.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "storectl/key_commands.hpp"
#include "storectl/snapshot_commands.hpp"
#include "storectl/status.hpp"

namespace coracle::store {
namespace {

constexpr const char* kHelp =
    R"(storectl: looks into the store: a member's data folder, or running members.

Usage:
  storectl log DIR          the Raft log: a line for each segment, hard state and entry
  storectl keys DIR         every stored version: revision, key, size; deletions are marked
  storectl keys --endpoints URL
                            a running member's keys as they are now
      --prefix P            only these keys
  storectl history KEY DIR  every stored version of a key, with its values
  storectl history KEY --endpoints URL
                            the same of a running member
  storectl meta DIR         applied index, compaction, members, alarms (names and sizes)
  storectl status --endpoints A,B,C
                            running members: who they are, who leads, how far they are
  storectl snapshot save|status|restore FILE ...
                            the whole store as one file, and back (storectl snapshot --help)

DIR is the member's --data-dir. Nothing is changed; damage is reported with file and offset. `log`
also reads the folder of a member that runs; `keys` and `history` show what it had flushed.
-w json (or --write-out, --output): one JSON object a line. TLS: --cacert, --cert, --key.

Examples:
  storectl log m1.etcd | tail
  storectl keys m1.etcd --prefix /registry/pods/
  storectl history /registry/leases/kube-system/scheduler --endpoints http://127.0.0.1:2379
  storectl status --endpoints 127.0.0.1:2379,127.0.0.1:22379 -w json
)";

int run(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    fmt::print("{}", kHelp);
    return args.empty() ? 2 : 0;
  }
  const std::vector<std::string> rest(args.begin() + 1, args.end());
  if (args[0] == "log") return run_log(rest);
  if (args[0] == "keys") return run_keys(rest);
  if (args[0] == "history") return run_history(rest);
  if (args[0] == "meta") return run_meta(rest);
  if (args[0] == "status") return run_status(rest);
  if (args[0] == "snapshot") return run_snapshot(rest);
  fail_startup("unknown command " + quoted(args[0]) + " (storectl --help lists them)");
}

}  // namespace
}  // namespace coracle::store

int main(int argc, char** argv) {
  coracle::log::init("storectl");
  return coracle::store::run({argv + 1, argv + argc});
}
