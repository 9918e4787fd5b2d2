#include "nginx_config.hpp"

#include <glob.h>

#include <cstdlib>

#include "http.hpp"

namespace lab_image {
namespace {

constexpr int kIncludeDepthMax = 8;

struct Directive {
  std::vector<std::string> words;
  std::vector<Directive> block;
  bool has_block = false;
};

class Parser {
 public:
  Parser(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}

  bool parse(std::vector<Directive>* out) { return block(out, true); }
  const std::string& error() const { return error_; }

 private:
  // Words up to ; or { or } (in `stop`; 0 at the end of the file).
  std::vector<std::string> words(char* stop) {
    std::vector<std::string> out;
    std::string word;
    bool any = false;
    const auto flush = [&] {
      if (any) out.push_back(word);
      word.clear();
      any = false;
    };
    for (*stop = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c == '#' && !any) {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        ++line_;
      } else if ((c == '"' || c == '\'') && !any) {
        for (++at_; at_ < text_.size() && text_[at_] != c; ++at_) {
          if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
            ++at_;
            word += text_[at_] == 'n' ? '\n' : text_[at_];
          } else {
            word += text_[at_];
          }
        }
        any = true;
      } else if (c == ';' || c == '}' || (c == '{' && !(any && word.back() == '$'))) {
        ++at_;
        *stop = c;
        break;
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        flush();
      } else {
        word += c;
        any = true;
      }
    }
    flush();
    return out;
  }

  bool block(std::vector<Directive>* out, bool top) {
    while (true) {
      char stop = 0;
      Directive d;
      d.words = words(&stop);
      if (stop == 0) {
        if (!d.words.empty()) return fail("unexpected end of file, expecting \";\" or \"}\"");
        return top || fail("unexpected end of file, expecting \"}\"");
      }
      if (stop == '}') {
        if (!d.words.empty() || top) return fail("unexpected \"}\"");
        return true;
      }
      if (d.words.empty()) return fail(std::string("unexpected \"") + stop + "\"");
      if (stop == '{') {
        d.has_block = true;
        if (!block(&d.block, false)) return false;
      }
      out->push_back(std::move(d));
    }
  }

  bool fail(const std::string& what) {
    error_ = what + " in " + file_ + ":" + std::to_string(line_);
    return false;
  }

  std::string file_, text_, error_;
  size_t at_ = 0;
  int line_ = 1;
};

bool load(const std::string& file, int depth, std::vector<Directive>* out, std::string* error);

// Puts what `include` names in its place.
bool resolve(const std::string& folder, int depth, std::vector<Directive>* list,
             std::string* error) {
  std::vector<Directive> done;
  for (Directive& d : *list) {
    if (d.words[0] != "include" || d.words.size() < 2) {
      if (!resolve(folder, depth, &d.block, error)) return false;
      done.push_back(std::move(d));
      continue;
    }
    const std::string pattern = d.words[1][0] == '/' ? d.words[1] : folder + "/" + d.words[1];
    glob_t found{};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      for (size_t i = 0; i < found.gl_pathc; ++i) {
        if (!load(found.gl_pathv[i], depth + 1, &done, error)) return globfree(&found), false;
      }
    }
    globfree(&found);
  }
  *list = std::move(done);
  return true;
}

bool load(const std::string& file, int depth, std::vector<Directive>* out, std::string* error) {
  std::string text;
  if (depth > kIncludeDepthMax || !read_text(file, &text)) {
    *error = "open() \"" + file + "\" failed (2: No such file or directory)";
    return false;
  }
  Parser parser(file, text);
  std::vector<Directive> list;
  if (!parser.parse(&list)) return *error = parser.error(), false;
  if (!resolve(file.substr(0, file.rfind('/')), depth, &list, error)) return false;
  for (Directive& d : list) out->push_back(std::move(d));
  return true;
}

void listen(const Directive& d, NginxServer* server) {
  if (d.words.size() < 2) return;
  const size_t colon = d.words[1].rfind(':');
  const std::string text = colon == std::string::npos ? d.words[1] : d.words[1].substr(colon + 1);
  if (d.words[1].rfind("[::", 0) == 0) return;  // the same port again, over IPv6
  const int port = std::atoi(text.c_str());
  if (port <= 0 || port > 65535) return;
  bool tls = false;
  for (const std::string& word : d.words) tls = tls || word == "ssl";
  (tls ? server->tls_ports : server->ports).push_back(port);
}

void common(const Directive& d, NginxLocation* l) {
  const auto& w = d.words;
  if (w[0] == "root" && w.size() > 1) l->root = w[1];
  if (w[0] == "alias" && w.size() > 1) l->alias = w[1];
  if (w[0] == "index" && w.size() > 1) l->index = w[1];
  if (w[0] == "proxy_pass" && w.size() > 1) l->proxy_pass = w[1];
  if (w[0] == "stub_status") l->stub_status = true;
  if (w[0] == "deny") l->denied = w.size() > 1 && w[1] == "all";
  if (w[0] == "add_header" && w.size() > 2) l->headers.emplace_back(w[1], w[2]);
  if (w[0] == "default_type" && w.size() > 1) l->headers.emplace_back("Content-Type", w[1]);
  if (w[0] == "return" && w.size() > 1) {
    l->return_status = std::atoi(w[1].c_str());
    l->return_text = w.size() > 2 ? w[2] : "";
    if (l->return_status == 0) l->return_text = w[1], l->return_status = 302;
  }
}

NginxServer server_of(const Directive& block) {
  NginxServer server;
  server.whole.path = "/";
  server.whole.root = "/etc/nginx/html";
  for (const Directive& d : block.block) {
    if (d.words[0] == "listen") listen(d, &server);
    const auto file = [&d] {
      const std::string name = d.words.size() > 1 ? d.words[1] : "";
      return name.empty() || name[0] == '/' ? name : "/etc/nginx/" + name;
    };
    if (d.words[0] == "ssl_certificate") server.certificate = file();
    if (d.words[0] == "ssl_certificate_key") server.key = file();
    if (d.words[0] == "server_name") server.names.assign(d.words.begin() + 1, d.words.end());
    common(d, &server.whole);
  }
  for (const Directive& d : block.block) {
    if (d.words[0] != "location" || d.words.size() < 2) continue;
    NginxLocation l = server.whole;
    l.return_status = 0;
    l.exact = d.words[1] == "=" && d.words.size() > 2;
    l.path = d.words.back();
    if (l.path.empty() || l.path[0] != '/') continue;  // a regular expression
    for (const Directive& inner : d.block) common(inner, &l);
    server.locations.push_back(std::move(l));
  }
  if (server.ports.empty() && server.tls_ports.empty()) server.ports.push_back(80);
  return server;
}

}  // namespace

bool load_nginx_config(const std::string& file, std::vector<NginxServer>* servers,
                       std::string* error) {
  std::vector<Directive> list;
  if (!load(file, 0, &list, error)) return false;
  for (const Directive& http : list) {
    if (http.words[0] != "http") continue;
    for (const Directive& d : http.block) {
      if (d.words[0] == "server" && d.has_block) servers->push_back(server_of(d));
    }
  }
  return true;
}

const NginxLocation& location_of(const NginxServer& server, const std::string& path) {
  const NginxLocation* best = nullptr;
  for (const NginxLocation& l : server.locations) {
    if (l.exact && l.path == path) return l;
    if (l.exact || path.rfind(l.path, 0) != 0) continue;
    if (best == nullptr || l.path.size() > best->path.size()) best = &l;
  }
  return best != nullptr ? *best : server.whole;
}

}  // namespace lab_image
