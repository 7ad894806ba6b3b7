#include "cli/bench_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

#include "bench/load_test.h"
#include "sys/standard_streams.h"

namespace {

using namespace stormo;

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

// ws://host:port/target
void aimAt(const std::string& url, bench::Plan& plan) {
  constexpr std::string_view kScheme = "ws://";
  if (!url.starts_with(kScheme)) {
    throw std::invalid_argument("'" + url + "' is no URL such as ws://127.0.0.1:1234/");
  }
  const std::size_t path = url.find('/', kScheme.size());
  const SocketUrl parsed = parseSocketUrl(url.substr(0, path));
  const auto address = Address::resolve(parsed.host, parsed.port);
  if (!address) throw std::runtime_error(parsed.host + ": " + address.error().message());
  plan.server = address.value().front();
  plan.host = url.substr(kScheme.size(), path == url.npos ? url.npos : path - kScheme.size());
  if (path != url.npos) plan.target = url.substr(path);
}

}  // namespace

int runBench(int argc, char** argv) {
  CLI::App app(
      "Loads a server with members in groups, and checks that each of them gets every message "
      "once\nand in order. Start one first: stormo start",
      "stormo bench");
  bench::Plan plan;
  std::string url = "ws://127.0.0.1:1234/";
  double warmUp = 1;
  double duration = 5;
  double timeouts = 10;
  pid_t serverPid = 0;
  bool json = false;
  app.add_option("--url", url, "the server; the path may say {group}")->capture_default_str();
  app.add_option("-m,--members", plan.members, "connections")->capture_default_str();
  app.add_option("-g,--groups", plan.groups, "over which they are spread")->capture_default_str();
  app.add_option("-p,--publishers", plan.publishers,
                 "members that publish to their group; 0: idle connections are measured")
      ->capture_default_str();
  auto* inFlight = app.add_option("-w,--in-flight", plan.inFlight,
                                  "messages of each publisher that are on their way at once")
                       ->capture_default_str();
  app.add_option("-r,--rate", plan.rate,
                 "instead: messages a second of all publishers together, whatever comes back")
      ->check(CLI::PositiveNumber)
      ->excludes(inFlight);
  app.add_option("-b,--bytes", plan.messageBytes, "of a message")->capture_default_str();
  app.add_option("-t,--seconds", duration, "that are measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warm-up", warmUp, "seconds before")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--timeouts", timeouts,
                 "seconds that what has not come at the end is waited for, without any progress")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option_function<std::uint32_t>(
         "--tick", [&](std::uint32_t us) { plan.tick = std::chrono::microseconds(us); },
         "microseconds between two looks of the generator at its sockets")
      ->default_str("50");
  app.add_option("--processes", plan.processes,
                 "of the generator (default: as the limit of open files asks for)");
  app.add_flag("--check-all", plan.checkAll,
               "all members look at every message, not one in a hundred and the publishers");
  app.add_flag("--quick-ack", plan.quickAck,
               "publishers acknowledge at once, for a server that leaves Nagle's algorithm on");
  app.add_option("--server-pid", serverPid,
                 "whose CPU and memory are measured, with its children (default: who listens)");
  app.add_flag("--json", json, "for programs");
  app.add_option("--hello", plan.hello, "said after the handshake")->group("Another protocol");
  app.add_option("--hello-reply", plan.helloReply, "how the text begins after which to join")
      ->group("Another protocol");
  app.add_option("--join", plan.join, "the text that joins {group}")
      ->capture_default_str()
      ->group("Another protocol");
  app.add_option("--publish", plan.publish,
                 "the text that sends {message}, of {bytes} bytes, to {group}")
      ->capture_default_str()
      ->group("Another protocol");

  try {
    openStandardStreams();
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      std::ostringstream help;
      if (app.exit(error, help, std::cerr) != 0) return 2;
      printOut(help.str());
      return 0;
    }
    plan.warmUp = seconds(warmUp);
    plan.duration = seconds(duration);
    plan.timeouts = seconds(timeouts);
    aimAt(url, plan);
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
