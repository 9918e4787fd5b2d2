#include "base/flags.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/check.hpp"
#include "base/log.hpp"

namespace coracle {
namespace {

std::string duration_text(Duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

}  // namespace

struct Flags::Impl {
  CLI::App app;
  std::string program;
};

Flags::Flags(std::string program, std::string summary, std::string examples)
    : impl_(std::make_unique<Impl>()) {
  impl_->program = program;
  log::init(program);  // so that an error names the program
  impl_->app.name(program);
  impl_->app.description(summary);
  if (!examples.empty()) impl_->app.footer("Examples:\n  " + examples);
}

Flags::~Flags() = default;

Flags::Flag& Flags::Flag::required() {
  static_cast<CLI::Option*>(option_)->required();
  return *this;
}

Flags::Flag& Flags::Flag::one_of(std::vector<std::string> choices) {
  static_cast<CLI::Option*>(option_)->check(CLI::IsMember(std::move(choices)));
  return *this;
}

Flags::Flag Flags::add(const std::string& name, std::string* value, const std::string& help) {
  return Flag(impl_->app.add_option(name, *value, help)->capture_default_str());
}
Flags::Flag Flags::add(const std::string& name, std::int64_t* value, const std::string& help) {
  return Flag(impl_->app.add_option(name, *value, help)->capture_default_str());
}
Flags::Flag Flags::add(const std::string& name, int* value, const std::string& help) {
  return Flag(impl_->app.add_option(name, *value, help)->capture_default_str());
}
Flags::Flag Flags::add(const std::string& name, double* value, const std::string& help) {
  return Flag(impl_->app.add_option(name, *value, help)->capture_default_str());
}
Flags::Flag Flags::add(const std::string& name, Duration* value, const std::string& help) {
  auto* option = impl_->app.add_option_function<std::string>(
      name,
      [value](const std::string& text) {
        const Result<Duration> parsed = parse_duration(text);
        if (!parsed.ok()) throw CLI::ValidationError(parsed.status().message());
        *value = *parsed;
      },
      help);
  option->default_str(duration_text(*value));
  return Flag(option);
}
Flags::Flag Flags::add(const std::string& name, bool* value, const std::string& help) {
  return Flag(impl_->app.add_flag(name, *value, help));
}
Flags::Flag Flags::add(const std::string& name, std::vector<std::string>* values,
                       const std::string& help) {
  return Flag(impl_->app.add_option(name, *values, help)->delimiter(',')->capture_default_str());
}

void Flags::parse(int argc, char** argv) {
  try {
    impl_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      std::fputs(impl_->app.help().c_str(), stdout);
      std::exit(0);
    }
    // An unknown flag is the likelier mistake than the required one that is missing beside it.
    const auto unknown = impl_->app.remaining();
    const bool required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (required && !unknown.empty()) {
      fail_startup("unknown flag: " + unknown.front() + "\nTry '" + impl_->program + " --help'.");
    }
    fail_startup(std::string(error.what()) + "\nTry '" + impl_->program + " --help'.");
  }
}

std::string read_flag_file(const std::string& flag, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail_startup(flag + ": open " + path + ": " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace coracle
