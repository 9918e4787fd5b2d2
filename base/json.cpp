#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/json_number.hpp"
#include "base/json_words.hpp"
#include "base/json_write.hpp"
#include "base/strings.hpp"

namespace coracle {
namespace {

// Builds the tree and notes repeated members; boost::json::parse would drop the earlier silently.
class TreeHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit TreeHandler(std::vector<std::string>* duplicates) : duplicates_(duplicates) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(json::object()); }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }
  bool on_array_begin(json::error_code&) { return open(json::array()); }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) { return part(s); }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    part(s);
    stack_.back().key = std::move(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) { return part(s); }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    if (text_.empty()) return put(json::value(s));
    part(s);
    put(json::value(json::string_view(text_)));
    text_.clear();
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t i, json::string_view, json::error_code&) { return put(i); }
  bool on_uint64(std::uint64_t u, json::string_view, json::error_code&) { return put(u); }
  bool on_double(double, json::string_view text, json::error_code&) {
    return put(json_double({text.data(), text.size()}));
  }
  bool on_bool(bool b, json::error_code&) { return put(b); }
  bool on_null(json::error_code&) { return put(nullptr); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  json::value take() { return std::move(root_); }

 private:
  struct Frame {
    json::value* node;
    std::string key;
  };

  bool part(json::string_view s) {
    text_.append(s.data(), s.size());
    return true;
  }

  // Children of an unfinished container do not move: a container grows only while it is the top
  // frame, and then it has no open child.
  json::value* place(json::value v) {
    if (stack_.empty()) {
      root_ = std::move(v);
      return &root_;
    }
    Frame& top = stack_.back();
    if (json::array* array = top.node->if_array()) {
      array->push_back(std::move(v));
      return &array->back();
    }
    const auto [at, inserted] = top.node->get_object().emplace(json::string_view(top.key), nullptr);
    if (!inserted && duplicates_ != nullptr) duplicates_->push_back(path());
    at->value() = std::move(v);
    return &at->value();
  }

  std::string path() const {
    std::string text;
    for (const Frame& frame : stack_) {
      if (const json::array* array = frame.node->if_array()) {
        text += fmt::format("[{}]", array->size() - 1);
      } else {
        if (!text.empty()) text += '.';
        text += frame.key;
      }
    }
    return text;
  }

  bool put(json::value v) {
    place(std::move(v));
    return true;
  }
  bool open(json::value v) {
    json::value* node = place(std::move(v));
    stack_.push_back({node, {}});
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  std::vector<std::string>* duplicates_;
  json::value root_;
  std::vector<Frame> stack_;
  std::string text_;
};

// The quick way: members wait on a stack and become an object of the right size at once. It only
// counts members; whether one was repeated shows in what is left of them.
class CountingHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  CountingHandler() : stack_({}, buffer_, sizeof buffer_) {}

  bool on_document_begin(json::error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) {
    members_ += n;
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_key(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t i, json::string_view, json::error_code&) {
    stack_.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, json::string_view, json::error_code&) {
    stack_.push_uint64(u);
    return true;
  }
  bool on_double(double, json::string_view text, json::error_code& error) {
    const double d = json_double({text.data(), text.size()});
    if (!std::isfinite(d)) {  // JSON has no text for it
      error = json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(d);
    return true;
  }
  bool on_bool(bool b, json::error_code&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  json::value take() { return stack_.release(); }
  std::size_t members() const { return members_; }

 private:
  std::size_t members_ = 0;
  unsigned char buffer_[2048];
  json::value_stack stack_;
};

std::size_t count_members(const json::value& value) {
  std::size_t count = 0;
  if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) count += count_members(element);
  } else if (const json::object* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += count_members(member.value());
  }
  return count;
}

// Boost prints 1.5 as 1.5E0; Go (and so every client's expectations) as 1.5, and 1.0 as 1.
void write_double(double d, std::string& out) {
  constexpr double kExact = 1e15;
  if (d > -kExact && d < kExact && d == static_cast<double>(static_cast<std::int64_t>(d))) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(d));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", d);
  }
}

template <class Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The first byte from `at` on that JSON escapes, or the size.
size_t next_special(json::string_view text, size_t at) {
  for (; at + 8 <= text.size(); at += 8) {
    if (json_specials(load<std::uint64_t>(text.data() + at)) != 0) break;
  }
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\') return at;
  }
  return at;
}

// Copies text that needs no escape and says true; else what is at `to` is of no use. Words may
// overlap, so that no byte is looked at alone: most texts are names of 4 to 20 bytes.
bool copy_clean(json::string_view text, char* to) {
  const char* from = text.data();
  const size_t size = text.size();
  if (size >= 8) {
    std::uint64_t found = 0;
    for (size_t at = 0; at + 8 <= size; at += 8) {
      const auto word = load<std::uint64_t>(from + at);
      found |= json_specials(word);
      std::memcpy(to + at, &word, 8);
    }
    const auto last = load<std::uint64_t>(from + size - 8);
    std::memcpy(to + size - 8, &last, 8);
    return (found | json_specials(last)) == 0;
  }
  if (size >= 4) {
    const auto front = load<std::uint32_t>(from), back = load<std::uint32_t>(from + size - 4);
    std::memcpy(to, &front, 4);
    std::memcpy(to + size - 4, &back, 4);
    return json_specials(std::uint64_t{front} << 32 | back) == 0;
  }
  std::memcpy(to, from, size);
  return next_special(text, 0) == size;
}

