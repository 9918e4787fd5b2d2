// The functions of go-templates, and how values read as truth and as text.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "text/gotemplate_node.hpp"

namespace coracle::text {
namespace {

using Args = std::vector<json::value>;

double number_of(const json::value& v) {
  return v.is_int64()    ? static_cast<double>(v.as_int64())
         : v.is_uint64() ? static_cast<double>(v.as_uint64())
                         : v.as_double();
}

Status wrong_count(const std::string& name, size_t want, size_t got) {
  return invalid_argument("wrong number of args for " + name + ": want " + std::to_string(want) +
                          " got " + std::to_string(got));
}

bool equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return number_of(a) == number_of(b);
  return a == b;
}

Result<int> compare(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    const double x = number_of(a), y = number_of(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_string() && b.is_string()) return a.as_string().compare(b.as_string());
  return invalid_argument("incompatible types for comparison");
}

Result<json::value> index_one(const json::value& of, const json::value& key) {
  if (of.is_null()) return invalid_argument("index of untyped nil");
  if (const json::object* object = of.if_object()) {
    if (!key.is_string()) return invalid_argument("value has type float64; should be string");
    const json::value* found = object->if_contains(key.as_string());
    return found ? *found : json::value();
  }
  if (!key.is_number()) return invalid_argument("cannot index slice/array with type string");
  const auto at = static_cast<std::int64_t>(number_of(key));
  const std::int64_t size = of.is_array()    ? static_cast<std::int64_t>(of.as_array().size())
                            : of.is_string() ? static_cast<std::int64_t>(of.as_string().size())
                                             : -1;
  if (size < 0) return invalid_argument("can't index item of this type");
  if (at < 0 || at >= size) {
    return invalid_argument("index out of range: " + std::to_string(at));
  }
  if (of.is_array()) return of.as_array()[static_cast<size_t>(at)];
  return json::value(static_cast<std::int64_t>(
      static_cast<unsigned char>(of.as_string()[static_cast<size_t>(at)])));
}

Result<json::value> slice(const Args& args) {
  if (args.empty()) return wrong_count("slice", 1, 0);
  const json::value& of = args[0];
  const size_t size = of.is_array()    ? of.as_array().size()
                      : of.is_string() ? of.as_string().size()
                                       : 0;
  size_t from = 0, to = size;
  if (args.size() > 1 && args[1].is_number()) from = static_cast<size_t>(number_of(args[1]));
  if (args.size() > 2 && args[2].is_number()) to = static_cast<size_t>(number_of(args[2]));
  if (from > to || to > size) return invalid_argument("index out of range: " + std::to_string(to));
  if (of.is_string()) return json::value(std::string_view(of.as_string()).substr(from, to - from));
  if (!of.is_array()) return invalid_argument("can't slice item of this type");
  json::array out(of.as_array().begin() + static_cast<std::ptrdiff_t>(from),
                  of.as_array().begin() + static_cast<std::ptrdiff_t>(to));
  return json::value(std::move(out));
}

std::string one_verb(const std::string& verb, const json::value& value) {
  char buffer[128];
  switch (verb.back()) {
    case 'q':
      return value.is_string() ? quoted(value.as_string()) : template_text(value);
    case 'd':
      if (!value.is_number()) return "%!d(" + template_text(value) + ")";
      std::snprintf(buffer, sizeof buffer, (verb.substr(0, verb.size() - 1) + "lld").c_str(),
                    static_cast<long long>(number_of(value)));
      return buffer;
    case 'f':
    case 'e':
    case 'g':
      if (!value.is_number())
        return "%!" + verb.substr(verb.size() - 1) + "(" + template_text(value) + ")";
      std::snprintf(buffer, sizeof buffer, verb.c_str(), number_of(value));
      return buffer;
    default: {
      std::string text = template_text(value);
      const std::string spec = verb.substr(1, verb.size() - 2);
      const bool left = !spec.empty() && spec.front() == '-';
      long long width = 0;
      parse_int(left ? spec.substr(1) : spec, &width);
      const size_t want = static_cast<size_t>(std::clamp(width, 0LL, 1000LL));
      if (text.size() < want) {
        left ? text.append(want - text.size(), ' ') : text.insert(0, want - text.size(), ' ');
      }
      return text;
    }
  }
}

std::string printf_text(const Args& args) {
  const std::string format = template_text(args[0]);
  std::string out;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const size_t end = format.find_first_not_of("+-# 0123456789.", i + 1);
    if (end == format.npos) return out + "%!(NOVERB)";
    if (format[end] == '%') {
      out += '%';
    } else if (next >= args.size()) {
      out += std::string("%!") + format[end] + "(MISSING)";
    } else {
      out += one_verb(format.substr(i, end - i + 1), args[next++]);
    }
    i = end;
  }
  return out;
}

std::string print_text(const Args& args, bool line) {
  std::string out;
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0 && (line || (!args[i].is_string() && !args[i - 1].is_string()))) out += ' ';
    out += template_text(args[i]);
  }
  return line ? out + "\n" : out;
}

