// The writer follows libyaml's emitter as go-yaml v2 drives it, because kubectl prints with that:
// block style, sequences not indented under their key, folding of long scalars after column 80.
#include <string>

#include "base/yaml.hpp"
#include "base/yaml_scalar.hpp"

namespace coracle {
namespace {

constexpr int kWidth = 80;

struct Analysis {
  bool plain = true;
  bool single = true;
  bool block = true;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The emitter escapes tabs, so a text that holds one is printed in double quotes.
bool is_printable(unsigned char c) { return c == '\n' || (c >= 0x20 && c != 0x7f); }

Analysis analyse(std::string_view s) {
  Analysis a;
  if (s.empty()) return {false, true, false};
  bool indicator = s.starts_with("---") || s.starts_with("...");
  bool leading_space = false, leading_break = false, trailing_space = false, trailing_break = false;
  bool break_space = false, space_break = false, line_breaks = false, special = false;
  bool previous_space = false, previous_break = false;
  for (size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    const bool after_space = i == 0 || is_blank(s[i - 1]) || s[i - 1] == '\n';
    const bool before_space = i + 1 >= s.size() || is_blank(s[i + 1]) || s[i + 1] == '\n';
    if (i == 0) {
      if (std::string_view("#,[]{}&*!|>'\"%@`").find(c) != std::string_view::npos) indicator = true;
      if ((c == '?' || c == ':' || c == '-') && before_space) indicator = true;
    } else {
      if (c == ':' && before_space) indicator = true;
      if (c == '#' && after_space) indicator = true;
    }
    if (!is_printable(static_cast<unsigned char>(c))) special = true;
    if (c == '\n') line_breaks = true;
    if (c == ' ') {
      if (i == 0) leading_space = true;
      if (i + 1 == s.size()) trailing_space = true;
      if (previous_break) break_space = true;
      previous_space = true;
      previous_break = false;
    } else if (c == '\n') {
      if (i == 0) leading_break = true;
      if (i + 1 == s.size()) trailing_break = true;
      if (previous_space) space_break = true;
      previous_space = false;
      previous_break = true;
    } else {
      previous_space = previous_break = false;
    }
  }
  if (leading_space || leading_break || trailing_space || trailing_break) a.plain = false;
  if (trailing_space) a.block = false;
  if (break_space) a.plain = a.single = false;
  if (space_break || special) a.plain = a.single = a.block = false;
  if (line_breaks || indicator) a.plain = false;
  return a;
}

// Numbers in base 60 ("1:30") that YAML 1.1 readers would take for a number.
bool is_base60(std::string_view s) {
  if (s.empty() || s.find(':') == std::string_view::npos) return false;
  size_t i = s[0] == '-' || s[0] == '+' ? 1 : 0;
  if (i >= s.size() || s[i] < '0' || s[i] > '9') return false;
  for (; i < s.size(); ++i) {
    if ((s[i] < '0' || s[i] > '9') && s[i] != ':' && s[i] != '.' && s[i] != '_') return false;
  }
  return true;
}

class Emitter {
 public:
  std::string take() { return std::move(out_); }

  void document(const json::value& value) {
    node(value, 0, false);
    if (out_.empty() || out_.back() != '\n') out_ += '\n';
  }

 private:
  // `indent`: the column of this node's own lines; `inline_start`: the cursor already stands there.
  void node(const json::value& value, int indent, bool inline_start) {
    if (const json::object* object = value.if_object(); object && !object->empty()) {
      bool first = inline_start;
      for (const auto& member : *object) {
        if (!first) pad(indent);
        first = false;
        scalar_text({member.key().data(), member.key().size()}, indent, true);
        write(":");
        child(member.value(), indent, true);
      }
    } else if (const json::array* array = value.if_array(); array && !array->empty()) {
      bool first = inline_start;
      for (const json::value& element : *array) {
        if (!first) pad(indent);
        first = false;
        write("-");
        child(element, indent, false);
      }
    } else {
      leaf(value, indent);
      newline();
    }
  }

  void child(const json::value& value, int indent, bool in_map) {
    const bool map = value.is_object() && !value.get_object().empty();
    const bool list = value.is_array() && !value.get_array().empty();
    if (in_map && map) {
      newline();
      node(value, indent + 2, false);
    } else if (in_map && list) {
      newline();
      node(value, indent, false);
    } else if (map || list) {
      write(" ");
      node(value, indent + 2, true);
    } else {
      write(" ");
      leaf(value, indent);
      newline();
    }
  }

