// WaitingProcesses: the ProcessPort where time is not real (simulation, replay, benches): the
// caller stands still until the program has answered, so virtual time does not pass meanwhile, and
// a run is the same again if the program's answers are.
//
// One thread. A program is started when it is first needed. One that failed is started again when
// it is needed next, kFailedLivesMax times in a row at the most; then it stays ended, and every
// question fails at once with the last reason.
#pragma once

#include <map>
#include <string>

#include "driver/processes.hpp"
#include "programs/child.hpp"
#include "programs/last_words.hpp"

namespace coracle::scheduler {

inline constexpr size_t kAnswerBytesMax = 16u << 20;
inline constexpr int kFailedLivesMax = 3;

class WaitingProcesses final : public ProcessPort {
 public:
  // `directory`: where the programs run. `clock`: the machine's, for time-outs only.
  WaitingProcesses(std::string directory, const Clock& clock)
      : directory_(std::move(directory)), clock_(clock) {}
  ~WaitingProcesses() override;

  Task<Result<std::uint64_t>> ready(const ProcessSpec& spec) override;
  Task<Result<std::string>> exchange(const ProcessSpec& spec, std::string line,
                                     Duration timeout) override;
  void discard(const ProcessSpec& spec, const Status& why) override;

 private:
  struct Program {
    Child child;
    LineReader lines{kAnswerBytesMax};
    Complaints complaints;
    std::uint64_t life = 0;
    bool running = false;
    int failed_in_a_row = 0, exchanges = 0;
    std::string last_failure;
  };
  Result<std::string> talk(Program& program, std::string_view text, Duration timeout);
  // Ends this life of it; the Status says why.
  Status end(Program& program, const std::string& why);

  const std::string directory_;
  const Clock& clock_;
  std::map<std::string, Program> programs_;  // by ProcessSpec::key
};

}  // namespace coracle::scheduler
