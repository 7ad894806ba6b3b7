// Groups: the cost of joining, leaving and a turn, by the number of groups; and a fan-out, whose
// cost is mostly the kernel's.
#include <benchmark/benchmark.h>
#include <stormo/groups.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "net/codec/websocket_codec.h"
#include "net/connection_table.h"

namespace stormo {
namespace {

constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: c3Rvcm1vIGxvYWQgdGVzdA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Members over unix sockets, after the handshake.
class Members {
 public:
  explicit Members(std::size_t count) {
    endpoint_.codec = &codec_;
    for (std::size_t i = 0; i < count; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
      clients_.emplace_back(ends[0]);
      members_.push_back(
          net::ConnectionTable::current().accept(UniqueFd(ends[1]), endpoint_).value());
      ::send(ends[0], kRequest.data(), kRequest.size(), 0);
    }
    turn();
    readAll();
  }
  ~Members() { net::ConnectionTable::current().abandon(endpoint_); }

  [[nodiscard]] net::ConnectionImpl& at(std::size_t index) { return *members_[index]; }
  void turn() { loop_.turn(std::chrono::milliseconds(0)); }
  void readAll() {
    static std::array<char, 64 << 10> buffer;
    for (const UniqueFd& client : clients_) ::recv(client.get(), buffer.data(), buffer.size(), 0);
  }

 private:
  EventLoop loop_;
  net::WebSocketCodec codec_{WebSocketOptions{}};
  net::Endpoint endpoint_;
  std::vector<UniqueFd> clients_;
  std::vector<net::ConnectionImpl*> members_;
};

std::string name(std::int64_t number) { return "group" + std::to_string(number); }

void joinIdle(Groups& groups, Members& members, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) groups.join(members.at(0), name(i));
}

void joinAndLeave(benchmark::State& state) {
  Members members(2);
  Groups groups;
  joinIdle(groups, members, state.range(0));
  groups.join(members.at(0), "this");
  for (auto _ : state) {
    groups.join(members.at(1), "this");
    groups.leave(members.at(1), "this");
  }
}
BENCHMARK(joinAndLeave)->Name("groups/joinAndLeave")->Arg(10)->Arg(100'000);

void turnWithIdleGroups(benchmark::State& state) {
  Members members(2);
  Groups groups;
  joinIdle(groups, members, state.range(0));
  for (auto _ : state) members.turn();
}
BENCHMARK(turnWithIdleGroups)->Name("groups/turnWithIdleGroups")->Arg(10)->Arg(100'000);

void fanOut(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto messages = static_cast<std::size_t>(state.range(1));
  Members members(count);
  Groups groups;
  for (std::size_t i = 0; i < count; ++i) groups.join(members.at(i), "all");
  const std::string text(64, 'x');
  for (auto _ : state) {
    for (std::size_t i = 0; i < messages; ++i) groups.send("all", text);
    members.turn();
    state.PauseTiming();
    members.readAll();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}
BENCHMARK(fanOut)->Name("groups/fanOut")->Args({100, 1})->Args({100, 16})->Args({100, 64});

}  // namespace
}  // namespace stormo