Result<json::value> compare_call(const std::string& name, const Args& args) {
  if (args.size() < 2) return wrong_count(name, 2, args.size());
  if (name == "eq") {
    return json::value(std::any_of(args.begin() + 1, args.end(),
                                   [&](const json::value& v) { return equal(args[0], v); }));
  }
  if (name == "ne") return json::value(!equal(args[0], args[1]));
  ASSIGN_OR_RETURN(const int order, compare(args[0], args[1]));
  return json::value(name == "lt"   ? order < 0
                     : name == "le" ? order <= 0
                     : name == "gt" ? order > 0
                                    : order >= 0);
}

std::string html_text(std::string text) {
  text = replace_all(text, "&", "&amp;");
  text = replace_all(text, "\"", "&#34;");
  text = replace_all(text, "'", "&#39;");
  text = replace_all(text, "<", "&lt;");
  return replace_all(text, ">", "&gt;");
}

Result<json::value> unary_call(const std::string& name, const Args& args) {
  if (args.size() != 1) return wrong_count(name, 1, args.size());
  const json::value& arg = args[0];
  if (name == "not") return json::value(!template_truth(arg));
  if (name == "html") return json::value(html_text(template_text(arg)));
  if (name == "js") return json::value(replace_all(template_text(arg), "\"", "\\\""));
  if (name == "urlquery") return json::value(percent_encode(template_text(arg)));
  if (name == "base64decode") {
    auto decoded = base64_decode(template_text(arg));
    if (!decoded.ok()) return invalid_argument("illegal base64 data at input byte 0");
    return json::value(*decoded);
  }
  if (arg.is_array()) return json::value(static_cast<std::int64_t>(arg.as_array().size()));
  if (arg.is_object()) return json::value(static_cast<std::int64_t>(arg.as_object().size()));
  if (arg.is_string()) return json::value(static_cast<std::int64_t>(arg.as_string().size()));
  return invalid_argument(arg.is_null() ? "len of nil pointer" : "len of type float64");
}

}  // namespace

bool is_template_function(const std::string& name) {
  for (const char* known : {"and",     "or",   "not", "eq",       "ne",     "lt",          "le",
                            "gt",      "ge",   "len", "index",    "slice",  "print",       "printf",
                            "println", "html", "js",  "urlquery", "exists", "base64decode"}) {
    if (name == known) return true;
  }
  return false;
}

bool template_truth(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return false;
    case json::kind::bool_:
      return v.as_bool();
    case json::kind::string:
      return !v.as_string().empty();
    case json::kind::array:
      return !v.as_array().empty();
    case json::kind::object:
      return !v.as_object().empty();
    default:
      return number_of(v) != 0;
  }
}

std::string template_text(const json::value& v) {
  std::string out;
  switch (v.kind()) {
    case json::kind::null:
      return "<no value>";
    case json::kind::bool_:
      return v.as_bool() ? "true" : "false";
    case json::kind::string:
      return std::string(v.as_string());
    case json::kind::array:
      for (const json::value& item : v.as_array()) {
        out += (out.empty() ? "" : " ") + (item.is_null() ? "<nil>" : template_text(item));
      }
      return "[" + out + "]";
    case json::kind::object: {
      std::vector<std::string> parts;
      for (const auto& [key, item] : v.as_object()) {
        parts.push_back(std::string(key) + ":" + (item.is_null() ? "<nil>" : template_text(item)));
      }
      std::sort(parts.begin(), parts.end());
      return "map[" + join(parts, " ") + "]";
    }
    default: {
      // %v of a float64: the shortest digits that read back, with an exponent from 1e6 on.
      const double number = number_of(v);
      const double size = std::fabs(number);
      const bool scientific = size >= 1e6 || (size != 0 && size < 1e-4);
      char buffer[64];
      for (int digits = 0; digits <= 17; ++digits) {
        const char* form = scientific ? "%.*e" : "%.*f";
        std::snprintf(buffer, sizeof buffer, form, digits, number);
        if (std::strtod(buffer, nullptr) == number) break;
      }
      return buffer;
    }
  }
}

Result<json::value> call_template_function(const std::string& name, const Args& args) {
  if (name == "print" || name == "println") return json::value(print_text(args, name == "println"));
  if (name == "printf") {
    if (args.empty()) return wrong_count(name, 1, 0);
    return json::value(printf_text(args));
  }
  if (name == "slice") return slice(args);
  if (name == "index" || name == "exists") {
    if (args.empty()) return wrong_count(name, 1, 0);
    json::value at = args[0];
    for (size_t i = 1; i < args.size(); ++i) {
      auto next = index_one(at, args[i]);
      if (!next.ok() && name == "exists") return json::value(false);
      if (!next.ok()) return next.status();
      json::value found = std::move(*next);
      at = std::move(found);
    }
    return name == "exists" ? json::value(!at.is_null()) : at;
  }
  for (const char* comparison : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    if (name == comparison) return compare_call(name, args);
  }
  return unary_call(name, args);
}

}  // namespace coracle::text
