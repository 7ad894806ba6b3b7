// api_load URL --key KEY: loads the HTTP API of a running server with publishes. Prints their rate,
// their latency and the CPU time that the processes of the server used for them.
#include <fmt/format.h>
#include <stormo/connector.h>
#include <stormo/event_loop.h>
#include <stormo/json.h>
#include <stormo/timer.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/histogram.h"
#include "bench/server_usage.h"

namespace {

using namespace stormo;
using namespace stormo::bench;
using std::chrono::steady_clock;

struct Options {
  std::string url = "http://127.0.0.1:8100";
  std::string key;
  std::size_t connections = 4;
  std::size_t batch = 1;
  std::size_t messageBytes = 100;
  double rate = 0;
  double warmUp = 1;
  double seconds = 5;
};

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

/// The whole answer at the front of `buffer`. The server states the length of all its answers.
std::ptrdiff_t answerBytes(std::string_view buffer, std::size_t /*searched*/) {
  constexpr std::string_view kLength = "Content-Length: ";
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = buffer.find(kEnd);
  if (end == buffer.npos) return Protocol::kNeedMore;
  const std::size_t length = buffer.substr(0, end).find(kLength);
  if (length == buffer.npos) return Protocol::kInvalid;
  std::size_t bodyBytes = 0;
  std::from_chars(buffer.data() + length + kLength.size(), buffer.data() + end, bodyBytes);
  return static_cast<std::ptrdiff_t>(end + kEnd.size() + bodyBytes);
}

/// http:// as tcp://, and https:// as tcps://: a Connector does not speak HTTP.
std::string connectorUrl(const std::string& url) {
  if (url.starts_with("https://")) return "tcps://" + url.substr(8);
  return url.starts_with("http://") ? "tcp://" + url.substr(7) : url;
}

std::string requestOf(const Options& options) {
  Value message =
      Value::object({{"group", "load"}, {"message", std::string(options.messageBytes, 'x')}});
  std::string body = toJson(message);
  if (options.batch > 1) {
    message.set("cmd", "publish");
    Value commands = Value::list();
    for (std::size_t i = 0; i < options.batch; ++i) commands.append(message);
    body = toJson(Value::object({{"commands", commands}}));
  }
  return fmt::format(
             "POST /v1/{} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\nContent-Length: "
             "{}\r\n\r\n",
             options.batch > 1 ? "batch" : "publish", options.key, body.size()) +
         body;
}

/// The connections, each with at most one request on its way.
class ApiLoad {
 public:
  explicit ApiLoad(const Options& options)
      : options_(options), request_(requestOf(options)), server_(serverOf(options.url)) {
    const Protocol answers = Protocol::custom(
        "http answers", answerBytes, [](std::string_view answer) { return answer; },
        [](std::string_view request, std::string& out) { out += request; });
    for (std::size_t i = 0; i < options.connections; ++i) {
      Client& client =
          *clients_.emplace_back(std::make_unique<Client>(connectorUrl(options.url), answers));
      Connector& connector = client.connector;
      connector.reconnect = std::chrono::milliseconds(0);
      connector.maxSendBufferSize = request_.size() + 1;
      connector.onConnect = [this, &client, i](Connection&) {
        client.due = steady_clock::now() + interval() * i / options_.connections;
        sendWhenDue(client);
      };
      connector.onMessage = [this, &client](Connection&, Message answer) {
        onAnswer(client, answer.data);
      };
      connector.onError = [this](const Error& error) { fail(error.message()); };
      connector.onClose = [this](Connection&) { fail("the server has closed a connection"); };
      connector.connect();
    }
  }

  /// Throws std::runtime_error if a connection fails, or no request is answered.
  void run() {
    Timer::once(nanoseconds(options_.warmUp), [this] { begin(); });
    Timer::once(nanoseconds(options_.warmUp + options_.seconds), [this] { loop_.stop(); });
    loop_.run();
    ended_ = steady_clock::now();
    after_ = server_.processes();
    if (latency_.count() == 0) fail("no request was answered in that time");
    if (!failure_.empty()) throw std::runtime_error(failure_);
  }

  [[nodiscard]] bool isRefused() const { return refused_ > 0; }

