// Real processes: a container of busybox from its start to its end, and what is put on disk for it.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "base/yaml.hpp"
#include "kubelet_runtime/container_order.hpp"
#include "kubelet_runtime/files.hpp"
#include "kubelet_runtime/prober.hpp"
#include "kubelet_runtime/process_runtime.hpp"
#include "kubelet_runtime/volume_store.hpp"

using namespace coracle;
using namespace coracle::kubelet;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr Duration kPatience = 60s;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Folder {
  Folder() {
    char name[] = "/tmp/coracle-runtime-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { remove_tree(path); }
  std::string path;
};

struct World {
  World() {
    RuntimeOptions options{
        folder.path, fs::canonical("/proc/self/exe").parent_path().string() + "/../bin/lab-image",
        "/usr/bin/busybox"};
    if (geteuid() == 0) {
      options.first_outside_id = 1'000'000'000;
      options.outside_ids = 65'536;
    }
    auto made = ProcessRuntime::create(executor, options);
    if (made.ok())
      runtime = std::move(*made);
    else
      why = made.status().message();
  }
  ~World() { runtime.reset(); }

  void until(const std::function<bool()>& done) {
    bool late = false;
    const auto timer = executor.after(kPatience, [&] { late = true; });
    executor.run_until([&] { return done() || late; });
    executor.cancel(timer);
    REQUIRE(done());
  }

  // Starts `sh -c script` as container "c"; `more` is merged into its spec.
  void start(const std::string& script, const std::string& more = "{}",
             const std::string& pod_text = "{metadata: {name: p, namespace: ns, uid: u}}") {
    const json::value pod = *parse_yaml_one(pod_text);
    json::value container = *parse_yaml_one(more);
    container.get_object()["name"] = "c";
    auto& command = container.get_object()["command"].emplace_array();
    for (const std::string& word : {std::string("sh"), std::string("-c"), script}) {
      command.emplace_back(word);
    }
    const std::string etc = folder.path + "/etc", log = folder.path + "/log";
    const Owner owner = geteuid() == 0 ? Owner{1'000'000'000, 1'000'000'000} : Owner{};
    REQUIRE(make_folder(etc, 0755, owner).ok());
    for (const char* file : {"hosts", "hostname", "resolv.conf"}) {
      REQUIRE(make_file(etc + "/" + file, file, 0644, owner).ok());
    }
    REQUIRE(make_file(log, "", 0666, owner).ok());
    REQUIRE(make_folder(folder.path + "/volume", 0777, owner).ok());
    const ImageBehaviour image;
    const Environment environment{{"GREETING", "hello"}};
    const auto& o = runtime->options();
    auto order = container_start({pod,
                                  container,
                                  image,
                                  environment,
                                  place,
                                  "pod-host",
                                  "latest",
                                  runtime->isolated(),
                                  o.first_outside_id,
                                  o.outside_ids,
                                  folder.path + root,
                                  {{"v", folder.path + "/volume"}},
                                  log,
                                  etc});
    REQUIRE(order.ok());
    if (beside) REQUIRE(runtime->share(*beside, &order->order).ok());
    auto mounts = make_container_root(
        runtime->tools(),
        {folder.path + root, image, owner, order->order.working_dir, order->order.binds});
    REQUIRE(mounts.ok());
    order->order.binds = *mounts;
    ended.reset();
    lines.clear();
    started = false;
    ContainerEvents events;
    events.on_started = [this] { started = true; };
    events.on_line = [this](std::string line, bool whole) {
      lines.push_back(std::move(line));
      last_whole = whole;
    };
    events.on_end = [this](const ProcessEnd& end, bool oom) {
      ended = end;
      out_of_memory = oom;
    };
    const Status s = runtime->start(id, std::move(*order), std::move(events));
    INFO(s.to_string());
    REQUIRE(s.ok());
  }
  ProcessEnd end() {
    until([&] { return ended.has_value(); });
    return *ended;
  }
  bool printed(const std::string& part) const {
    for (const std::string& line : lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  // Of the container that was started last.
  ProbeAnswer probe(const std::string& spec) {
    std::optional<ProbeAnswer> answer;
    const json::value container = *parse_yaml_one("{ports: [{name: web, containerPort: 8099}]}");
    const Prober prober{executor, runtime.get()};
    prober.run(id, container, place.pod_ip, *parse_yaml_one(spec), std::chrono::seconds(5),
               [&](ProbeAnswer a) { answer = std::move(a); });
    until([&] { return answer.has_value(); });
    return *answer;
  }

  Folder folder;
  net::AsioExecutor executor;
  std::unique_ptr<ProcessRuntime> runtime;
  std::string why;
  ContainerId id{"u", "c"};
  std::string root = "/root";
  std::optional<ContainerId> beside;  // among whose processes the next one runs
  PodPlace place{"127.32.0.1", "127.128.77.7"};
  bool last_whole = true;
  bool started = false, out_of_memory = false;
  std::vector<std::string> lines;
  std::optional<ProcessEnd> ended;
};

struct Sink : StreamSink {
  void on_output(StreamOut stream, std::string_view data) override {
    (stream == StreamOut::kError ? error : output) += data;
  }
  void on_end(const StreamEnd& e) override { end = e; }
  std::size_t queued_bytes() const override { return queued; }
  void on_input_room() override {}
  std::string output, error;
  std::size_t queued = 0;
  std::optional<StreamEnd> end;
};

}  // namespace

TEST_CASE("a command runs, prints, and its end is seen") {
  World w;
  if (!w.runtime) {
    WARN("no processes here: " << w.why);
    return;
  }
  w.start(
      "echo $GREETING; echo again > /dev/stdout; echo bad >&2; cat /etc/hostname; ls /volume; exit "
      "7",
      "{volumeMounts: [{name: v, mountPath: /volume}]}");
  CHECK(w.end().exit_code == 7);
  CHECK(w.started);
  CHECK(w.printed("hello"));
  CHECK(w.printed("again"));
  CHECK(w.printed("bad"));
  CHECK(w.printed("hostname"));
}

TEST_CASE("a start is told whatever numbers its descriptors have here") {
  World w;
  if (!w.runtime) return;
  constexpr int kHighest = 600, kStep = 5;  // a start takes more numbers than that
  std::vector<int> held;
  for (int next = 0; next < kHighest;) {
    w.start("echo out; echo error >&2; exit 3");
    CAPTURE(next);
    CHECK(w.end().exit_code == 3);
    CHECK(w.started);
    CHECK(w.lines.size() == 2);
    for (int i = 0; i < kStep; ++i) held.push_back(next = dup(STDERR_FILENO));
    REQUIRE(next >= 0);
  }
  for (const int fd : held) close(fd);
}

TEST_CASE("what is printed without a newline is told so") {
  World w;
  if (!w.runtime) return;
  w.start("printf 'one\\ntwo'");
  w.end();
  CHECK(w.lines == std::vector<std::string>{"one", "two"});
  CHECK_FALSE(w.last_whole);
  w.start("echo three");
  w.end();
  CHECK(w.last_whole);
}

TEST_CASE("a command that is not there is broken, not ended") {
  World w;
  if (!w.runtime) return;
  w.start("true", "{args: [x]}");
  w.end();
  w.started = false;
  World v;
  v.start("exec nosuchprogram");
  CHECK(v.end().exit_code == 127);  // the shell's own word
}

TEST_CASE("signals: the stop signal ends what does not mind it, and not what does") {
  World w;
  if (!w.runtime) return;
  w.start("sleep 1000");
  w.until([&] { return w.started; });
  w.runtime->terminate(w.id);
  CHECK(w.end().exit_code == 143);
  w.start("trap 'echo caught; exit 5' TERM; echo armed; while true; do sleep 0.1; done");
  w.until([&] { return w.printed("armed"); });
  w.runtime->terminate(w.id);
  CHECK(w.end().exit_code == 5);
  CHECK(w.printed("caught"));
  w.start("trap '' TERM; echo armed; while true; do sleep 0.1; done");
  w.until([&] { return w.printed("armed"); });
  w.runtime->terminate(w.id);
  w.runtime->kill(w.id);
  CHECK(w.end().exit_code == 137);
}

TEST_CASE("nothing a container started is left when it has ended, or when we have") {
  World w;
  if (!w.runtime) return;
  w.start("(sleep 4242 &) ; (setsid sleep 4242 &) ; echo up; sleep 1000");
  w.until([&] { return w.printed("up"); });
  const auto sleepers = [] {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      if (text_of(entry.path().string() + "/cmdline") == std::string("sleep\0004242\0", 11))
        ++count;
    }
    return count;
  };
  w.until([&] { return sleepers() >= 2; });
  SECTION("killed") {
    w.runtime->kill(w.id);
    w.end();
  }
  SECTION("we are gone") { w.runtime.reset(); }
  for (int i = 0; i < 600 && sleepers() > 0; ++i) {
    bool tick = false;
    w.executor.after(100ms, [&] { tick = true; });
    w.executor.run_until([&] { return tick; });
  }
  CHECK(sleepers() == 0);
}

TEST_CASE("a container among the processes of another sees them, and takes its own along") {
  World w;
  if (!w.runtime || !w.runtime->isolated()) return;
  w.start("sleep 4321; true");
  w.until([&] { return w.started; });
  const ContainerId first = w.id;
  w.beside = first;
  w.id.name = "second";
  w.root = "/second";
  w.start("sleep 1234 & ps; hostname; exit 5");
  CHECK(w.end().exit_code == 5);
  CHECK(w.printed("sleep 4321"));
  CHECK(w.printed("pod-host"));
  w.start("ps; test -e /proc/1/status && exit 6");
  CHECK(w.end().exit_code == 6);
  CHECK(w.printed("sleep 4321"));
  CHECK_FALSE(w.printed("sleep 1234"));
  CHECK(w.runtime->runs(first));
  StartOrder order;
  CHECK(w.runtime->share(w.id, &order).code() == Code::kFailedPrecondition);
  // Whose processes they are among ends: they end, too.
  w.start("sleep 4321");
  w.until([&] { return w.started; });
  w.ended.reset();
  w.runtime->kill(first);
  w.until([&] { return w.runtime->running() == 0; });
}

TEST_CASE("exec: output, exit code, input, a terminal, a missing program, hanging up") {
  World w;
  if (!w.runtime) return;
  w.start("echo up; sleep 1000");
  w.until([&] { return w.printed("up"); });
  const auto run = [&](ExecSpec spec, const std::string& input) {
    auto sink = std::make_shared<Sink>();
    auto session = w.runtime->exec(w.id, spec, sink);
    REQUIRE(session.ok());
    if (!input.empty()) (*session)->input(input);
    if (spec.input) (*session)->end_input();
    w.until([&] { return sink->end.has_value(); });
    return sink;
  };
  auto plain = run({{"sh", "-c", "echo $GREETING; echo e >&2; exit 3"}, false, true, true}, "");
  CHECK(plain->output == "hello\n");
  CHECK(plain->error == "e\n");
  CHECK(plain->end->exit_code == 3);
  CHECK(run({{"cat"}, true, true, true}, "typed")->output == "typed");
  const auto terminal = run({{"sh", "-c", "test -t 0 && echo yes"}, false, true, false, true}, "");
  CHECK(terminal->output == "yes\r\n");
  const auto missing = run({{"nosuch"}, false, true, true}, "");
  CHECK(missing->end->failure.find("executable file not found in $PATH") != std::string::npos);
  auto sink = std::make_shared<Sink>();
  {
    auto session = w.runtime->exec(w.id, {{"sleep", "777"}, false, true, true}, sink);
  }
  CHECK_FALSE(w.ended.has_value());
}

TEST_CASE("attach sees what the container prints and may type") {
  World w;
  if (!w.runtime) return;
  w.start("while read line; do echo got $line; done; echo end of input",
          "{stdin: true, stdinOnce: true}");
  w.until([&] { return w.started; });
  auto sink = std::make_shared<Sink>();
  auto session = w.runtime->exec(w.id, {{}, true, true, true}, sink);
  REQUIRE(session.ok());
  (*session)->input("one\n");
  w.until([&] { return sink->output == "got one\n"; });
  (*session)->end_input();
  CHECK(w.end().exit_code == 0);
  w.until([&] { return sink->end.has_value(); });
  CHECK(sink->output == "got one\nend of input\n");
  CHECK(w.printed("got one"));
}

TEST_CASE("the first to attach to a container with stdinOnce sees what it printed before") {
  World w;
  if (!w.runtime) return;
  w.start("echo early; echo oops >&2; read line; echo got $line", "{stdin: true, stdinOnce: true}");
  w.until([&] { return w.printed("early") && w.printed("oops"); });
  auto first = std::make_shared<Sink>();
  auto session = w.runtime->exec(w.id, {{}, true, true, true}, first);
  REQUIRE(session.ok());
  CHECK(first->output.empty());  // not before the call has returned
  auto second = std::make_shared<Sink>();
  auto watching = w.runtime->exec(w.id, {{}, false, true, true}, second);
  REQUIRE(watching.ok());
  (*session)->input("one\n");
  w.until([&] { return first->end.has_value() && second->end.has_value(); });
  CHECK(first->output == "early\ngot one\n");
  CHECK(first->error == "oops\n");
  CHECK(second->output == "got one\n");
}

TEST_CASE("a flood is read in turns; a slow reader of it stops the command") {
  World w;
  if (!w.runtime) return;
  w.start("yes | head -c 3000000; echo last");
  w.end();
  CHECK(w.lines.size() == 1'500'001);
  w.start("sleep 1000");
  w.until([&] { return w.started; });
  auto sink = std::make_shared<Sink>();
  sink->queued = kStreamBacklogMax + 1;
  auto session = w.runtime->exec(w.id, {{"head", "-c", "9", "/dev/zero"}, false, true, true}, sink);
  REQUIRE(session.ok());
  bool tick = false;
  w.executor.after(300ms, [&] { tick = true; });
  w.executor.run_until([&] { return tick; });
  CHECK((sink->output.empty() || sink->end.has_value()));
  sink->queued = 0;
  (*session)->drained();
  w.until([&] { return sink->output.size() == 9; });
}

TEST_CASE("a container that forks without end has 1024 processes, and ends whole") {
  World w;
  if (!w.runtime || !w.runtime->isolated()) return;
  // The shell gives up when it can have no more; its children stay.
  w.start("(while true; do sleep 4343 & done) 2>&1; echo full; sleep 1000");
  w.until([&] { return w.printed("full"); });
  CHECK(w.printed("can't fork"));
  const auto sleepers = [] {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      if (text_of(entry.path().string() + "/cmdline") == std::string("sleep\0004343\0", 11))
        ++count;
    }
    return count;
  };
  CHECK(sleepers() > 900);
  CHECK(sleepers() <= 1024);
  w.runtime->kill(w.id);
  CHECK(w.end().exit_code == 137);
  CHECK(sleepers() == 0);
}

