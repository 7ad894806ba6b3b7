#include "process/passed_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "process/listen_sockets.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

Listening at(const std::string& host, std::uint16_t port) {
  return {.label = "tcp://" + host, .address = Address::ip(host, port).value()};
}

/// In a process to which these descriptors are passed as a service manager does it, with its pid or
/// another one: returns what `holds` does.
bool whenPassed(const std::vector<int>& fds, bool isItsPid, const std::function<bool()>& holds) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    // First to high numbers, so that none is overwritten.
    std::vector<int> high;
    for (const int fd : fds) high.push_back(::fcntl(fd, F_DUPFD, 100));
    for (std::size_t i = 0; i < high.size(); ++i) ::dup2(high[i], static_cast<int>(3 + i));
    ::setenv("LISTEN_PID", std::to_string(isItsPid ? ::getpid() : 1).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", "clients", 1);
    ::_exit(holds() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status == 0;
}

TEST(PassedSockets, TheOneOfAnAddressIsSharedByAllSlots) {
  const UniqueFd passed = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::uint16_t port = localAddress(passed.get()).port();
  EXPECT_TRUE(whenPassed({passed.get()}, true, [&] {
    PassedSockets sockets = PassedSockets::fromEnvironment();
    Role role{.name = "test", .count = 2, .listen = {at("127.0.0.1", port)}};
    const ListenSockets listening(role, Instance("/tmp", "test"), &sockets);
    const auto fds = listening.fds();
    return std::getenv("LISTEN_FDS") == nullptr && fds.size() == 2 &&
           localAddress(fds[1][0]).port() == port && !sharesPort(fds[0][0]);
  }));
}

TEST(PassedSockets, OneOnAllAddressesOfIpv6IsThatOfIpv4Too) {
  auto any = listenOn(*Address::ip("::", 0));
  if (!any) GTEST_SKIP() << "no IPv6 here";
  const std::uint16_t port = localAddress(any->get()).port();
  EXPECT_TRUE(whenPassed({any->get()}, true, [&] {
    return PassedSockets::fromEnvironment().take(at("0.0.0.0", port)).has_value();
  }));
  EXPECT_TRUE(whenPassed({any->get()}, true, [&] {
    return !PassedSockets::fromEnvironment().take(at("127.0.0.1", port)).has_value();
  }));
}

TEST(PassedSockets, AnotherAddressAndAnotherProcessGetNone) {
  const UniqueFd passed = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::uint16_t port = localAddress(passed.get()).port();
  EXPECT_TRUE(whenPassed({passed.get()}, true, [&] {
    return !PassedSockets::fromEnvironment().take(at("127.0.0.2", port)).has_value();
  }));
  EXPECT_TRUE(whenPassed({passed.get()}, false, [&] {
    return !PassedSockets::fromEnvironment().take(at("127.0.0.1", port)).has_value();
  }));
}

TEST(PassedSockets, AreNotShutDownWhenNewClientsAreRefused) {
  const UniqueFd passed = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const Address address = localAddress(passed.get());
  EXPECT_TRUE(whenPassed({passed.get()}, true, [&] {
    PassedSockets sockets = PassedSockets::fromEnvironment();
    Role role{.name = "test", .listen = {at("127.0.0.1", address.port())}};
    ListenSockets(role, Instance("/tmp", "test"), &sockets).refuseClients();
    return true;
  }));
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.get(), address.raw(), address.size()), 0);
}

}  // namespace
}  // namespace stormo::process
