// Profile: one scheduler by name: which plugins filter, which score and with what weight.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

struct Profile {
  struct Scorer {
    const Plugin* plugin;
    std::int64_t weight;
  };
  std::string name = "default-scheduler";
  std::vector<std::shared_ptr<const Plugin>> plugins;  // owns those below
  std::vector<const Plugin*> filters;                  // in order; the first no counts
  std::vector<const Plugin*> post_filters;             // the first yes counts
  std::vector<Scorer> scorers;
  int percentage_of_nodes = 0;  // to find before scoring; 0: by the size of the cluster
};

}  // namespace coracle::scheduler