TEST_CASE("over its memory it is killed") {
  World w;
  if (!w.runtime) return;
  w.start("head -c 200m /dev/zero | tail -c 150m", "{resources: {limits: {memory: 20Mi}}}");
  CHECK(w.end().exit_code == 137);
  CHECK(w.out_of_memory);
}

TEST_CASE("users and a read-only root, where a process can have them") {
  World w;
  if (!w.runtime || !w.runtime->isolated()) return;
  w.start(
      "id -u; touch /x || echo refused; touch /volume/x && echo written; tr '\\0' ' ' < "
      "/proc/1/cmdline",
      "{securityContext: {runAsUser: 405, readOnlyRootFilesystem: true}, volumeMounts: [{name: "
      "v, mountPath: /volume}]}");
  w.end();
  CHECK(w.printed("405"));
  CHECK(w.printed("refused"));
  CHECK(w.printed("written"));
  CAPTURE(w.lines);
  CHECK(w.printed("tr "));  // process 1: the shell made way for its last command
  w.start("date -s 12:00; chown 5 /tmp || echo no chown",
          "{securityContext: {capabilities: {drop: [ALL]}}}");
  w.end();
  CHECK(w.printed("can't set date"));
  CHECK(w.printed("no chown"));
}

TEST_CASE("a port of a container is its pod's, and probes reach it") {
  World w;
  if (!w.runtime) return;
  w.start(
      "nc -ll -p 8099 -e echo served & curl -s --max-time 1 localhost:1 ; echo up; wait; sleep "
      "1000");
  w.until([&] { return w.printed("up"); });
  const auto probe = [&](const std::string& spec) { return w.probe(spec); };
  CHECK(probe("{exec: {command: [sh, -c, exit 0]}}").good);
  const auto bad = probe("{exec: {command: [sh, -c, 'echo why; exit 1']}}");
  CHECK_FALSE(bad.good);
  CHECK(bad.message == "why\n");
  w.until([&] { return probe("{tcpSocket: {port: web}}").good; });
  const auto refused = probe("{tcpSocket: {port: 8098}}");
  CHECK(refused.message == "dial tcp 127.128.77.7:8098: connect: connection refused");
  const auto http = probe("{httpGet: {port: 8098, path: /x}}");
  CHECK(http.message ==
        "Get \"http://127.128.77.7:8098/x\": dial tcp 127.128.77.7:8098: connect: "
        "connection refused");
}

