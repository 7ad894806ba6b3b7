#include "cli/bench_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "bench/load_test.h"
#include "cli/parse_arguments.h"
#include "sys/standard_streams.h"

namespace {

using namespace stormo;

constexpr const char* kGroups = "groups";
constexpr const char* kV1 = "stormo.v1";

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

// ws://host:port/target, or wss://
void aimAt(const std::string& url, const std::string& authoritiesFile, bench::Plan& plan) {
  const bool isTls = url.starts_with("wss://");
  if (!isTls && !url.starts_with("ws://")) {
    throw std::invalid_argument("'" + url + "' is not a URL such as ws://127.0.0.1:1234/");
  }
  if (!isTls && !authoritiesFile.empty()) {
    throw std::invalid_argument("--ca-file is for a URL that begins with wss://");
  }
  const std::size_t host = url.find("//") + 2;
  const std::size_t path = url.find('/', host);
  const SocketUrl parsed = parseSocketUrl(url.substr(0, path));
  const auto address = Address::resolve(parsed.host, parsed.port);
  if (!address) throw std::runtime_error(parsed.host + ": " + address.error().message());
  plan.server = address.value().front();
  plan.host = url.substr(host, path == url.npos ? url.npos : path - host);
  if (path != url.npos) plan.target = url.substr(path);
  if (!isTls) return;
  plan.tls = net::TlsContext::ofClient({.authoritiesFile = authoritiesFile});
  plan.tlsHost = parsed.host;
}

}  // namespace

int runBench(int argc, char** argv) {
  CLI::App app(
      "Load a server with members in groups, and check that each member gets every message once "
      "and\nin order. The server must run: stormo start",
      "stormo bench");
  bench::Plan plan;
  std::string url = "ws://127.0.0.1:1234/";
  std::string authoritiesFile;
  double warmUp = 1;
  double duration = 5;
  double timeout = 10;
  pid_t serverPid = 0;
  bool json = false;
  app.add_option("--url", url, "URL of the server, ws: or wss:; its path may contain {group}")
      ->capture_default_str();
  app.add_option("--ca-file", authoritiesFile,
                 "PEM file with the authorities of the server's certificate (default: the "
                 "system's)");
  app.add_option("-m,--members", plan.members, "Number of connections")->capture_default_str();
  app.add_option("-g,--groups", plan.groups, "Number of groups; each member is in one")
      ->capture_default_str();
  app.add_option("-p,--publishers", plan.publishers,
                 "Members that publish to their group; 0 measures idle connections")
      ->capture_default_str();
  auto* inFlight = app.add_option("-w,--in-flight", plan.inFlight,
                                  "Messages of each publisher that are in flight at once")
                       ->capture_default_str();
  app.add_option("-r,--rate", plan.rate,
                 "Instead of --in-flight: messages per second of all publishers together")
      ->check(CLI::PositiveNumber)
      ->excludes(inFlight);
  app.add_option("-b,--bytes", plan.messageBytes, "Bytes of a message")->capture_default_str();
  app.add_option("-t,--seconds", duration, "Measured time in seconds")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warm-up", warmUp, "Seconds before the measured time")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--timeout", timeout,
                 "Seconds to wait at the end for missing messages, counted from the last one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option_function<std::uint32_t>(
         "--tick", [&](std::uint32_t us) { plan.tick = std::chrono::microseconds(us); },
         "Microseconds between two turns of the generator")
      ->default_str("50");
  app.add_option(
      "--processes", plan.processes,
      "Processes of the generator (default: as many as the limit of open files requires)");
  app.add_flag("--check-all", plan.checkAll,
               "All members check every message, not only one in a hundred and the publishers");
  app.add_flag("--quick-ack", plan.quickAck,
               "Publishers acknowledge at once, for a server with Nagle's algorithm");
  app.add_option(
      "--server-pid", serverPid,
      "Process whose CPU and memory are measured, with its children (default: the one that "
      "listens)");
  app.add_flag("--json", json, "Print JSON");
  app.add_option_function<std::string>(
         "--protocol", [&](const std::string& name) { plan.isV1 = name == kV1; },
         "Protocol of the members: group commands, or stormo.v1, whose members make a connection "
         "again that the server closes, and resume")
      ->check(CLI::IsMember({kGroups, kV1}))
      ->default_str(kGroups);
  app.add_option("--hello", plan.hello, "Text to send after the handshake")
      ->group("Another protocol");
  app.add_option("--hello-reply", plan.helloReply, "Start of the text after which a member joins")
      ->group("Another protocol");
  app.add_option("--join", plan.join, "Text that joins {group}")
      ->capture_default_str()
      ->group("Another protocol");
  app.add_option("--publish", plan.publish,
                 "Text that sends {message}, of {bytes} bytes, to {group}")
      ->capture_default_str()
      ->group("Another protocol");

  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    plan.warmUp = seconds(warmUp);
    plan.duration = seconds(duration);
    plan.timeout = seconds(timeout);
    aimAt(url, authoritiesFile, plan);
    bench::settle(plan);
    const bench::Report report = bench::runLoadTest(plan, serverPid);
    printOut(json ? toJson(plan, report).dump(2) + "\n" : toText(plan, report));
    return report.isFlawless() ? 0 : 1;
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "stormo bench: %s\n", wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "stormo bench: %s\n", failed.what());
    return 1;
  }
}
