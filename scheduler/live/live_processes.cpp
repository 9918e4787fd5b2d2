#include "live/live_processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.hpp"
#include "net/fd_watch.hpp"
#include "programs/waiting_processes.hpp"

namespace coracle::scheduler {

struct LiveProcesses::Program {
  using Answer = std::function<void(Result<std::string>)>;

  Program(net::AsioExecutor& e, ProcessSpec s, std::string d)
      : executor(e), spec(std::move(s)), directory(std::move(d)) {}
  ~Program() {
    executor.cancel(timer);
    executor.cancel(restart);
    close();
  }

  void start();
  void fail(const std::string& why);
  void close();
  void ask(std::string line, Duration timeout, Answer then);
  void answer(Result<std::string> result);
  void pump();
  void on_output();
  void on_complaint();
  Status why_not() const;

  net::AsioExecutor& executor;
  const ProcessSpec spec;
  const std::string directory;
  std::uint64_t life = 0;
  int exchanges = 0, logged = 0;  // of this life
  Child child;                    // its descriptors are the watches'
  std::unique_ptr<net::FdWatch> in, out, error;
  LineReader lines{kAnswerBytesMax};
  Complaints complaints;
  std::string to_write;
  std::string_view unwritten;  // of to_write
  Answer waiting;
  net::AsioExecutor::TimerId timer = 0, restart = 0;
  Duration backoff = kRestartFirst;
  TimePoint next_start;
  std::string last_failure;
};

void LiveProcesses::Program::start() {
  restart = 0;
  auto started = start_child(spec.command, directory);
  if (!started.ok()) return fail(started.status().message());
  ++life;
  exchanges = logged = 0;
  lines = LineReader(kAnswerBytesMax);
  complaints = Complaints();
  child = *started;
  in = std::make_unique<net::FdWatch>(executor, std::exchange(child.in, -1));
  out = std::make_unique<net::FdWatch>(executor, std::exchange(child.out, -1));
  error = std::make_unique<net::FdWatch>(executor, std::exchange(child.error, -1));
  out->when_readable([this] { on_output(); });
  error->when_readable([this] { on_complaint(); });
  log::info("plugin {} runs: {} (pid {})", spec.key, spec.command.front(), child.pid);
}

void LiveProcesses::Program::close() {
  in.reset();
  out.reset();
  error.reset();
  static_cast<void>(end_child(child, Duration(0)));
}

void LiveProcesses::Program::fail(const std::string& why) {
  close();
  last_failure = why;
  next_start = executor.now() + backoff;
  log::warn("plugin {}: {}; it is started again in {}s", spec.key, why,
            backoff.count() / 1'000'000'000);
  restart = executor.after(backoff, [this] { start(); });
  backoff = std::min(backoff * 2, kRestartMax);
  if (waiting) answer(unavailable(why));
}

Status LiveProcesses::Program::why_not() const {
  const auto left = std::chrono::ceil<std::chrono::seconds>(next_start - executor.now()).count();
  return unavailable(fmt::format("it does not run ({}); it is started again in {}s", last_failure,
                                 std::max<std::int64_t>(left, 0)));
}

void LiveProcesses::Program::ask(std::string line, Duration timeout, Answer then) {
  if (!in) return then(why_not());
  CHECK(!waiting);
  waiting = std::move(then);
  to_write = std::move(line);
  to_write += '\n';
  unwritten = to_write;
  timer = executor.after(timeout, [this, timeout] { fail(no_answer_within(timeout)); });
  pump();
}

void LiveProcesses::Program::answer(Result<std::string> result) {
  executor.cancel(timer);
  unwritten = {};
  std::exchange(waiting, nullptr)(std::move(result));
}

// A reader that is gone shows itself at its output.
void LiveProcesses::Program::pump() {
  if (!write_some(in->fd(), &unwritten).ok()) unwritten = {};
  if (!unwritten.empty()) in->when_writable([this] { pump(); });
}

void LiveProcesses::Program::on_output() {
  const auto more = lines.read_from(out->fd());
  if (!more.ok()) return fail("its answer is " + more.status().message());
  if (auto line = lines.next()) {
    if (!waiting) return fail("it spoke without being asked: " + line->substr(0, 120));
    if (!unwritten.empty()) return fail("it answered before the question's end");
    // The greeting alone proves nothing.
    if (++exchanges > 1) backoff = kRestartFirst;
    answer(std::move(*line));
  }
  if (!out) return;
  if (*more) return out->when_readable([this] { on_output(); });
  child.error = error->fd();
  const std::string why = how_it_ended(child, complaints);
  child.error = -1;
  fail(why);
}

void LiveProcesses::Program::on_complaint() {
  const auto said = complaints.read_from(error->fd());
  if (!said) return;
  for (const std::string& line : *said) {
    if (++logged <= kLoggedLinesMax) log::info("plugin {} says: {}", spec.key, line);
    if (logged == kLoggedLinesMax) log::warn("plugin {} says too much; the rest is lost", spec.key);
  }
  error->when_readable([this] { on_complaint(); });
}

Result<std::unique_ptr<LiveProcesses>> LiveProcesses::create(net::AsioExecutor& executor,
                                                             const std::vector<Profile>& profiles,
                                                             const std::string& directory) {
  std::unique_ptr<LiveProcesses> all(new LiveProcesses());
  for (const Profile& profile : profiles) {
    for (const auto& plugin : profile.plugins) {
      const auto* program = dynamic_cast<const ProcessPlugin*>(plugin.get());
      if (program == nullptr) continue;
      const ProcessSpec& spec = program->spec();
      const auto found = find_program(spec.command.front(), directory);
      if (!found.ok()) return found.status().with_context("command of plugin " + spec.key);
      all->programs_[spec.key] = std::make_unique<Program>(executor, spec, directory);
    }
  }
  for (auto& [key, program] : all->programs_) program->start();
  return all;
}

LiveProcesses::~LiveProcesses() = default;

Task<Result<std::uint64_t>> LiveProcesses::ready(const ProcessSpec& spec) {
  const Program& program = *programs_.at(spec.key);
  if (!program.in) co_return program.why_not();
  co_return program.life;
}

Task<Result<std::string>> LiveProcesses::exchange(const ProcessSpec& spec, std::string line,
                                                  Duration timeout) {
  Program& program = *programs_.at(spec.key);
  // Not Callback<Result<...>>({...}): the line is moved once.
  co_return co_await Callback<Result<std::string>>(
      [&](std::function<void(Result<std::string>)> done) {
        program.ask(std::move(line), timeout, std::move(done));
      });
}

void LiveProcesses::discard(const ProcessSpec& spec, const Status& why) {
  Program& program = *programs_.at(spec.key);
  if (program.in) program.fail(why.message());
}

}  // namespace coracle::scheduler
