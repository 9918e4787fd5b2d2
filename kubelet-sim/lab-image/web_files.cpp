#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "images.hpp"

namespace lab_image {
namespace {

std::string mime_type(const std::string& path) {
  static const std::pair<const char*, const char*> kTypes[] = {
      {".html", "text/html"},        {".htm", "text/html"},
      {".css", "text/css"},          {".js", "application/javascript"},
      {".json", "application/json"}, {".txt", "text/plain"},
      {".xml", "text/xml"},          {".svg", "image/svg+xml"},
      {".png", "image/png"},         {".jpg", "image/jpeg"},
      {".gif", "image/gif"},         {".ico", "image/x-icon"}};
  for (const auto& [end, type] : kTypes) {
    const std::string suffix = end;
    if (path.size() >= suffix.size() &&
        path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0) {
      return type;
    }
  }
  return "application/octet-stream";
}

// Whether the path climbs out of its root.
bool climbs(const std::string& path) {
  int depth = 0;
  for (size_t at = 1; at <= path.size();) {
    const size_t end = path.find('/', at) == std::string::npos ? path.size() : path.find('/', at);
    const std::string part = path.substr(at, end - at);
    if (part == "..")
      --depth;
    else if (!part.empty() && part != ".")
      ++depth;
    if (depth < 0) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

std::string flag_value(const Args& args, const std::string& name, const std::string& fallback) {
  for (size_t i = 0; i < args.size(); ++i) {
    const size_t dashes = args[i].rfind("--", 0) == 0 ? 2 : args[i].rfind('-', 0) == 0 ? 1 : 0;
    if (dashes == 0) continue;
    const std::string word = args[i].substr(dashes);
    if (word == name && i + 1 < args.size()) return args[i + 1];
    if (word.rfind(name + "=", 0) == 0) return word.substr(name.size() + 1);
  }
  return fallback;
}

bool has_flag(const Args& args, const std::string& name) {
  const std::string given = flag_value(args, name, "");
  for (const std::string& a : args) {
    if (a == "--" + name || a == "-" + name) return true;
  }
  return given == "true";
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string env_or(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0 ? value : fallback;
}

HttpResponse serve_file(const std::string& root, const std::string& path,
                        HttpResponse (*error)(int status)) {
  if (path.empty() || path[0] != '/' || climbs(path)) return error(400);
  std::string file = root + path;
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) return error(404);
  if (S_ISDIR(info.st_mode)) {
    if (path.back() != '/') {
      HttpResponse moved = error(301);
      moved.headers.emplace_back("Location", path + "/");
      return moved;
    }
    file += "index.html";
    if (stat(file.c_str(), &info) != 0) return error(403);
  }
  HttpResponse response;
  if (access(file.c_str(), R_OK) != 0 || !read_text(file, &response.body)) return error(403);
  char etag[64];
  std::snprintf(etag, sizeof etag, "\"%lx-%zx\"", static_cast<long>(info.st_mtime),
                response.body.size());
  response.headers = {{"Content-Type", mime_type(file)},
                      {"Last-Modified", http_date(info.st_mtime)},
                      {"ETag", etag},
                      {"Accept-Ranges", "bytes"}};
  return response;
}

void log_combined(const HttpRequest& r, const HttpResponse& response) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char date[64];
  std::strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S +0000", &parts);
  const auto header = [&](const char* name) {
    const auto found = r.headers.find(name);
    return found == r.headers.end() ? std::string("-") : found->second;
  };
  std::printf("%s - - [%s] \"%s %s %s\" %d %zu \"%s\" \"%s\" \"%s\"\n", r.peer.c_str(), date,
              r.method.c_str(), r.target.c_str(), r.version.c_str(), response.status,
              response.body.size(), header("referer").c_str(), header("user-agent").c_str(),
              header("x-forwarded-for").c_str());
  std::fflush(stdout);
}

}  // namespace lab_image
