// A small HTTP/1.1 client: curl's core, and nginx's proxying.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lab_image {

struct Fetch {
  std::string url, method = "GET", body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool insecure = false;  // of https: any certificate will do
  std::string ca_file;
  int timeout_seconds = 60, connect_timeout_seconds = 30;

  // "Name: value", as people type it; without a colon it is ignored.
  void add_header(const std::string& line);
};

struct FetchResult {
  int status = 0;
  std::string version, body, head;                           // head: the lines as they came
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  int curl_code = 0;                                         // why not, as curl exits
  std::string error;
  std::string peer;  // "127.0.0.1:80", who was dialled last
};

FetchResult fetch_url(const Fetch& fetch);

}  // namespace lab_image
