// The kubelet's streams as clients of each protocol meet them, over real connections.
#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "kubelet_server/port_forward.hpp"
#include "kubelet_server/port_pipe.hpp"
#include "kubelet_server/remote_command.hpp"
#include "kubelet_server/testing/scripted_streams.hpp"
#include "net/client.hpp"
#include "net/tcp.hpp"
#include "net/websocket.hpp"
#include "net_streams/channels.hpp"
#include "net_streams/spdy_session.hpp"
#include "net_streams/websocket_bytes.hpp"

namespace coracle::kubelet {
namespace {

using Upgraded = std::vector<std::weak_ptr<net::ByteStream>>;

// An exchange, and what it becomes.
struct Watched final : net::Exchange {
  std::shared_ptr<net::Exchange> exchange;
  Upgraded& upgraded;

  Watched(std::shared_ptr<net::Exchange> e, Upgraded& u) : exchange(std::move(e)), upgraded(u) {}
  void respond(net::Response response) override { exchange->respond(std::move(response)); }
  void begin_stream(int status, net::Headers headers) override {
    exchange->begin_stream(status, std::move(headers));
  }
  void write(net::Bytes bytes) override { exchange->write(std::move(bytes)); }
  std::size_t queued_bytes() const override { return exchange->queued_bytes(); }
  void end() override { exchange->end(); }
  void abort() override { exchange->abort(); }
  std::shared_ptr<net::ByteStream> upgrade(int status, net::Headers headers) override {
    auto stream = exchange->upgrade(status, std::move(headers));
    upgraded.push_back(stream);
    return stream;
  }
  void on_close(std::function<void()> fn) override { exchange->on_close(std::move(fn)); }
  void on_drain(std::function<void()> fn) override { exchange->on_drain(std::move(fn)); }
  bool closed() const override { return exchange->closed(); }
};

struct World {
  net::AsioExecutor executor;
  testing::ScriptedStreams streams{executor};
  Upgraded upgraded;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<net::Client> client;

  World() {
    auto made = net::Server::listen(executor, {}, [this](const net::Request& request, auto asked) {
      const auto exchange = std::make_shared<Watched>(std::move(asked), upgraded);
      const auto parts = split(request.path, '/');
      const bool attach = parts[1] == "attach";
      if (parts[1] == "portForward") {
        return serve_port_forward(executor, streams, {parts[2], parts[3]}, request, exchange);
      }
      serve_remote_command(executor, streams, {parts[2], parts[3], parts[4]}, attach, request,
                           exchange);
    });
    REQUIRE(made.ok());
    server = std::move(*made);
    net::ClientConfig config;
    config.host = "127.0.0.1";
    config.port = server->port();
    config.tls = false;
    client = std::move(*net::Client::create(executor, config));
  }
  // The clients are gone: nobody holds what they had open.
  ~World() {
    bool late = false;
    const auto timer = executor.after(std::chrono::seconds(60), [&] { late = true; });
    executor.run_until([&] {
      std::erase_if(upgraded, [](const auto& stream) { return stream.expired(); });
      return late || upgraded.empty();
    });
    executor.cancel(timer);
    CHECK(upgraded.empty());
    CHECK(streams.open_sessions() == 0);
  }
  void until(const std::function<bool()>& done) {
    bool late = false;
    const auto timer = executor.after(std::chrono::seconds(60), [&] { late = true; });
    executor.run_until([&] { return late || done(); });
    executor.cancel(timer);
    REQUIRE_FALSE(late);
  }
  void turns(int milliseconds) {
    bool over = false;
    executor.after(std::chrono::milliseconds(milliseconds), [&] { over = true; });
    executor.run_until([&] { return over; });
  }
};

constexpr const char* kExec = "/exec/a/web/app?output=1&error=1&";

// A WebSocket client that keeps what each channel said.
struct Channels {
  World& w;
  std::shared_ptr<net::WebSocket> socket;
  net::ChannelForm form;
  std::map<int, std::string> heard;
  int closed = 0;

