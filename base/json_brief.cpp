#include "base/json_brief.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value_stack.hpp>
#include <cstring>
#include <optional>

#include "base/json_words.hpp"

namespace coracle {
namespace {

// As json_specials, and for what is above 0x7f.
std::uint64_t not_plain(std::uint64_t word) { return json_specials(word) | (word & kWordTops); }

// One document, by one who descends into it. What is rare (an escape, a character that is not
// ASCII, a number that is not a short integer) is left to parse_json, a token at a time.
class Reader {
 public:
  Reader(std::string_view text, json::storage_ptr storage)
      : at_(text.data()), end_(text.data() + text.size()), stack_({}, buffer_, sizeof buffer_) {
    stack_.reset(std::move(storage));
  }

  // All of it but for what the nodes leave out. False: it is no JSON.
  bool read(const JsonBrief::Node& root) {
    if (!value(root.children.empty() ? nullptr : &root)) return false;
    skip_space();
    return at_ == end_;
  }
  json::value release() { return stack_.release(); }

 private:
  using Node = JsonBrief::Node;

  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool next_is(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) return false;
    if (std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }

  bool value(const Node* node) {
    skip_space();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return object(node);
      case '[':
        return array(node);
      case '"': {
        const auto text = string();
        if (text) stack_.push_string({text->data(), text->size()});
        return text.has_value();
      }
      case 't':
        return word("true") && (stack_.push_bool(true), true);
      case 'f':
        return word("false") && (stack_.push_bool(false), true);
      case 'n':
        return word("null") && (stack_.push_null(), true);
      default:
        return number();
    }
  }

  bool object(const Node* node) {
    if (++depth_ > JsonLimits().depth_max) return false;
    ++at_;
    std::size_t kept = 0;
    if (!next_is('}')) {
      do {
        skip_space();
        if (at_ == end_ || *at_ != '"') return false;
        const auto key = string();
        if (!key || !next_is(':')) return false;
        const Node* below = nullptr;
        if (node != nullptr) {
          const auto found = node->children.find(*key);
          if (found != node->children.end()) below = &found->second;
        }
        if (below != nullptr && below->children.empty()) {
          if (!skip_value()) return false;
          continue;
        }
        stack_.push_key({key->data(), key->size()});
        if (!value(below)) return false;
        ++kept;
      } while (next_is(','));
      if (!next_is('}')) return false;
    }
    stack_.push_object(kept);
    --depth_;
    return true;
  }

  bool array(const Node* node) {
    if (++depth_ > JsonLimits().depth_max) return false;
    ++at_;
    std::size_t size = 0;
    if (!next_is(']')) {
      do {
        if (!value(node)) return false;
        ++size;
      } while (next_is(','));
      if (!next_is(']')) return false;
    }
    stack_.push_array(size);
    --depth_;
    return true;
  }

  // Moves on to the first byte that is not plain, or the end.
  void pass_plain() {
    std::uint64_t word = 0;
    while (end_ - at_ >= 8) {
      std::memcpy(&word, at_, 8);
      const std::uint64_t found = not_plain(word);
      if (found != 0) {
        at_ += __builtin_ctzll(found) / 8;
        return;
      }
      at_ += 8;
    }
    while (at_ < end_) {
      const auto c = static_cast<unsigned char>(*at_);
      if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') return;
      ++at_;
    }
  }
  // Behind the quote that ends the string `at_` is in.
  bool pass_string() {
    for (;;) {
      pass_plain();
      if (at_ == end_) return false;
      if (*at_ == '"') return ++at_, true;
      if (*at_ == '\\' && ++at_ == end_) return false;
      ++at_;
    }
  }

  // Of the string that begins at `at_`; good until the next.
  std::optional<std::string_view> string() {
    const char* const begin = at_++;
    pass_plain();
    if (at_ < end_ && *at_ == '"') {
      ++at_;
      return std::string_view(begin + 1, static_cast<std::size_t>(at_ - begin) - 2);
    }
    if (!pass_string()) return std::nullopt;
    auto parsed = parse_json({begin, static_cast<std::size_t>(at_ - begin)});
    if (!parsed.ok()) return std::nullopt;
    rare_ = *std::move(parsed);
    return std::string_view(rare_.get_string());
  }

  bool number() {
    const char* const begin = at_;
    const auto in_number = [](char c) {
      return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
    };
    const bool negative = *at_ == '-';
    if (negative) ++at_;
    const char* const digits = at_;
    std::int64_t whole = 0;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9' && at_ - digits < 18) {
      whole = whole * 10 + (*at_++ - '0');
    }
    const bool short_one = at_ > digits && (at_ == end_ || !in_number(*at_)) &&
                           (*digits != '0' || (at_ - digits == 1 && !negative));
    if (short_one) return stack_.push_int64(negative ? -whole : whole), true;
    while (at_ < end_ && in_number(*at_)) ++at_;
    const auto parsed = parse_json({begin, static_cast<std::size_t>(at_ - begin)});
    if (!parsed.ok()) return false;
    if (const auto* i = parsed->if_int64()) return stack_.push_int64(*i), true;
    if (const auto* u = parsed->if_uint64()) return stack_.push_uint64(*u), true;
    if (const auto* d = parsed->if_double()) return stack_.push_double(*d), true;
    return false;
  }

  // Only strings and brackets are looked at.
  bool skip_value() {
    skip_space();
    std::size_t open = 0;
    while (at_ < end_) {
      switch (*at_) {
        case '"':
          ++at_;
          if (!pass_string()) return false;
          if (open == 0) return true;
          break;
        case '{':
        case '[':
          ++open;
          ++at_;
          break;
        case '}':
        case ']':
          if (open == 0) return true;  // behind a scalar
          ++at_;
          if (--open == 0) return true;
          break;
        case ',':
          if (open == 0) return true;
          ++at_;
          break;
        default:
          ++at_;
      }
    }
    return false;
  }

  const char* at_;
  const char* const end_;
  std::size_t depth_ = 0;
  json::value rare_;
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
  Reader reader(text, json::storage_ptr(&document->memory));
  if (!reader.read(root_)) return invalid_argument("not JSON");
  json::value tree = reader.release();
  json::value* const place = &document->tree;
  place->~value();
  new (place) json::value(std::move(tree));  // with the storage it was built in
  return std::shared_ptr<json::value>(document, place);
}

}  // namespace coracle
