#include <fmt/format.h>

#include "base/flags.hpp"
#include "base/strings.hpp"
#include "lab/commands.hpp"
#include "lab/console.hpp"
#include "lab/process.hpp"

namespace coracle::lab {

int run_down(int argc, char** argv) {
  std::string dir = ".coracle";
  Duration grace = std::chrono::seconds(10);
  Flags flags("coracle down", "Stops the cluster of a lab directory. Its data stays.",
              "coracle down --dir /tmp/class");
  flags.add("--dir", &dir, "the lab directory");
  flags.add("--grace", &grace, "how long the daemons may take to stop by themselves");
  flags.parse(argc, argv);

  const Console console;
  const Layout layout(dir);
  if (!layout.exists()) {
    console.fail(fmt::format("coracle down: there is no cluster in {}", dir));
    return 1;
  }
  const TimePoint start = real_clock().now();
  const std::vector<std::string> names = known_daemons(layout);
  // Clients of the apiserver first, then it, then the store: so that each can still say goodbye.
  std::vector<std::string> clients, servers, stores;
  for (const std::string& name : names) {
    if (name.starts_with("kvstore-"))
      stores.push_back(name);
    else if (name.starts_with("apiserver-"))
      servers.push_back(name);
    else
      clients.push_back(name);
  }
  std::vector<std::string> killed;
  for (const auto& group : {clients, servers, stores}) {
    for (std::string& name : stop_daemons(layout, group, grace)) killed.push_back(std::move(name));
  }
  console.step(fmt::format("{} daemons stopped", names.size()),
               std::chrono::duration<double>(real_clock().now() - start).count());
  if (!killed.empty()) {
    console.fail("coracle down: had to be killed: " + join(killed, " "));
  }
  return 0;
}

}  // namespace coracle::lab
