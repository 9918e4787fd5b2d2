#include "kubelet/command_script.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kShort = std::chrono::milliseconds(500);
constexpr Duration kInstant = std::chrono::milliseconds(100);

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string program_of(const std::string& word) { return word.substr(word.rfind('/') + 1); }

// Words of a shell text; quotes group, ; & | and newlines are words of their own.
std::vector<std::string> shell_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  const auto flush = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ';' || c == '&' || c == '|' || c == '\n') {
      flush();
      words.emplace_back(";");
    } else if (c == ' ' || c == '\t') {
      flush();
    } else {
      word += c;
    }
  }
  flush();
  return words;
}

// "10", "1.5", "2m"; nothing for what is no number ("infinity", "$N").
std::optional<Duration> sleep_time(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || number < 0 || number > 1e9) return std::nullopt;
  const std::string unit = end;
  const double scale = unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 1;
  if (!is_one_of(unit, {"", "s", "m", "h", "d"})) return std::nullopt;
  return Duration(static_cast<std::int64_t>(number * scale * 1e9));
}

class Reader {
 public:
  explicit Reader(std::vector<std::string> words) : words_(std::move(words)) {}

  // Adds up the simple commands; a loop without an end, or a wait for ever, ends the reading.
  Script read() {
    Duration total = kInstant;
    for (size_t i = 0; i < words_.size();) {
      const std::string& word = words_[i];
      const size_t end = command_end(i);
      if (endless(i, end)) return forever();
      const std::string name = program_of(word);
      if (name == "sleep" && i + 1 < end) {
        const auto time = sleep_time(words_[i + 1]);
        if (!time) return forever();
        total += *time;
      } else if (name == "exit") {
        script_.exit_code = i + 1 < end ? std::atoi(words_[i + 1].c_str()) & 255 : last_;
        break;
      } else {
        simple(name, i, end);
      }
      i = end + 1;
    }
    script_.run_for = total;
    return std::move(script_);
  }

 private:
  size_t command_end(size_t i) const {
    while (i < words_.size() && words_[i] != ";") ++i;
    return i;
  }

  bool endless(size_t i, size_t end) const {
    const std::string& word = words_[i];
    const std::string next = i + 1 < end ? words_[i + 1] : "";
    if (word == "while" || word == "until")
      return is_one_of(next, {"true", ":", "1", "[", "false"});
    if (word == "for" && next.starts_with("((")) return true;
    return word == "tail" &&
           std::find(words_.begin() + static_cast<long>(i), words_.begin() + static_cast<long>(end),
                     "-f") != words_.begin() + static_cast<long>(end);
  }

  void simple(const std::string& name, size_t i, size_t end) {
    last_ = name == "false" ? 1 : 0;
    script_.exit_code = last_;
    if (name != "echo") return;
    std::string line;
    for (size_t k = i + 1; k < end; ++k) {
      if (words_[k].starts_with(">")) return;  // into a file
      if (k == i + 1 && words_[k] == "-n") continue;
      line += (line.empty() ? "" : " ") + words_[k];
    }
    script_.output.push_back(line);
  }

  Script forever() {
    script_.run_for.reset();
    script_.exit_code = 0;
    return std::move(script_);
  }

  std::vector<std::string> words_;
  Script script_;
  int last_ = 0;
};

constexpr std::array kKnown = {
    "sleep", "true",     "false", "echo", "exit",     "tail",   "date",     "ls",   "cat", "env",
    "id",    "hostname", "uname", "pwd",  "printenv", "whoami", "nslookup", "wget", "ping"};

}  // namespace

Script script_of(const ImageBehaviour& image, const std::vector<std::string>& command,
                 const std::vector<std::string>& args, bool always_restarted) {
  std::vector<std::string> line = command;
  line.insert(line.end(), args.begin(), args.end());
  Script script;
  script.exit_code = image.exit_code;
  script.run_for = image.run_for;
  script.output = image.logs;
  if (line.empty() || (command.empty() && !image.shell)) {
    if (image.shell && line.empty()) script.run_for = kInstant;
    return script;
  }
  const std::string program = program_of(line[0]);
  const bool shell = is_one_of(program, {"sh", "bash", "ash", "dash"});
  if (shell) {
    for (size_t i = 1; i < line.size(); ++i) {
      const bool option = line[i].size() >= 2 && line[i][0] == '-' && line[i].back() == 'c';
      if (option && i + 1 < line.size()) return Reader(shell_words(line[i + 1])).read();
    }
  }
  if (std::find(kKnown.begin(), kKnown.end(), program) != kKnown.end()) {
    return Reader(line).read();
  }
  script.output.clear();
  script.run_for = always_restarted && !shell ? std::nullopt : std::optional(kShort);
  return script;
}

}  // namespace coracle::kubelet
