#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "base/yaml.hpp"
#include "base/yaml_scalar.hpp"

namespace coracle {
namespace {

constexpr size_t kDepthMax = 200;
constexpr size_t kNodesMax = 2'000'000;  // an alias copies its node: bounds a "billion laughs" text

struct BadDocument {
  int line;
  std::string message;
};

// Turns the event stream of one document into a tree. Throws BadDocument; caught below.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlLines* lines) : lines_(lines) {}
  void OnDocumentStart(const YAML::Mark& mark) override {
    line_ = mark.line + 1;
    position_ = mark.pos;
  }
  int position() const { return position_; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(mark, anchor, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw BadDocument{mark.line + 1, "unknown anchor"};
    put(mark, YAML::NullAnchor, found->second.value, found->second.nodes);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    json::value value = json::value(json::string_view(text));
    yaml::ScalarType type = yaml::ScalarType::kString;
    const bool plain = tag == "?" || tag.empty();
    if (plain ||
        (tag != "!" && tag != "tag:yaml.org,2002:str" && tag != "tag:yaml.org,2002:binary")) {
      type = yaml::resolve_plain(text, &value);
    }
    if (type == yaml::ScalarType::kNotFinite) {
      throw BadDocument{mark.line + 1, fmt::format("JSON has no number {}", text)};
    }
    put(mark, anchor, std::move(value), 1, plain ? &text : nullptr);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, json::object());
  }
  void OnMapEnd() override { close(); }

  YamlDocument take() {
    YamlDocument document;
    document.value = std::move(root_);
    document.line = line_;
    document.duplicates = std::move(duplicates_);
    document.repeats = std::move(repeats_);
    return document;
  }

 private:
  struct Frame {
    json::value node;
    int line;
    YAML::anchor_t anchor;
    size_t nodes = 1;
    bool have_key = false;
    std::string key;
    int key_line = 0;
    std::vector<json::value> merges;
  };
  struct Anchor {
    json::value value;
    size_t nodes;
  };

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, json::value node) {
    if (stack_.size() >= kDepthMax) throw BadDocument{mark.line + 1, "nested too deeply"};
    if (!stack_.empty() && stack_.back().node.is_object() && !stack_.back().have_key) {
      throw BadDocument{mark.line + 1, "a mapping key must be a scalar"};
    }
    stack_.push_back({std::move(node), mark.line + 1, anchor});
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    for (const json::value& merge : frame.merges) {
      for (const auto& member : merge.get_object()) {
        frame.node.get_object().emplace(member.key(), member.value());
      }
    }
    YAML::Mark mark;
    mark.line = frame.line - 1;
    put(mark, frame.anchor, std::move(frame.node), frame.nodes);
  }

  static std::string key_text(const json::value& value, const std::string* plain) {
    if (value.is_string()) return std::string(value.get_string());
    if (value.is_bool() || value.is_number()) return to_json(value);
    return plain != nullptr ? *plain : "null";
  }

  void put(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value, size_t nodes = 1,
           const std::string* plain = nullptr) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {value, nodes};
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& top = stack_.back();
    top.nodes += nodes;
    if (top.nodes > kNodesMax)
      throw BadDocument{mark.line + 1, "document contains excessive aliasing"};
    if (json::array* array = top.node.if_array()) {
      if (lines_ != nullptr) lines_->emplace(path(), mark.line + 1);
      array->push_back(std::move(value));
      return;
    }
    if (!top.have_key) {
      top.key = key_text(value, plain);
      top.key_line = mark.line + 1;
      top.have_key = true;
      if (lines_ != nullptr) lines_->emplace(path(), top.key_line);
      return;
    }
    top.have_key = false;
    if (top.key == "<<") return merge(mark, top, std::move(value));
    json::object& object = top.node.get_object();
    if (object.contains(top.key)) {
      duplicates_.push_back(path());
      repeats_.push_back(
          fmt::format("line {}: key {} already set in map", top.key_line, quoted(top.key)));
    }
    object[top.key] = std::move(value);
  }

  static void merge(const YAML::Mark& mark, Frame& top, json::value value) {
    const auto add = [&](json::value v) {
      if (!v.is_object()) {
        throw BadDocument{mark.line + 1, "map merge requires map or sequence of maps as the value"};
      }
      top.merges.push_back(std::move(v));
    };
    if (json::array* array = value.if_array()) {
      for (json::value& element : *array) add(std::move(element));
    } else {
      add(std::move(value));
    }
  }

  std::string path() const {
    std::string text;
    for (const Frame& frame : stack_) {
      if (const json::array* array = frame.node.if_array()) {
        text += fmt::format("[{}]", array->size());
      } else {
        if (!text.empty()) text += '.';
        text += frame.key;
      }
    }
    return text;
  }

  YamlLines* const lines_;  // null: nobody asks
  json::value root_;
  int line_ = 1, position_ = 0;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::vector<std::string> duplicates_, repeats_;
};

