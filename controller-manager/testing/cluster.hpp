// A cluster of one's own for tests of controllers: plans are applied at once, pods do what the test
// says. Objects are kept by "plural/name", in the namespace "ns" (nodes in none).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controllers/controller.hpp"

namespace coracle::controllers::testing {

class Cluster {
 public:
  explicit Cluster(const Controller& controller) : controller_(controller) {}

  json::value& put(const client::Gvr& gvr, const std::string& yaml);
  // Must be there.
  json::value& at(const std::string& key);
  json::value& pod(const std::string& name) { return at("pods/" + name); }
  std::vector<std::string> names(const std::string& plural) const;
  void set_spec(const std::string& key, const std::string& path, const std::string& yaml);

  // One reconcile, carried out. What it did, in order: "create pods/web-0", "delete pods/web-0"...
  std::vector<std::string> step(const std::string& key);
  // Until nothing is written.
  std::vector<std::string> settle(const std::string& key, int most = 60);

  // What nodes do. Deleted pods end, and go unless a finalizer holds them.
  void run(json::value& pod);
  void run_all();  // those that are pending
  void finish(json::value& pod, int exit_code);
  void reap();
  template <class Fn>
  void each_pod(Fn fn) {
    for (auto& [key, entry] : objects) {
      if (entry.first == gvr::kPods) fn(entry.second);
    }
  }

  std::map<std::string, std::pair<client::Gvr, json::value>> objects;
  std::vector<std::string> told;  // events: "Reason: message"
  Plan last;
  WallTime wall = *parse_time("2026-01-01T12:00:00Z");

 private:
  json::value& keep(const client::Gvr& gvr, json::value object);
  std::string apply(const Write& write);
  std::string create(const Write& write);

  const Controller& controller_;
  std::map<std::string, json::value> memory_;
  int made_ = 0;
};

}  // namespace coracle::controllers::testing
