// send_limit SOCKETS BYTES [SECONDS]: number of send(2) per second that the kernel executes, of
// BYTES bytes each, over SOCKETS loopback connections in rotation, while another process reads
// them. This is the upper limit for the fan-out of any server.
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sys/open_files.h"
#include "sys/sockets.h"

namespace {

using namespace stormo;
using std::chrono::steady_clock;

template <typename T>
T valueOf(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

void runOnProcessor(std::size_t processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// Connects, and reads as the load generator does: in ticks, without copying.
[[noreturn]] void readForever(const Address& address, std::size_t count) {
  const UniqueFd epoll(::epoll_create1(0));
  std::vector<UniqueFd> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    const UniqueFd& socket = sockets.emplace_back(valueOf(connectTo(address)));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket.get();
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.get(), &event);
  }
  std::vector<char> buffer(256 << 10);
  std::vector<epoll_event> events(1024);
  for (;;) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < ready; ++i) {
      ::recv(events[static_cast<std::size_t>(i)].data.fd, buffer.data(), buffer.size(), MSG_TRUNC);
    }
    if (ready < static_cast<int>(events.size())) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

/// Number of complete sends per second.
double sendFor(std::chrono::duration<double> seconds, const std::vector<UniqueFd>& sockets,
               std::size_t bytes) {
  const std::vector<char> message(bytes, 'x');
  std::uint64_t sent = 0;
  const auto began = steady_clock::now();
  auto now = began;
  while (now - began < seconds) {
    for (const UniqueFd& socket : sockets) {
      const ssize_t taken = ::send(socket.get(), message.data(), bytes, MSG_NOSIGNAL);
      if (taken == static_cast<ssize_t>(bytes)) ++sent;
    }
    now = steady_clock::now();
  }
  return static_cast<double>(sent) / std::chrono::duration<double>(now - began).count();
}

std::vector<UniqueFd> acceptAll(int listener, std::size_t count) {
  std::vector<UniqueFd> sockets;
  while (sockets.size() < count) {
    pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, -1);
    UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK));
    if (!socket.valid()) continue;
    setNoDelay(socket.get());
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

void measure(std::size_t count, std::size_t bytes, double seconds) {
  raiseOpenFilesLimit();
  const UniqueFd listener = valueOf(listenOn(*Address::ip("127.0.0.1", 0)));
  const pid_t reader = ::fork();
  if (reader == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    runOnProcessor(1);
    readForever(localAddress(listener.get()), count);
  }
  runOnProcessor(0);
  const std::vector<UniqueFd> sockets = acceptAll(listener.get(), count);
  sendFor(std::chrono::duration<double>(seconds / 4), sockets, bytes);  // warm up
  const double rate = sendFor(std::chrono::duration<double>(seconds), sockets, bytes);
  ::kill(reader, SIGKILL);
  ::waitpid(reader, nullptr, 0);
  std::printf("%.0f\n", rate);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: send_limit SOCKETS BYTES [SECONDS]\n");
    return 2;
  }
  try {
    measure(std::stoul(argv[1]), std::stoul(argv[2]), argc > 3 ? std::stod(argv[3]) : 2);
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "send_limit: %s\n", failed.what());
    return 1;
  }
}
