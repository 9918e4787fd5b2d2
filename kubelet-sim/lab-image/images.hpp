// The programs of well-known images, as this one program plays them. Each takes its command line.
#pragma once

#include <string>
#include <vector>

#include "http.hpp"

namespace lab_image {

using Args = std::vector<std::string>;  // without the program's name

int run_nginx(const Args& args);
int run_httpd(const Args& args);
int run_redis_server(const Args& args);
int run_redis_cli(const Args& args);
int run_http_echo(const Args& args);
int run_agnhost(const Args& args);
int run_liveness(const Args& args);
int run_hello_app(const Args& args);
int run_kubeserve(const Args& args);
int run_whoami(const Args& args);
int run_curl(const Args& args);
int run_bash(const Args& args);
int run_hpa_example(const Args& args);
int run_nslookup(const Args& args);
int run_wget(const Args& args);
int run_kubectl_proxy(const Args& args);
int run_pause(const Args& args);

// "--port=8080" or "--port 8080" (also with one dash): the value, or the fallback.
std::string flag_value(const Args& args, const std::string& name, const std::string& fallback);
std::string env_or(const char* name, const std::string& fallback);
bool has_flag(const Args& args, const std::string& name);
// Of ":8080" or "8080"; the fallback if that is none.
int port_number(const std::string& text, int fallback);
HttpResponse text(int status, std::string body);   // text/plain
std::string json_string(const std::string& text);  // quoted
// A file under `root` by its URL path, as web servers do: index.html of a folder, 301 to a folder
// without its slash, 403 and 404 with the page `error` makes.
HttpResponse serve_file(const std::string& root, const std::string& path,
                        HttpResponse (*error)(int status));
// One line of the access log in the combined format, on standard output.
void log_combined(const HttpRequest& request, const HttpResponse& response);

}  // namespace lab_image
