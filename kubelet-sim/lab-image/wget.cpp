// wget, as busybox has it: Debian's busybox is built without its time limits, which exercises need
// (`wget --spider --timeout=1`). -q -S -O -P -c -T -t -U -Y --spider --header --post-data
// --no-check-certificate.
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fetch.hpp"
#include "images.hpp"

namespace lab_image {
namespace {

constexpr int kRedirectsMax = 5, kNoLimit = 900;

struct Options {
  Fetch fetch;
  bool quiet = false, spider = false, show_head = false;
  std::string output, folder, url;
};

int usage() {
  std::fprintf(stderr,
               "Usage: wget [-cqS] [--spider] [-O FILE] [--header STR] [--post-data STR]\n"
               "\t[-Y on/off] [-P DIR] [-U AGENT] [-T SEC] URL\n");
  return 1;
}

std::string short_name(char c) {
  switch (c) {
    case 'q':
      return "quiet";
    case 'S':
      return "server-response";
    case 'c':
      return "continue";
    case 'O':
      return "output-document";
    case 'P':
      return "directory-prefix";
    case 'T':
      return "timeout";
    case 't':
      return "tries";
    case 'U':
      return "user-agent";
    case 'Y':
      return "proxy";
    default:
      return "";
  }
}

bool takes_value(const std::string& name) {
  for (const char* one : {"output-document", "directory-prefix", "timeout", "tries", "user-agent",
                          "proxy", "header", "post-data"}) {
    if (name == one) return true;
  }
  return false;
}

bool apply(const std::string& name, const std::string& value, Options* o) {
  if (name == "quiet") return o->quiet = true;
  if (name == "spider") return o->spider = true;
  if (name == "server-response") return o->show_head = true;
  if (name == "output-document") return o->output = value, true;
  if (name == "directory-prefix") return o->folder = value + "/", true;
  if (name == "user-agent") return o->fetch.headers.emplace_back("User-Agent", value), true;
  if (name == "post-data") return o->fetch.body = value, o->fetch.method = "POST", true;
  if (name == "timeout") {
    const int seconds = std::atoi(value.c_str());
    o->fetch.timeout_seconds = seconds > 0 ? seconds : kNoLimit;
    o->fetch.connect_timeout_seconds = o->fetch.timeout_seconds;
    return true;
  }
  if (name == "header") return o->fetch.add_header(value), true;
  return name == "continue" || name == "tries" || name == "proxy" || name == "no-check-certificate";
}

bool read_options(const Args& args, Options* o) {
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (word.size() < 2 || word[0] != '-') {
      o->url = word;
    } else if (word[1] == '-') {
      const size_t equals = word.find('=');
      const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
      std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
      if (takes_value(name) && equals == std::string::npos && i + 1 < args.size())
        value = args[++i];
      if (apply(name, value, o)) continue;
      std::fprintf(stderr, "wget: unrecognized option '%s'\n", word.c_str());
      return false;
    } else {
      for (size_t k = 1; k < word.size(); ++k) {
        const std::string name = short_name(word[k]);
        const std::string rest = word.substr(k + 1);
        const bool valued = takes_value(name);
        const std::string value = !valued               ? ""
                                  : !rest.empty()       ? rest
                                  : i + 1 < args.size() ? args[++i]
                                                        : "";
        if (!apply(name, value, o)) {
          std::fprintf(stderr, "wget: invalid option -- '%c'\n", word[k]);
          return false;
        }
        if (valued) break;
      }
    }
  }
  return !o->url.empty();
}

std::string host_of(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t start = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(start, url.find_first_of(":/?", start) - start);
}

std::string file_name(const std::string& url) {
  const std::string path = url.substr(0, url.find('?'));
  const size_t slash = path.rfind('/');
  const size_t scheme = path.find("://");
  const bool bare =
      slash == std::string::npos || (scheme != std::string::npos && slash < scheme + 3);
  const std::string name = bare ? "" : path.substr(slash + 1);
  return name.empty() ? "index.html" : name;
}

int fail(const FetchResult& r, const std::string& url) {
  const char* const peer = r.peer.c_str();
  if (r.curl_code == 6) {
    std::fprintf(stderr, "wget: bad address '%s'\n", host_of(url).c_str());
  } else if (r.curl_code == 28) {
    std::fprintf(stderr, "wget: download timed out\n");
  } else if (r.curl_code == 7) {
    std::fprintf(stderr, "wget: can't connect to remote host (%s): Connection refused\n", peer);
  } else if (r.curl_code == 1) {
    std::fprintf(stderr, "wget: not an http or ftp url: %s\n", url.c_str());
  } else {
    std::fprintf(stderr, "wget: error getting response: Connection reset by peer\n");
  }
  return 1;
}

int save(const Options& o, const FetchResult& r) {
  if (o.spider) return 0;
  const bool to_output = o.output == "-";
  const std::string name = !o.output.empty() ? o.output : o.folder + file_name(o.url);
  struct stat info{};
  if (o.output.empty() && stat(name.c_str(), &info) == 0) {
    std::fprintf(stderr, "wget: can't open '%s': File exists\n", name.c_str());
    return 1;
  }
  FILE* const file = to_output ? stdout : std::fopen(name.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "wget: can't open '%s': %s\n", name.c_str(), std::strerror(errno));
    return 1;
  }
  const bool written = std::fwrite(r.body.data(), 1, r.body.size(), file) == r.body.size();
  if (!to_output) std::fclose(file);
  if (!o.quiet && !to_output)
    std::fprintf(stderr, "saving to '%s'\n'%s' saved\n", name.c_str(), name.c_str());
  return written ? 0 : 1;
}

}  // namespace

int run_wget(const Args& args) {
  Options o;
  o.fetch.timeout_seconds = o.fetch.connect_timeout_seconds = kNoLimit;
  if (!read_options(args, &o)) return usage();
  if (o.spider) o.fetch.method = "HEAD";
  o.fetch.headers.emplace_back("User-Agent", "Wget");
  o.fetch.insecure = true;  // as busybox's: it has no certificates to believe
  std::string url = o.url;
  FetchResult r;
  for (int hops = 0; hops <= kRedirectsMax; ++hops) {
    o.fetch.url = url;
    r = fetch_url(o.fetch);
    if (!o.quiet && !r.peer.empty()) {
      std::fprintf(stderr, "Connecting to %s (%s)\n", host_of(url).c_str(), r.peer.c_str());
    }
    if (!r.error.empty()) return fail(r, url);
    if (o.show_head) std::fprintf(stderr, "%s\n", r.head.c_str());
    std::string location;
    for (const auto& [name, value] : r.headers) {
      if (name == "location") location = value;
    }
    if (location.empty() || r.status < 300 || r.status >= 400) break;
    url = location[0] == '/' ? "http://" + host_of(url) + location : location;
  }
  if (r.status >= 400) {
    const std::string line = r.head.substr(0, r.head.find_first_of("\r\n"));
    std::fprintf(stderr, "wget: server returned error: %s\n", line.c_str());
    return 1;
  }
  return save(o, r);
}

}  // namespace lab_image