TEST_CASE("agnhost answers gRPC health checks, and is told over HTTP what to answer") {
  World w;
  if (!w.runtime || !w.runtime->isolated()) return;
  w.start("exec /usr/lib/lab-image agnhost grpc-health-checking --port=5000 --service=shop");
  const auto asked = [&] { return w.probe("{grpc: {port: 5000, service: shop}}"); };
  w.until([&] { return asked().good; });
  CHECK_FALSE(w.probe("{grpc: {port: 5000, service: other}}").good);
  w.until([&] { return w.probe("{httpGet: {port: 8080, path: /make-not-serving}}").good; });
  CHECK(asked().message == "service unhealthy (responded with \"NOT_SERVING\")");
  CHECK(w.probe("{httpGet: {port: 8080, path: /make-serving}}").good);
  CHECK(asked().good);
}

TEST_CASE("who must not be root is not") {
  const json::value pod = *parse_yaml_one("{metadata: {name: p, namespace: ns, uid: u}}");
  const json::value container = *parse_yaml_one("{name: c, securityContext: {runAsNonRoot: true}}");
  const ImageBehaviour image;
  const Environment environment;
  const PodPlace place;
  const auto made = container_start({pod, container, image, environment, place});
  CHECK(made.status().message() ==
        "container has runAsNonRoot and image will run as root (pod: \"p_ns(u)\", container: c)");
}

