// What the command line of a member says, checked. Flags and defaults are etcd's.
// Pure but for parse_options, which ends the program (exit 2) at a flag that makes no sense, naming
// it.
#pragma once

#include <map>
#include <string>

#include "base/log.hpp"
#include "base/status.hpp"
#include "member/config.hpp"
#include "tls_files/tls_files.hpp"

namespace coracle::store {

struct Options : MemberConfig {
  Urls listen_client, listen_peer;
  Urls listen_metrics;            // health, metrics, /debug/raft; none by default
  TlsFiles client_tls, peer_tls;  // for https:// URLs; checked
  log::Level log_level = log::Level::kInfo;
};

Options parse_options(int argc, char** argv);

// "a=http://h:1,a=http://h:2,b=http://h:3"; InvalidArgument says which part is wrong.
Result<std::map<std::string, Urls>> parse_initial_cluster(const std::string& text);
// "https://host:port" -> "host:port". InvalidArgument for another scheme, no port, a path.
Result<std::string> target_of(const std::string& url);
bool is_tls(const std::string& url);
// Only this machine reaches it: localhost, 127.x.y.z, [::1].
bool is_loopback(const std::string& url);

}  // namespace coracle::store
