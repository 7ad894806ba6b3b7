// Groups: the cost of joining, leaving and a turn, by the number of groups; and a fan-out, whose
// cost is mostly the kernel's.
#include <benchmark/benchmark.h>
#include <stormo/groups.h>
#include <sys/socket.h>

#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "net/codec/websocket_codec.h"
#include "net/connection_table.h"

namespace stormo {
namespace {

constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: c3Rvcm1vIGxvYWQgdGVzdA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// Members over unix sockets, after the handshake.
class Members {
 public:
  explicit Members(std::size_t count, DeflateOptions deflate = {})
      : codec_(WebSocketOptions{.deflate = deflate}) {
    endpoint_.codec = &codec_;
    for (std::size_t i = 0; i < count; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
      clients_.emplace_back(ends[0]);
      members_.push_back(
          net::ConnectionTable::current().accept(UniqueFd(ends[1]), endpoint_).value());
      ::send(ends[0], kRequest.data(), kRequest.size(), 0);
    }
    for (const net::ConnectionImpl* member : members_) {
      while (member->phase != net::Phase::Open) turn();
    }
    turn();
    readAll();
  }
  ~Members() { net::ConnectionTable::current().abandon(endpoint_); }

  [[nodiscard]] net::ConnectionImpl& at(std::size_t index) { return *members_[index]; }
  void turn() { loop_.turn(std::chrono::milliseconds(0)); }
  /// Returns the bytes that all clients have read.
  std::size_t readAll() {
    static std::array<char, 64 << 10> buffer;
    std::size_t total = 0;
    for (const UniqueFd& client : clients_) {
      const ssize_t bytes = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (bytes > 0) total += static_cast<std::size_t>(bytes);
    }
    return total;
  }

 private:
  EventLoop loop_;
  net::WebSocketCodec codec_;
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

/// Messages of a chat in JSON, cut at that size.
std::string json(std::size_t bytes) {
  constexpr const char* kWords[] = {"the",  "meeting", "is",   "at",    "nine",  "bring", "your",
                                    "plan", "and",     "some", "cakes", "later", "today", "please"};
  std::string text = "[";
  for (std::uint32_t id = 1, random = 1; text.size() < bytes; ++id) {
    text += R"({"id":)" + std::to_string(id * 7919) + R"(,"from":"user)" + std::to_string(id % 37) +
            R"(","text":")";
    for (int i = 0; i < 9; ++i) {
      random = random * 1'664'525 + 1'013'904'223;
      text.append(kWords[(random >> 16) % std::size(kWords)]) += ' ';
    }
    text += R"("},)";
  }
  text.resize(bytes);
  return text;
}

/// One message to 1,000 members, of that size, compressed or not. A long one takes several turns.
void fanOutJson(benchmark::State& state) {
  const std::string text = json(static_cast<std::size_t>(state.range(0)));
  Members members(1000, {.enabled = state.range(1) != 0, .messageBytesMin = 1});
  Groups groups;
  for (std::size_t i = 0; i < 1000; ++i) groups.join(members.at(i), "all");
  std::size_t bytes = 0;
  for (auto _ : state) {
    groups.send("all", text);
    for (std::size_t sent = 1; sent > 0; bytes += sent) {
      members.turn();
      state.PauseTiming();
      sent = members.readAll();
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(state.iterations() * 1000);
  state.counters["bytes"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations()) / 1000;
}
BENCHMARK(fanOutJson)->Name("groups/fanOutJson")->ArgsProduct({{64, 256, 1024, 16384}, {0, 1}});

}  // namespace
}  // namespace stormo
