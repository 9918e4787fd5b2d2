// curl, as far as exercises type it: -s -S -f -v -i -I -L -k -o -O -X -d -H -A -w -m
// --connect-timeout --cacert.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fetch.hpp"
#include "images.hpp"

namespace lab_image {
namespace {

constexpr int kRedirectsMax = 50;

struct Options {
  Fetch fetch;
  bool silent = false, show_error = false, fail = false, head_too = false, head_only = false,
       follow = false, verbose = false;
  std::string output, write_out;
  std::vector<std::string> urls;
};

// The value of an option that takes one; null: there is none.
const char* long_of(char c) {
  switch (c) {
    case 's':
      return "silent";
    case 'S':
      return "show-error";
    case 'f':
      return "fail";
    case 'v':
      return "verbose";
    case 'i':
      return "include";
    case 'I':
      return "head";
    case 'L':
      return "location";
    case 'k':
      return "insecure";
    case 'g':
      return "globoff";
    case 'q':
      return "disable";
    case '4':
      return "ipv4";
    case 'o':
      return "output";
    case 'X':
      return "request";
    case 'd':
      return "data";
    case 'H':
      return "header";
    case 'A':
      return "user-agent";
    case 'w':
      return "write-out";
    case 'm':
      return "max-time";
    default:
      return "";
  }
}

bool takes_value(const std::string& name) {
  for (const char* one : {"output", "request", "data", "header", "user-agent", "write-out",
                          "max-time", "connect-timeout", "retry", "cacert"}) {
    if (name == one) return true;
  }
  return false;
}

bool apply(const std::string& name, const std::string& value, Options* o) {
  if (name == "silent") return o->silent = true;
  if (name == "show-error") return o->show_error = true;
  if (name == "fail") return o->fail = true;
  if (name == "verbose") return o->verbose = true;
  if (name == "include") return o->head_too = true;
  if (name == "location") return o->follow = true;
  if (name == "insecure") return o->fetch.insecure = true;
  if (name == "cacert") return o->fetch.ca_file = value, true;
  if (name == "globoff" || name == "ipv4" || name == "retry" || name == "disable") return true;
  if (name == "head") return o->fetch.method = "HEAD", o->head_only = true;
  if (name == "output") return o->output = value, true;
  if (name == "request") return o->fetch.method = value, true;
  if (name == "write-out") return o->write_out = value, true;
  if (name == "max-time") return o->fetch.timeout_seconds = std::max(1, std::atoi(value.c_str()));
  if (name == "connect-timeout") {
    return o->fetch.connect_timeout_seconds = std::max(1, std::atoi(value.c_str()));
  }
  if (name == "data") {
    o->fetch.body += (o->fetch.body.empty() ? "" : "&") + value;
    if (o->fetch.method == "GET") o->fetch.method = "POST";
    return true;
  }
  if (name == "user-agent") return o->fetch.headers.emplace_back("User-Agent", value), true;
  if (name == "header") return o->fetch.add_header(value), true;
  return false;
}

bool read_options(const Args& args, Options* o) {
  const auto unknown = [](const std::string& word) {
    std::fprintf(stderr, "curl: option %s: is unknown\n", word.c_str());
    return false;
  };
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (word.size() < 2 || word[0] != '-') {
      o->urls.push_back(word);
    } else if (word[1] == '-') {
      const std::string name = word.substr(2);
      const std::string value = takes_value(name) && i + 1 < args.size() ? args[++i] : "";
      if (!apply(name, value, o)) return unknown(word);
    } else {
      for (size_t k = 1; k < word.size(); ++k) {
        const std::string name = long_of(word[k]);
        if (!takes_value(name)) {
          if (!apply(name, "", o)) return unknown(word);
          continue;
        }
        const std::string rest = word.substr(k + 1);
        apply(name, !rest.empty() ? rest : i + 1 < args.size() ? args[++i] : "", o);
        break;
      }
    }
  }
  return true;
}

void write_out(const Options& o, const FetchResult& r) {
  std::string text;
  for (size_t i = 0; i < o.write_out.size(); ++i) {
    if (o.write_out.compare(i, 12, "%{http_code}") == 0) {
      char code[8];
      std::snprintf(code, sizeof code, "%03d", r.status);
      text += code;
      i += 11;
    } else if (o.write_out.compare(i, 2, "\\n") == 0) {
      text += '\n';
      ++i;
    } else {
      text += o.write_out[i];
    }
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int get(Options o, std::string url) {
  FetchResult r;
  for (int hops = 0; hops < kRedirectsMax; ++hops) {
    o.fetch.url = url;
    r = fetch_url(o.fetch);
    std::string location;
    for (const auto& [name, value] : r.headers) {
      if (name == "location") location = value;
    }
    if (!o.follow || location.empty() || r.status < 300 || r.status >= 400) break;
    if (location[0] == '/') {
      const size_t scheme = url.find("://");
      const size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
      location = url.substr(0, slash) + location;
    }
    url = location;
  }
  const bool refused = r.error.empty() && o.fail && r.status >= 400;
  if (refused) {
    r.curl_code = 22;
    r.error = "The requested URL returned error: " + std::to_string(r.status);
  }
  if (r.error.empty()) {
    std::string out = o.head_too || o.head_only ? r.head + "\r\n" : "";
    if (o.verbose) std::fprintf(stderr, "< %s\n", r.head.c_str());
    if (!o.head_only) out += r.body;
    FILE* file = o.output.empty() ? stdout : std::fopen(o.output.c_str(), "w");
    if (file == nullptr) {
      std::fprintf(stderr, "curl: (23) Failure writing output to destination\n");
      return 23;
    }
    std::fwrite(out.data(), 1, out.size(), file);
    if (file != stdout) std::fclose(file);
  } else if (!o.silent || o.show_error) {
    std::fprintf(stderr, "curl: (%d) %s\n", r.curl_code, r.error.c_str());
  }
  write_out(o, r);
  return r.curl_code;
}

}  // namespace

int run_curl(const Args& args) {
  Options options;
  if (!read_options(args, &options)) return 2;
  if (options.urls.empty()) {
    std::fprintf(stderr, "curl: (2) no URL specified\n");
    return 2;
  }
  const auto& headers = options.fetch.headers;
  if (std::none_of(headers.begin(), headers.end(),
                   [](const auto& h) { return h.first == "User-Agent"; })) {
    options.fetch.headers.emplace_back("User-Agent", "curl/8.5.0");
  }
  options.fetch.headers.emplace_back("Accept", "*/*");
  int code = 0;
  for (const std::string& url : options.urls) code = get(options, url);
  return code;
}

}  // namespace lab_image
