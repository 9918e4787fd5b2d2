#include "storectl/key_commands.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "storectl/connect.hpp"
#include "storectl/folder.hpp"
#include "storectl/running.hpp"

namespace coracle::store {
namespace {

int finish(const Status& status) {
  std::fflush(stdout);
  if (status.ok()) return 0;
  fmt::print(stderr, "storectl: {}\n", status.message());
  return 1;
}

Arguments::Known with_connection(std::set<std::string> more) {
  more.insert(connection_flags().begin(), connection_flags().end());
  return {std::move(more), {}};
}

void print(const VersionRow& row, bool as_json, bool with_value) {
  fmt::print("{}\n", as_json ? to_json_line(row, with_value) : to_text(row, with_value));
}

Status note_lag(const std::string& dir, const Status& status) {
  std::fflush(stdout);
  const std::string note = behind_the_log(dir);
  if (status.ok() && !note.empty()) fmt::print(stderr, "storectl: note: {}\n", note);
  return status;
}

}  // namespace

int run_log(const std::vector<std::string>& words) {
  const Arguments arguments("log", words, {});
  arguments.want_words(1, "the member's data folder");
  return finish(print_log(arguments.words()[0], arguments.format({"text", "json"}) == "json"));
}

int run_meta(const std::vector<std::string>& words) {
  const Arguments arguments("meta", words, {});
  arguments.want_words(1, "the member's data folder");
  return finish(print_meta(arguments.words()[0]));
}

int run_keys(const std::vector<std::string>& words) {
  const Arguments arguments("keys", words, with_connection({"--prefix"}));
  const bool as_json = arguments.format({"text", "json"}) == "json";
  const std::string prefix = arguments.value("--prefix");
  const auto show = [&](const VersionRow& row) {
    if (row.kv.key.starts_with(prefix)) print(row, as_json, false);
  };
  if (arguments.has("--endpoints")) {
    arguments.want_words(0, "a data folder or --endpoints");
    return finish(ask_keys(connect(endpoint_of(arguments), arguments), prefix, show));
  }
  arguments.want_words(1, "the member's data folder (or --endpoints)");
  const std::string& dir = arguments.words()[0];
  return finish(note_lag(dir, for_each_version(dir, show)));
}

int run_history(const std::vector<std::string>& words) {
  const Arguments arguments("history", words, with_connection({}));
  const bool as_json = arguments.format({"text", "json"}) == "json";
  if (arguments.has("--endpoints")) {
    arguments.want_words(1, "KEY and --endpoints");
    const auto show = [&](const VersionRow& row) { print(row, as_json, true); };
    return finish(
        ask_history(connect(endpoint_of(arguments), arguments), arguments.words()[0], show));
  }
  arguments.want_words(2, "KEY and the member's data folder (or --endpoints)");
  const std::string& key = arguments.words()[0];
  const std::string& dir = arguments.words()[1];
  const auto show = [&](const VersionRow& row) {
    if (row.kv.key == key) print(row, as_json, true);
  };
  return finish(note_lag(dir, for_each_version(dir, show)));
}

}  // namespace coracle::store