  Channels(World& world, const std::string& target, const std::string& protocol) : w(world) {
    std::vector<std::string> offered;
    if (!protocol.empty()) offered.push_back(protocol);
    auto made = net::block_on(
        w.executor, net::dial_websocket(*w.client, {.target = target}, std::move(offered)));
    REQUIRE(made.status() == Status());
    socket = *made;
    CHECK(socket->subprotocol() == protocol);
    form = net::channel_form(protocol);
    socket->on_message([this](std::string_view data, bool) {
      const auto message = net::decode_channel(form, data);
      REQUIRE(message);
      heard[message->channel] += message->data;
    });
    socket->on_close([this](int code, std::string) { closed = code; });
  }
  void send(int channel, std::string_view data) {
    socket->send(net::encode_channel(form, static_cast<std::uint8_t>(channel), data), !form.base64);
  }
  void end() {
    w.until([&] { return closed != 0; });
  }
};

TEST_CASE("exec over each WebSocket form: output, exit code, close") {
  World w;
  for (const std::string& form : net::exec_subprotocols()) {
    CAPTURE(form);
    Channels good(w, kExec + std::string("command=echo&command=a%20b&command=c"), form);
    good.end();
    CHECK(good.heard[1] == "a b c\n");
    CHECK(good.heard[3] == (good.form.json_status ? R"({"metadata":{},"status":"Success"})" : ""));
    CHECK(good.closed == 1000);
    Channels bad(w, kExec + std::string("command=fail&command=3"), form);
    bad.end();
    CHECK(bad.heard[2] == "no\n");
    if (bad.form.json_status) {
      CHECK(get_string(*parse_json(bad.heard[3]), "reason") == "NonZeroExitCode");
    } else {
      CHECK(bad.heard[3] == "command terminated with non-zero exit code: exit status 3");
    }
  }
  CHECK(w.streams.last().pod == "web");
}

TEST_CASE("exec: input until its end is signalled, sizes of the terminal") {
  World w;
  Channels cat(w, "/exec/a/web/app?input=1&output=1&command=cat", "v5.channel.k8s.io");
  cat.send(0, "one ");
  cat.send(0, "two");
  w.until([&] { return cat.heard[1] == "one two"; });
  CHECK(cat.closed == 0);
  cat.send(255, std::string(1, '\0'));
  cat.end();
  CHECK(get_string(*parse_json(cat.heard[3]), "status") == "Success");
  Channels size(w, "/exec/a/web/app?input=1&output=1&tty=1&command=size", "v4.channel.k8s.io");
  size.send(4, R"({"Width":100,"Height":30})");
  size.send(4, "nonsense");
  size.send(255, std::string(1, '\0'));  // means nothing before v5
  size.send(4, R"({"Width":120,"Height":40})");
  w.until([&] { return size.heard[1] == "100x30\n120x40\n"; });
  Channels attached(w, "/attach/a/web/app?input=1&output=1", "v5.channel.k8s.io");
  attached.send(0, "hi");
  w.until([&] { return attached.heard[1] == "attached\nhi"; });
}

TEST_CASE("exec: what goes wrong is told on the status channel") {
  struct Row {
    const char* target;
    std::string message;
  };
  World w;
  for (const Row& row :
       {Row{"/exec/a/web/app?output=1&command=nope",
            "Internal error occurred: error executing command in container: exec: \"nope\": "
            "executable file not found in $PATH"},
        Row{"/exec/a/web/side?output=1&command=echo",
            "Internal error occurred: unable to upgrade connection: container not found "
            "(\"side\")"},
        Row{"/exec/a/web/app?output=1&command=lost",
            "Internal error occurred: the container is gone"}}) {
    CAPTURE(row.target);
    Channels failed(w, row.target, "v5.channel.k8s.io");
    failed.end();
    const json::value status = *parse_json(failed.heard[3]);
    CHECK(get_string(status, "message") == row.message);
    CHECK(get_string(status, "reason") == "InternalError");
    CHECK(get_int(status, "code") == 500);
  }
}

TEST_CASE("requests that are refused before any upgrade") {
  struct Row {
    const char* target;
    int code;
    std::string text;
    net::Headers headers;
  };
  const net::Headers spdy{{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}};
  net::Headers odd = spdy;
  odd.add("X-Stream-Protocol-Version", "v9.channel.k8s.io");
  World w;
  for (const Row& row :
       {Row{"/exec/a/web/app?output=1&command=echo", 400, "Upgrade request required\n", {}},
        Row{"/exec/a/web/app?command=echo", 400,
            "you must specify at least 1 of stdin, stdout, stderr\n", spdy},
        Row{"/exec/a/web/app?output=1", 400,
            "you must specify at least one command for the container\n", spdy},
        Row{"/exec/a/none/app?output=1&command=echo", 404, "pod does not exist\n", spdy},
        Row{"/portForward/a/none", 404, "pod does not exist\n", spdy},
        Row{"/portForward/a/web", 400, "Upgrade request required\n", {}},
        Row{"/exec/a/web/app?output=1&command=echo", 403,
            "unable to upgrade: unable to negotiate protocol: client supports "
            "[v9.channel.k8s.io], server accepts [v4.channel.k8s.io v3.channel.k8s.io "
            "v2.channel.k8s.io channel.k8s.io]\n",
            odd}}) {
    CAPTURE(row.target);
    const auto got = net::block_on(
        w.executor, w.client->request({.target = row.target, .headers = row.headers}));
    REQUIRE(got.ok());
    CHECK(got->status == row.code);
    CHECK(got->body == row.text);
  }
  for (const char* target : {"/portForward/a/web", "/portForward/a/web?port=0"}) {
    auto answer = std::make_shared<net::Response>();
    const auto socket = net::block_on(
        w.executor,
        net::dial_websocket(*w.client, {.target = target}, {"v4.channel.k8s.io"}, answer));
    CHECK_FALSE(socket.ok());
    CHECK(answer->status == 400);
  }
}

TEST_CASE("exec: a process that prints for ever waits for its reader, and ends with him") {
  World w;
  Channels yes(w, "/exec/a/web/app?output=1&command=yes", "v5.channel.k8s.io");
  yes.socket->pause(true);
  std::size_t before = 1;
  for (int quiet = 0; quiet < 10; before = w.streams.printed()) {
    w.turns(20);
    quiet = w.streams.printed() == before ? quiet + 1 : 0;
  }
  CHECK(before > 0);
  CHECK(before < (32u << 20));
  yes.socket->pause(false);
  w.until([&] { return yes.heard[1].size() > before; });
  CHECK(w.streams.open_sessions() == 1);
  yes.socket.reset();  // the connection breaks
  w.until([&] { return w.streams.open_sessions() == 0; });
}

TEST_CASE("exec: a process that takes no input stops its client until it takes some") {
  World w;
  Channels deaf(w, "/exec/a/web/app?input=1&output=1&command=deaf", "v5.channel.k8s.io");
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 32; ++i) deaf.send(0, block);
  std::size_t before = 1;
  for (int quiet = 0; quiet < 10; before = w.streams.unread()) {
    w.turns(20);
    quiet = w.streams.unread() == before ? quiet + 1 : 0;
  }
  CHECK(before < (8u << 20));
  CHECK(deaf.socket->queued_bytes() > (8u << 20));
  w.streams.hear();
  w.until([&] { return deaf.socket->queued_bytes() == 0; });
}

// The client's end of a SPDY connection.
struct Spdy {
  World& w;
  std::shared_ptr<net::SpdySession> session;
  std::map<net::SpdySession::StreamId, std::string> heard;
  std::set<net::SpdySession::StreamId> ended;
  bool gone = false;

