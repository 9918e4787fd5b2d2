#include "base/json_brief.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <cmath>

#include "base/json_number.hpp"

namespace coracle {
namespace {

class BriefHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  BriefHandler(const JsonBrief::Node& root, json::storage_ptr storage)
      : next_(root.children.empty() ? nullptr : &root), stack_({}, buffer_, sizeof buffer_) {
    stack_.reset(std::move(storage));
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(false); }
  bool on_array_begin(json::error_code&) { return open(true); }
  bool on_object_end(std::size_t n, json::error_code&) {
    if (skipped_ > 0) return close_skipped();
    stack_.push_object(close(n));
    return true;
  }
  bool on_array_end(std::size_t n, json::error_code&) {
    if (skipped_ > 0) return close_skipped();
    stack_.push_array(close(n));
    return true;
  }

  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    if (skipped_ == 0) text_.append(s.data(), s.size());
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    if (skipped_ > 0) return true;
    if (!text_.empty()) s = text_.append(s.data(), s.size());
    if (plain_ == 0) choose_next({s.data(), s.size()});
    if (skipped_ == 0) stack_.push_key(s);
    if (!text_.empty()) text_.clear();
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    if (skipped_ == 0) stack_.push_chars(s);
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
  bool on_double(double, json::string_view text, json::error_code& error) {
    const double d = json_double({text.data(), text.size()});
    if (!std::isfinite(d)) {  // as in parse_json
      error = json::error::exponent_overflow;
      return false;
    }
    if (take()) stack_.push_double(d);
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

  json::value release() { return stack_.release(); }

 private:
  // An open container that has something to leave out below it.
  struct Frame {
    const JsonBrief::Node* node;
    bool array;
    std::size_t left_out = 0;
  };

  void choose_next(std::string_view key) {
    const auto& children = frames_.back().node->children;
    const auto found = children.find(key);
    next_ = found == children.end() ? nullptr : &found->second;
    if (next_ == nullptr || !next_->children.empty()) return;
    skipped_ = 1;
    ++frames_.back().left_out;
  }
  // One level of skipped_ is the member itself.
  bool take() {
    if (skipped_ == 0) return true;
    if (skipped_ == 1) skipped_ = 0;
    return false;
  }
  bool close_skipped() {
    if (--skipped_ == 1) skipped_ = 0;
    return true;
  }
  bool open(bool array) {
    if (skipped_ > 0) {
      ++skipped_;
    } else if (plain_ > 0 || next_ == nullptr) {
      ++plain_;
    } else {
      frames_.push_back({next_, array});
    }
    return true;
  }
  // How many of the `n` parts of the container that ends are kept.
  std::size_t close(std::size_t n) {
    if (plain_ > 0) {
      --plain_;
    } else {
      n -= frames_.back().left_out;
      frames_.pop_back();
    }
    if (plain_ == 0 && !frames_.empty()) {
      next_ = frames_.back().array ? frames_.back().node : nullptr;
    }
    return n;
  }

  const JsonBrief::Node* next_;  // of the value that comes; null: all of it is kept
  std::size_t skipped_ = 0;      // levels of what is left out
  std::size_t plain_ = 0;        // open containers of which all is kept
  std::vector<Frame> frames_;
  std::string text_;
  unsigned char buffer_[2048];
  json::value_stack stack_;
};

// The memory goes after the tree that is in it.
struct Document {
  explicit Document(std::size_t bytes) : memory(bytes) {}
  json::monotonic_resource memory;
  json::value tree;
};

}  // namespace

JsonBrief::JsonBrief(const std::vector<std::string>& left_out) {
  for (const std::string& path : left_out) {
    Node* at = &root_;
    std::size_t start = 0;
    for (std::size_t dot = 0; dot != std::string::npos; start = dot + 1) {
      dot = path.find('.', start);
      at = &at->children[path.substr(start, dot == std::string::npos ? dot : dot - start)];
    }
  }
}

Result<std::shared_ptr<json::value>> JsonBrief::parse(std::string_view text) const {
  // Trees are about twice as large as their texts; more is asked for where that is too little.
  auto document = std::make_shared<Document>(2 * text.size() + 512);
  json::parse_options options;
  options.max_depth = JsonLimits().depth_max;
  json::basic_parser<BriefHandler> parser(options, root_, json::storage_ptr(&document->memory));
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error || used < text.size()) {
    return invalid_argument("not JSON: " + (error ? error.message() : "more after the end"));
  }
  json::value tree = parser.handler().release();
  json::value* const place = &document->tree;
  place->~value();
  new (place) json::value(std::move(tree));  // with the storage it was built in
  return std::shared_ptr<json::value>(document, place);
}

}  // namespace coracle
