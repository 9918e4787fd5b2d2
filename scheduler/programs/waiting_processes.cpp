#include "programs/waiting_processes.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace coracle::scheduler {

WaitingProcesses::~WaitingProcesses() {
  for (auto& [key, program] : programs_) {
    if (program.running) static_cast<void>(end_child(program.child, Duration(0)));
  }
}

Status WaitingProcesses::end(Program& program, const std::string& why) {
  static_cast<void>(end_child(program.child, Duration(0)));
  program.running = false;
  ++program.failed_in_a_row;
  program.last_failure = why;
  return unavailable(why);
}

Task<Result<std::uint64_t>> WaitingProcesses::ready(const ProcessSpec& spec) {
  Program& program = programs_[spec.key];
  if (program.running) co_return program.life;
  if (program.failed_in_a_row >= kFailedLivesMax) {
    co_return unavailable(
        fmt::format("it failed {} times in a row and is not started again; last: {}",
                    program.failed_in_a_row, program.last_failure));
  }
  auto child = start_child(spec.command, directory_);
  if (!child.ok()) co_return end(program, child.status().message());
  program.child = *child;
  program.lines = LineReader(kAnswerBytesMax);
  program.complaints = Complaints();
  program.running = true;
  program.exchanges = 0;
  co_return ++program.life;
}

Task<Result<std::string>> WaitingProcesses::exchange(const ProcessSpec& spec, std::string line,
                                                     Duration timeout) {
  Program& program = programs_[spec.key];
  if (!program.running) co_return unavailable("it does not run");
  line += '\n';
  auto answer = talk(program, line, timeout);
  // The greeting alone proves nothing.
  if (answer.ok() && ++program.exchanges > 1) program.failed_in_a_row = 0;
  co_return answer;
}

void WaitingProcesses::discard(const ProcessSpec& spec, const Status& why) {
  Program& program = programs_[spec.key];
  if (program.running) static_cast<void>(end(program, why.message()));
}

Result<std::string> WaitingProcesses::talk(Program& program, std::string_view text,
                                           Duration timeout) {
  const TimePoint until = clock_.now() + timeout;
  if (program.lines.next()) return end(program, "it spoke without being asked");
  while (true) {
    if (auto line = program.lines.next()) return std::move(*line);
    const Duration left = until - clock_.now();
    if (left <= Duration(0)) {
      return end(program, no_answer_within(timeout));
    }
    pollfd ends[] = {{program.child.out, POLLIN, 0},
                     {program.child.error, POLLIN, 0},
                     {text.empty() ? -1 : program.child.in, POLLOUT, 0}};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (poll(ends, 3, static_cast<int>(std::min<std::int64_t>(wait, 60'000))) < 0) continue;
    if (ends[1].revents != 0) program.complaints.read_from(program.child.error);
    if (ends[2].revents != 0 && !write_some(program.child.in, &text).ok()) text = {};
    if (ends[0].revents == 0) continue;
    const auto more = program.lines.read_from(program.child.out);
    if (!more.ok()) return end(program, "its answer is " + more.status().message());
    if (*more) continue;
    // Its last line counts; that it has ended is seen at the next question.
    if (auto line = program.lines.next()) return std::move(*line);
    return end(program, how_it_ended(program.child, program.complaints));
  }
}

}  // namespace coracle::scheduler
