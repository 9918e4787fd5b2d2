#include "base/json_parts.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "base/json_number.hpp"

namespace coracle {
namespace {

// Keeps what the nodes name. Containers that are not wanted are counted, not built.
class PartsHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit PartsHandler(const JsonParts::Node& root)
      : next_(&root), stack_({}, buffer_, sizeof buffer_) {}

  bool on_document_begin(json::error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(false); }
  bool on_array_begin(json::error_code&) { return open(true); }
  bool on_object_end(std::size_t, json::error_code&) { return close(false); }
  bool on_array_end(std::size_t, json::error_code&) { return close(true); }

  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    if (skipped_ == 0) text_.append(s.data(), s.size());
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    if (skipped_ > 0) return true;
    if (!text_.empty()) s = text_.append(s.data(), s.size());
    const Frame& top = frames_.back();
    next_ = below(top.node, {s.data(), s.size()});
    if (next_ != nullptr) stack_.push_key(s);
    text_.clear();
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    if (wanted()) stack_.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    if (take()) stack_.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t i, json::string_view, json::error_code&) {
    if (take()) stack_.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, json::string_view, json::error_code&) {
    if (take()) stack_.push_uint64(u);
    return true;
  }
  bool on_double(double, json::string_view text, json::error_code&) {
    if (take()) stack_.push_double(json_double({text.data(), text.size()}));
    return true;
  }
  bool on_bool(bool b, json::error_code&) {
    if (take()) stack_.push_bool(b);
    return true;
  }
  bool on_null(json::error_code&) {
    if (take()) stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  json::value take_root() { return stack_.release(); }

 private:
  struct Frame {
    const JsonParts::Node* node;
    std::size_t kept = 0;
  };

  static bool whole(const JsonParts::Node* node) { return node->children.empty(); }
  // nullptr: not wanted.
  static const JsonParts::Node* below(const JsonParts::Node* node, std::string_view key) {
    if (whole(node)) return node;
    const auto at = node->children.find(key);
    return at == node->children.end() ? nullptr : &at->second;
  }
  bool wanted() const { return skipped_ == 0 && next_ != nullptr; }
  bool take() {
    if (!wanted()) return false;
    if (!frames_.empty()) ++frames_.back().kept;
    return true;
  }

  bool open(bool array) {
    // No path goes through an array.
    if (!wanted() || (array && !whole(next_))) {
      ++skipped_;
      return true;
    }
    frames_.push_back({next_});
    return true;
  }
  bool close(bool array) {
    if (skipped_ > 0) {
      // A member whose key was kept, but whose value was an array on the way: null, as good as
      // none.
      if (--skipped_ == 0 && next_ != nullptr && take()) stack_.push_null();
      return true;
    }
    const Frame done = frames_.back();
    frames_.pop_back();
    array ? stack_.push_array(done.kept) : stack_.push_object(done.kept);
    next_ = done.node;  // the elements of an array that is wanted are all wanted
    if (!frames_.empty()) ++frames_.back().kept;
    if (!frames_.empty()) next_ = frames_.back().node;
    return true;
  }

  const JsonParts::Node* next_;  // of the value that comes
  std::size_t skipped_ = 0;      // open containers that are not wanted
  std::vector<Frame> frames_;
  std::string text_;
  unsigned char buffer_[2048];
  json::value_stack stack_;
};

}  // namespace

JsonParts::JsonParts(const std::vector<std::string>& paths) {
  const auto covered = [&](const std::string& path) {
    return std::any_of(paths.begin(), paths.end(),
                       [&](const std::string& other) { return path.starts_with(other + "."); });
  };
  for (const std::string& path : paths) {
    if (covered(path)) continue;
    Node* at = &root_;
    std::size_t start = 0;
    for (std::size_t dot = 0; dot != std::string::npos; start = dot + 1) {
      dot = path.find('.', start);
      at = &at->children[path.substr(start, dot == std::string::npos ? dot : dot - start)];
    }
  }
}

Result<json::value> JsonParts::parse(std::string_view text) const {
  json::parse_options options;
  options.max_depth = JsonLimits().depth_max;
  json::basic_parser<PartsHandler> parser(options, root_);
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error || used < text.size()) {
    return invalid_argument("not JSON: " + (error ? error.message() : "more after the end"));
  }
  return parser.handler().take_root();
}

}  // namespace coracle
