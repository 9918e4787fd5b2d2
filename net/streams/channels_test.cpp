#include "net_streams/channels.hpp"

#include <catch2/catch.hpp>

namespace coracle::net {
namespace {

TEST_CASE("channels: each form reads what it writes") {
  const std::string data("a\0b\xff", 4);
  for (const std::string& name : exec_subprotocols()) {
    CAPTURE(name);
    const ChannelForm form = channel_form(name);
    const auto back = decode_channel(form, encode_channel(form, kStderr, data));
    REQUIRE(back);
    CHECK(back->channel == kStderr);
    CHECK(back->data == data);
    CHECK_FALSE(decode_channel(form, ""));
  }
}

TEST_CASE("channels: what the forms differ in") {
  struct Row {
    const char* name;
    bool base64, json_status, close_signal;
  };
  for (const Row& row :
       {Row{"v5.channel.k8s.io", false, true, true}, Row{"v4.channel.k8s.io", false, true, false},
        Row{"v4.base64.channel.k8s.io", true, true, false},
        Row{"channel.k8s.io", false, false, false},
        Row{"base64.channel.k8s.io", true, false, false}, Row{"", false, false, false}}) {
    CAPTURE(row.name);
    const ChannelForm form = channel_form(row.name);
    CHECK(form.base64 == row.base64);
    CHECK(form.json_status == row.json_status);
    CHECK(form.close_signal == row.close_signal);
  }
  CHECK(encode_channel(channel_form("base64.channel.k8s.io"), 1, "hi") == "1aGk=");
  CHECK_FALSE(decode_channel(channel_form("base64.channel.k8s.io"), "0&&"));
}

TEST_CASE("channels: sizes of terminals") {
  const auto size = parse_size(R"({"Width":80,"Height":24})");
  REQUIRE(size);
  CHECK(size->width == 80);
  CHECK(size->height == 24);
  CHECK(size_text(*size) == R"({"Width":80,"Height":24})");
  for (const char* bad : {"", "{}", "[]", R"({"Width":0,"Height":24})",
                          R"({"Width":70000,"Height":1})", R"({"Width":"80","Height":24})"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("channels: how a command ended, as clients read it") {
  CHECK(to_json(success_status()) == R"({"metadata":{},"status":"Success"})");
  const json::value failed = exit_status(3);
  CHECK(get_string(failed, "reason") == "NonZeroExitCode");
  CHECK(get_array(failed, "details.causes").at(0) ==
        json::value{{"reason", "ExitCode"}, {"message", "3"}});
  CHECK(get_string(internal_status("x"), "message") == "Internal error occurred: x");
  CHECK(get_int(internal_status("x"), "code") == 500);
}

}  // namespace
}  // namespace coracle::net