// Appends to a text with room made ahead, as in a buffer; the text has its size when this is gone.
class Sink {
 public:
  explicit Sink(std::string& out)
      : out_(out), start_(out.size()), at_(out.data() + start_), end_(at_) {}
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() { out_.resize(static_cast<size_t>(at_ - out_.data())); }

  void put(char c) { *room(1)++ = c; }
  void put(json::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  void put_string(json::string_view text);

 private:
  [[gnu::always_inline]] char*& room(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
    return at_;
  }
  // Grows by what was written here, not by all there is: many may append to one long text.
  [[gnu::noinline]] void grow(size_t bytes) {
    const auto used = static_cast<size_t>(at_ - out_.data());
    out_.resize(used + std::max(bytes, used - start_ + 256));
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }
  std::string& out_;
  const size_t start_;
  char* at_;
  char* end_;
};

void Sink::put_string(json::string_view text) {
  char* to = room(text.size() + 2);
  *to = '"';
  if (copy_clean(text, to + 1)) {
    to[text.size() + 1] = '"';
    at_ = to + text.size() + 2;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  put('"');
  size_t clean = 0;  // start of the run that needs no escape
  for (size_t i = next_special(text, 0); i < text.size(); i = next_special(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
    put(text.substr(clean, i - clean));
    clean = i + 1;
    if (const auto escape = short_escape(text[i]); !escape.empty()) {
      put({escape.data(), escape.size()});
      continue;
    }
    put("\\u00");
    put(kHex[c >> 4]);
    put(kHex[c & 15]);
  }
  put(text.substr(clean));
  put('"');
}

void write(const json::value& value, Sink& out) {
  switch (value.kind()) {
    case json::kind::null:
      return out.put("null");
    case json::kind::bool_:
      return out.put(value.get_bool() ? "true" : "false");
    case json::kind::int64: {
      const fmt::format_int text(value.get_int64());
      return out.put({text.data(), text.size()});
    }
    case json::kind::uint64: {
      const fmt::format_int text(value.get_uint64());
      return out.put({text.data(), text.size()});
    }
    case json::kind::double_: {
      std::string text;
      write_double(value.get_double(), text);
      return out.put(text);
    }
    case json::kind::string:
      return out.put_string(value.get_string());
    case json::kind::array: {
      char separator = '[';
      for (const json::value& element : value.get_array()) {
        out.put(std::exchange(separator, ','));
        write(element, out);
      }
      return out.put(separator == '[' ? "[]" : "]");
    }
    case json::kind::object: {
      char separator = '{';
      for (const auto& member : value.get_object()) {
        out.put(std::exchange(separator, ','));
        out.put_string(member.key());
        out.put(':');
        write(member.value(), out);
      }
      return out.put(separator == '{' ? "{}" : "}");
    }
  }
}

void write(const json::value& value, std::string& out) {
  Sink sink(out);
  write(value, sink);
}

void write_string(json::string_view text, std::string& out) { Sink(out).put_string(text); }

std::string where(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fmt::format("line {} column {}", line, column);
}

void pretty(const json::value& value, std::string_view indent, std::string& line,
            std::string& out) {
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{";
    line += indent;
    bool first = true;
    for (const auto& member : *object) {
      if (!first) out += ",";
      first = false;
      out += line;
      write_string(member.key(), out);
      out += ": ";
      pretty(member.value(), indent, line, out);
    }
    line.resize(line.size() - indent.size());
    out += line;
    out += "}";
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[";
    line += indent;
    bool first = true;
    for (const json::value& element : *array) {
      if (!first) out += ",";
      first = false;
      out += line;
      pretty(element, indent, line, out);
    }
    line.resize(line.size() - indent.size());
    out += line;
    out += "]";
  } else {
    write(value, out);
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::vector<std::string>* duplicates,
                               const JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<CountingHandler> parser(options);
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (error) {
    return invalid_argument(fmt::format("{}: {}", where(text, used), error.message()));
  }
  json::value tree = parser.handler().take();
  if (count_members(tree) == parser.handler().members()) return tree;
  // Some are repeated, which is rare: again, by the way that keeps the last and tells where.
  json::basic_parser<TreeHandler> careful(options, duplicates);
  careful.write_some(false, text.data(), text.size(), error);
  return careful.handler().take();
}

void append_json(const json::value& value, std::string* out) { write(value, *out); }
void append_json_string(std::string_view text, std::string* out) { write_string(text, *out); }

std::string to_json(const json::value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string to_pretty_json(const json::value& value, std::string_view indent) {
  std::string out, line = "\n";
  pretty(value, indent, line, out);
  return out;
}

json::value sorted_keys(const json::value& value) {
  if (const json::array* array = value.if_array()) {
    json::array out;
    out.reserve(array->size());
    for (const json::value& element : *array) out.push_back(sorted_keys(element));
    return out;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return value;
  std::vector<const json::key_value_pair*> members;
  members.reserve(object->size());
  for (const auto& member : *object) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  json::object out;
  out.reserve(members.size());
  for (const auto* member : members) out.emplace(member->key(), sorted_keys(member->value()));
  return out;
}

}  // namespace coracle
