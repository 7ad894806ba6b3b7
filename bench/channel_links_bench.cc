// The Channel alone: events from one publisher's link to one subscriber's, with and without a log
// in files. Both ends and the Channel run on one processor, so the figure includes the ends' system
// calls.
#include <benchmark/benchmark.h>
#include <stormo/channel/server.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "channel/log/file_log.h"
#include "channel/log/memory_log.h"
#include "channel/server/server_process.h"
#include "protocol/channel/packet.h"
#include "sys/sockets.h"
#include "temp_log.h"

namespace stormo::channel {
namespace {

constexpr std::string_view kChannel = "123";

class Link {
 public:
  explicit Link(const Address& address) : fd_(std::move(*connectTo(address))) {
    setNoDelay(fd_.get());
  }
  /// Returns the number of bytes that the kernel accepted.
  std::size_t send(std::string_view bytes) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  /// Returns the number of bytes read.
  std::size_t receive() {
    const ssize_t got = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  UniqueFd fd_;
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
};

std::unique_ptr<Log> fileLog(RealLogDirectory& directory) {
  return std::make_unique<FileLog>(directory, LogSettings{});
}

std::unique_ptr<Log> memoryLog() { return std::make_unique<MemoryLog>(); }

void oneToOne(benchmark::State& state) {
  constexpr std::size_t kEventsAtOnce = 500;
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  EventLoop loop;
  const Server server("127.0.0.1", 0);
  const UniqueFd listening = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const TempLog place;
  const auto directory = place.open();
  ServerProcess process(loop, server, state.range(1) == 0 ? memoryLog() : fileLog(*directory));
  process.listen(listening.get());
  Link publisher(localAddress(listening.get()));
  Link subscriber(localAddress(listening.get()));
  const auto turn = [&] { loop.turn(std::chrono::milliseconds(0)); };

  const auto hello = [](std::uint64_t producerId) {
    return encode({.kind = Kind::Hello, .version = kProtocolVersion, .producerId = producerId});
  };
  publisher.send(hello(1));
  subscriber.send(hello(2) +
                  encode({.kind = Kind::Subscribe, .space = Space::Groups, .channel = kChannel}));
  for (int i = 0; i < 10; ++i) turn();
  subscriber.receive();

  std::string publishes;
  std::uint64_t sequence = 0;
  const auto writePublishes = [&] {
    publishes.clear();
    for (std::size_t i = 0; i < kEventsAtOnce; ++i) {
      encode({.kind = Kind::Publish,
              .payloadKind = PayloadKind::Text,
              .space = Space::Groups,
              .sequence = ++sequence,
              .channel = kChannel,
              .payload = payload},
             publishes);
    }
  };
  const auto publishAll = [&] {
    for (std::size_t sent = 0; sent < publishes.size();) {
      sent += publisher.send(std::string_view(publishes).substr(sent));
      turn();
    }
  };
  writePublishes();
  publishAll();
  std::size_t eventsBytes = 0;  // of one such batch
  for (int i = 0; i < 10; ++i) {
    turn();
    eventsBytes += subscriber.receive();
  }

  if (eventsBytes < publishes.size()) state.SkipWithError("events are missing");
  for (auto _ : state) {
    state.PauseTiming();
    writePublishes();  // with new sequences, because duplicates are dropped
    state.ResumeTiming();
    publishAll();
    for (std::size_t got = 0; got < eventsBytes; got += subscriber.receive()) turn();
    publisher.receive();  // acknowledgements
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEventsAtOnce));
}
BENCHMARK(oneToOne)
    ->Name("channel/oneToOne")
    ->ArgNames({"bytes", "log"})
    ->Args({64, 0})
    ->Args({64, 1})
    ->Args({1024, 0})
    ->Args({1024, 1});

}  // namespace
}  // namespace stormo::channel
