#include "cluster_sim/daemon.hpp"

namespace coracle::cluster_sim {

void Daemon::start() {
  if (running()) return;
  ++machine_.life;
  machine_.strand = std::make_shared<Strand>(site_.timeline, site_.epoch, machine_.clock, guard());
  begin();
}

void Daemon::kill(bool) {
  if (!running()) return;
  const std::shared_ptr<Strand> strand = machine_.strand;
  strand->die();
  // What waits goes first: it may be in the middle of something of the daemon's.
  strand->drop();
  end();
  strand->drop();
  site_.graveyard.push_back(strand);
  site_.network.process_ended(machine_);
}

void Daemon::restart_soon() {
  site_.timeline.at(site_.timeline.now(), [this, life = machine_.life] {
    if (machine_.life != life || !running()) return;
    kill(false);
    start();
  });
}

std::unique_ptr<SimApi> Daemon::make_api(std::string user, std::vector<std::string> groups) {
  return std::make_unique<SimApi>(site_.network, machine_, site_.apiservers, site_.lines,
                                  Identity{std::move(user), std::move(groups)}, machine_.id);
}

}  // namespace coracle::cluster_sim
