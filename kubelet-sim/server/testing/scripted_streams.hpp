// For tests: a runtime whose commands are written here. Pod "a/web" has the container "app" and the
// address 127.0.0.1; "a/off" is known and has no address.
//
//   echo WORDS   prints them and ends          fail N     prints "no" as an error, ends with N
//   cat          prints its input until that ends          lost       ends with a failure
//   yes          prints for ever, as far as it is taken    deaf       takes no input until hear()
//   size         prints each size of its terminal          (attach)   prints "attached", then as
//   cat
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "base/strings.hpp"
#include "kubelet/streams.hpp"

namespace coracle::kubelet::testing {

class ScriptedStreams final : public ContainerStreams {
 public:
  explicit ScriptedStreams(Executor& executor) : executor_(executor) {}

  int open_sessions() const { return *open_; }
  std::size_t printed() const { return *printed_; }  // by yes
  std::size_t unread() const { return *unread_; }    // by deaf
  const ContainerRef& last() const { return last_; }
  // The last command takes its input from now on.
  void hear() {
    const auto run = last_run_.lock();
    if (!run || run->over) return;
    run->program.clear();
    *unread_ = 0;
    run->sink->on_input_room();
  }

  Result<std::unique_ptr<StreamSession>> exec(const ContainerRef& container, const ExecSpec& spec,
                                              std::shared_ptr<StreamSink> sink) override {
    last_ = container;
    if (container.container != "app" && !container.container.empty()) {
      return not_found("container not found (\"" + container.container + "\")");
    }
    const std::string program = spec.command.empty() ? "attach" : spec.command[0];
    auto run = std::make_shared<Run>(Run{*this, std::move(sink), program, spec});
    if (program == "nope") {
      return failed_precondition("exec: \"nope\": executable file not found in $PATH");
    }
    last_run_ = run;
    executor_.post([run] { run->begin(); });
    ++*open_;
    return std::unique_ptr<StreamSession>(std::make_unique<Session>(*this, run));
  }
  Result<std::string> address_of(const std::string& ns, const std::string& pod) const override {
    if (ns == "a" && pod == "web") return std::string("127.0.0.1");
    if (ns == "a" && pod == "off") return failed_precondition("pod is not running");
    return not_found("pod does not exist");
  }

 private:
  struct Run : std::enable_shared_from_this<Run> {
    Run(ScriptedStreams& o, std::shared_ptr<StreamSink> s, std::string p, ExecSpec e)
        : owner(o), sink(std::move(s)), program(std::move(p)), spec(std::move(e)) {}
    ScriptedStreams& owner;
    std::shared_ptr<StreamSink> sink;
    std::string program;
    ExecSpec spec;
    bool over = false;

    void end(StreamEnd how) {
      if (std::exchange(over, true)) return;
      auto held = std::exchange(sink, nullptr);
      held->on_end(how);
    }
    void begin() {
      if (over) return;
      const auto& words = spec.command;
      if (program == "echo") {
        sink->on_output(StreamOut::kOutput, join({words.begin() + 1, words.end()}, " ") + "\n");
        end({});
      } else if (program == "fail") {
        sink->on_output(StreamOut::kError, "no\n");
        end({std::stoi(words.at(1)), ""});
      } else if (program == "lost") {
        end({0, "the container is gone"});
      } else if (program == "attach") {
        sink->on_output(StreamOut::kOutput, "attached\n");
      } else if (program == "yes") {
        more();
      }
    }
    void more() {
      while (!over && program == "yes" && sink->queued_bytes() <= kStreamBacklogMax) {
        sink->on_output(StreamOut::kOutput, std::string(1 << 16, 'y'));
        *owner.printed_ += 1 << 16;
      }
    }
    void input(std::string data) {
      if (over) return;
      if (program == "deaf") *owner.unread_ += data.size();
      if (program == "cat" || program == "attach") sink->on_output(StreamOut::kOutput, data);
    }
  };

  class Session final : public StreamSession {
   public:
    Session(ScriptedStreams& owner, std::shared_ptr<Run> run)
        : owner_(owner), run_(std::move(run)) {}
    ~Session() override {
      run_->over = true;
      run_->sink.reset();
      --*owner_.open_;
    }
    void input(std::string_view data) override {
      owner_.executor_.post([run = run_, text = std::string(data)] { run->input(text); });
    }
    std::size_t queued_input() const override { return *owner_.unread_; }
    void end_input() override {
      owner_.executor_.post([run = run_] { run->end({}); });
    }
    void resize(int columns, int rows) override {
      owner_.executor_.post([run = run_, columns, rows] {
        if (run->over || run->program != "size") return;
        run->sink->on_output(StreamOut::kOutput,
                             std::to_string(columns) + "x" + std::to_string(rows) + "\n");
      });
    }
    void drained() override { run_->more(); }

   private:
    ScriptedStreams& owner_;
    std::shared_ptr<Run> run_;
  };

  Executor& executor_;
  ContainerRef last_;
  std::weak_ptr<Run> last_run_;
  std::shared_ptr<int> open_ = std::make_shared<int>(0);
  std::shared_ptr<std::size_t> printed_ = std::make_shared<std::size_t>(0),
                               unread_ = std::make_shared<std::size_t>(0);
};

}  // namespace coracle::kubelet::testing