  explicit Spdy(World& world) : w(world) {}
  void start(std::shared_ptr<net::ByteStream> transport) {
    session =
        std::make_shared<net::SpdySession>(std::move(transport), net::SpdySession::Role::kClient);
    net::SpdySession::Events events;
    events.on_data = [this](auto id, std::string_view data) { heard[id] += data; };
    events.on_fin = [this](auto id) { ended.insert(id); };
    events.on_gone = [this] { gone = true; };
    session->start(std::move(events));
  }
  void dial(const std::string& target, const std::string& protocol) {
    auto answer = std::make_shared<net::Response>();
    auto stream = net::block_on(
        w.executor, w.client->upgrade({.method = "POST",
                                       .target = target,
                                       .headers = {{"Connection", "Upgrade"},
                                                   {"Upgrade", "SPDY/3.1"},
                                                   {"X-Stream-Protocol-Version", protocol}}},
                                      answer));
    REQUIRE(stream.status() == Status());
    CHECK(answer->headers.get("X-Stream-Protocol-Version") == protocol);
    start(*stream);
  }
  void dial_tunnel(const std::string& target) {
    auto socket = net::block_on(w.executor, net::dial_websocket(*w.client, {.target = target},
                                                                {"SPDY/3.1+portforward.k8s.io"}));
    REQUIRE(socket.status() == Status());
    CHECK((*socket)->subprotocol() == "SPDY/3.1+portforward.k8s.io");
    start(net::bytes_of_websocket(*socket));
  }
  ~Spdy() {
    if (session) session->close();
  }
};

TEST_CASE("exec over SPDY: streams, exit code, sizes") {
  World w;
  for (const char* protocol : {"v4.channel.k8s.io", "channel.k8s.io"}) {
    CAPTURE(protocol);
    Spdy spdy(w);
    spdy.dial("/exec/a/web/app?input=1&output=1&error=1&command=cat", protocol);
    const auto error = spdy.session->open({{"streamType", "error"}}, false);
    const auto in = spdy.session->open({{"streamType", "stdin"}}, false);
    spdy.session->write(in, "early ");
    const auto out = spdy.session->open({{"streamType", "stdout"}}, false);
    spdy.session->open({{"streamType", "stderr"}}, false);
    spdy.session->write(in, "late");
    spdy.session->fin(in);
    w.until([&] { return spdy.gone; });
    CHECK(spdy.heard[out] == "early late");
    CHECK(spdy.ended.contains(error));
    const bool v4 = protocol[0] == 'v';
    CHECK(spdy.heard[error] == (v4 ? R"({"metadata":{},"status":"Success"})" : ""));
  }
  Spdy tty(w);
  tty.dial("/exec/a/web/app?input=1&output=1&tty=1&command=size", "v4.channel.k8s.io");
  for (const char* type : {"error", "stdin"}) tty.session->open({{"streamType", type}}, false);
  const auto out = tty.session->open({{"streamType", "stdout"}}, false);
  const auto sizes = tty.session->open({{"streamType", "resize"}}, false);
  tty.session->write(sizes, "{\"Width\":80,\"Height\":24}\n{\"Width\":81,");
  tty.session->write(sizes, "\"Height\":25}\n");
  w.until([&] { return tty.heard[out] == "80x24\n81x25\n"; });
  tty.session->close();
  w.until([&] { return w.streams.open_sessions() == 0; });
}

// A pod that answers each line it was sent, in capitals, when its client has ended.
struct Pod {
  std::unique_ptr<net::TcpListener> listener;
  std::vector<std::shared_ptr<net::TcpSocket>> sockets;
  std::vector<std::string> heard;

