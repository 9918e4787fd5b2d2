// The part of nginx's configuration language that course material uses: server, listen, root,
// index, location (prefix, =), return, alias, add_header, stub_status, proxy_pass to a plain
// address; include with *. What it does not know it skips, with a notice. Syntax errors are told as
// nginx tells them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lab_image {

struct NginxLocation {
  std::string path;  // "/" or "/status"
  bool exact = false, stub_status = false, denied = false;
  std::string root, alias, index, proxy_pass;
  int return_status = 0;
  std::string return_text;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct NginxServer {
  std::vector<int> ports, tls_ports;
  NginxLocation whole;  // what the server block itself says
  std::vector<std::string> names;
  std::vector<NginxLocation> locations;
  std::string certificate, key;  // files, for the tls_ports
};

// False: `error` is nginx's message.
bool load_nginx_config(const std::string& file, std::vector<NginxServer>* servers,
                       std::string* error);
// The location of a path: the exact one, else the longest prefix, else the server itself.
const NginxLocation& location_of(const NginxServer& server, const std::string& path);

}  // namespace lab_image