  void print() const {
    const double seconds = std::chrono::duration<double>(ended_ - began_).count();
    const auto requests = static_cast<double>(latency_.count());
    const double publishes = requests * static_cast<double>(options_.batch);
    const auto ms = [&](double part) { return static_cast<double>(latency_.quantile(part)) / 1e6; };
    fmt::print("{:.0f} publishes/s in {:.0f} requests/s; connections: {}, seconds: {:.1f}\n",
               publishes / seconds, requests / seconds, options_.connections, seconds);
    fmt::print("latency: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms\n", ms(0.5), ms(0.99),
               static_cast<double>(latency_.max()) / 1e6);
    for (std::size_t i = 0; i < std::min(before_.size(), after_.size()); ++i) {
      const std::chrono::duration<double> used = after_[i].cpuTime - before_[i].cpuTime;
      if (used.count() == 0) continue;
      fmt::print("CPU of {}: {:.2f} s, {:.2f} us for each publish\n", after_[i].name, used.count(),
                 used.count() * 1e6 / publishes);
    }
    fmt::print("refused: {}\n", refused_);
    if (refused_ > 0) fmt::print("the first one: {}\n", firstRefusal_);
  }

 private:
  struct Client {
    Client(const std::string& url, const Protocol& answers) : connector(url, answers) {}

    Connector connector;
    steady_clock::time_point due;   // with a rate: when the next request should leave
    steady_clock::time_point sent;  // or should have been
  };

  static ServerUsage serverOf(const std::string& url) {
    const SocketUrl parsed = parseSocketUrl(url);
    if (parsed.isUnix()) return ServerUsage::listeningOn(*Address::unixPath(parsed.host));
    const auto addresses = Address::resolve(parsed.host, parsed.port);
    if (!addresses) throw std::runtime_error(parsed.host + ": " + addresses.error().message());
    return ServerUsage::listeningOn(addresses.value().front());
  }

  /// Between two requests of one connection. Zero: each follows the answer to the one before.
  [[nodiscard]] std::chrono::nanoseconds interval() const {
    if (options_.rate == 0) return {};
    return nanoseconds(static_cast<double>(options_.connections) / options_.rate);
  }

  void begin() {
    latency_ = {};
    before_ = server_.processes();
    began_ = steady_clock::now();
  }

  /// The wait of a late request for its connection is a part of its latency.
  void sendWhenDue(Client& client) {
    const auto now = steady_clock::now();
    if (interval().count() == 0 || client.due <= now) {
      return send(client, interval().count() == 0 ? now : client.due);
    }
    Timer::once(client.due - now, [this, &client] { send(client, steady_clock::now()); });
  }

  void send(Client& client, steady_clock::time_point from) {
    Connection* const connection = client.connector.connection();
    if (connection == nullptr) return;  // the run has failed
    client.due += interval();
    client.sent = from;
    if (connection->send(request_) != SendStatus::Queued) fail("a request cannot be sent");
  }

  void onAnswer(Client& client, std::string_view answer) {
    latency_.record(static_cast<std::uint64_t>((steady_clock::now() - client.sent).count()));
    if (!answer.starts_with("HTTP/1.1 200 ") || answer.find("\"error\"") != answer.npos) {
      if (refused_++ == 0) firstRefusal_ = answer;
    }
    sendWhenDue(client);
  }

  void fail(const std::string& why) {
    if (failure_.empty()) failure_ = why;
    loop_.stop();
  }

  EventLoop loop_;
  const Options options_;
  const std::string request_;
  const ServerUsage server_;
  std::vector<std::unique_ptr<Client>> clients_;
  Histogram latency_;
  std::size_t refused_ = 0;
  std::string firstRefusal_;
  std::string failure_;
  std::vector<ServerUsage::Process> before_;
  std::vector<ServerUsage::Process> after_;
  steady_clock::time_point began_;
  steady_clock::time_point ended_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Load the HTTP API of a running server with publishes.", "api_load");
  app.option_defaults()->always_capture_default();
  app.add_option("url", options.url, "http://host:port, https://host:port or unix:///path");
  app.add_option("-k,--key", options.key, "A key with the right 'publish'")->required();
  app.add_option("-c,--connections", options.connections,
                 "Connections that are kept open, each with one request on its way")
      ->check(CLI::Range(1, 10'000));
  app.add_option("-n,--batch", options.batch, "Publishes of one request; 1: /v1/publish")
      ->check(CLI::Range(1, 1000));
  app.add_option("-b,--bytes", options.messageBytes, "Bytes of a message");
  app.add_option("-r,--rate", options.rate,
                 "Requests per second of all connections; 0: each follows the answer before")
      ->check(CLI::NonNegativeNumber);
  app.add_option("-t,--seconds", options.seconds, "Measured time in seconds")
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warmUp, "Seconds before it")->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    ApiLoad load(options);
    load.run();
    load.print();
    return load.isRefused() ? 1 : 0;
  } catch (const std::exception& failed) {
    std::cerr << "api_load: " << failed.what() << '\n';
    return 1;
  }
}
