#include "sys/sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "support/temp_directory.h"

namespace stormo {
namespace {

using test::TempDirectory;

Address loopback(std::uint16_t port = 0) { return *Address::ip("127.0.0.1", port); }

void awaitWritable(int fd) {
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  ASSERT_EQ(::poll(&ready, 1, 30'000), 1);
}

std::error_code code(std::errc errc) { return std::make_error_code(errc); }

TEST(Sockets, ListenOnAFreePortAndConnect) {
  auto listener = listenOn(loopback());
  ASSERT_TRUE(listener) << listener.error().message();
  const Address address = localAddress(listener->get());
  EXPECT_NE(address.port(), 0);

  auto client = connectTo(address);
  ASSERT_TRUE(client) << client.error().message();
  awaitWritable(client->get());
  EXPECT_TRUE(connectOutcome(client->get()));
  EXPECT_EQ(peerAddress(client->get()).text(), address.text());

  const UniqueFd accepted(::accept(listener->get(), nullptr, nullptr));
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(peerAddress(accepted.get()).text(), localAddress(client->get()).text());
}

TEST(Sockets, AreNonBlockingAndCloseOnExec) {
  auto listener = listenOn(loopback());
  ASSERT_TRUE(listener);
  EXPECT_NE(::fcntl(listener->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Sockets, ListenErrorNamesTheStep) {
  auto first = listenOn(loopback());
  ASSERT_TRUE(first);
  const auto second = listenOn(localAddress(first->get()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, code(std::errc::address_in_use));
  EXPECT_EQ(second.error().message(), "bind: Address already in use");
}

TEST(Sockets, ReusePortSharesAPortOnlyIfAllSocketsSetIt) {
  auto first = listenOn(loopback(), {.reusePort = true});
  ASSERT_TRUE(first);
  const Address address = localAddress(first->get());
  EXPECT_TRUE(listenOn(address, {.reusePort = true}));
  EXPECT_FALSE(listenOn(address));
}

TEST(Sockets, AnyIPv6AddressAcceptsIPv4Clients) {
  auto both = listenOn(*Address::ip("::", 0));
  if (!both) GTEST_SKIP() << "no IPv6 here: " << both.error().message();
  const std::uint16_t port = localAddress(both->get()).port();
  auto client = connectTo(loopback(port));
  ASSERT_TRUE(client);
  awaitWritable(client->get());
  ASSERT_TRUE(connectOutcome(client->get()));
  const UniqueFd accepted(::accept(both->get(), nullptr, nullptr));
  EXPECT_EQ(peerAddress(accepted.get()).host(), "127.0.0.1");
}

TEST(Sockets, Ipv6OnlyLeavesThePortOfIPv4Free) {
  auto v6 = listenOn(*Address::ip("::", 0), {.v6Only = true});
  if (!v6) GTEST_SKIP() << "no IPv6 here: " << v6.error().message();
  EXPECT_TRUE(listenOn(*Address::ip("0.0.0.0", localAddress(v6->get()).port())));
}

TEST(Sockets, ConnectToAnUnusedPortIsRefused) {
  std::uint16_t port = 0;
  {
    auto listener = listenOn(loopback());
    ASSERT_TRUE(listener);
    port = localAddress(listener->get()).port();
  }
  auto client = connectTo(loopback(port));
  if (!client) {
    EXPECT_EQ(client.error().code, code(std::errc::connection_refused));
    return;
  }
  awaitWritable(client->get());
  const auto outcome = connectOutcome(client->get());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message(), "connect: Connection refused");
}

TEST(Sockets, NoDelayIsSetOnTcpAndHarmlessOnUnixSockets) {
  auto listener = listenOn(loopback());
  ASSERT_TRUE(listener);
  setNoDelay(listener->get());
  int on = 0;
  socklen_t size = sizeof on;
  ::getsockopt(listener->get(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
  EXPECT_NE(on, 0);

  const TempDirectory directory;
  auto local = listenOn(*Address::unixPath(directory.file("s")));
  ASSERT_TRUE(local);
  setNoDelay(local->get());
}

TEST(Sockets, KernelOutputBytesFallWhenThePeerHasTakenThem) {
  const TempDirectory directory;
  for (const Address& address : {loopback(), *Address::unixPath(directory.file("s"))}) {
    auto listener = listenOn(address);
    ASSERT_TRUE(listener);
    auto client = connectTo(localAddress(listener->get()));
    ASSERT_TRUE(client);
    awaitWritable(client->get());
    EXPECT_EQ(kernelOutputBytes(client->get()), 0u);
    std::size_t sent = 0;
    const std::string bytes(4096, 'x');
    for (ssize_t now = 0; now >= 0; now = ::send(client->get(), bytes.data(), bytes.size(), 0)) {
      sent += static_cast<std::size_t>(now);
    }
    EXPECT_GT(kernelOutputBytes(client->get()), 0u);
    const UniqueFd accepted(::accept(listener->get(), nullptr, nullptr));
    std::string received(sent, '\0');
    EXPECT_EQ(::recv(accepted.get(), received.data(), sent, MSG_WAITALL),
              static_cast<ssize_t>(sent));
    // The last acknowledgement may be on its way.
    while (kernelOutputBytes(client->get()) > 0) std::this_thread::yield();
  }
  EXPECT_EQ(kernelOutputBytes(-1), 0u);
}

TEST(UnixSockets, ListenAndConnectByPath) {
  const TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  auto listener = listenOn(address);
  ASSERT_TRUE(listener) << listener.error().message();
  auto client = connectTo(address);
  ASSERT_TRUE(client);
  EXPECT_TRUE(connectOutcome(client->get()));
  EXPECT_EQ(peerAddress(client->get()).text(), address.text());
  EXPECT_EQ(localAddress(client->get()).text(), "unix://");
}

TEST(UnixSockets, ListenReplacesAStaleSocketFile) {
  const TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  { auto closed = listenOn(address); }
  ASSERT_FALSE(connectTo(address));
  auto next = listenOn(address);
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_TRUE(connectTo(address));
}

TEST(UnixSockets, ListenFailsOnASocketInUse) {
  const TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  auto first = listenOn(address);
  ASSERT_TRUE(first);
  const auto second = listenOn(address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, code(std::errc::address_in_use));
  EXPECT_TRUE(connectTo(address));
}

TEST(UnixSockets, SocketWithAFullBacklogIsInUse) {
  const TempDirectory directory;
  const Address address = *Address::unixPath(directory.file("s"));
  auto first = listenOn(address, {.backlog = 0});
  ASSERT_TRUE(first);
  auto waiting = connectTo(address);
  ASSERT_TRUE(waiting);
  ASSERT_FALSE(connectTo(address)) << "the backlog is not full";
  EXPECT_FALSE(listenOn(address));
}

TEST(UnixSockets, ListenKeepsAFileThatIsNotASocket) {
  const TempDirectory directory;
  const std::string path = directory.file("precious");
  std::ofstream(path) << "data";
  const auto listener = listenOn(*Address::unixPath(path));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, code(std::errc::address_in_use));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISREG(status.st_mode));
}

TEST(UnixSockets, ListenErrorReportsAMissingDirectory) {
  const TempDirectory directory;
  const auto listener = listenOn(*Address::unixPath(directory.file("none/s")));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().message(), "bind: No such file or directory");
}

}  // namespace
}  // namespace stormo