  void leaf(const json::value& value, int indent) {
    if (value.is_string()) {
      const json::string& text = value.get_string();
      scalar_text({text.data(), text.size()}, indent, false);
    } else if (value.is_object()) {
      write("{}");
    } else if (value.is_array()) {
      write("[]");
    } else {
      write(to_json(value));
    }
  }

  void scalar_text(std::string_view s, int indent, bool is_key) {
    const Analysis a = analyse(s);
    const bool string_when_plain =
        yaml::resolve_plain(s, nullptr) == yaml::ScalarType::kString && !is_base60(s);
    if (s.find('\n') != std::string_view::npos && !is_key) {
      if (a.block) return literal(s, indent + 2);
      return double_quoted(s, indent + 2, true);
    }
    if (!string_when_plain) return double_quoted(s, indent + 2, !is_key);
    if (a.plain) return plain(s, indent + 2, !is_key);
    // A line break stays one in single quotes only if it is doubled: not in a key.
    const bool breaks = s.find('\n') != std::string_view::npos;
    if (a.single && !breaks) return single_quoted(s, indent + 2, !is_key);
    double_quoted(s, indent + 2, !is_key);
  }

  bool folds_at(std::string_view s, size_t i, bool may_fold) const {
    return may_fold && column() > kWidth && i > 0 && i + 1 < s.size() && s[i - 1] != ' ' &&
           s[i + 1] != ' ';
  }

  void plain(std::string_view s, int indent, bool may_fold) {
    for (size_t i = 0; i < s.size(); ++i) {
      if (s[i] == ' ' && folds_at(s, i, may_fold))
        fold(indent);
      else
        out_ += s[i];
    }
  }

  void single_quoted(std::string_view s, int indent, bool may_fold) {
    out_ += '\'';
    for (size_t i = 0; i < s.size(); ++i) {
      if (s[i] == ' ' && folds_at(s, i, may_fold))
        fold(indent);
      else if (s[i] == '\'')
        out_ += "''";
      else
        out_ += s[i];
    }
    out_ += '\'';
  }

  void double_quoted(std::string_view s, int indent, bool may_fold) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    out_ += '"';
    for (size_t i = 0; i < s.size(); ++i) {
      const auto c = static_cast<unsigned char>(s[i]);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += s[i];
      } else if (c == '\n') {
        out_ += "\\n";
      } else if (c == '\t') {
        out_ += "\\t";
      } else if (c == '\r') {
        out_ += "\\r";
      } else if (c == 0) {
        out_ += "\\0";
      } else if (c < 0x20 || c == 0x7f) {
        out_ += "\\x";
        out_ += kHex[c >> 4];
        out_ += kHex[c & 15];
      } else if (c == ' ' && may_fold && column() > kWidth && i > 0 && i + 1 < s.size() &&
                 s[i - 1] != ' ') {
        fold(indent);
        if (s[i + 1] == ' ') out_ += '\\';
      } else {
        out_ += s[i];
      }
    }
    out_ += '"';
  }

  void literal(std::string_view s, int indent) {
    out_ += '|';
    if (s[0] == ' ' || s[0] == '\n') out_ += '2';
    if (s.back() != '\n')
      out_ += '-';
    else if (s.size() == 1 || s[s.size() - 2] == '\n')
      out_ += '+';
    bool at_line_start = true;
    out_ += '\n';
    for (const char c : s) {
      if (c != '\n' && at_line_start) pad(indent);
      at_line_start = c == '\n';
      out_ += c;
    }
  }

  int column() const {
    const size_t line = out_.rfind('\n');
    const size_t start = line == std::string::npos ? 0 : line + 1;
    int count = 0;  // characters, not bytes
    for (size_t i = start; i < out_.size(); ++i) {
      if ((static_cast<unsigned char>(out_[i]) & 0xc0) != 0x80) ++count;
    }
    return count;
  }

  void write(std::string_view text) { out_ += text; }
  void pad(int indent) { out_.append(static_cast<size_t>(indent), ' '); }
  void newline() {
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
  }
  void fold(int indent) {
    out_ += '\n';
    pad(indent);
  }

  std::string out_;
};

}  // namespace

std::string to_yaml(const json::value& value) {
  Emitter emitter;
  emitter.document(value);
  return emitter.take();
}

}  // namespace coracle
