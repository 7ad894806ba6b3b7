// hostile_load [ATTACK...]: the effect of hostile clients on 200 well-behaved ones. Starts one
// server per attack; measures before, during and after the attack.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "hostile_attacks.h"
#include "hostile_clients.h"
#include "hostile_server.h"
#include "sys/open_files.h"
#include "well_behaved_clients.h"

namespace {

using namespace stormo;
using namespace stormo::bench;
using std::chrono::steady_clock;

struct Options {
  std::vector<std::string> attacks;
  std::string program;
  unsigned beforeSeconds = 2;
  unsigned seconds = 5;
  unsigned afterSeconds = 3;
  int attackersNice = 0;
};

constexpr std::chrono::milliseconds kSample{50};

/// Waits, and returns the highest memory seen meanwhile.
HostileServer::Memory watch(const HostileServer& server, std::chrono::milliseconds howLong) {
  HostileServer::Memory most;
  const auto end = steady_clock::now() + howLong;
  while (steady_clock::now() < end) {
    const HostileServer::Memory memory = server.memory();
    most.workers = std::max(most.workers, memory.workers);
    most.channel = std::max(most.channel, memory.channel);
    std::this_thread::sleep_for(kSample);
  }
  return most;
}

std::string latencies(const WellBehavedClients::Figures& figures) {
  const auto ms = [&](double part) {
    return static_cast<double>(figures.latency.quantile(part)) / 1e6;
  };
  return fmt::format("{:.2f} / {:.2f} / {:.0f}", ms(0.5), ms(0.99), ms(1.0));
}

std::string mebibytes(std::uint64_t before, std::uint64_t during, std::uint64_t after) {
  return fmt::format("{} / {} / {}", before >> 20, during >> 20, after >> 20);
}

void printHead() {
  fmt::print("{:<22} {:>20} {:>22} {:>22} {:>7} {:>4} {:>7} {:>9} {:>9} {:>17} {:>17}\n", "attack",
             "before: p50/p99/max", "during: p50/p99/max", "after: p50/p99/max", "lost", "cut",
             "closed", "sent MB", "got MB", "workers MB b/d/a", "channel MB b/d/a");
}

void run(const HostileAttack& attack, const Options& options) {
  using std::chrono::seconds;
  const HostileServer server(options.program, attack.serverArguments);
  WellBehavedClients wellBehaved(server.address());
  watch(server, seconds(1));
  wellBehaved.begin(HostilePhase::Before);
  const auto before = watch(server, seconds(options.beforeSeconds));
  std::vector<HostileScript> scripts = attack.scripts(server.address());

  wellBehaved.begin(HostilePhase::During);
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t closed = 0;
  HostileServer::Memory during;
  {
    const HostileClients clients(server.address(), std::move(scripts), options.attackersNice);
    during = watch(server, seconds(options.seconds));
    sent = clients.bytesSent();
    received = clients.bytesReceived();
    closed = clients.closed();
  }
  wellBehaved.begin(HostilePhase::After);
  watch(server, seconds(options.afterSeconds));
  const auto after = server.memory();
  wellBehaved.finish();

  std::uint64_t lost = 0;
  for (std::size_t phase = 1; phase < kHostilePhases; ++phase) {  // groups fill during the warm-up
    const auto& figures = wellBehaved.of(static_cast<HostilePhase>(phase));
    lost += figures.expected - std::min(figures.expected, figures.latency.count());
  }
  fmt::print("{:<22} {:>20} {:>22} {:>22} {:>7} {:>4} {:>7} {:>9} {:>9} {:>17} {:>17}\n",
             attack.name, latencies(wellBehaved.of(HostilePhase::Before)),
             latencies(wellBehaved.of(HostilePhase::During)),
             latencies(wellBehaved.of(HostilePhase::After)), lost, wellBehaved.disconnected(),
             closed, sent >> 20, received >> 20,
             mebibytes(before.workers, during.workers, after.workers),
             mebibytes(before.channel, during.channel, after.channel));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.program =
      (std::filesystem::canonical("/proc/self/exe").parent_path() / "stormo").string();
  CLI::App app("The effect of hostile clients on 200 well-behaved ones, in ms and MiB.");
  app.add_option("attack", options.attacks, "the attacks (default: all)");
  app.add_option("--program", options.program, "the stormo to attack");
  app.add_option("--before", options.beforeSeconds, "seconds before the attack");
  app.add_option("--seconds", options.seconds, "seconds of the attack");
  app.add_option("--attackers-nice", options.attackersNice,
                 "the niceness of the attackers' thread: with 19 the server gets the processors "
                 "first, as if the attackers were elsewhere")
      ->check(CLI::Range(0, 19));
  app.add_option("--after", options.afterSeconds, "seconds after it");
  bool list = false;
  app.add_flag("--list", list, "list the attacks and exit");
  CLI11_PARSE(app, argc, argv);

  const auto& attacks = hostileAttacks();
  if (list) {
    for (const HostileAttack& attack : attacks) fmt::print("{:<22} {}\n", attack.name, attack.what);
    return 0;
  }
  std::vector<const HostileAttack*> chosen;
  for (const std::string& name : options.attacks) {
    const auto found = std::ranges::find(attacks, name, &HostileAttack::name);
    if (found == attacks.end()) {
      std::cerr << "hostile_load: there is no attack '" << name << "' (see --list)\n";
      return 2;
    }
    chosen.push_back(&*found);
  }
  if (chosen.empty()) {
    for (const HostileAttack& attack : attacks) chosen.push_back(&attack);
  }
  ::signal(SIGPIPE, SIG_IGN);
  raiseOpenFilesLimit();
  try {
    printHead();
    for (const HostileAttack* attack : chosen) run(*attack, options);
  } catch (const std::exception& thrown) {
    std::cerr << "hostile_load: " << thrown.what() << '\n';
    return 1;
  }
  return 0;
}