TEST_CASE("a sub path that leads nowhere keeps its container from starting") {
  const json::value pod = *parse_yaml_one("{metadata: {name: p, namespace: ns, uid: u}}");
  const ImageBehaviour image;
  const Environment environment{{"UP", ".."}, {"ROOT", "/tmp"}, {"EMPTY", ""}, {"NAME", "p"}};
  const PodPlace place;
  const auto mounted = [&](const std::string& expression) {
    const json::value container = *parse_yaml_one(
        "{name: c, volumeMounts: [{name: v, mountPath: /v, subPathExpr: '" + expression + "'}]}");
    ContainerInput in{pod, container, image, environment, place};
    in.volumes["v"] = "volume";
    const auto made = container_start(in);
    return made.ok() ? made->order.binds.back().source : made.status().message();
  };
  CHECK(mounted("a/$(NAME)") == "volume/a/p");
  CHECK(mounted("$(NONE)/$(EMPTY)/$(NAME)") == "missing value for EMPTY, NONE");
  CHECK(mounted("$(ROOT)") == "error SubPath `/tmp` must not be an absolute path");
  CHECK(mounted("$(UP)/x") == "unable to provision SubPath `../x`: must not contain '..'");
}

TEST_CASE("a volume of files changes at once or not at all") {
  Folder folder;
  const std::string v = folder.path + "/v";
  CHECK(*write_volume(v, {{"a", "1", 0644}, {"d/b", "2", 0600}}, {}, false, "one"));
  CHECK(text_of(v + "/a") == "1");
  CHECK(text_of(v + "/d/b") == "2");
  CHECK(fs::read_symlink(v + "/a") == "..data/a");
  CHECK(fs::read_symlink(v + "/..data") == "..one");
  CHECK_FALSE(*write_volume(v, {{"a", "1", 0644}, {"d/b", "2", 0600}}, {}, false, "two"));
  CHECK(*write_volume(v, {{"a", "3", 0644}}, {}, false, "three"));
  CHECK(text_of(v + "/a") == "3");
  CHECK_FALSE(fs::exists(v + "/d"));
  CHECK_FALSE(fs::exists(v + "/..one"));
  CHECK(write_volume(v, {{"../x", "", 0644}}, {}, false, "four").status().message() ==
        "invalid path: ../x");
}
