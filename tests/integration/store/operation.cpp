#include "differential/operation.hpp"

#include <google/protobuf/text_format.h>

#include <type_traits>

#include "base/strings.hpp"

namespace coracle::differential {
namespace {

std::string text_of(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetTruncateStringFieldLongerThan(120);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

struct Kind {
  std::string operator()(const google::protobuf::Message& m) const {
    return m.GetTypeName().substr(13);
  }
  std::string operator()(const KeepAlive&) const { return "KeepAlive"; }
  std::string operator()(const PickedLease&) const { return "PickedLease"; }
  std::string operator()(const ShortLease&) const { return "ShortLease"; }
  std::string operator()(const WatchOpen&) const { return "WatchOpen"; }
  std::string operator()(const WatchSend&) const { return "WatchSend"; }
  std::string operator()(const WatchClose&) const { return "WatchClose"; }
  std::string operator()(const Settle&) const { return "Settle"; }
};

struct Detail {
  std::string operator()(const google::protobuf::Message& m) const { return text_of(m); }
  std::string operator()(const KeepAlive& o) const { return "lease: " + std::to_string(o.lease); }
  std::string operator()(const PickedLease& o) const { return "TTL: " + std::to_string(o.ttl); }
  std::string operator()(const ShortLease& o) const {
    return "ID: " + std::to_string(o.id) + " keys: " + join(o.keys, ",");
  }
  std::string operator()(const WatchOpen& o) const { return stream(o.stream); }
  std::string operator()(const WatchSend& o) const { return stream(o.stream) + text_of(o.request); }
  std::string operator()(const WatchClose& o) const { return stream(o.stream); }
  std::string operator()(const Settle&) const { return {}; }
  static std::string stream(int number) { return "stream: " + std::to_string(number) + " "; }
};

}  // namespace

std::string kind_of(const Operation& operation) { return std::visit(Kind{}, operation); }

std::string describe(const Operation& operation) {
  return kind_of(operation) + " { " + std::visit(Detail{}, operation) + "}";
}

}  // namespace coracle::differential