  explicit Pod(World& w) {
    auto made = net::TcpListener::listen(w.executor, "127.0.0.1", 0, [this](auto socket) {
      const std::size_t at = sockets.size();
      sockets.push_back(socket);
      heard.emplace_back();
      socket->on_data([this, at](std::string_view data) {
        heard[at] += data;
        if (data.ends_with("!")) answer(at);
      });
      socket->on_end([this, at] { answer(at); });
    });
    REQUIRE(made.ok());
    listener = std::move(*made);
  }
  void answer(std::size_t at) {
    sockets[at]->write(net::make_bytes("got " + heard[at]));
    sockets[at]->end();
  }
  std::string port() const { return std::to_string(listener->port()); }
};

TEST_CASE("port-forward over SPDY, plain and tunnelled: connections side by side") {
  World w;
  Pod pod(w);
  for (const bool tunnel : {false, true}) {
    CAPTURE(tunnel);
    Spdy spdy(w);
    tunnel ? spdy.dial_tunnel("/portForward/a/web")
           : spdy.dial("/portForward/a/web", "portforward.k8s.io");
    const auto open = [&](const char* type, const std::string& port, const char* id) {
      return spdy.session->open({{"streamtype", type}, {"port", port}, {"requestid", id}},
                                std::string_view(type) == "error");
    };
    const auto error = open("error", pod.port(), "0"), data = open("data", pod.port(), "0");
    const auto error2 = open("error", pod.port(), "1"), data2 = open("data", pod.port(), "1");
    spdy.session->write(data, "one");
    spdy.session->write(data2, "two");
    spdy.session->fin(data2);
    w.until([&] { return spdy.ended.contains(error2); });
    CHECK(spdy.heard[data2] == "got two");
    CHECK(spdy.heard[error2].empty());
    CHECK_FALSE(spdy.ended.contains(data));
    spdy.session->fin(data);
    w.until([&] { return spdy.ended.contains(error) && spdy.ended.contains(data); });
    CHECK(spdy.heard[data] == "got one");
    const auto error3 = open("error", "1", "2");
    open("data", "1", "2");
    w.until([&] { return spdy.ended.contains(error3); });
    CHECK(
        spdy.heard[error3] ==
        "error forwarding port 1 to pod a/web: dial tcp 127.0.0.1:1: connect: connection refused");
    CHECK_FALSE(spdy.gone);
  }
}

TEST_CASE("port-forward over SPDY: a large transfer, and the client's leaving") {
  World w;
  Pod pod(w);
  Spdy spdy(w);
  spdy.dial_tunnel("/portForward/a/web");
  spdy.session->open({{"streamtype", "error"}, {"port", pod.port()}, {"requestid", "0"}}, true);
  const auto data =
      spdy.session->open({{"streamtype", "data"}, {"port", pod.port()}, {"requestid", "0"}}, false);
  const std::string sent(12u << 20, 'z');
  for (std::size_t at = 0; at < sent.size(); at += 1u << 20) {
    spdy.session->write(data, sent.substr(at, 1u << 20));
  }
  spdy.session->fin(data);
  w.until([&] { return spdy.ended.contains(data); });
  CHECK(spdy.heard[data].size() == sent.size() + 4);
  spdy.session->open({{"streamtype", "error"}, {"port", pod.port()}, {"requestid", "1"}}, true);
  const auto open =
      spdy.session->open({{"streamtype", "data"}, {"port", pod.port()}, {"requestid", "1"}}, false);
  spdy.session->write(open, "x");
  w.until([&] { return pod.heard.size() == 2 && pod.heard[1] == "x"; });
  bool left = false;
  pod.sockets[1]->on_end([&] { left = true; });
  pod.sockets[1]->on_close([&](std::string) { left = true; });
  spdy.session->close();
  w.until([&] { return left; });
}

TEST_CASE("port-forward: a client that leaves in the turn in which the pod has taken all") {
  World w;
  std::vector<std::shared_ptr<net::TcpSocket>> taken;
  auto pod = net::TcpListener::listen(
      w.executor, "127.0.0.1", 0,
      [&](std::shared_ptr<net::TcpSocket> socket) { taken.push_back(std::move(socket)); });
  REQUIRE(pod.ok());
  bool connected = false, closed = false;
  const auto early = [&] { CHECK_FALSE(closed); };
  PortClient client;
  client.data = [&](std::string_view) { early(); };
  client.end = [&] { early(); };
  client.done = [&](const std::string&) { early(); };
  client.pause = [&](bool paused) {
    early();
    connected = connected || !paused;
  };
  client.queued_bytes = [] { return std::size_t{0}; };
  const auto pipe = std::make_shared<PortPipe>(std::move(client));
  pipe->open(w.executor, "127.0.0.1", (*pod)->port());
  w.until([&] { return connected && !taken.empty(); });
  pipe->input("all of it");  // written in the next turn; that there is room is told in the third
  w.executor.post([&] {
    pipe->close();
    closed = true;
  });
  w.turns(50);
}

TEST_CASE("port-forward over channels: ports first, data, failures") {
  World w;
  Pod pod(w);
  Channels forward(w, "/portForward/a/web?port=" + pod.port() + ",1", "v4.channel.k8s.io");
  w.until([&] { return forward.heard[3].size() > 2; });
  const int port = pod.listener->port();
  const std::string number{static_cast<char>(port & 0xff), static_cast<char>(port >> 8)};
  CHECK(forward.heard[0] == number);
  CHECK(forward.heard[1] == number);
  CHECK(forward.heard[2] == std::string("\1\0", 2));
  CHECK(forward.heard[3].substr(2).find("connection refused") != std::string::npos);
  forward.send(0, "hello!");
  forward.end();
  CHECK(forward.heard[0] == number + "got hello!");
  CHECK(forward.closed == 1000);
}

}  // namespace
}  // namespace coracle::kubelet