// The library's words for the commonest mistakes, as users of kubectl know them from go-yaml.
std::string familiar(const std::string& message, std::string_view text, int line) {
  const auto lines = split(text, '\n');
  if (line >= 1 && static_cast<size_t>(line) <= lines.size()) {
    const std::string& at = lines[static_cast<size_t>(line) - 1];
    const size_t indent = at.find_first_not_of(" \t");
    if (at.substr(0, indent).find('\t') != std::string::npos) {
      return "found character that cannot start any token";
    }
  }
  static const std::map<std::string, std::string> words = {
      {YAML::ErrorMsg::MAP_VALUE, "mapping values are not allowed in this context"},
      {YAML::ErrorMsg::MAP_KEY, "did not find expected key"},
      {YAML::ErrorMsg::END_OF_MAP, "did not find expected key"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "block sequence entries are not allowed in this context"},
      {YAML::ErrorMsg::END_OF_SEQ, "did not find expected '-' indicator"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "did not find expected ',' or ']'"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "did not find expected ',' or '}'"},
  };
  const auto found = words.find(message);
  return found == words.end() ? message : found->second;
}

// What go-yaml's reader does not let pass: bytes that are no Unicode, and controls. "" if all do.
std::string_view unreadable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return "invalid leading UTF-8 octet";
    const auto c = static_cast<unsigned char>(text[at]);
    const bool blank = c == '\t' || c == '\n' || c == '\r';
    // U+0080 to U+009F but U+0085 (next line), and U+FFFE, U+FFFF.
    const std::string_view rest = text.substr(at, length);
    const bool high =
        (c == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0 && rest != "\xc2\x85") ||
        rest == "\xef\xbf\xbe" || rest == "\xef\xbf\xbf";
    if ((c < 0x20 && !blank) || c == 0x7f || high) return "control characters are not allowed";
    at += length;
  }
  return {};
}

}  // namespace

namespace {

Result<std::vector<YamlDocument>> parse(std::string_view text, YamlLines* lines) {
  if (const auto why = unreadable(text); !why.empty()) {
    return invalid_argument("yaml: " + std::string(why));
  }
  std::vector<YamlDocument> documents;
  const auto fail = [](int line, const std::string& message) {
    return invalid_argument(fmt::format("yaml: line {}: {}", line, message));
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    for (int last = -1; parser;) {
      TreeBuilder builder(lines);
      if (!parser.HandleNextDocument(builder)) break;
      // What begins no document is taken for an empty one, again and again.
      const bool stuck = std::exchange(last, builder.position()) == builder.position();
      if (stuck) return fail(builder.take().line, "did not find expected <document start>");
      YamlDocument document = builder.take();
      if (!document.value.is_null()) documents.push_back(std::move(document));
    }
  } catch (const BadDocument& bad) {
    return fail(bad.line, bad.message);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.line + 1;
    return fail(line, familiar(error.msg, text, line));
  }
  return documents;
}

Result<YamlDocument> one_document(std::string_view text, YamlLines* lines) {
  ASSIGN_OR_RETURN(auto documents, parse(text, lines));
  if (documents.size() != 1) {
    return invalid_argument(fmt::format("yaml: expected one document, found {}", documents.size()));
  }
  return std::move(documents[0]);
}

}  // namespace

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text) { return parse(text, nullptr); }

Result<json::value> parse_yaml_one(std::string_view text) {
  ASSIGN_OR_RETURN(auto document, one_document(text, nullptr));
  return std::move(document.value);
}

Result<json::value> parse_yaml_strict(std::string_view text, YamlLines* lines) {
  ASSIGN_OR_RETURN(auto document, one_document(text, lines));
  if (!document.repeats.empty()) {
    return invalid_argument("yaml: " + join(document.repeats, "; "));
  }
  return std::move(document.value);
}

}  // namespace coracle
