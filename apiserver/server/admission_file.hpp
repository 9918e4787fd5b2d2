// The files behind --admission-control-config-file: the configuration, what it names, and the
// kubeconfigs of servers that are asked.
#pragma once

#include <string>
#include <vector>

#include "apiserver/admission/admission_config.hpp"

namespace coracle::apiserver {

struct AdmissionFlags {
  std::string config_file;
  std::vector<std::string> enable, disable;
};

// InvalidArgument and NotFound name the flag and the file.
Result<AdmissionConfig> load_admission(const AdmissionFlags& flags);

}  // namespace coracle::apiserver
